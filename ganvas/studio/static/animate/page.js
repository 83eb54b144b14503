// The page /animate: a picture and a clip; a preview of eight frames comes first, then all of them.

import { explainMissing, showAbsent } from "../common/absent.js";
import { ask, formatCount } from "../common/api.js";
import { FileIntake } from "../common/file_intake.js";
import { Intake } from "../common/intake.js";
import { drawPixels, fetchPicture, fitPicture, readPixels } from "../common/pixels.js";
import { key, make, toast } from "../common/shell.js";
import { Socket } from "../common/socket.js";
import { CancelledError, Tasks } from "../common/tasks.js";
import { explainAnimate } from "./animate_meanings.js";
import { readClip, recordClip } from "./clip_reader.js";
import { draw, Player } from "./player.js";

const $ = (id) => document.getElementById(id);
const ERROR_SECONDS = 15;
const SENT = 256; // pixels of the longer side of a picture that is sent
const PREVIEW = 8; // frames that are shown first
const SHIPPED_MILLISECONDS = 40;
const CLIPS = "image/gif,image/png,image/apng,image/webp,video/*";
const ENDINGS = { gif: ["gif", "image/gif"], apng: ["png", "image/png"], mp4: ["mp4", "video/mp4"] };
let models = [];
let absent = []; // runs that cannot be read, each with the reason
const state = { model: null, picture: null, clip: null, name: "" };

let isShown = false; // whether there has been a result
let isOpened = null;
const opened = new Promise((resolve) => { isOpened = resolve; });
const tasks = new Tasks(new Socket("animate", {}, { opened: () => isOpened(), pictures: [] }));
const player = new Player();

function fail(wrong) {
  if (!(wrong instanceof CancelledError)) toast(wrong.message, { kind: "error", seconds: ERROR_SECONDS });
}

function showProblem(text) {
  $("problem").hidden = !text;
  $("problem").textContent = text;
}

// Asking ----------------------------------------------------------------------------------------------------------------

const facts = () => ({ model: state.model.id, absolute: $("absolute").checked });
const arrays = () => ({ picture: state.picture, frames: state.clip.frames });

async function refresh() {
  if (!state.model || !state.picture || !state.clip) return;
  if (!isShown) showInputs();
  await opened;
  for (const button of document.querySelectorAll(".save")) button.disabled = true;
  const count = state.clip.frames.shape[0];
  const { milliseconds } = state.clip;
  try {
    const every = Math.max(1, Math.ceil(count / PREVIEW));
    const first = await tasks.start("animate", { ...facts(), every }, { arrays: arrays(), lane: "show" }).done;
    show(first, milliseconds * every, "a first look");
    const whole = every === 1 ? first : await tasks.start("animate", facts(), { arrays: arrays(), lane: "show" }).done;
    show(whole, milliseconds, `${formatCount(whole.facts.milliseconds)} ms`);
    showProblem("");
    for (const button of document.querySelectorAll(".save")) button.disabled = false;
  } catch (wrong) {
    if (wrong instanceof CancelledError) return;
    showProblem(wrong.message);
    if (!isShown) $("said").textContent = state.name;
  }
}

/** What there is before the first result: the picture, and the clip, which moves. */
function showInputs() {
  player.showInputs(state.picture, state.clip);
  draw($("source"), drawPixels(state.picture));
  $("said").textContent = `${state.name} · the model is being read …`;
}

function show({ facts: answer, arrays: found }, milliseconds, words) {
  isShown = true;
  player.show(found, answer.motion, milliseconds);
  draw($("source"), drawPixels(found.source));
  const count = found.frames.shape[0];
  const start = answer.start === null ? "absolute motion" : `motion since frame ${answer.start + 1}`;
  $("said").textContent = `${state.name} · ${count} frames · ${start} · ${words}`;
  const cut = `Cut: picture ${answer.cut.picture}; clip ${answer.cut.clip}.`;
  $("note").textContent = [...answer.notes.map((note) => `${note[0].toUpperCase()}${note.slice(1)}.`), cut].join(" ");
}

