// What the page asks of the models: while one request is on its way only the newest waits, so that results follow the pen.

import { CancelledError } from "../common/tasks.js";

export class Requests {
  /**
   * `tasks`: Tasks of the page's socket; `report(share)`: how far a long request is, null when none is on its way;
   * `fail(text)`: what went wrong, "" when something came.
   */
  constructor(tasks, { report, fail }) {
    Object.assign(this, { tasks, report, fail, busy: false, next: null, current: null, milliseconds: 0 });
  }

  /**
   * Ask for a result: `make()` gives {name, facts, arrays}, or a promise of it; `show(facts, arrays)` is called with the
   * answer. A long request (with the fact `keep`) is cancelled by a newer one; of those that wait only the newest is made.
   */
  ask(make, show) {
    this.next = { make, show };
    if (this.current?.isLong) this.current.cancel();
    if (!this.busy) this.run();
  }

  /** Nothing is wanted any more: what waits is not asked for. */
  forget() {
    this.next = null;
  }

  async run() {
    this.busy = true;
    while (this.next) {
      const request = this.next;
      this.next = null;
      await this.answer(request);
    }
    this.busy = false;
  }

  async answer({ make, show }) {
    try {
      const { name, facts, arrays = {} } = await make();
      const begin = performance.now();
      const found = await this.start(name, facts, arrays, Boolean(facts.keep));
      this.milliseconds = performance.now() - begin; // that the last answer took
      this.fail("");
      await show(found.facts, found.arrays);
    } catch (wrong) {
      if (!(wrong instanceof CancelledError)) this.fail(wrong.message);
    } finally {
      this.current = null;
      this.report(null);
    }
  }

  start(name, facts, arrays, isLong) {
    const progress = ({ done, all }) => this.report(all > 1 ? done / all : null);
    const task = this.tasks.start(name, facts, { arrays, progress, lane: "show" });
    this.current = { ...task, isLong };
    return task.done;
  }

  /**
   * The id of the file of a result, for a request that was shown; beside what is shown, so it does not wait for it.
   * `keep`: true, or "back" for the picture of the way back.
   */
  async keep({ name, facts, arrays = {} }, keep = true) {
    const { done } = this.tasks.start(name, { ...facts, keep }, { arrays, lane: "keep" });
    return (await done).facts.kept;
  }
}
