// The page /play: shows what the session's process sends, sends what a person asks for, keeps the whole state in the link.

import { Chart, short } from "./chart.js";
import { between, draw, drawRegions, drawVae, LAYERS } from "./drawing.js";
import { Lessons } from "./lessons.js";
import { coded, decoded } from "./link.js";
import { Loop } from "./loop.js";
import { openPad } from "./pad.js";
import { told } from "./png.js";
import { Probe } from "./probe.js";
import { build, show as showSettings } from "./settings.js";
import { calm, key, make, onTheme, say, toast } from "./shell.js";
import { Socket } from "./socket.js";

const $ = (id) => document.getElementById(id);
const SPEEDS = ["1 step a second", "5 steps a second", "25 steps a second", "100 steps a second", "as fast as it can"];
const LAYERS_OF = { 1: new Set(["surface", "contours", "reals", "fakes", "grid", "arrows"]), 2: new Set(["surface", "contours", "reals", "fakes", "arrows"]) };

let frame = null; // {facts, arrays} last shown
let points = []; // drawn ones of this session
let linking = 0;
let begun = 0; // number of the session asked for last
let shown = 0; // number of the session whose settings the form holds
let held = true; // whether the link stays as it is: until that session is there, or a person goes on with another
const MOVES = new Set(["play", "step", "set", "rewind", "reset", "undo"]);

// The session ------------------------------------------------------------------------------------------------------------

/** Begin a session: {setup, history, points, play, slow, speed}. */
export function begin(wanted) {
  points = wanted.points ?? [];
  begun += 1;
  held = true;
  send("begin", { ...wanted, number: begun });
}

/** Send a command; false where there is no connection. */
export function send(kind, facts = {}) {
  if (MOVES.has(kind)) held = false;
  return socket.send(kind, facts);
}

function opened() {
  if (!frame) { begin({ history: [], ...decoded(location.hash) }); return; }
  const { first, history, slow, speed } = frame.facts;
  begin({ ...first && { setup: first }, history, points, slow, speed });
}

const socket = new Socket("play", {
  frame: (facts, arrays) => { frame = { facts, arrays }; if (facts.begun === begun) held = false; seen(); },
  told: ({ text, undo: can }) => toast(text, can ? { action: { label: "Undo", run: undo } } : {}),
  undone: (facts) => { points = facts.points; shown = -1; say("Undone", true); if (frame) render(); },
  error: ({ text }) => toast(text, { kind: "error", seconds: 15 }),
  ended: ({ text }) => toast(text, { kind: "error", seconds: 0, action: { label: "Start it again", run: opened } }),
}, { opened });

addEventListener("pagehide", link);

let paused = false; // as the tab was hidden

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    if (frame?.facts.playing) paused = send("play", { on: false });
  } else if (paused) {
    paused = false;
    toast("Paused while this tab was hidden.", { action: { label: "Play on", run: () => send("play", { on: true }) } });
  }
});

addEventListener("hashchange", (event) => {
  begin({ history: [], ...decoded(new URL(event.newURL).hash) });
});

// Showing ----------------------------------------------------------------------------------------------------------------

const charts = {
  loss: new Chart($("charts"), { title: "Losses", series: [{ key: "D", name: "critic D", token: "--accent" }, { key: "G", name: "artist G", token: "--fake", dash: "dashed" }] }),
  verdict: new Chart($("charts"), { title: "Called real by D", low: 0, high: 1, lines: [{ y: 0.5, text: "one half" }],
    series: [{ key: "verdict_real", name: "● data", token: "--real" }, { key: "verdict_fake", name: "▲ fakes", token: "--fake", dash: "dashed" }] }),
  apart: new Chart($("charts"), { title: "Fakes from data", about: "in nats", series: [{ key: "kl", name: "KL", token: "--ink" }, { key: "js", name: "JS", token: "--edge", dash: "dashed" }] }),
  modes: new Chart($("charts"), { title: "Modes covered", low: 0, series: [{ key: "captured", name: "covered", token: "--real" }] }),
  skill: new Chart($("charts"), { title: "Each player's skill", about: "D tells apart · G passes for real", low: 0, high: 1, lines: [{ y: 0.5, text: "balance" }],
    series: [{ key: "skill_D", name: "D", token: "--accent" }, { key: "skill_G", name: "G", token: "--fake", dash: "dashed" }] }),
};

function columns(values, keys) {
  const [rows, width] = values.shape;
  return Object.fromEntries(keys.map((name, k) => [name, Array.from({ length: rows }, (_, i) => values[i * width + k])]));
}