async function save(kind) {
  try {
    const given = { ...facts(), ending: kind, milliseconds: Math.max(10, Math.min(2000, state.clip.milliseconds)) };
    const { arrays: found } = await tasks.start("film", given, { arrays: arrays(), lane: "film" }).done;
    const [ending, type] = ENDINGS[kind];
    const href = URL.createObjectURL(new Blob([found.file], { type }));
    make("a", { href, download: `${state.model.id}-${state.name}.${ending}` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 10_000); // the download has begun by then
  } catch (wrong) {
    fail(wrong);
  }
}

// What goes in ----------------------------------------------------------------------------------------------------------

function takePicture({ canvas }) {
  state.picture = readPixels(fitPicture(canvas, SENT));
  refresh();
}

function takeClip(clip, name) {
  Object.assign(state, { clip, name });
  for (const button of $("drivers").children) button.setAttribute("aria-pressed", String(button.textContent === name));
  refresh();
}

async function chooseDriver(name) {
  const frames = readPixels(await fetchPicture(`./api/animate/drivers/${name}`)); // one below the other
  const [height, side] = frames.shape;
  frames.shape = [height / side, side, side, 3];
  takeClip({ frames, milliseconds: SHIPPED_MILLISECONDS }, name);
}

async function takeFiles(files) {
  try {
    const [{ file }] = await files;
    clipIntake.showProgress(`Reading ${file.name} …`);
    takeClip(await readClip(file), file.name.replace(/\.[^.]*$/, ""));
    clipIntake.showProgress("");
  } catch (wrong) {
    clipIntake.fail(wrong.message);
  }
}

async function record() {
  $("record").disabled = true;
  try {
    takeClip(await recordClip(), "camera");
  } catch (wrong) {
    clipIntake.fail(wrong.message);
  }
  $("record").disabled = false;
}

// The model -------------------------------------------------------------------------------------------------------------

async function chooseModel(model, asked = {}) {
  showProblem("");
  state.model = model;
  $("model").value = model.id;
  $("work").hidden = false;
  $("card").textContent = model.recipe;
  $("links").replaceChildren(...model.links.map(({ href, label }) => make("a", { class: "button small", href }, label)));
  if (asked.picture) state.picture = readPixels(fitPicture(await fetchPicture(`./api/pictures/${asked.picture}`), SENT));
  if (asked.driver || !state.clip) await chooseDriver(drivers.includes(asked.driver) ? asked.driver : drivers[0]);
  // Until a picture is chosen the first frame of the clip is the picture.
  if (!state.picture) {
    const [, height, width, channels] = state.clip.frames.shape;
    state.picture = state.clip.frames.slice(0, height * width * channels);
    state.picture.shape = [height, width, channels];
  }
  refresh();
}

async function followLink() {
  const asked = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const model = asked.model ? models.find(({ id }) => id === asked.model) : models[0];
  if (model) await chooseModel(model, asked);
  else if (asked.model) showProblem(explainMissing(asked.model, absent, " that animates"));
}

// Events ----------------------------------------------------------------------------------------------------------------

explainAnimate();
const { drivers } = await ask("animate/schema");
$("drivers").append(...drivers.map((name) => {
  const press = () => chooseDriver(name).catch(fail);
  return make("button", { type: "button", class: "small", "aria-pressed": "false", onclick: press }, name);
}));
/** Whether a drop or a paste is a clip: it falls on the box of clips, or it is a film or a GIF. */
function isClip(event) {
  const [{ type = "" } = {}] = (event.dataTransfer ?? event.clipboardData).items;
  const isOver = Boolean(event.target.closest?.("#clip-part"));
  return Boolean(state.model) && (isOver || type === "image/gif" || type.startsWith("video/"));
}
const isPicture = (event) => Boolean(state.model) && !isClip(event);
new Intake($("picture-intake"), { take: takePicture, camera: true, label: "Your picture", isWanted: isPicture });
const clipIntake = new FileIntake($("clip-intake"), {
  choices: [{ text: "Choose a clip", accept: CLIPS }], take: takeFiles, label: "Your clip", isWanted: isClip,
  words: "Or drop one here: a GIF, an animated PNG or WebP, or a film.",
});
$("model").addEventListener("change", () => chooseModel(models.find(({ id }) => id === $("model").value)).catch(fail));
$("absolute").addEventListener("change", refresh);
$("record").addEventListener("click", record);
for (const button of document.querySelectorAll(".save")) button.addEventListener("click", () => save(button.dataset.kind));
key(" ", "Pause, go on", () => player.setPlaying(!player.isPlaying));
addEventListener("hashchange", () => models.length && followLink().catch(fail));

try {
  [models, absent] = await Promise.all([ask("animate/models"), ask("animate/absent")]);
  showAbsent($("absent"), absent);
  $("none").hidden = models.length > 0;
  $("choice").hidden = !models.length;
  $("model").replaceChildren(...models.map(({ id }) => make("option", { value: id }, id)));
  if (models.length) await followLink();
} catch (wrong) {
  showProblem(wrong.message);
}
