// Long tasks on a page's socket (ganvas/studio/page_tasks.py has the protocol): progress, pictures on the way, cancelling.

export class CancelledError extends Error {}

export class Tasks {
  /** Use a Socket (socket.js) for tasks; a lost connection ends all of them. */
  constructor(socket) {
    Object.assign(this, { socket, open: new Map(), count: 0 });
    for (const kind of ["progress", "picture"]) {
      socket.handlers[kind] = (facts, arrays) => this.open.get(facts.id)?.[kind]?.(facts, arrays);
      socket.pictures.add(kind);
    }
    socket.handlers.done = (facts, arrays) => this.end(facts.id, ({ resolve }) => resolve({ facts, arrays }));
    socket.handlers.failed = (facts) => this.end(facts.id, ({ reject }) => reject(new Error(facts.text)));
    socket.handlers.cancelled = (facts) => this.end(facts.id, ({ reject }) => reject(new CancelledError("cancelled")));
    const { explainLoss } = socket;
    socket.explainLoss = (...rest) => {
      for (const id of [...this.open.keys()]) this.end(id, ({ reject }) => reject(new Error("the connection was lost")));
      return explainLoss.apply(socket, rest);
    };
  }

  end(id, finish) {
    const task = this.open.get(id);
    this.open.delete(id);
    if (task) finish(task);
  }

  /**
   * Start a task: {done, cancel}. `done` is a promise of {facts, arrays}; it is rejected with a line, or with CancelledError,
   * also when a newer task of the same lane takes its place. `progress(facts)` and `picture(facts, arrays)` run on the way.
   */
  start(name, facts = {}, { arrays = {}, lane = name, progress = null, picture = null } = {}) {
    this.count += 1;
    const id = this.count;
    const done = new Promise((resolve, reject) => {
      this.open.set(id, { progress, picture, resolve, reject });
      if (!this.socket.send("task", { ...facts, id, name, lane }, arrays)) {
        this.end(id, () => reject(new Error("there is no connection to the studio")));
      }
    });
    return { done, cancel: () => this.socket.send("cancel", { id }) };
  }
}
