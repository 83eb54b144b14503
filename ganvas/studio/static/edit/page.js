// The page /edit: a seed or a picture is the beginning, steps change it, and every change can be undone.

import { explainMissing, showAbsent } from "../common/absent.js";
import { ask, formatCount } from "../common/api.js";
import { Intake } from "../common/intake.js";
import { fetchPicture, fitPicture, readPixels } from "../common/pixels.js";
import { connectSeed } from "../common/seed.js";
import { key, make, say, toast } from "../common/shell.js";
import { Socket } from "../common/socket.js";
import { CancelledError, Tasks } from "../common/tasks.js";
import { UndoStack } from "../common/undo.js";
import { connectAdding, fill } from "./adding.js";
import { Dragging } from "./dragging.js";
import { drawEnds } from "./directions.js";
import { explainEdit } from "./edit_meanings.js";
import { $, makeEdit, makeStep, showProblem, state } from "./edit_state.js";
import { Floor } from "./floor.js";
import { Jobs } from "./jobs.js";
import { connectMarks } from "./marks.js";
import { findMaker, loadModel, showOffer } from "./models.js";
import { openLink, openSaved } from "./opening.js";
import { Painting } from "./painting.js";
import { connectSheet } from "./slide_sheet.js";
import { Stage, describe } from "./stage.js";
import { showSteps } from "./steps.js";

const ERROR_SECONDS = 15;
const SENT = 480; // pixels of the longer side of a picture that is sent
const ENDS_WAIT = 350; // milliseconds after the last change: the picture itself comes first
let models = [];
let absent = []; // runs that cannot be read, each with the reason
let endsTimer = 0;
let moving = false; // a slider
let photo = null; // {canvas, picture, name}: the person's own, for another model
let choices = 0; // of a model: what an older one waited for comes too late

let isOpened = null;
const opened = new Promise((resolve) => { isOpened = resolve; });
const socket = new Socket("edit", {}, { opened: () => (isOpened(), state.model && draw()), pictures: [] });
const tasks = new Tasks(socket);
const stage = new Stage();
const apply = (strokes) => jobs.brush(strokes);
const painting = new Painting({ apply, left: () => stage.draw(), getPicture: () => stage.shown?.after });
new Intake($("intake"), { take: takePicture, camera: true, label: "Your picture", isWanted: () => Boolean(state.model) });
const dragging = new Dragging({
  run: (...points) => jobs.drag(...points), getSide: () => state.able.side, opened: () => stage.choose("result"),
});
const jobs = new Jobs({ tasks, stage, dragging, facts: () => facts(), change, addStep, fail, busy });
const floor = new Floor({ tasks, facts: () => facts(), fail });

const now = () => state.stack.present;
const facts = (edit = now()) => ({ model: edit.model.id, origin: edit.origin, steps: edit.steps, tuned: edit.tuned });

function fail(wrong) {
  if (!(wrong instanceof CancelledError)) toast(wrong.message, { kind: "error", seconds: ERROR_SECONDS });
}

// Changes ---------------------------------------------------------------------------------------------------------------

/** Make an edit the present one; while a slider moves (`isWhole` false) it replaces the one before. */
function change(edit, isWhole = true) {
  if (moving) state.stack.present = edit;
  else state.stack.push(edit);
  moving = !isWhole;
  refresh(isWhole);
}

const setSteps = (steps, isWhole = true) => change({ ...now(), steps }, isWhole);

function addStep(step, words = now().words) {
  change({ ...now(), steps: [...now().steps, makeStep(step)], words });
}

/** Add a step that was written by hand, if the model can follow it. */
async function tryStep(step) {
  try {
    await tasks.start("draw", { ...facts(), steps: [...now().steps, makeStep(step)] }, { lane: "check" }).done;
    addStep(step);
  } catch (wrong) {
    fail(wrong);
  }
}