function drawCharts({ facts, arrays }) {
  const moves = columns(arrays.moves_values, facts.keys);
  const steps = Array.from(arrays.moves_steps);
  const [level, text] = facts.equilibrium;
  charts.loss.draw(steps, { D: moves.D, G: moves.G }, [{ y: level, text: `D at equilibrium: ${text}${text === "2 ln 2" ? " = 1.386" : ""}` }]);
  charts.verdict.draw(steps, moves);
  charts.skill.draw(steps, moves);
  const measured = columns(arrays.measured_values, ["kl", "js", "covered", "captured"]);
  const when = Array.from(arrays.measured_steps);
  charts.apart.draw(when, measured, [{ y: facts.floor.kl, text: `a perfect artist: KL ${short(facts.floor.kl)}` }]);
  const { modes } = facts.measures;
  const chart = charts.modes;
  chart.high = modes ?? 1;
  chart.lines = [];
  chart.title = modes > 1 ? `Modes covered, of ${modes}` : "Share of the data covered";
  chart.root.querySelector("strong").textContent = chart.title;
  chart.draw(when, { captured: modes > 1 ? measured.captured : measured.covered }, []);
}

function picture() {
  if (!frame) return;
  const { facts, arrays } = frame;
  if (morphing === null) draw($("canvas"), facts, arrays, LAYERS_OF[facts.dims], facts.caption?.[3] ?? null);
  else draw($("canvas"), facts, between(arrays, morphing), new Set(["reals", "fakes", "grid"]));
  $("canvas").setAttribute("aria-label", `The game. ${facts.summary}`);
  $("beside").hidden = !(arrays.vae || arrays.regions);
  $("vae-box").hidden = !arrays.vae;
  $("regions-box").hidden = !arrays.regions;
  if (arrays.vae) drawVae($("vae"), facts, arrays);
  if (arrays.regions) drawRegions($("regions"), facts, arrays);
}

let morphing = null; // how far noise has become data, from 0 to 1; null: not shown

/** Two seconds in which the noise becomes what the artist makes of it; with reduced motion both, one after the other. */
function morph() {
  if (!frame || frame.facts.dims === 1 || morphing !== null) return;
  const began = performance.now();
  const turn = (now) => {
    const t = (now - began) / 2000;
    morphing = t >= 1 ? null : calm.matches ? 0 : t * t * (3 - 2 * t);
    picture();
    if (t < 1) requestAnimationFrame(turn);
  };
  turn(began);
}

let later = 0;

/** Show the new picture; with reduced motion at most two a second while it plays. */
function seen() {
  for (const event of frame.facts.events) toast(event);
  if (calm.matches && frame.facts.playing) later ||= setTimeout(render, 500);
  else render();
}

function render() {
  clearTimeout(later);
  later = 0;
  const { facts } = frame;
  $("veil").hidden = !facts.restoring;
  if (facts.restoring) $("veil").textContent = `Playing on to step ${facts.restoring[1].toLocaleString("en")}: ${facts.restoring[0].toLocaleString("en")} done`;
  picture();
  drawCharts(frame);
  loop.show(facts);
  probe.show();
  $("morph").hidden = facts.dims === 1; // its picture has the lines from noise to data
  if (!facts.undo && document.activeElement === $("undo")) $("play").focus();
  $("undo").disabled = !facts.undo;
  $("undo").title = facts.undo && `Undo: ${facts.undo}`;
  $("play").textContent = facts.playing ? "Pause" : "Play";
  $("slow").setAttribute("aria-pressed", String(facts.slow));
  $("step").textContent = `step ${facts.step.toLocaleString("en")}`;
  $("step").dataset.step = facts.step;
  $("summary").textContent = facts.summary;
  const [place, count] = facts.ring;
  if (document.activeElement !== $("time") || facts.playing) { $("time").max = Math.max(0, count - 1); $("time").value = place; }
  $("time-out").textContent = place + 1 < count ? `${count - 1 - place} back` : "now";
  $("speed").value = facts.speed;
  $("speed-out").textContent = SPEEDS[facts.speed];
  $("speed").setAttribute("aria-valuetext", SPEEDS[facts.speed]);
  caption(facts.caption);
  showLayers(facts.dims);
  showSettings(facts, facts.begun !== shown); // of another session all, also where the cursor is
  shown = facts.begun;
  lessons.follow(facts);
  if (facts.playing) say(facts.summary);
  if (!facts.playing) { clearTimeout(linking); linking = 0; }
  linking ||= setTimeout(link, facts.playing ? 500 : 50);
}

function caption(stage) {
  $("caption").hidden = !stage;
  if (!stage) return;
  const text = `${stage[0]} of ${stage[1]} · ${stage[2] === "D" ? "the critic's turn" : "the artist's turn"} · ${stage[4]}`;
  if ($("caption").textContent !== text) { $("caption").textContent = text; say(text, true); }
}

function link() {
  clearTimeout(linking);
  linking = 0;
  if (!frame || held || frame.facts.restoring) return;
  const hash = coded({ setup: frame.facts.first, history: frame.facts.history, points });
  if (location.hash !== hash) history.replaceState(null, "", hash);
}

// Controls ---------------------------------------------------------------------------------------------------------------

const boxes = LAYERS.map(([name, ...titles]) => {
  const box = make("input", { type: "checkbox" });
  const text = make("span", {}, titles[0]);
  box.addEventListener("change", () => { const layers = LAYERS_OF[frame?.facts.dims ?? 2]; box.checked ? layers.add(name) : layers.delete(name); picture(); });
  $("layers").append(make("label", { class: "check" }, box, text));
  return { name, titles, box, text };
});

