// The controls that add a step: towards a class, from one to another, the styles of another seed, a sum of seeds.

import { readSeed } from "../common/seed.js";
import { make } from "../common/shell.js";
import { $, state } from "./edit_state.js";

/** Put options [value, name] into a list of choices. */
export function fill(select, options) {
  select.replaceChildren(...options.map(([value, name]) => make("option", { value }, name)));
}

/** Show the controls of the steps that a model can do. */
export function offerSteps({ classes, between, styles }) {
  fill($("morph"), classes.map((name) => [name, name]));
  fill($("away"), between.map((name) => [name, name]));
  fill($("towards"), between.map((name) => [name, name]));
  if (between.length > 1) $("towards").selectedIndex = 1;
  $("morph-part").hidden = !classes.length;
  $("between-part").hidden = !between.length;
  $("mix-part").hidden = !styles;
  for (const id of ["mix-first", "mix-last"]) $(id).max = Math.max(1, styles);
  $("mix-last").value = "";
}

/** A layer of a field, counted from 1 as on Explore, as its index; `usual` if the field is empty. */
function readLayer(id, usual) {
  return Math.max(1, Math.min(state.able.styles, Math.round(Number($(id).value)) || usual)) - 1;
}

function readMix() {
  const [first, last] = [readLayer("mix-first", 1), readLayer("mix-last", state.able.styles)];
  const isAll = last === state.able.styles - 1; // from the first one on
  const layers = isAll ? [] : Array.from({ length: Math.max(1, last - first + 1) }, (_, k) => first + k);
  return { kind: "mix", seed: readSeed($("mix-seed").value), first, layers };
}

/**
 * `addStep(step)` takes a step; `tryStep(step)` one that was written by hand, if the model can follow it; `fail(wrong)` shows
 * what went wrong.
 */
export function connectAdding({ addStep, tryStep, fail }) {
  const connect = (id, run) => $(id).addEventListener("click", run);
  connect("add-morph", () => addStep({ kind: "morph", name: $("morph").value }));
  connect("add-between", () => addStep({ kind: "move", name: `class:${$("towards").value}-${$("away").value}`, amount: 2 }));
  connect("add-mix", () => {
    try {
      addStep(readMix());
    } catch (wrong) {
      fail(wrong);
    }
  });
  connect("add-sum", () => tryStep({ kind: "sum", plus: $("sum-plus").value.trim(), minus: $("sum-minus").value.trim() }));
}