function undo(isRedo) {
  if (jobs.task || !(isRedo ? state.stack?.canRedo : state.stack?.canUndo)) return;
  state.stack[isRedo ? "redo" : "undo"]();
  say(isRedo ? "Done again" : "Undone", true);
  refresh();
}

function refresh(isWhole = true) {
  const edit = now();
  if (edit.able !== state.able) { // it is of another model: undone, or opened
    choices += 1;
    showModel(edit);
  }
  if (isWhole) showSteps($("steps"), edit.steps, setSteps);
  $("no-steps").hidden = edit.steps.length > 0;
  showUndo();
  $("found-controls").hidden = $("fill-panel").hidden = !edit.target || Boolean(edit.tuned);
  $("seed").value = edit.origin.seed ?? "";
  if (state.able.classes.length) $("label").value = edit.origin.label ?? 0;
  draw();
  if (edit.error === null) floor.show();
  else floor.ask();
}

function showUndo() {
  const focused = document.activeElement;
  $("undo").disabled = !state.stack.canUndo || Boolean(jobs.task);
  $("redo").disabled = !state.stack.canRedo || Boolean(jobs.task);
  if (focused.disabled && !jobs.task) $("result").focus(); // a disabled button loses the focus
}

async function draw() {
  floor.pause();
  if (!state.model || !socket.isOpen) return;
  const mine = choices;
  try {
    const { facts: answer, arrays } = await tasks.start("draw", facts()).done;
    if (mine !== choices) return;
    showProblem("");
    $("said").textContent = [describe(), `${arrays.after.shape[1]} × ${arrays.after.shape[0]} pixels`,
      `${formatCount(answer.milliseconds)} ms`].join(" · ");
    stage.show(arrays);
    painting.follow(now().target);
    clearTimeout(endsTimer);
    endsTimer = setTimeout(askEnds, ENDS_WAIT);
  } catch (wrong) {
    if (!(wrong instanceof CancelledError)) showProblem(wrong.message);
  }
}

async function askEnds() {
  const mine = choices;
  try {
    const { arrays } = await tasks.start("ends", { ...facts(), names: state.able.directions }).done;
    if (mine === choices) drawEnds($("ways"), arrays.ends);
    if (!jobs.task) floor.resume();
  } catch (wrong) {
    fail(wrong);
  }
}

// Beginnings and tools --------------------------------------------------------------------------------------------------

function begin(seed, label = now().origin.label ?? null) {
  change(makeEdit(seed, state.able.classes.length ? Number(label ?? 0) : null));
}

/** Another class: of a picture, it is searched for once more; of a seed, or a code that has no picture, the same code. */
function chooseLabel(label) {
  const { origin, target } = now();
  if (target) jobs.find(origin.name || "your picture", { target, label });
  else if (origin.code) change({ ...now(), origin: { ...origin, label } });
  else begin(origin.seed, label);
}

function findPhoto(canvas, name) {
  photo = { name, canvas, picture: readPixels(fitPicture(canvas, SENT)) };
  return jobs.find(name, photo);
}

/** A picture becomes a code; one that was saved here comes back with its steps, and with its model. */
async function takePicture({ canvas, name, file = null }) {
  const mine = choices;
  jobs.drop();
  painting.close();
  try {
    const check = (edit) => tasks.start("draw", facts(edit), { lane: "check" }).done;
    const saved = file && await openSaved(file, check, (...named) => findMaker(tasks, models, ...named));
    if (mine !== choices) return;
    if (saved) change(saved);
    else await findPhoto(canvas, name);
  } catch (wrong) {
    if (!(wrong instanceof CancelledError)) showProblem(wrong.message);
  }
}

/** While a job runs nothing else can change: its step belongs to the picture that it began with. */
function busy(isBusy) {
  const here = document.activeElement;
  $("stop").hidden = !isBusy;
  for (const pane of document.querySelectorAll("#work > .pane")) pane.inert = isBusy;
  for (const id of ["save", "undo", "redo"]) $(id).disabled = isBusy;
  if (isBusy && $("work").contains(here)) $("stop").focus();
  if (!isBusy && (here === $("stop") || here === document.body)) $("result").focus();
  if (isBusy) {
    floor.pause();
    return;
  }
  showUndo();
  draw();
}

