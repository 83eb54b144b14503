// The page /train: the list of runs, and beside it the form of a new training, or one run.

import { ask, formatCount, spellCount } from "../common/api.js";
import { key, make, say, toast } from "../common/shell.js";
import { connectBranch, openBranch } from "./branch.js";
import { compareWith, offerRuns, refreshComparison } from "./compare.js";
import { askDoctor, clearFindings } from "./findings.js";
import { explainForm } from "./form_meanings.js";
import { Monitor } from "./monitor.js";
import { StartForm } from "./start.js";
import { makeFacts } from "./tables.js";

const $ = (id) => document.getElementById(id);
const LIST_MILLISECONDS = 4000; // between two requests for the list
const TROUBLE = ["failed", "interrupted", "damaged"]; // states whose words are shown as a problem
const ENDS = ["finished", "paused", "stopped"]; // states after which the doctor is asked
// [action, label, primary]
const BUTTONS = [
  ["pause", "Ⅱ Pause", true], ["stop", "■ Stop", false], ["resume", "▶ Resume", true],
];

const schema = await ask("train/schema");
let runs = [];
let monitor = null;
let listText = ""; // what the list shows
let steerText = ""; // what the buttons are made from

const open = (id) => { location.hash = id ? `run=${encodeURIComponent(id)}` : "new"; };
const readAddress = () => new URLSearchParams(location.hash.slice(1));
const getChosen = () => readAddress().get("run");
const runPath = (id) => `train/runs/${encodeURIComponent(id)}`;
const form = new StartForm(schema, openNew, showFormOfDrop);
const complain = (wrong) => toast(wrong.message, { kind: "error" });

// The list --------------------------------------------------------------------------------------------------------------

async function list() {
  try {
    runs = await ask("train/runs");
  } catch {
    return; // the monitor of the run says that the studio does not answer
  }
  const id = getChosen();
  const text = JSON.stringify([runs, id]);
  if (text === listText) return;
  listText = text;
  $("no-runs").hidden = runs.length > 0;
  showChoice(id);
  const focused = document.activeElement?.dataset?.run;
  $("runs").replaceChildren(...runs.map((run) => make("li", {}, makeEntry(run, run.id === id))));
  if (focused) findEntry(focused)?.focus();
  offerRuns(runs, id);
  if (monitor?.details) refreshComparison(id);
}

/** The runs as a choice, where there is no room for the list. */
function showChoice(id) {
  const none = make("option", { value: "" }, runs.length ? "choose a run" : "none yet");
  $("choice").replaceChildren(none, ...runs.map((run) => make("option", { value: run.id }, run.id)));
  $("choice").value = id ?? "";
}

function makeEntry(run, isChosen) {
  const chip = make("span", { class: "chip", "data-state": run.state }, schema.states[run.state]);
  const name = make("span", { class: "name" }, run.id);
  const progress = make("span", { class: "muted small num" }, describeProgress(run));
  const facts = { type: "button", "data-run": run.id, "aria-current": isChosen ? "true" : null, title: run.words };
  return make("button", { ...facts, onclick: () => open(run.id) }, name, chip, progress);
}

const findEntry = (id) => [...$("runs").querySelectorAll("button")].find((button) => button.dataset.run === id);

function describeProgress({ items, total, unit }) {
  return total ? `${formatCount(items)} of ${formatCount(total)} ${unit}` : "";
}

// One run ---------------------------------------------------------------------------------------------------------------

/** Show what the address names: the form, a run, or neither. */
function route() {
  monitor?.close();
  monitor = null;
  const id = getChosen();
  const isNew = readAddress().has("new");
  $("run").hidden = true; // until its details are there
  $("missing").hidden = true;
  $("start").hidden = !isNew;
  $("empty").hidden = Boolean(id) || isNew;
  for (const button of $("runs").querySelectorAll("button")) {
    if (button.dataset.run === id) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  $("choice").value = id ?? "";
  if (isNew) showForm();
  if (id) showRun(id);
}

/** Pictures that are dropped or pasted on any part of the page go into the form. */
function showFormOfDrop() {
  if ($("start").hidden) open("");
}

async function showForm() {
  const wanted = readAddress();
  if (!form.recipes.length) await form.load(wanted);
  else if (wanted.size > 1) await form.fill(wanted);
  if (wanted.has("own")) $("own").scrollIntoView({ block: "nearest" });
}

async function openNew(id) {
  await list();
  open(id);
}

function showRun(id) {
  $("run-title").textContent = id;
  showView("watch");
  clearFindings();
  monitor = new Monitor(id, update, lose);
  monitor.tick();
  offerRuns(runs, id);
  compareWith(id);
}

/** Show one of the parts beside the picture. A comparison takes the room of the picture too. */
function showView(name) {
  $("run").dataset.view = name;
  for (const part of document.querySelectorAll("#run [data-part]")) part.hidden = part.dataset.part !== name;
  for (const button of document.querySelectorAll("#run [data-view]")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === name));
  }
  monitor?.redraw();
}

/** The address names no run, or one that was deleted meanwhile. */
function lose() {
  monitor.close();
  monitor = null;
  $("run").hidden = true;
  $("missing").hidden = false;
  $("missing").textContent = `There is no run “${getChosen()}” here; choose one from the list.`;
  say($("missing").textContent, true);
}

