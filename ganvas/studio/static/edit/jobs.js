// What takes seconds: looking for a picture, tuning a copy, the brush, a drag. One at a time; Stop keeps the best so far.

import { say } from "../common/shell.js";
import { CancelledError } from "../common/tasks.js";
import { $, makeEdit, state } from "./edit_state.js";

export class Jobs {
  /**
   * `facts()`: those of a task for the present edit; `change(edit)` and `addStep(step, words)` make a new one;
   * `busy(isBusy)` runs before and after; `fail(wrong)` shows what went wrong.
   */
  constructor(parts) {
    Object.assign(this, parts, { task: null });
  }

  stop() {
    this.task?.cancel();
  }

  /** Do a task, and `take` its answer; where it is stopped, what it had found by then if `keeps`. */
  async run(name, facts, options, take, keeps = false) {
    this.busy(true);
    this.task = this.tasks.start(name, { ...this.facts(), ...facts }, options);
    try {
      take(await this.task.done);
    } catch (wrong) {
      if (!(wrong instanceof CancelledError)) this.fail(wrong);
      else if (keeps) await this.tasks.start("found", this.facts()).done.then(take, this.fail);
    }
    this.task = null;
    this.busy(false);
  }

  /** The code of a picture, uint8 [H, W, 3]. */
  find(picture, called) {
    const follow = ({ step }, arrays) => {
      this.stage.showSearch(arrays.picture);
      $("said").textContent = `Looking for ${called}: step ${step}`;
    };
    const take = ({ facts: answer, arrays }) => {
      const parts = [`The nearest that the model makes: ${answer.error} of 255 levels away`];
      if (answer.class) parts.push(`as ${answer.class}`);
      if (answer.aligned) parts.push(answer.aligned);
      const words = `${parts.join("; ")}.`;
      this.change({ ...makeEdit(0), origin: answer.origin, target: arrays.target, words });
      say(words, true);
    };
    return this.run("invert", { tuned: "", called }, { arrays: { picture }, picture: follow }, take, true);
  }

  /** A copy of the model that makes the picture itself. */
  tune() {
    const edit = state.stack.present;
    const follow = ({ done, all }) => { $("said").textContent = `Tuning a copy: ${Math.round((100 * done) / all)} %`; };
    const take = ({ facts: answer }) => {
      const words = `A copy of the model was tuned to your picture: ${answer.error} of 255 levels away.`;
      this.change({ ...edit, tuned: answer.tuned, words });
    };
    return this.run("tune", {}, { arrays: { target: edit.target }, progress: follow }, take);
  }

  /** The step to what was painted, uint8 [side, side, 4]. */
  brush(strokes) {
    return this.run("brush", {}, { arrays: { strokes } }, ({ facts: answer }) => this.addStep(answer.step));
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
      this.addStep(answer.step, `Drag, ${answer.count} steps: ${answer.words}. Still to go: ${far}.`);
    };
    return this.run("drag", { handles, targets }, { arrays: mask ? { mask } : {}, picture: follow }, take, true);
  }
}