function showLayers(dims) {
  for (const { name, titles, box, text } of boxes) { box.checked = LAYERS_OF[dims].has(name); text.textContent = titles[dims === 2 ? 0 : 1]; }
}

const toggle = () => send("play", { on: !frame?.facts.playing });
const step = (who) => send("step", { who });
const undo = () => send("undo");
const speed = (level) => send("speed", { level });
const back = (by) => frame && send("rewind", { place: Math.min(frame.facts.ring[1] - 1, Math.max(0, frame.facts.ring[0] + by)) });

$("play").addEventListener("click", toggle);
for (const who of ["both", "d", "g"]) $(who).addEventListener("click", () => step(who[0]));
$("slow").addEventListener("click", () => send("slow", { on: !frame?.facts.slow }));
$("reset").addEventListener("click", () => send("reset"));
$("undo").addEventListener("click", undo);
$("morph").addEventListener("click", morph);
const loop = new Loop($("loop"));
const probe = new Probe($("canvas"), $("cross"), $("probe"), () => frame);
$("time").addEventListener("input", () => send("rewind", { place: Number($("time").value) }));
$("speed").addEventListener("input", () => speed(Number($("speed").value)));

key(" ", "Play, pause", toggle);
key(".", "One step: D, then G (in slow motion: the next stage)", () => step("b"));
key("d", "D moves alone", () => step("d"));
key("g", "G moves alone", () => step("g"));
key("[", "Slower", () => speed((frame?.facts.speed ?? 3) - 1));
key("]", "Faster", () => speed((frame?.facts.speed ?? 3) + 1));
key("ArrowLeft", "Back in time", () => back(-1));
key("ArrowRight", "Forward again", () => back(1));
key("m", "From noise to data, in two seconds", morph);
key("Ctrl+Z", "Undo the last change, or take up the game before", undo);
key("s", "Slow motion", () => $("slow").click());
key("r", "Another seed", () => seed(Math.floor(Math.random() * 1e6)));

/** The same setup from another seed. */
export function seed(value) {
  send("set", { name: "seed", value });
}

/** Data by name with the settings that suit them; drawn ones bring their points. */
export function choose(data, drawn = []) {
  points = drawn;
  send("reset", { data, points: drawn });
}

build($("settings"), {
  set: (name, value) => send("set", { name, value }),
  data: (name) => {
    if (name === "brush") openPad((drawn) => choose("brush", drawn), asBefore);
    else if (name === "csv") { $("file").click(); asBefore(); } // until the points of a file are there
    else choose(name);
  },
  file: dropped,
});
const lessons = new Lessons($("lessons"), $("lesson"), { begin, send });

/** The data that are played on, in the form: others were not chosen after all. */
function asBefore() { if (frame) showSettings(frame.facts, true); }

async function dropped(file) {
  if (file.size > 2e6) { toast("That file has more than 2 MB; a few thousand rows are plenty.", { kind: "error" }); return; }
  const answer = await fetch("./api/play/points", { method: "POST", body: await file.arrayBuffer() });
  const found = answer.headers.get("content-type")?.includes("json") ? await answer.json() : { error: await answer.text() };
  if (found.error) { toast(`${file.name}: ${found.error}`, { kind: "error", seconds: 15 }); return; }
  choose("csv", found.points);
  toast(`${file.name}: ${found.rows.toLocaleString("en")} points${found.rows > found.points.length ? `, ${found.points.length.toLocaleString("en")} of them used` : ""}`);
}

const stage = document.querySelector(".stage");
const over = (event) => {
  const files = event.dataTransfer?.types.includes("Files") ?? false;
  if (files) event.preventDefault();
  return files;
};
document.addEventListener("dragover", (event) => { if (over(event)) stage.classList.add("over"); });
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) stage.classList.remove("over"); });
document.addEventListener("drop", (event) => {
  stage.classList.remove("over");
  if (over(event) && event.dataTransfer.files[0]) dropped(event.dataTransfer.files[0]);
});

// Taking it along --------------------------------------------------------------------------------------------------------

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

const named = () => `ganvas-${frame.facts.setup.data}-seed${frame.facts.setup.seed}-step${frame.facts.step}`;

$("copy").addEventListener("click", async () => {
  link();
  try { await navigator.clipboard.writeText(location.href); toast("The link holds everything: setup, seed, and each move."); } catch { toast("The link is in the address bar."); }
});
$("png").addEventListener("click", () => {
  if (!frame) return;
  const name = named(), words = { link: coded({ setup: frame.facts.first, history: frame.facts.history, points }), summary: frame.facts.summary, synthetic: "true" };
  $("canvas").toBlob(async (blob) => save(await told(blob, words), `${name}.png`), "image/png");
});
$("run").addEventListener("click", () => {
  if (!frame) return;
  const { facts, arrays } = frame;
  const plain = Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, { shape: array.shape, values: Array.from(array) }]));
  save(new Blob([JSON.stringify({ link: location.hash, points, ...facts, arrays: plain })], { type: "application/json" }), `${named()}.json`);
});

onTheme(picture);
new ResizeObserver(picture).observe($("canvas").parentElement);
