// The page /train: the list of runs, and what is looked at: a new training, or one run.

import { ask, count } from "./api.js";
import { key, make, say, toast } from "./shell.js";
import { prepare } from "./start.js";
import { others, refresh, versus } from "./versus.js";
import { Watch } from "./watch.js";

const $ = (id) => document.getElementById(id);
const STATES = { running: "training", starting: "getting ready", saving: "saving", paused: "paused", stopped: "stopped", interrupted: "interrupted", failed: "failed", finished: "finished" };
let runs = [];
let watch = null;
let prepared = false;
let listed = "";
let offered = "";

const open = (id) => { location.hash = id ? `run=${encodeURIComponent(id)}` : "new"; };
const chosen = () => new URLSearchParams(location.hash.slice(1)).get("run");

async function list() {
  try { runs = await ask("train/runs"); } catch { return; }
  const id = chosen();
  const spelt = JSON.stringify([runs, id]);
  if (spelt === listed) return;
  listed = spelt;
  $("no-runs").hidden = runs.length > 0;
  const held = document.activeElement?.dataset?.run;
  $("runs").replaceChildren(...runs.map((run) => make("li", {}, make("button", { type: "button", "data-run": run.id, "aria-current": run.id === id ? "true" : null, onclick: () => open(run.id) },
    make("span", { class: "name" }, run.id), chip(run.state), make("span", { class: "muted small num" }, far(run))))));
  if (held) entry(held)?.focus();
  others(runs, id);
  if (watch?.details) refresh(id);
}

const entry = (id) => [...$("runs").querySelectorAll("button")].find((button) => button.dataset.run === id);
const far = (run) => run.total ? `${count(run.items)} of ${count(run.total)} ${run.unit}` : "";
const chip = (state) => make("span", { class: "chip", "data-state": state }, STATES[state] ?? state);

function route() {
  watch?.close();
  watch = null;
  const id = chosen();
  const fresh = location.hash === "#new";
  $("run").hidden = true;  // until it is known
  $("missing").hidden = true;
  $("start").hidden = !fresh;
  $("report").hidden = true;
  $("empty").hidden = Boolean(id) || fresh;
  for (const button of $("runs").querySelectorAll("button")) {
    if (button.dataset.run === id) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  if (fresh && !prepared) { prepared = true; prepare(async (id) => { await list(); open(id); }); }
  if (!id) return;
  $("run-title").textContent = id;
  $("doctor").replaceChildren(make("p", { class: "muted small" }, "Looks at the log, at samples and at the data, and names what went wrong, with the evidence."));
  watch = new Watch(id, changed, missing);
  watch.tick();
  others(runs, id);
  versus(id);
}

/** The link names no run, or one that was deleted meanwhile. */
function missing() {
  watch.close();
  watch = null;
  $("run").hidden = true;
  $("missing").hidden = false;
  $("missing").textContent = `There is no run “${chosen()}” here; choose one from the list.`;
  say($("missing").textContent, true);
}

function changed(details, before) {
  $("state").dataset.state = details.state;
  $("state").textContent = STATES[details.state] ?? details.state;
  $("words").textContent = details.words;
  $("words").className = ["failed", "interrupted"].includes(details.state) ? "problem small" : "muted small";
  const story = details.branch.parent ? `Branched from ${details.branch.parent} at ${count(details.branch.items)} ${details.unit}: ${Object.entries(details.branch.changed).map(([name, [, now]]) => `${name} = ${now}`).join(", ")}. ` : "";
  $("about-run").textContent = `${story}${details.about}${details.paper ? ` · ${details.paper}` : ""}`;
  entry(details.id)?.querySelector(".num").replaceChildren(far(details));  // the number of the head
  const offer = JSON.stringify([details.id, details.state, details.checkpoints.length > 0, details.model]);
  if (offer !== offered) { offered = offer; steer(details); settled(details); }
  if (details.state !== before) {
    if (before) { say(`${STATES[details.state]}: ${details.words}`, true); list(); }
    if (["finished", "paused", "stopped"].includes(details.state) && before) doctor();
  }
}

function settled(details) {
  $("settings").replaceChildren(make("table", { class: "facts" }, make("tbody", {}, ...Object.entries(details.settings).map(([name, value]) =>
    make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, typeof value === "string" ? value : JSON.stringify(value)))))));
}

function steer(details) {
  const act = (verb, label, primary = false) => make("button", { type: "button", class: primary ? "primary" : null, "data-part": verb === "stop" ? "end" : "go", onclick: () => send(verb) }, label);
  const buttons = [];
  if (details.state === "starting") buttons.push(act("stop", "■ Cancel"));
  if (details.state === "running") buttons.push(act("pause", "Ⅱ Pause", true), act("stop", "■ Stop"));
  if (resumable(details)) buttons.push(act("resume", "▶ Resume", true));
  if (details.checkpoints.length) buttons.push(make("button", { type: "button", onclick: branch }, "Branch from here"));
  if (details.model && details.draws) buttons.push(make("a", { class: "button", href: `./explore#model=${encodeURIComponent(details.id)}` }, "Explore the model"));
  if (!["starting", "running", "saving"].includes(details.state)) buttons.push(make("button", { type: "button", class: "quiet", onclick: sure }, "Delete …"));
  const held = $("steer").contains(document.activeElement) ? document.activeElement : null;
  $("steer").replaceChildren(...buttons);
  if (held) (buttons.find((button) => button.textContent === held.textContent) ?? buttons.find((button) => button.dataset.part && button.dataset.part === held.dataset.part) ?? buttons[0] ?? $("run-title")).focus();
}

