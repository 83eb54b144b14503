// The list of steps: each with a switch, a slider, and a button that removes it.

import { explain } from "../common/explain.js";
import { make } from "../common/shell.js";

const tips = [];
const RANGES = { move: [-4, 4, 0.1], morph: [0, 1, 0.05], mix: [0, 1, 0.05], sum: [0, 1.5, 0.05], shift: [0, 1.5, 0.05] };

/** What a step does, in words. */
export function nameStep({ kind, name, seed, first, layers, plus, minus }) {
  if (kind === "move") return name.startsWith("class:") ? `class ${name.slice(6).split("-").reverse().join(" > ")}` : name;
  if (kind === "morph") return `towards ${name}`;
  if (kind === "mix") return `styles of seed ${seed}, ${layers.length ? nameLayers(layers) : `from layer ${first + 1}`}`;
  if (kind === "sum") return `+ ${plus} - ${minus}`;
  return name;
}

/** Numbers of layers in words, counted from 1 as on Explore. */
function nameLayers(layers) {
  return `layer${layers.length > 1 ? "s" : ""} ${layers.map((layer) => layer + 1).join(", ")}`;
}

/** Show `steps` in a list; `change(steps, isWhole)` gets the new ones, while a slider moves with isWhole false. */
export function showSteps(list, steps, change) {
  for (const tip of tips.splice(0)) tip.remove(); // of the list before
  const put = (at, step, isWhole = true) => change(steps.map((each, k) => (k === at ? step : each)), isWhole);
  const items = steps.map((step, at) => {
    const [low, high, by] = RANGES[step.kind];
    const words = nameStep(step);
    const turn = make("input", { type: "checkbox", checked: step.on, "data-step-on": at });
    turn.addEventListener("change", () => put(at, { ...step, on: turn.checked }));
    const out = make("output", { class: "num small" }, String(step.amount));
    const amount = make("input", { type: "range", min: low, max: high, step: by, value: step.amount, "data-step-amount": at });
    amount.setAttribute("aria-label", `How far: ${words}`);
    amount.addEventListener("input", () => {
      out.textContent = amount.value;
      put(at, { ...step, amount: Number(amount.value) }, false);
    });
    amount.addEventListener("change", () => put(at, { ...step, amount: Number(amount.value) }));
    const remove = make("button", { type: "button", class: "quiet small", "aria-label": `Remove: ${words}` }, "×");
    remove.addEventListener("click", () => change(steps.filter((_, k) => k !== at), true));
    const row = make("div", { class: "row" }, make("label", { class: "check small" }, turn, words), out, remove);
    const item = make("li", { class: "step" }, row, amount);
    tips.push(explain(amount, "How far the step goes."), explain(turn, "Leaves the step out, or takes it in again."));
    return item;
  });
  list.replaceChildren(...items);
}
