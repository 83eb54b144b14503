// The page /play: shows what the session's process sends, sends what a person asks for, keeps the whole state in the link.

import { ask, formatCount, readError, spellCount } from "../common/api.js";
import { calm, key, onTheme, say, toast } from "../common/shell.js";
import { Socket } from "../common/socket.js";
import { Digits } from "./digits.js";
import { Lessons } from "./lessons.js";
import { decodeLink, encodeLink } from "./link.js";
import { explainControls } from "./meanings.js";
import { Overview } from "./overview.js";
import { openPad } from "./pad.js";
import { Picture } from "./picture.js";
import { Probe } from "./probe.js";
import { copyLink, savePicture, saveRun } from "./saving.js";
import { SessionCharts } from "./session_charts.js";
import { Settings } from "./settings.js";

const $ = (id) => document.getElementById(id);
const CHANGES = new Set(["play", "step", "set", "rewind", "reset", "undo"]); // commands after which the link is another
const MAX_CSV_BYTES = 2e6;
const ERROR_SECONDS = 15;

const schema = await ask("play/schema");
let frame = null; // the last {facts, arrays}
let points = []; // a person's own, of this session
let number = 0; // of the session that was begun last
let shownNumber = 0; // of the session whose settings the form shows
let linkHeld = true; // the link stays as it is until that session is there, or a person goes on with another
let linkTimer = 0;
let renderTimer = 0;
let pausedByHiding = false;

// The session ----------------------------------------------------------------------------------------------------------

/** Begin a session: {setup, history, points, play, slow, speed}. */
function begin(session) {
  points = session.points ?? [];
  number += 1;
  linkHeld = true;
  send("begin", { ...session, number });
}

/** Send a command; false if there is no connection. */
function send(kind, facts = {}) {
  if (CHANGES.has(kind)) linkHeld = false;
  return socket.send(kind, facts);
}

/** The socket is open: begin what the link says, or the session that was there before the connection was lost. */
function connect() {
  if (!frame) {
    begin({ history: [], ...decodeLink(location.hash) });
    return;
  }
  const { first, history, slow, speed } = frame.facts;
  begin({ ...(first && { setup: first }), history, points, slow, speed });
}

function takeFrame(facts, arrays) {
  frame = { facts, arrays };
  setReady(true);
  if (facts.number === number) linkHeld = false;
  for (const event of facts.events) toast(event);
  if (calm.matches && facts.playing) renderTimer ||= setTimeout(render, 500); // reduced motion: two pictures a second
  else render();
}

function takeUndone(facts) {
  points = facts.points;
  shownNumber = -1;
  say("Undone", true);
  if (frame) render();
}

const restart = { label: "Start it again", run: connect };
const handlers = {
  frame: takeFrame,
  undone: takeUndone,
  note: ({ text, undo: can }) => toast(text, can ? { action: { label: "Undo", run: undo } } : {}),
  error: ({ text }) => toast(text, { kind: "error", seconds: ERROR_SECONDS }),
  ended: ({ text }) => {
    setReady(false, "The session has ended");
    toast(text, { kind: "error", seconds: 0, action: restart });
  },
};

// What a person does ----------------------------------------------------------------------------------------------------

const togglePlay = () => send("play", { on: !frame?.facts.playing });
const toggleSlow = () => send("slow", { on: !frame?.facts.slow });
const step = (who) => send("step", { who });
const undo = () => send("undo");
const setSpeed = (level) => send("speed", { level });
const changeSpeed = (by) => setSpeed((frame?.facts.speed ?? schema.speed) + by);
const chooseSeed = (value) => send("set", { name: "seed", value });

/** Go back or forward in time by some saved states. */
function rewind(by) {
  if (!frame) return;
  const [place, count] = frame.facts.ring;
  send("rewind", { place: Math.min(count - 1, Math.max(0, place + by)) });
}

