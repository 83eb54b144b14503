// The page /edit: a seed or a picture is the beginning, steps change it, and every change can be undone.

import { ask, formatCount } from "../common/api.js";
import { Intake } from "../common/intake.js";
import { fetchPicture, fitPicture, readPixels } from "../common/pixels.js";
import { readPngTexts } from "../common/png_text.js";
import { key, make, say, toast } from "../common/shell.js";
import { Socket } from "../common/socket.js";
import { CancelledError, Tasks } from "../common/tasks.js";
import { UndoStack } from "../common/undo.js";
import { Dragging } from "./dragging.js";
import { drawEnds, showDirections } from "./directions.js";
import { explainEdit } from "./edit_meanings.js";
import { $, makeEdit, showProblem, state, toSeed } from "./edit_state.js";
import { Jobs } from "./jobs.js";
import { Painting } from "./painting.js";
import { Stage, describe } from "./stage.js";
import { showSteps } from "./steps.js";

const ERROR_SECONDS = 15;
const SENT = 480; // pixels of the longer side of a picture that is sent
const ENDS_WAIT = 350; // milliseconds after the last change: the picture itself comes first
let models = [];
let endsTimer = 0;
let moving = false; // a slider
let choices = 0; // of a model: what an older one waited for comes too late

let isOpened = null;
const opened = new Promise((resolve) => { isOpened = resolve; });
const socket = new Socket("edit", {}, { opened: () => (isOpened(), state.model && draw()), pictures: [] });
const tasks = new Tasks(socket);
const stage = new Stage();
const paint = (strokes) => jobs.brush(strokes);
const painting = new Painting({ apply: paint, left: () => stage.draw(), getPicture: () => stage.shown?.after });
new Intake($("intake"), { take: takePicture, camera: true, label: "Your picture", isWanted: () => Boolean(state.model) });

const dragging = new Dragging({ run: (...points) => jobs.drag(...points), getSide: () => state.able.side });

const jobs = new Jobs({ tasks, stage, dragging, facts: () => facts(), change, addStep, fail, busy });

const now = () => state.stack.present;
const facts = (edit = now()) => ({ model: state.model.id, origin: edit.origin, steps: edit.steps, tuned: edit.tuned });

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
  const steps = [...now().steps, { name: "", amount: 1, on: true, seed: 0, first: 0, change: [], ...step }];
  change({ ...now(), steps, words });
}

function undo(isRedo) {
  if (!(isRedo ? state.stack.canRedo : state.stack.canUndo)) return;
  if (isRedo) state.stack.redo();
  else state.stack.undo();
  say(isRedo ? "Done again" : "Undone", true);
  refresh();
}

function refresh(isWhole = true) {
  const edit = now();
  if (isWhole) showSteps($("steps"), edit.steps, setSteps);
  $("no-steps").hidden = edit.steps.length > 0;
  $("undo").disabled = !state.stack.canUndo;
  $("redo").disabled = !state.stack.canRedo;
  $("found-controls").hidden = !edit.target || Boolean(edit.tuned);
  $("seed").value = edit.origin.seed ?? "";
  if (state.able.classes.length) $("label").value = edit.origin.label ?? 0;
  draw();
}

async function draw() {
  if (!state.model || !socket.isOpen) return;
  const mine = choices;
  try {
    const { facts: answer, arrays } = await tasks.start("draw", facts()).done;
    if (mine !== choices) return;
    showProblem("");
    $("said").textContent = [describe(), `${arrays.after.shape[1]} × ${arrays.after.shape[0]} pixels`,
      `${formatCount(answer.milliseconds)} ms`].join(" · ");
    stage.show(arrays);
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
  } catch (wrong) {
    fail(wrong);
  }
}

// Beginnings and tools --------------------------------------------------------------------------------------------------

function begin(seed, label = now().origin.label ?? null) {
  change(makeEdit(toSeed(seed), state.able.classes.length ? Number(label ?? 0) : null));
}

/** A picture becomes a code; one that was saved here comes back with its steps. */
async function takePicture({ canvas, name, file = null }) {
  try {
    const { edits, model: maker } = file ? await readPngTexts(file) : {};
    if (edits) {
      const { origin, steps } = JSON.parse(edits);
      const isMine = maker === state.able.identity;
      const words = isMine
        ? "Opened with its steps."
        : `Opened with its steps, but another model made it (${maker}): choose that one.`;
      change({ ...makeEdit(0), origin, steps, words });
      return;
    }
  } catch (wrong) {
    fail(wrong);
    return;
  }
  await jobs.find(readPixels(fitPicture(canvas, SENT)), name);
}

