// The numbers in the form: minutes, images, seed. What is wrong with one stands below it as soon as it is written.

import { formatCount } from "../common/api.js";

const $ = (id) => document.getElementById(id);
const IDS = ["minutes", "images", "seed"];

/** Show what is wrong with each number, and return it by field, {minutes, images, seed}; "": nothing. */
export function checkNumbers() {
  const problems = Object.fromEntries(IDS.map((id) => [id, describeProblem($(id))]));
  if (!problems.minutes && !problems.images && $("minutes").value && $("images").value) {
    problems.images = "minutes and images both set the length; leave one of them empty";
  }
  for (const id of IDS) {
    const words = $(`${id}-wrong`);
    words.hidden = !problems[id];
    words.textContent = problems[id];
    $(id).setAttribute("aria-invalid", String(problems[id] !== ""));
  }
  return problems;
}

function describeProblem({ validity, min, max, step, value }) {
  if (validity.valid) return "";
  const kind = step === "any" ? "a number" : "a whole number";
  const range = max ? `from ${formatCount(min)} to ${formatCount(max)}` : `from ${formatCount(min)}`;
  return `expected ${kind} ${range}${validity.badInput ? "" : `, found ${value}`}`;
}