/** Play on other data, with the settings that suit them; `own` are a person's own points. */
function playOn(data, own = []) {
  points = own;
  send("reset", { data, points: own });
}

function chooseData(name) {
  if (name === "brush") openPad(schema.most_points, (own) => playOn("brush", own), restoreForm);
  else if (name === "csv") {
    $("file").click();
    restoreForm(); // until there is a file
  } else playOn(name);
}

/** Show the settings of the session again: a choice in the form was given up. */
function restoreForm() {
  if (frame) settings.show(frame.facts, true);
}

/** Play on the points of a file that was chosen, dropped or pasted; `files`: a promise of [{name, file}]. */
async function openFiles(files) {
  const fail = (text) => toast(text, { kind: "error", seconds: ERROR_SECONDS });
  const file = (await files.catch(() => []))[0]?.file;
  if (!file) return undefined; // an empty folder, or one that cannot be read
  if (file.size > MAX_CSV_BYTES) return fail("That file has more than 2 MB; a few thousand rows are enough.");
  const response = await fetch("./api/play/points", { method: "POST", body: await file.arrayBuffer() });
  if (!response.ok) return fail(`${file.name}: ${await readError(response)}`);
  const found = await response.json();
  const used = found.rows > found.points.length ? `, ${formatCount(found.points.length)} of them used` : "";
  playOn("csv", found.points);
  return toast(`${file.name}: ${spellCount(found.rows, "points")}${used}`);
}

// What is shown ---------------------------------------------------------------------------------------------------------

const getCaption = () => (frame && frame.facts.caption !== null ? schema.captions[frame.facts.caption] : null);

function render() {
  clearTimeout(renderTimer);
  renderTimer = 0;
  const { facts } = frame;
  document.querySelector(".play").dataset.dims = facts.dims; // the shape of the picture
  picture.draw();
  picture.showLayers();
  charts.draw(frame);
  overview.show(facts, getCaption());
  probe.show();
  renderVeil(facts.restoring);
  renderButtons(facts);
  renderTime(facts);
  renderCaption();
  settings.show(facts, facts.number !== shownNumber); // of another session all, also the control in use
  shownNumber = facts.number;
  digits.showState();
  lessons.follow(facts);
  if (facts.playing) say(facts.summary);
  scheduleLink(facts.playing);
}

/** Whether there is a game: without one no control is alive, and the picture says why. */
function setReady(ready, why = "") {
  for (const fields of document.querySelectorAll(".play fieldset")) fields.disabled = !ready;
  if (ready) return;
  $("veil").hidden = false;
  $("veil-words").textContent = why;
  $("veil-bar").hidden = true;
}

function renderVeil(restoring) {
  $("veil").hidden = !restoring;
  if (!restoring) return;
  const [done, all] = restoring;
  $("veil-words").textContent = `Playing up to step ${formatCount(all)}: ${formatCount(done)} done`;
  $("veil-bar").hidden = false;
  $("veil-bar").value = done / all;
}

function renderButtons(facts) {
  $("morph").hidden = facts.dims === 1; // the picture of a line has the lines from noise to data
  if (!facts.undo && document.activeElement === $("undo")) $("play").focus(); // a disabled button loses the focus
  $("undo").disabled = !facts.undo;
  $("undo").title = facts.undo && `Undo: ${facts.undo}`;
  $("play").textContent = facts.playing ? "Pause" : "Play";
  $("slow").setAttribute("aria-pressed", String(facts.slow));
}

function renderTime(facts) {
  $("step").textContent = `step ${formatCount(facts.step)}`;
  $("step").dataset.step = facts.step;
  $("summary").textContent = facts.summary;
  const [place, count] = facts.ring;
  if (document.activeElement !== $("time") || facts.playing) {
    $("time").max = Math.max(0, count - 1);
    $("time").value = place;
  }
  $("time-out").textContent = place + 1 < count ? `${count - 1 - place} back` : "now";
  $("speed").value = facts.speed;
  $("speed-out").textContent = schema.speeds[facts.speed];
  $("speed").setAttribute("aria-valuetext", schema.speeds[facts.speed]);
}

