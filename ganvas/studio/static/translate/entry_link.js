// The link: the model, what goes in, and every setting. It follows the page, and the page follows it.

import { state } from "./translate_state.js";

const WAIT = 300; // milliseconds after the last change
let timer = 0;
let count = 0;
let waiting = null; // gives what goes in, for the link that is not begun yet
let writing = Promise.resolve();

/**
 * What the address asks for: {model, to, mode, seed, strength, size, view, map, picture, example, hole, mask},
 * each a text or null.
 */
export function readLink() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const names = ["model", "to", "mode", "seed", "strength", "size", "view", "map", "picture", "example", "hole", "mask"];
  return Object.fromEntries(names.map((name) => [name, parts.get(name)]));
}

/**
 * Write the link soon. `describeEntry()` gives a promise of what goes in: {map}, {picture}, {example} or {}, with a hole
 * also {hole} or {mask}; `fail(text)`: why the link could not be written.
 */
export function writeLink(describeEntry, fail) {
  clearTimeout(timer);
  waiting = describeEntry;
  timer = setTimeout(() => flushLink().catch((wrong) => fail(wrong.message)), WAIT);
}

/** Write at once what waits; a promise that the address is of now. It is rejected with a line. */
export async function flushLink() {
  do {
    clearTimeout(timer);
    if (waiting) writing = write(waiting);
    waiting = null;
    await writing;
  } while (waiting); // a change came meanwhile
}

async function write(describeEntry) {
  const mine = ++count;
  const { model, way, mode, seed, strength, size, view } = state;
  try {
    const facts = { model: model.id, to: way.to, mode, seed, strength, size, view, ...(await describeEntry()) };
    if (mine === count) history.replaceState(null, "", `#${new URLSearchParams(facts)}`);
  } catch (wrong) {
    if (mine !== count) return; // a newer link has taken its place
    waiting ??= describeEntry; // to copy the link tries again
    throw wrong;
  }
}

/** What is to be written is of a page that is gone. */
export function forgetLink() {
  clearTimeout(timer);
  waiting = null;
  writing = Promise.resolve();
  count += 1;
}
