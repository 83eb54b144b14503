// The floor beside an error: that of the model's own samples, and of pictures of its data. All else is done first.

import { CancelledError } from "../common/tasks.js";
import { $, state } from "./edit_state.js";

const WAIT = 900; // milliseconds in which nothing else was asked for

export class Floor {
  /** `facts()`: those of a task for the model of now; `fail(wrong)` shows what went wrong. */
  constructor({ tasks, facts, fail }) {
    Object.assign(this, { tasks, facts, fail, found: new Map(), asked: false, task: null, timer: 0, progress: null });
    $("measure-floor").addEventListener("click", () => this.ask(true));
  }

  /** Another model: nothing is asked of it yet. */
  reset() {
    this.pause();
    Object.assign(this, { asked: false, progress: null });
  }

  /** There is an error to compare. Where a search takes long the person asks: `isWanted`. */
  ask(isWanted = state.able.quick) {
    this.asked ||= isWanted;
    this.show();
    this.resume();
  }

  /** Something else is to be done first. What is measured already stays. */
  pause() {
    clearTimeout(this.timer);
    this.task?.cancel();
    this.task = null;
  }

  resume() {
    clearTimeout(this.timer);
    if (this.asked && !this.found.has(state.model.id) && !this.task) this.timer = setTimeout(() => this.measure(), WAIT);
  }

  async measure() {
    const { model } = state;
    const progress = ({ done, all }) => {
      this.progress = [done, all];
      this.show();
    };
    const task = this.tasks.start("floor", { ...this.facts(), tuned: "" }, { progress });
    this.task = task;
    try {
      const { facts } = await task.done;
      this.found.set(model.id, facts);
    } catch (wrong) {
      if (!(wrong instanceof CancelledError)) {
        this.asked = false;
        this.fail(wrong);
      }
    }
    if (this.task !== task) return; // it was paused
    this.task = null;
    if (model === state.model) this.show();
  }

  /** Show the error of the present edit beside its floor; nothing where it has none. */
  show() {
    const { error, tuned } = state.stack.present;
    const found = this.found.get(state.model.id);
    $("floor-said").hidden = error === null;
    $("measure-floor").hidden = Boolean(found) || this.asked;
    $("floor-said").textContent = `Error: ${error}. ${found ? compare(found, error, tuned) : this.describe()}`;
  }

  describe() {
    if (!this.asked) return "";
    const [done, all] = this.progress ?? [0, 0];
    return `Its own samples and its data are searched too${all ? `: ${done} of ${all}` : ""} …`;
  }
}

/** Errors in levels of 255; above `limit` the model can hardly make the picture. */
function compare({ own, held_out: data, limit }, error, tuned) {
  const words = data === null ? "the pictures of its data are not here" : `pictures of its data: ${data}`;
  const hint = tuned ? "" : " Tuning comes nearer.";
  const far = `It is far above: the model can only make what is like the pictures it was trained on.${hint}`;
  return `The model's own samples: ${own}; ${words} (levels of 255).${Number(error) > limit ? ` ${far}` : ""}`;
}