/** What was painted becomes the mask of a drag: white may move. */
function takeMask(strokes) {
  const mask = Uint8Array.from({ length: strokes.length / 4 }, (_, k) => (strokes[4 * k + 3] > 127 ? 255 : 0));
  mask.shape = strokes.shape.slice(0, 2);
  dragging.mask = mask.some(Boolean) ? mask : null;
  dragging.show(true);
}

function busy(isBusy) {
  $("stop").hidden = !isBusy;
  for (const id of ["tune", "paint", "drag-go", "save"]) $(id).disabled = isBusy;
  if (!isBusy) draw();
}

async function save() {
  try {
    const { facts: answer } = await tasks.start("draw", { ...facts(), keep: true }, { lane: "keep" }).done;
    make("a", { href: `./api/pictures/${answer.kept}`, download: `${state.model.id}-edited.png` }).click();
  } catch (wrong) {
    fail(wrong);
  }
}

// The model -------------------------------------------------------------------------------------------------------------

async function chooseModel(model, asked = {}) {
  choices += 1;
  const mine = choices;
  showProblem("");
  $("model").value = model.id;
  stage.clear();
  const { facts: able } = await tasks.start("describe", { model: model.id }).done;
  if (mine !== choices) return;
  Object.assign(state, { model, able });
  $("work").hidden = false;
  $("card").textContent = `${model.recipe} · pictures of ${able.side} × ${able.side} pixels`;
  $("links").replaceChildren(...model.links.map(({ href, label }) => make("a", { class: "button small", href }, label)));
  fill($("label"), able.classes.map((name, k) => [k, name]));
  fill($("morph"), able.classes.map((name) => [name, name]));
  fill($("away"), able.between.map((name) => [name, name]));
  fill($("towards"), able.between.map((name) => [name, name]));
  if (able.between.length > 1) $("towards").selectedIndex = 1;
  $("label-field").hidden = $("morph-part").hidden = !able.classes.length;
  $("between-part").hidden = !able.between.length;
  $("mix-part").hidden = !able.styles;
  $("mix-first").max = Math.max(0, able.styles - 1);
  showDirections($("ways"), model.id, able.directions, (name, amount) => addStep({ kind: "move", name, amount }));
  state.stack = new UndoStack(makeEdit(toSeed(asked.seed), able.classes.length ? Number(asked.label ?? 0) || 0 : null));
  $("drag-panel").hidden = !able.styles;
  painting.close();
  dragging.clear();
  refresh();
  if (asked.picture) {
    const picture = await fetchPicture(`./api/pictures/${asked.picture}`);
    await jobs.find(readPixels(fitPicture(picture, SENT)), "your picture");
  }
}

function fill(select, options) {
  select.replaceChildren(...options.map(([value, name]) => make("option", { value }, name)));
}

/** Go where the address says; to the newest model if it names none. */
async function followLink() {
  const asked = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const model = asked.model ? models.find(({ id }) => id === asked.model) : models[0];
  if (model) await chooseModel(model, asked);
  else if (asked.model) showProblem(`There is no model “${asked.model}” here that can be edited; choose another.`);
}

// Events ----------------------------------------------------------------------------------------------------------------

explainEdit();
$("model").addEventListener("change", () => chooseModel(models.find(({ id }) => id === $("model").value)).catch(fail));
$("seed").addEventListener("change", () => begin($("seed").value));
$("label").addEventListener("change", () => begin($("seed").value, $("label").value));
$("dice").addEventListener("click", () => begin(Math.floor(Math.random() * 100_000)));
$("tune").addEventListener("click", () => jobs.tune());
$("stop").addEventListener("click", () => jobs.stop());
$("save").addEventListener("click", save);
$("undo").addEventListener("click", () => undo(false));
$("redo").addEventListener("click", () => undo(true));
$("add-morph").addEventListener("click", () => addStep({ kind: "morph", name: $("morph").value }));
$("add-between").addEventListener("click", () => {
  addStep({ kind: "move", name: `class:${$("towards").value}-${$("away").value}`, amount: 2 });
});
$("add-mix").addEventListener("click", () => {
  addStep({ kind: "mix", seed: toSeed($("mix-seed").value), first: Number($("mix-first").value) || 0 });
});
$("paint-mask").addEventListener("click", () => painting.open(takeMask));
key("Ctrl+Z", "Undo", () => undo(false));
key("Ctrl+Shift+Z", "Redo", () => undo(true));
key("s", "Save the result", save);
key("b", "Paint", () => $("paint").click());
addEventListener("hashchange", () => models.length && followLink().catch(fail));

try {
  models = await ask("edit/models");
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