const resumable = ({ state, checkpoints }) => ["paused", "stopped", "interrupted"].includes(state) || (state === "failed" && checkpoints.length > 0);

/** Ask before a run is deleted. */
function sure() {
  $("sure-what").textContent = `${chosen()}: its log, its pictures, its model and all its checkpoints.`;
  $("sure").showModal();
}

async function remove() {
  const id = chosen();
  $("sure").close();
  try {
    await ask(`train/runs/${encodeURIComponent(id)}`, { method: "DELETE" });
    toast(`${id} is deleted.`);
    await list();
    location.hash = runs.length ? `run=${encodeURIComponent(runs[0].id)}` : "";
  } catch (wrong) { toast(wrong.message, { kind: "error" }); }
}

async function send(verb) {
  try {
    await ask(`train/runs/${encodeURIComponent(chosen())}/${verb}`, { method: "POST" });
    watch?.tick();
  } catch (wrong) { toast(wrong.message, { kind: "error" }); }
}

async function doctor() {
  const id = chosen();
  $("ask").disabled = true;
  $("doctor").replaceChildren(make("p", { class: "muted" }, "Looking …"));
  try {
    const found = await ask(`train/runs/${encodeURIComponent(id)}/doctor`);
    if (id !== chosen()) return;
    $("doctor").replaceChildren(...(found.length ? found.map((one) => make("div", { class: "finding" }, make("h3", {}, one.name), make("p", { class: "small" }, one.evidence), make("p", { class: "small" }, "Try ", make("code", {}, one.advice))))
      : [make("div", { class: "finding good" }, make("p", {}, "✓ Nothing went wrong that the doctor knows of."))]));
  } catch (wrong) {
    if (id === chosen()) $("doctor").replaceChildren(make("p", { class: "problem" }, wrong.message));
  } finally { $("ask").disabled = false; }
}

// Branching ----------------------------------------------------------------------------------------------------------------

function branch() {
  const { details } = watch;
  const here = details.snapshots[Number($("scrub").value)] ?? 0;
  const near = details.checkpoints.reduce((best, at) => Math.abs(at - here) < Math.abs(best - here) ? at : best, details.checkpoints[0]);
  $("branch-at").replaceChildren(...details.checkpoints.map((at) => make("option", { value: at }, `${count(at)} ${details.unit}`)));
  $("branch-at").value = near;
  $("branch-names").replaceChildren(...Object.keys(details.settings).filter((name) => /^(train\.|config\.rules|data\.(fit|flip))/.test(name)).map((name) => make("option", { value: name })));
  $("branch-error").hidden = true;
  current();
  $("branch").showModal();
}

function current() {
  const value = watch?.details?.settings[$("branch-name").value];
  $("branch-now").textContent = value === undefined ? "" : `(now ${JSON.stringify(value)})`;
}

async function branched(event) {
  event.preventDefault();
  const name = $("branch-name").value.trim(), value = $("branch-value").value.trim();
  $("branch-go").disabled = true;
  try {
    const { id } = await ask(`train/runs/${encodeURIComponent(chosen())}/branch`, { method: "POST", body: { at: Number($("branch-at").value), settings: value ? { [name]: value } : {} } });
    $("branch").close();
    await list();
    open(id);
  } catch (wrong) {
    $("branch-error").hidden = false;
    $("branch-error").textContent = wrong.message;
  }
  $("branch-go").disabled = false;
}

$("new").addEventListener("click", () => open(""));
$("ask").addEventListener("click", doctor);
$("film").addEventListener("click", () => watch?.play());
$("newest").addEventListener("click", () => watch?.follow(true));
$("scrub").addEventListener("input", () => { watch?.stopFilm(); watch?.follow(Number($("scrub").value) === Number($("scrub").max)); watch?.show(); });
$("contest").addEventListener("click", () => versus(chosen(), true));
for (const choice of ["other", "samples"]) $(choice).addEventListener("change", () => versus(chosen()));
$("branch-form").addEventListener("submit", branched);
$("branch-name").addEventListener("input", current);
$("sure-go").addEventListener("click", remove);
$("sure-close").addEventListener("click", () => $("sure").close());
$("branch-close").addEventListener("click", () => $("branch").close());
key(" ", "Pause or resume the training", () => {
  const details = watch?.details;
  if (details?.state === "running") send("pause");
  else if (details && resumable(details)) send("resume");
});
const step = (by) => { if (watch?.details) { $("scrub").value = Number($("scrub").value) + by; $("scrub").dispatchEvent(new Event("input")); } };
key("ArrowLeft", "An earlier picture", () => step(-1));
key("ArrowRight", "A later picture", () => step(1));
key(".", "Play the pictures", () => watch?.play());
key("n", "New training", () => open(""));
addEventListener("hashchange", route);
await list();
if (!location.hash && runs.length) history.replaceState(null, "", `#run=${encodeURIComponent(runs[0].id)}`);
route();
setInterval(() => { if (!document.hidden) list(); }, 4000);
