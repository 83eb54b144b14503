// The dialog that begins a new run at a checkpoint of another, with one setting changed.

import { ask, spellCount } from "../common/api.js";
import { make } from "../common/shell.js";

const $ = (id) => document.getElementById(id);
const USUAL = "train.learning_rate";
let details = null;

/** Say what the chosen setting means and which value it has; an error about another choice is out of date. */
function showSetting() {
  const name = $("branch-name").value;
  const value = details?.settings[name];
  $("branch-now").textContent = value === undefined ? "" : `(now ${JSON.stringify(value)})`;
  $("branch-what").textContent = details?.explained[name] ?? "";
  $("branch-error").hidden = true;
}

/** Open the dialog for a run; the checkpoint nearest to `items` is chosen. */
export function openBranch(run, items) {
  details = run;
  const distance = (at) => Math.abs(at - items);
  const nearest = run.checkpoints.reduce((best, at) => (distance(at) < distance(best) ? at : best));
  const makeOption = (at) => make("option", { value: at }, spellCount(at, run.unit));
  $("branch-at").replaceChildren(...run.checkpoints.map(makeOption));
  $("branch-at").value = nearest;
  $("branch-name").replaceChildren(...run.tunable.map((name) => make("option", { value: name }, name)));
  if (run.tunable.includes(USUAL)) $("branch-name").value = USUAL;
  $("branch-value").value = "";
  showSetting();
  $("branch").showModal();
}

/** Begin the new run; returns its id, null if that is refused. */
async function submit() {
  const [name, value] = [$("branch-name").value, $("branch-value").value.trim()];
  const body = { at: Number($("branch-at").value), settings: value ? { [name]: value } : {} };
  $("branch-go").disabled = true;
  $("branch-error").hidden = true;
  try {
    const { id } = await ask(`train/runs/${encodeURIComponent(details.id)}/branch`, { method: "POST", body });
    $("branch").close();
    return id;
  } catch (wrong) {
    $("branch-error").hidden = false;
    $("branch-error").textContent = wrong.message;
    return null;
  } finally {
    $("branch-go").disabled = false;
  }
}

/** Connect the dialog; `begin(id)` is called with the new run. */
export function connectBranch(begin) {
  $("branch-name").addEventListener("input", showSetting);
  for (const id of ["branch-value", "branch-at"]) $(id).addEventListener("input", () => { $("branch-error").hidden = true; });
  $("branch-close").addEventListener("click", () => $("branch").close());
  $("branch-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const id = await submit();
    if (id !== null) begin(id);
  });
}