function renderCaption() {
  const caption = getCaption();
  $("stage-words").hidden = !caption;
  if (!caption || $("stage-words").textContent === caption.text) return;
  $("stage-words").textContent = caption.text;
  say(caption.text, true);
}

/** Update the link soon; while the game plays at most twice a second, as browsers limit how often it may change. */
function scheduleLink(playing) {
  if (!playing) {
    clearTimeout(linkTimer);
    linkTimer = 0;
  }
  linkTimer ||= setTimeout(updateLink, playing ? 500 : 50);
}

function updateLink() {
  clearTimeout(linkTimer);
  linkTimer = 0;
  if (!frame || linkHeld || frame.facts.restoring) return;
  const hash = encodeLink({ setup: frame.facts.first, history: frame.facts.history, points });
  if (location.hash !== hash) history.replaceState(null, "", hash);
}

// Events ----------------------------------------------------------------------------------------------------------------

function followVisibility() {
  if (document.hidden) {
    if (frame?.facts.playing) pausedByHiding = send("play", { on: false });
  } else if (pausedByHiding) {
    pausedByHiding = false;
    const playOn = { label: "Play on", run: () => send("play", { on: true }) };
    toast("Paused while this tab was hidden.", { action: playOn });
  }
}

$("speed").max = schema.speeds.length - 1;
const set = (name, value) => send("set", { name, value });
const settings = new Settings($("fields"), schema, { set, chooseData, openFiles });
const overview = new Overview($("loop"));
const charts = new SessionCharts($("charts"));
const picture = new Picture($("canvas"), $("layers"), () => frame, getCaption);
const probe = new Probe($("canvas"), $("cross"), $("probe"), () => frame);
const socket = new Socket("play", handlers, { opened: connect });
const digits = new Digits(socket, () => frame?.facts ?? null, (text) => handlers.error({ text }));
const lessons = new Lessons($("lessons"), $("lesson"), { begin, send, order: (names) => charts.order(names) });
explainControls();

$("play").addEventListener("click", togglePlay);
for (const who of ["both", "d", "g"]) $(who).addEventListener("click", () => step(who[0]));
$("slow").addEventListener("click", toggleSlow);
$("reset").addEventListener("click", () => send("reset"));
$("undo").addEventListener("click", undo);
$("morph").addEventListener("click", () => picture.morph());
$("time").addEventListener("input", () => send("rewind", { place: Number($("time").value) }));
$("speed").addEventListener("input", () => setSpeed(Number($("speed").value)));
$("copy").addEventListener("click", () => {
  updateLink();
  copyLink();
});
$("png").addEventListener("click", () => frame && savePicture($("canvas"), frame, points));
$("run").addEventListener("click", () => frame && saveRun(frame, points));

key(" ", "Play, pause", togglePlay);
key(".", "One step: D, then G (in slow motion: the next stage)", () => step("b"));
key("d", "D moves alone", () => step("d"));
key("g", "G moves alone", () => step("g"));
key("[", "Slower", () => changeSpeed(-1));
key("]", "Faster", () => changeSpeed(1));
key("ArrowLeft", "Back in time", () => rewind(-1));
key("ArrowRight", "Forward again", () => rewind(1));
key("m", "From noise to data, in two seconds", () => picture.morph());
key("Ctrl+Z", "Undo the last change, or continue the game before", undo);
key("s", "Slow motion", toggleSlow);
key("r", "Another seed", () => chooseSeed(Math.floor(Math.random() * 1e6)));

addEventListener("pagehide", updateLink);
addEventListener("hashchange", (event) => begin({ history: [], ...decodeLink(new URL(event.newURL).hash) }));
document.addEventListener("visibilitychange", followVisibility);
onTheme(() => picture.draw());
new ResizeObserver(() => picture.draw()).observe($("canvas").parentElement);