/** Show the details of the run; `before` is the state that was shown before. */
function update(details, before) {
  $("state").dataset.state = details.state;
  $("state").textContent = schema.states[details.state];
  $("words").textContent = details.words;
  $("words").className = TROUBLE.includes(details.state) ? "problem small" : "muted small";
  $("about-run").textContent = describeOrigin(details);
  findEntry(details.id)?.querySelector(".num").replaceChildren(describeProgress(details)); // the same as in the title
  const text = JSON.stringify([details.id, details.actions, details.checkpoints.length > 0, details.links]);
  if (text !== steerText) {
    steerText = text;
    showButtons(details);
    showSettings(details);
  }
  if (!before || details.state === before) return;
  say(`${schema.states[details.state]}: ${details.words}`, true);
  list();
  if (ENDS.includes(details.state)) examine();
}

function describeOrigin({ branch, unit, about, paper }) {
  const text = paper ? `${about} · ${paper}` : about;
  if (!branch.parent) return text;
  const changes = Object.entries(branch.changed).map(([name, [, now]]) => `${name} = ${now}`).join(", ");
  return `Branched from ${branch.parent} at ${spellCount(branch.items, unit)}: ${changes}. ${text}`;
}

function showSettings({ settings, explained }) {
  const format = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  const rows = Object.entries(settings).map(([name, value]) => [name, format(value), explained[name] ?? ""]);
  $("settings").replaceChildren(makeFacts(rows));
}

function showButtons(details) {
  const buttons = BUTTONS.filter(([action]) => details.actions.includes(action)).map(makeAction);
  if (details.checkpoints.length) buttons.push(make("button", { type: "button", onclick: branch }, "Branch from here"));
  for (const { href, label } of details.links) buttons.push(make("a", { class: "button", href }, label));
  if (details.actions.includes("remove")) {
    buttons.push(make("button", { type: "button", class: "quiet", onclick: confirmRemoval }, "Delete …"));
  }
  replaceButtons(buttons);
}

function makeAction([action, label, primary]) {
  const facts = { type: "button", class: primary ? "primary" : null, "data-part": action === "stop" ? "end" : "go" };
  return make("button", { ...facts, onclick: () => steer(action) }, label);
}

/** Put new buttons in place of the old ones. The focus stays on the same button, or on one of its kind. */
function replaceButtons(buttons) {
  const old = $("steer").contains(document.activeElement) ? document.activeElement : null;
  $("steer").replaceChildren(...buttons);
  if (!old) return;
  const same = buttons.find((button) => button.textContent === old.textContent);
  const alike = buttons.find((button) => button.dataset.part && button.dataset.part === old.dataset.part);
  (same ?? alike ?? buttons[0] ?? $("run-title")).focus();
}

// What a person does ----------------------------------------------------------------------------------------------------

async function steer(action) {
  try {
    await ask(`${runPath(getChosen())}/${action}`, { method: "POST" });
    monitor?.tick();
  } catch (wrong) {
    complain(wrong);
  }
}

function togglePause() {
  const actions = monitor?.details?.actions ?? [];
  const action = ["pause", "resume"].find((name) => actions.includes(name));
  if (action) steer(action);
}

function confirmRemoval() {
  $("sure-what").textContent = `${getChosen()}: its log, its pictures, its model and all its checkpoints.`;
  $("sure").showModal();
}

async function remove() {
  const id = getChosen();
  $("sure").close();
  try {
    await ask(runPath(id), { method: "DELETE" });
  } catch (wrong) {
    complain(wrong);
    return;
  }
  toast(`${id} is deleted.`);
  await list();
  location.hash = runs.length ? `run=${encodeURIComponent(runs[0].id)}` : "";
}

function examine() {
  const id = getChosen();
  askDoctor(id, () => id === getChosen());
}

function branch() {
  const { details } = monitor;
  openBranch(details, details.snapshots[Number($("scrub").value)] ?? 0);
}

function moveScrub(by) {
  if (!monitor?.details) return;
  $("scrub").value = Number($("scrub").value) + by;
  monitor.snapshots.scrub();
}

for (const count of schema.sample_counts) $("samples").append(make("option", { value: count }, String(count)));
$("samples").value = schema.default_samples;
connectBranch(openNew);
explainForm();
for (const button of document.querySelectorAll("#run button[data-view]")) {
  button.addEventListener("click", () => showView(button.dataset.view));
}
$("choice").addEventListener("change", () => $("choice").value && open($("choice").value));
$("new-training").addEventListener("click", () => open(""));
$("ask").addEventListener("click", examine);
$("film").addEventListener("click", () => monitor?.snapshots.play());
$("newest").addEventListener("click", () => monitor?.snapshots.follow(true));
$("scrub").addEventListener("input", () => monitor?.snapshots.scrub());
$("contest").addEventListener("click", () => compareWith(getChosen(), true));
for (const choice of ["other", "samples"]) $(choice).addEventListener("change", () => compareWith(getChosen()));
$("sure-go").addEventListener("click", remove);
$("sure-close").addEventListener("click", () => $("sure").close());
key(" ", "Pause or resume the training", togglePause);
key("ArrowLeft", "An earlier picture", () => moveScrub(-1));
key("ArrowRight", "A later picture", () => moveScrub(1));
key(".", "Play the pictures", () => monitor?.snapshots.play());
key("n", "New training", () => open(""));
addEventListener("hashchange", route);
await list();
if (!location.hash && runs.length) history.replaceState(null, "", `#run=${encodeURIComponent(runs[0].id)}`);
route();
setInterval(() => {
  if (!document.hidden) list();
}, LIST_MILLISECONDS);
