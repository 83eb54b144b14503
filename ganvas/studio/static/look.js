// Looks: what decides a picture, in the link, with undo; and pictures on canvases, of which the latest wins.

import { line } from "./api.js";

export const tab = Math.random().toString(36).slice(2, 10);  // keeps two tabs apart on the server

/** The look without what changes nothing. */
export function plain(look) {
  const found = { ...look };
  for (const [name, value] of Object.entries({ x: 0, y: 0, psi: 1, cut: 0, turn: 30 })) if (found[name] === value) delete found[name];
  for (const name of ["picture", "label", "truncate", "mix", "resolution"]) if (found[name] === null || found[name] === undefined) delete found[name];
  if (found.mix === undefined) delete found.cut;
  if (found.x === undefined && found.y === undefined) { delete found.right; delete found.up; }
  const moves = Object.fromEntries(Object.entries(found.moves ?? {}).filter(([, amount]) => amount));
  if (Object.keys(moves).length) found.moves = moves;
  else delete found.moves;
  return found;
}

export const query = (look) => `look=${encodeURIComponent(JSON.stringify(plain(look)))}`;

/** A canvas that shows the last picture asked for: while one is on its way only the newest waits. */
export class View {
  constructor(canvas, failed = () => {}) {
    Object.assign(this, { canvas, failed, busy: false, next: null, cleared: 0 });
  }

  /** Show what `path` answers; `then(response)` is called when it is there. */
  ask(path, then = () => {}) {
    this.next = { path, then };
    if (!this.busy) this.turn();
  }

  /** Show nothing, not even what is on its way. */
  clear() {
    this.next = null;
    this.cleared += 1;
    this.canvas.hidden = true;
  }

  async turn() {
    this.busy = true;
    while (this.next) {
      const { path, then } = this.next, { cleared } = this;
      this.next = null;
      try {
        const response = await fetch(path);
        if (response.status === 204) continue;
        if (!response.ok) throw new Error(await line(response));
        const found = await response.blob();
        if (cleared !== this.cleared) continue;
        await paint(this.canvas, found);
        if (cleared !== this.cleared) { this.canvas.hidden = true; continue; }
        this.failed("");
        then(response);
      } catch (wrong) { if (cleared === this.cleared) this.failed(wrong.message); }
    }
    this.busy = false;
  }
}

/** A picture's pixels on a canvas, each as it is. */
export async function paint(canvas, blob) {
  const bitmap = await createImageBitmap(blob);
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  bitmap.close();
  canvas.hidden = false;
}

/** Past looks, to go back to. */
export class History {
  constructor() { Object.assign(this, { past: [], future: [] }); }

  /** Remember `look` before a change; quick changes of one kind, where it has one, are one. */
  note(look, kind) {
    const now = Date.now();
    if (kind && kind === this.kind && now - this.when < 800) { this.when = now; return; }
    Object.assign(this, { kind, when: now });
    this.past.push(structuredClone(look));
    this.future = [];
    if (this.past.length > 200) this.past.shift();
  }

  back(look) {
    if (!this.past.length) return look;
    this.future.push(structuredClone(look));
    this.kind = null;
    return this.past.pop();
  }

  on(look) {
    if (!this.future.length) return look;
    this.past.push(structuredClone(look));
    return this.future.pop();
  }
}