async function save() {
  try {
    const { target, hole } = now();
    const isFilled = state.view === "filled" && hole;
    const options = { lane: "keep", arrays: isFilled ? { target, strokes: hole } : {} };
    floor.pause();
    const { facts: answer } = await tasks.start("draw", { ...facts(), keep: true }, options).done;
    const name = `${state.model.id}-${isFilled ? "filled" : "edited"}.png`;
    make("a", { href: `./api/pictures/${answer.kept}`, download: name }).click();
    floor.resume();
  } catch (wrong) {
    fail(wrong);
  }
}

// The model -------------------------------------------------------------------------------------------------------------

/** Show the name of a model, and nothing of the one before. */
function clearModel(model) {
  jobs.drop();
  floor.reset();
  showProblem("");
  $("model").value = model.id;
  stage.clear();
}

/** Show what a model offers. */
function showModel({ model, able }) {
  clearModel(model);
  moving = false;
  Object.assign(state, { model, able });
  showOffer(state, (name, amount) => addStep({ kind: "move", name, amount }));
  painting.close();
  dragging.clear();
}

/** Begin with a model; undo goes back to the one before, but where a link `asked` for this one. */
async function chooseModel(model, asked = null) {
  const mine = ++choices;
  clearModel(model);
  const able = await loadModel(tasks, model);
  if (mine !== choices) return;
  showModel({ model, able });
  const edit = openLink(asked ?? {}, fail);
  if (asked) state.stack = new UndoStack(edit);
  else state.stack.push(edit);
  refresh();
  if (asked?.picture) {
    const canvas = await fetchPicture(`./api/pictures/${asked.picture}`);
    if (mine === choices) await findPhoto(canvas, "your picture");
  }
}

/** Go where the address says; to the newest model if it names none. */
async function followLink() {
  const asked = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const model = asked.model ? models.find(({ id }) => id === asked.model) : models[0];
  if (model) await chooseModel(model, asked);
  else if (asked.model) showProblem(explainMissing(asked.model, absent, " that can be edited"));
}

// Events ----------------------------------------------------------------------------------------------------------------

explainEdit();
$("model").addEventListener("change", async () => {
  const given = now().target || jobs.task ? photo : null; // the same picture in another model
  const chosen = choices + 1;
  await chooseModel(models.find(({ id }) => id === $("model").value)).catch(fail);
  if (given && chosen === choices) jobs.find(given.name, given);
});
connectSeed($("seed"), () => now().origin.seed ?? "", begin);
$("label").addEventListener("change", () => chooseLabel(Number($("label").value)));
$("dice").addEventListener("click", () => begin(Math.floor(Math.random() * 100_000)));
$("tune").addEventListener("click", () => jobs.tune());
$("stop").addEventListener("click", () => jobs.stop());
$("save").addEventListener("click", save);
$("undo").addEventListener("click", () => undo(false));
$("redo").addEventListener("click", () => undo(true));
connectAdding({ addStep, tryStep, fail });
connectMarks({ painting, dragging, jobs, getPhoto: () => photo?.canvas, fail });
connectSheet();
key("Ctrl+Z", "Undo", () => undo(false));
key("Ctrl+Shift+Z", "Redo", () => undo(true));
key("s", "Save the result", save);
key("b", "Paint", () => $("paint").click());
addEventListener("hashchange", () => models.length && followLink().catch(fail));

try {
  [models, absent] = await Promise.all([ask("edit/models"), ask("edit/absent")]);
  showAbsent($("absent"), absent);
  $("none").hidden = models.length > 0;
  $("choice").hidden = !models.length;
  fill($("model"), models.map(({ id }) => [id, id]));
  if (models.length) {
    await opened;
    await followLink();
  }
} catch (wrong) {
  showProblem(wrong.message);
}
