// What takes seconds: looking for a picture, tuning a copy, the brush, a drag. One at a time; Stop keeps the best so far.

import { say } from "../common/shell.js";
import { CancelledError } from "../common/tasks.js";
import { $, makeEdit, state } from "./edit_state.js";

const STOPPED = " Stopped before its end: this is the best so far.";

export class Jobs {
  /**
   * `facts()`: those of a task for the present edit; `change(edit)` and `addStep(step, words)` make a new one;
   * `busy(isBusy)` runs before and after; `fail(wrong)` shows what went wrong.
   */
  constructor(parts) {
    Object.assign(this, parts, { task: null, count: 0 });
  }

  stop() {
    this.task?.cancel();
  }

  /** Stop, and keep nothing: something else takes the place of what was to be found. */
  drop() {
    if (!this.task) return;
    this.count += 1;
    this.task.cancel();
    this.task = null;
    this.busy(false);
  }

  /** Do a task, and `take` its answer, and "" or a sentence that it was stopped: it is then what had been found. */
  async run(name, facts, options, take) {
    this.drop();
    const job = ++this.count;
    const given = { ...this.facts(), ...facts, job };
    this.busy(true);
    this.task = this.tasks.start(name, given, options);
    let stopped = "";
    try {
      const found = await this.task.done.catch((wrong) => {
        if (!(wrong instanceof CancelledError) || job !== this.count) throw wrong;
        stopped = STOPPED;
        return this.tasks.start("found", given).done;
      });
      if (job === this.count) take(found, stopped);
    } catch (wrong) {
      if (job === this.count) this.fail(wrong);
    }
    if (job !== this.count) return; // another one has taken its place
    this.task = null;
    this.busy(false);
  }

  follow(called) {
    return ({ step }, arrays) => {
      this.stage.showSearch(arrays.picture);
      $("said").textContent = `Looking for ${called}: step ${step}`;
    };
  }

  /** The code of a picture uint8 [H, W, 3]; or once more, as class `label`, of `target`, as the model was shown it. */
  find(called, { picture = null, target = null, label = null }) {
    const take = ({ facts: answer, arrays }, stopped) => {
      const parts = [`The nearest that the model makes: ${answer.error} of 255 levels away`];
      if (answer.class) parts.push(`as ${answer.class}`);
      if (answer.aligned) parts.push(answer.aligned);
      const words = `${parts.join("; ")}.${stopped}`;
      this.change({ ...makeEdit(0), origin: answer.origin, target: arrays.target, error: answer.error, words });
      say(words, true);
    };
    const arrays = target ? { target } : { picture };
    return this.run("invert", { tuned: "", called, label }, { arrays, picture: this.follow(called) }, take);
  }

  /** The code of the picture that is nearest to `target` outside the hole that was painted, uint8 [side, side, 4]. */
  fill(strokes, target, called) {
    const take = ({ facts: answer }, stopped) => {
      const words = `Filled. Outside the hole the nearest that the model makes is ${answer.error} of 255 levels away`;
      const undone = state.stack.present.steps.length ? " Your steps went with the old beginning; undo brings them back." : "";
      const said = `${words}${answer.class ? `; as ${answer.class}` : ""}.${stopped}${undone}`;
      state.view = "filled"; // shown with the answer of the draw: what is there now is of the edit before
      this.change({ ...makeEdit(0), origin: answer.origin, target, hole: strokes, error: answer.error, words: said });
      say(said, true);
    };
    const options = { arrays: { target, strokes }, picture: this.follow("what fills the hole") };
    return this.run("fill", { tuned: "", called }, options, take);
  }

  /** A copy of the model that makes the picture itself. */
  tune() {
    const edit = state.stack.present;
    const follow = ({ done, all }) => { $("said").textContent = `Tuning a copy: ${Math.round((100 * done) / all)} %`; };
    const take = ({ facts: answer }, stopped) => {
      const words = `A copy of the model was tuned to your picture: ${answer.error} of 255 levels away.${stopped}`;
      this.change({ ...edit, tuned: answer.tuned, error: null, words });
    };
    return this.run("tune", {}, { arrays: { target: edit.target }, progress: follow }, take);
  }

  /** The step to what was painted, uint8 [side, side, 4]. */
  brush(strokes) {
    const take = ({ facts: answer }, stopped) => this.addStep(answer.step, stopped ? `Brush.${stopped}` : undefined);
    return this.run("brush", {}, { arrays: { strokes } }, take);
  }

  /** The step that drags points [x, y]; `mask` uint8 [side, side], white where it may move, or null. */
  drag(handles, targets, mask) {
    const follow = ({ step, points }, arrays) => {
      this.stage.showSearch(arrays.picture);
      this.dragging.follow(points);
      $("said").textContent = `Dragging: step ${step}`;
    };
    const take = ({ facts: answer }) => {
      this.dragging.clear();
      const far = answer.distances.map((each) => `${each} px`).join(", ");
      this.addStep(answer.step, `Drag, ${answer.count} steps: ${answer.words}. Distance to the target: ${far}.`);
    };
    return this.run("drag", { handles, targets }, { arrays: mask ? { mask } : {}, picture: follow }, take);
  }
}
