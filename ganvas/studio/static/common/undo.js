// Undo and redo of states, for any component. States are kept whole: they should share what does not change.

export class UndoStack {
  /** `state` is the first state; at most `most` states before the present one are kept. */
  constructor(state, most = 60) {
    Object.assign(this, { past: [], present: state, future: [], most });
  }

  get canUndo() {
    return this.past.length > 0;
  }

  get canRedo() {
    return this.future.length > 0;
  }

  /** Make `state` the present one; what was undone before is gone. */
  push(state) {
    this.past.push(this.present);
    if (this.past.length > this.most) this.past.shift();
    this.present = state;
    this.future = [];
  }

  /** Go back by one state; the present state afterwards. */
  undo() {
    if (this.canUndo) {
      this.future.push(this.present);
      this.present = this.past.pop();
    }
    return this.present;
  }

  /** Go forward again; the present state afterwards. */
  redo() {
    if (this.canRedo) {
      this.past.push(this.present);
      this.present = this.future.pop();
    }
    return this.present;
  }
}
