// The dialog that begins a new run at a checkpoint of another, with one setting changed.

import { ask, formatCount } from "../common/api.js";
import { make } from "../common/shell.js";

const $ = (id) => document.getElementById(id);
const OFFERED = /^(train\.|config\.rules|data\.(fit|flip))/; // settings that do not change the networks
let details = null;

function showPresentValue() {
  const value = details?.settings[$("branch-name").value];
  $("branch-now").textContent = value === undefined ? "" : `(now ${JSON.stringify(value)})`;
}

/** Open the dialog for a run; the checkpoint nearest to `items` is chosen. */
export function openBranch(run, items) {
  details = run;
  const distance = (at) => Math.abs(at - items);
  const nearest = run.checkpoints.reduce((best, at) => (distance(at) < distance(best) ? at : best));
  const makeOption = (at) => make("option", { value: at }, `${formatCount(at)} ${run.unit}`);
  $("branch-at").replaceChildren(...run.checkpoints.map(makeOption));
  $("branch-at").value = nearest;
  const names = Object.keys(run.settings).filter((name) => OFFERED.test(name));
  $("branch-names").replaceChildren(...names.map((name) => make("option", { value: name })));
  $("branch-error").hidden = true;
  showPresentValue();
  $("branch").showModal();
}

/** Begin the new run; returns its id, null if that is refused. */
async function submit() {
  const [name, value] = [$("branch-name").value.trim(), $("branch-value").value.trim()];
  const body = { at: Number($("branch-at").value), settings: value ? { [name]: value } : {} };
  $("branch-go").disabled = true;
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
  $("branch-name").addEventListener("input", showPresentValue);
  $("branch-close").addEventListener("click", () => $("branch").close());
  $("branch-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const id = await submit();
    if (id !== null) begin(id);
  });
}
