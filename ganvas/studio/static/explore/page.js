// The page /explore: controls for what the model can do. Every control changes the look, and the look decides the picture.

import { explainMissing, showAbsent } from "../common/absent.js";
import { ask, readError } from "../common/api.js";
import { toSeed } from "../common/seed.js";
import { key, make, say, toast } from "../common/shell.js";
import { leadToTraining } from "../train/send_pictures.js";
import { connectClasses } from "./class_choice.js";
import { explainExplore } from "./control_meanings.js";
import { addPair, makeControls, showControls } from "./controls.js";
import { clearEnds, drawEnds } from "./direction_ends.js";
import { keepLook, loadFavourites, showFavourites } from "./favourites.js";
import { LookHistory, completeLook, encodeLook, makeBlank, schema, shortenLook, tab } from "./look.js";
import { followLook } from "./leave.js";
import { clearAtlas, connectPlane, drawAtlas, showPlane } from "./latent_plane.js";
import { clearPad, connectPad, drawPad, goTo, layOutPad, moveSeed, rollSeed } from "./seeds.js";
import { $, address, changeLook, showProblem, state } from "./state.js";
import { connectMix } from "./style_mix.js";
import { View } from "./view.js";
import { addFrame, clearWalk, connectWalk } from "./walk.js";

const SMALL = 64; // pixels below which a saved picture is enlarged
const ERROR_SECONDS = 15;
const main = new View($("picture"), showProblem);
const nearest = new View($("relatives"), showDistances);
let lines = []; // of a model of text, those in the picture
let models = [];
let absent = []; // models that cannot be explored, each with the reason

// The look --------------------------------------------------------------------------------------------------------------

/** Show the look: its picture, the pad, the link, every control. */
function draw() {
  const { look } = state;
  const text = encodeURIComponent(JSON.stringify(shortenLook(look)));
  history.replaceState(null, "", `#model=${encodeURIComponent(state.model)}&look=${text}`);
  const words = describeLook();
  $("picture").setAttribute("aria-label", `Picture: ${words}`);
  $("said").textContent = words;
  main.ask(address("picture", `&${encodeLook(look)}`), describePicture);
  drawPad();
  drawEnds();
  drawAtlas();
  const scale = state.able.kind === "pictures" && state.able.shape[2] < SMALL ? 4 : 1;
  $("save").href = address("save", `&scale=${scale}&${encodeLook(look)}`);
  showUndo();
  followLook();
  nearest.clear(); // what is nearest to one picture says nothing about another
  showDistances("");
  showControls();
  showPlane();
}

/** Say what is in the picture; a text model sends its lines with it, and any model a note. */
function describePicture(response) {
  const { width, height } = $("picture");
  $("frame").style.setProperty("--ratio", width / height);
  $("veil").hidden = true;
  $("note").textContent = response.headers.get("X-Ganvas-Note") ?? "";
  const sent = response.headers.get("X-Ganvas-Lines");
  lines = sent ? JSON.parse(sent) : [];
  if (sent) $("picture").setAttribute("aria-label", `Lines: ${lines.join(", ")}`);
  say($("picture").getAttribute("aria-label"));
}

/** The look in words. */
function describeLook() {
  const { look } = state;
  const parts = [look.picture === null ? `seed ${look.seed}` : `the code of picture ${look.picture}`];
  if (state.able.classes.length) parts.push(describeClass());
  if (look.psi !== schema.look.psi) parts.push(`psi ${look.psi}`);
  if (look.truncate !== null) parts.push(`noise within ±${look.truncate}`);
  for (const [name, amount] of Object.entries(look.moves)) {
    if (amount) parts.push(`${nameDirection(name)} ${amount > 0 ? "+" : ""}${amount}`);
  }
  if (look.x || look.y) parts.push(`${look.x.toFixed(2)} towards ${look.right}, ${look.y.toFixed(2)} towards ${look.up}`);
  if (look.mix !== null) {
    const which = look.layers.length ? `in layers ${look.layers.map((i) => i + 1).join(", ")}` : `from layer ${look.cut + 1}`;
    parts.push(`styles of ${look.mix} ${which}`);
  }
  if (look.noise !== null) parts.push(`noise ${look.noise}`);
  if (look.resolution !== null) parts.push(`at ${look.resolution} pixels`);
  return parts.join(" · ");
}

/** A direction in words: sefa:0 is direction 1, class:7-1 is 7-1. */
function nameDirection(name) {
  const [kind, which] = name.split(":");
  const [, noun] = schema.directions[kind] ?? [];
  return noun ? `${noun} ${Number(which) + 1}` : which;
}

function describeClass() {
  const { classes, couples } = state.able;
  const { label } = state.look;
  return label === null && couples ? "every domain" : `class ${classes[label ?? 0]}`;
}

function showUndo() {
  const focused = document.activeElement;
  $("undo").disabled = !state.history.past.length;
  $("redo").disabled = !state.history.future.length;
  if (focused.disabled) $(focused.id === "undo" ? "redo" : "undo").focus(); // a disabled button loses the focus
}

const undo = () => goTo(state.history.undo(state.look));
const redo = () => goTo(state.history.redo(state.look));

// Nearest training pictures ---------------------------------------------------------------------------------------------

