// What the doctor says about a run.

import { ask } from "../common/api.js";
import { make } from "../common/shell.js";

const $ = (id) => document.getElementById(id);
const HELP = "Looks at the log, at samples and at the data, and says what went wrong, with the evidence.";

/** Forget what was said about another run. */
export function clearFindings() {
  $("ask").disabled = false;
  $("doctor").replaceChildren(make("p", { class: "muted small" }, HELP));
}

/** Ask the doctor about run `id`; `isWanted` says whether its answer is still to be shown. */
export async function askDoctor(id, isWanted) {
  $("ask").disabled = true;
  $("doctor").replaceChildren(make("p", { class: "muted" }, "Looking …"));
  let parts = [];
  try {
    parts = makeFindings(await ask(`train/runs/${encodeURIComponent(id)}/doctor`));
  } catch (wrong) {
    parts = [make("p", { class: "problem" }, wrong.message)];
  }
  if (!isWanted()) return;
  $("doctor").replaceChildren(...parts);
  $("ask").disabled = false;
}

function makeFindings({ findings, summary }) {
  const makeFinding = ({ name, evidence, advice }) => {
    const cure = make("p", { class: "small" }, "Try ", make("code", {}, advice));
    return make("div", { class: "finding" }, make("h3", {}, name), make("p", { class: "small" }, evidence), cure);
  };
  const lines = summary.split("\n").filter(Boolean);
  if (!findings.length) return [make("div", { class: "finding good" }, ...lines.map((line) => make("p", {}, line)))];
  return [...findings.map(makeFinding), ...lines.map((line) => make("p", { class: "small muted" }, line))];
}
