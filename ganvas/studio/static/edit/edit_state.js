// What the parts of the page share.

export const $ = (id) => document.getElementById(id);
const KINDS = ["move", "morph", "mix", "sum", "shift"];

export const state = {
  model: null, // of the list of models
  able: null, // what it offers, as `describe` of its process says
  stack: null, // of edits (undo.js), once there is a model
  view: "result", // or compare, or filled
};

/**
 * Where an edit of a seed begins: {origin, steps}; of a picture also `target` as the model was shown it, the `error` of what
 * was found and the `hole` that was painted, uint8 [side, side, 4]; `tuned` names a tuned copy; `words` stand below it.
 * Each has its `model` and what it is `able` to, so that undo finds the way back to another model.
 */
export function makeEdit(seed, label = null) {
  const { model, able } = state;
  return { model, able, origin: { seed, label }, steps: [], target: null, hole: null, error: null, words: "", tuned: "" };
}

/** A step with every field that the process knows. */
export function makeStep(step) {
  return { name: "", amount: 1, on: true, seed: 0, first: 0, layers: [], plus: "", minus: "", change: [], ...step };
}

/** The steps of a link or a file. Throws an Error with one line: they are none. */
export function readSteps(values) {
  const isStep = (each) => each !== null && typeof each === "object" && KINDS.includes(each.kind);
  if (!Array.isArray(values) || !values.every(isStep)) throw new Error("its steps are damaged; choose another one");
  return values.map(makeStep);
}

/** Show a problem above everything; "": none. */
export function showProblem(text) {
  $("problem").hidden = !text;
  $("problem").textContent = text;
}