function findNearest() {
  showDistances("Looking through the training pictures …");
  $("nearest").disabled = true;
  nearest.ask(address("nearest", `&${encodeLook(state.look)}`), (response) => {
    const distances = JSON.parse(response.headers.get("X-Ganvas-Distances")).map((x) => x.toFixed(1)).join(", ");
    const text = `This picture, then the nearest: ${distances} grey levels apart on average (of 255).`;
    $("relatives").setAttribute("aria-label", text);
    showDistances(text);
  });
}

/** Say what is known of the nearest pictures; then they can be looked up again. */
function showDistances(text) {
  $("distances").textContent = text;
  $("nearest").disabled = false;
}

// The model -------------------------------------------------------------------------------------------------------------

/** The look that a link asks for; the blank one, and a line, if the model refuses it. */
async function checkLook(asked) {
  if (!asked) return makeBlank();
  const look = completeLook(asked);
  const response = await fetch(address("picture", `link&${encodeLook(look)}`)); // "link" makes it a lane of its own
  if (response.ok) return look;
  const options = { kind: "error", seconds: ERROR_SECONDS };
  toast(`The picture of the link cannot be made: ${await readError(response)}`, options);
  return makeBlank();
}

async function chooseModel(id, asked = null) {
  state.model = id;
  showProblem("");
  $("model").value = id;
  $("card").textContent = "Loading the model …";
  $("veil").hidden = false;
  clearEnds();
  clearAtlas();
  try {
    state.able = await ask(`explore/models/${encodeURIComponent(id)}?lane=${tab}`);
  } catch (wrong) {
    hideModel(wrong.message);
    return;
  }
  state.look = await checkLook(asked);
  state.history = new LookHistory();
  layOutPad();
  makeControls();
  $("explore").hidden = false;
  draw();
  clearWalk();
  showFavourites();
}

/** Show no model, and why. */
function hideModel(why) {
  $("explore").hidden = true;
  $("card").textContent = "";
  showProblem(why);
}

/** Go where the address says: to a model (the newest if it names none) and to a look. */
async function followAddress() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const id = parts.get("model") ?? models[0].id;
  if (!models.some((model) => model.id === id)) {
    main.clear(); // a picture that comes late would hide the line
    clearPad();
    state.model = $("model").value = "";
    hideModel(explainMissing(id, absent, ""));
    return;
  }
  let asked = null;
  try {
    asked = JSON.parse(parts.get("look") ?? "null");
  } catch {
    toast("The link is damaged: it names a model, but its look cannot be read.", { kind: "error" });
  }
  await chooseModel(id, typeof asked === "object" ? asked : null);
}

// Events ----------------------------------------------------------------------------------------------------------------

/** The number in a field; null if it is empty. */
const readNumber = (id) => ($(id).value === "" ? null : Number($(id).value));

/** At a lower resolution a model has no styles to truncate, mix or move. */
function changeResolution() {
  const resolution = readNumber("resolution");
  const plain = { psi: schema.look.psi, mix: null, noise: null, moves: state.able.styles ? {} : state.look.moves };
  changeLook(resolution === null ? { resolution } : { resolution, ...plain });
}

function resetSliders() {
  const { psi, truncate, turn } = schema.look;
  changeLook({ moves: {}, psi, truncate, turn });
}

async function copyLines() {
  try {
    await navigator.clipboard.writeText(lines.join("\n"));
    toast(`${lines.length} lines are copied.`);
  } catch {
    toast("The browser does not let this page use the clipboard.", { kind: "error" });
  }
}

const keep = () => keepLook(describeLook());
const changePicture = () => changeLook({ picture: $("source").value === "" ? null : toSeed($("source").value) });

state.draw = draw;
connectPad();
connectPlane();
connectWalk();
connectClasses();
connectMix();
explainExplore();
$("source").addEventListener("change", changePicture);
$("resolution").addEventListener("change", changeResolution);
$("level").addEventListener("click", resetSliders);
$("pair").addEventListener("click", addPair);
$("undo").addEventListener("click", undo);
$("redo").addEventListener("click", redo);
$("keep").addEventListener("click", keep);
$("nearest").addEventListener("click", findNearest);
$("copy-lines").addEventListener("click", copyLines);
$("model").addEventListener("change", () => chooseModel($("model").value));
key("r", "Another seed, at random", rollSeed);
key("ArrowLeft", "The seed before", () => moveSeed(-1));
key("ArrowRight", "The seed after", () => moveSeed(1));
key("f", "Keep as a favourite", keep);
key("k", "Add to the walk", addFrame);
key("u", "Undo", undo);
key("Ctrl+Z", "Undo", undo);
key("Ctrl+Shift+Z", "Redo", redo);
addEventListener("hashchange", () => {
  if (models.length) followAddress().catch((wrong) => showProblem(wrong.message));
});

ask("home/overview").then(({ max_upload_bytes: limit }) => leadToTraining(limit)).catch(() => {}); // drops are then refused
try {
  [models, absent] = await Promise.all([ask("explore/models"), ask("explore/absent"), loadFavourites()]);
  showAbsent($("absent"), absent);
  $("model").replaceChildren(...models.map(({ id }) => make("option", { value: id }, id)));
  $("none").hidden = models.length > 0;
  if (models.length) await followAddress();
} catch (wrong) {
  showProblem(wrong.message);
}
