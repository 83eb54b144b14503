// A look: everything that decides one picture of a model, as plain values that fit in a link; and the way back to old looks.

import { ask } from "../common/api.js";

const MAX_PAST = 200; // looks kept for undo
const SAME_CHANGE_MILLISECONDS = 800; // quick changes of one kind are undone together

export const schema = await ask("explore/schema");
export const tab = Math.random().toString(36).slice(2, 10); // keeps two tabs apart on the server

/** The look that changes nothing. */
export const makeBlank = () => structuredClone(schema.look);

/** A look from a link, a favourite or a keyframe: what it does not say is as in the blank one. */
export function completeLook(look) {
  return structuredClone({ ...makeBlank(), ...look, moves: { ...look.moves } });
}

/** The look without what changes nothing: as short as it can be. */
export function shortenLook(look) {
  const same = (name) => look[name] === undefined || look[name] === schema.look[name];
  const short = Object.fromEntries(Object.entries(look).filter(([name]) => name === "seed" || !same(name)));
  if (short.mix === undefined) for (const name of ["cut", "layers"]) delete short[name]; // layers without a mixture
  if (short.layers?.length === 0) delete short.layers;
  if (short.x === undefined && short.y === undefined) {
    delete short.right;
    delete short.up;
  }
  const moves = Object.entries(look.moves ?? {}).filter(([, amount]) => amount);
  if (moves.length) short.moves = Object.fromEntries(moves);
  else delete short.moves;
  return short;
}

/** A look as a part of a query. */
export const encodeLook = (look) => `look=${encodeURIComponent(JSON.stringify(shortenLook(look)))}`;

/** The looks before, to go back to. */
export class LookHistory {
  constructor() {
    Object.assign(this, { past: [], future: [], kind: null, when: 0 });
  }

  /** Remember `look` before a change. Quick changes of the same `kind` count as one; "" is always one of its own. */
  add(look, kind) {
    const now = Date.now();
    const joins = kind && kind === this.kind && now - this.when < SAME_CHANGE_MILLISECONDS;
    Object.assign(this, { kind, when: now });
    if (joins) return;
    this.past.push(structuredClone(look));
    this.future = [];
    if (this.past.length > MAX_PAST) this.past.shift();
  }

  undo(look) {
    if (!this.past.length) return look;
    this.future.push(structuredClone(look));
    this.kind = null;
    return this.past.pop();
  }

  redo(look) {
    if (!this.future.length) return look;
    this.past.push(structuredClone(look));
    return this.future.pop();
  }
}
