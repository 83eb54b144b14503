// The link: the model, what goes in, and every setting. It follows the page, and the page follows it.

import { state } from "./translate_state.js";

const WAIT = 300; // milliseconds after the last change
let timer = 0;
let count = 0;

/** What the address asks for: {model, to, mode, seed, strength, size, view, map, picture, example}, each a text or null. */
export function readLink() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const names = ["model", "to", "mode", "seed", "strength", "size", "view", "map", "picture", "example"];
  return Object.fromEntries(names.map((name) => [name, parts.get(name)]));
}

/** Write the link soon. `describeEntry()` gives a promise of what goes in: {map}, {picture}, {example} or {}. */
export function writeLink(describeEntry) {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    const mine = ++count;
    const { model, way, mode, seed, strength, size, view } = state;
    const facts = { model: model.id, to: way.to, mode, seed, strength, size, view, ...(await describeEntry()) };
    if (mine === count) history.replaceState(null, "", `#${new URLSearchParams(facts)}`);
  }, WAIT);
}

/** What is to be written is of a page that is gone. */
export function forgetLink() {
  clearTimeout(timer);
  count += 1;
}
