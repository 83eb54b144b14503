// What the parts of the page share.

import { UndoStack } from "../common/undo.js";

export const $ = (id) => document.getElementById(id);
const MAX_SEED = 2 ** 53 - 100; // larger numbers are not exact in JavaScript

export const state = {
  model: null, // of the list of models
  able: null, // what it offers, as `describe` of its process says
  stack: new UndoStack(makeEdit(0)),
  view: "result", // or compare
};

/** Where an edit of a seed begins: {origin, steps}; of a picture also {target, error, words}, and {tuned} of a tuned copy. */
export function makeEdit(seed, label = null) {
  return { origin: { seed, label }, steps: [], target: null, words: "", tuned: "" };
}

export const toSeed = (number) => Math.max(0, Math.min(MAX_SEED, Math.round(Number(number)) || 0));

/** Show a problem above everything; "": none. */
export function showProblem(text) {
  $("problem").hidden = !text;
  $("problem").textContent = text;
}
