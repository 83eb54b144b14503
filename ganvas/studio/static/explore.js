// The page /explore: controls by what the model can do; every control changes the look, and the look is the picture.

import { ask, count, line } from "./api.js";
import { History, View, paint, plain, query, tab } from "./look.js";
import { key, make, say, toast } from "./shell.js";

const $ = (id) => document.getElementById(id);
const BLANK = { seed: 0, picture: null, label: null, psi: 1, truncate: null, moves: {}, x: 0, y: 0, right: 1, up: 2, mix: null, cut: 0, resolution: null, turn: 30 };
const REACH = 2;  // quarter turns to each edge of the plane
let able = null;
let model = "";
let look = structuredClone(BLANK);
let first = 0;  // the pad's first seed
let pad = { count: 25, columns: 5 };
let frames = [];
let stars = [];
let past = new History();

const problem = (text) => { $("problem").hidden = !text; $("problem").textContent = text; };
const main = new View($("picture"), problem);
const seeds = new View($("pad"), problem);
const relatives = new View($("relatives"), told);
const api = (what, extra = "") => `./api/explore/models/${encodeURIComponent(model)}/${what}?lane=${tab}${extra}`;

/** Whether one picture shows many samples: a cloud of points, a page of lines. */
const many = () => able.kind === "points" || able.kind === "text";

// The look ------------------------------------------------------------------------------------------------------------------

/** Change the look, draw it, keep it in the link; `kind` groups quick changes for undo. */
function change(values, kind = "") {
  past.note(look, kind);
  look = { ...look, ...values };
  draw();
}

let shownPad = "";

function draw() {
  const spelt = JSON.stringify(plain(look));
  history.replaceState(null, "", `#model=${encodeURIComponent(model)}&look=${encodeURIComponent(spelt)}`);
  main.ask(api("picture", `&${query(look)}`), (response) => {
    const lines = response.headers.get("X-Ganvas-Lines");
    if (lines) $("picture").setAttribute("aria-label", `Lines: ${JSON.parse(lines).join(", ")}`);
    say($("picture").getAttribute("aria-label"));
  });
  const padPath = api("pad", `&count=${pad.count}&columns=${pad.columns}&${query({ ...look, seed: first, picture: null })}`);
  if (many()) seeds.clear();
  else if (padPath !== shownPad) { shownPad = padPath; seeds.ask(padPath, mark); } else mark();
  const words = described();
  $("picture").setAttribute("aria-label", `Picture: ${words}`);
  $("said").textContent = words;
  $("save").href = api("save", `&scale=${able.kind === "pictures" && able.shape[2] < 64 ? 4 : 1}&${query(look)}`);
  const held = document.activeElement;
  $("undo").disabled = !past.past.length;
  $("redo").disabled = !past.future.length;
  if (held.disabled) $(held.id === "undo" ? "redo" : "undo").focus();
  relatives.clear(); // what is nearest to one picture says nothing of another
  told("");
  settle();
}

function described() {
  const parts = [look.picture === null ? `seed ${look.seed}` : `the code of picture ${look.picture}`];
  if (able.classes.length) parts.push(look.label === null ? (able.couples ? "every domain" : `class ${able.classes[0]}`) : `class ${able.classes[look.label]}`);
  if (look.psi !== 1) parts.push(`psi ${look.psi}`);
  if (look.truncate !== null) parts.push(`noise within ±${look.truncate}`);
  for (const [name, amount] of Object.entries(look.moves)) if (amount) parts.push(`${name} ${amount > 0 ? "+" : ""}${amount}`);
  if (look.x || look.y) parts.push(`${look.x.toFixed(2)} towards ${look.right}, ${look.y.toFixed(2)} towards ${look.up}`);
  if (look.mix !== null) parts.push(`styles of ${look.mix} from layer ${look.cut}`);
  if (look.resolution !== null) parts.push(`at ${look.resolution} pixels`);
  return parts.join(" · ");
}

/** Put every control where the look is. */
function settle() {
  $("seed").value = first;
  $("label").value = look.label ?? "";
  if (document.activeElement !== $("source")) $("source").value = look.picture ?? "";
  $("resolution").value = look.resolution ?? "";
  for (const name of Object.keys(look.moves)) if (name.startsWith("class:")) pair(name);
  for (const input of document.querySelectorAll("[data-field]")) {
    const { field, name } = input.dataset;
    const value = field === "moves" ? look.moves[name] ?? 0 : look[field] ?? Number(input.dataset.off);
    if (document.activeElement !== input || input.type === "range") input.value = value;
  }
  $("dot").style.setProperty("--x", look.x);
  $("dot").style.setProperty("--y", look.y);
  $("plane").setAttribute("aria-valuenow", Math.round(100 * look.x));
  $("plane").setAttribute("aria-valuetext", `${look.x.toFixed(2)} to the right, ${look.y.toFixed(2)} up`);
  $("right-seed").value = look.right;
  $("up-seed").value = look.up;
  $("mix").checked = look.mix !== null;
  if (look.mix !== null) $("mix-seed").value = look.mix;
  $("cut").value = look.cut;
  $("cut-said").textContent = look.cut;
}

/** A frame round the chosen seed on the pad. */
function mark() {
  const place = look.seed - first;
  const canvas = $("pad"), context = canvas.getContext("2d");
  $("pad").setAttribute("aria-label", `Seeds ${first} to ${first + pad.count - 1}, ${look.seed} is chosen; arrows choose another, Enter the next page`);
  if (place < 0 || place >= pad.count || many()) return;
  const rows = Math.ceil(pad.count / pad.columns);
  const [w, h] = [canvas.width / pad.columns, canvas.height / rows];
  const thick = Math.max(1, Math.round(w / 16));
  context.lineWidth = thick;
  context.strokeStyle = "#ff8a00";
  context.strokeRect((place % pad.columns) * w + thick / 2, Math.floor(place / pad.columns) * h + thick / 2, w - thick, h - thick);
}

/** A number that can be a seed. */
const whole = (number) => Math.max(0, Math.min(2 ** 53 - 100, Math.round(Number(number)) || 0));

function seed(number, kind = "seed") {
  past.note(look, kind);
  arrive({ ...look, seed: whole(number), picture: null });
}

/** Go to another look; the pad too, where it does not show its seed. */
function arrive(to) {
  look = to;
  if (look.seed < first || look.seed >= first + pad.count) first = Math.floor(look.seed / pad.columns) * pad.columns;
  shownPad = "";
  draw();
}

const dice = () => seed(Math.floor(Math.random() * 100000), "dice");

// The controls of a model ----------------------------------------------------------------------------------------------------

const LABELS = { sefa: "direction", pca: "component", axis: "number" };
const NAMES = { sefa: "What the weights answer to most", pca: "How styles vary most", axis: "Single numbers of the noise" };

function slider(text, field, { low, high, step, off, name = "" }) {
  const id = `f-${field}-${name.replace(/\W/g, "-")}`;
  const set = (event) => {
    const value = Number(event.target.value);
    if (!Number.isFinite(value) || event.target.value === "") return;
    const bounded = Math.min(high, Math.max(low, value));
    if (field === "moves") change({ moves: { ...look.moves, [name]: bounded } }, id);
    else change({ [field]: field === "truncate" && bounded >= off ? null : bounded }, id);
  };
  const shared = { min: low, max: high, step, "data-field": field, "data-name": name, "data-off": off, value: off };
  return make("div", { class: "slider" }, make("label", { for: id }, text), make("input", { id, type: "range", oninput: set, ...shared }),
    make("input", { type: "number", "aria-label": `${text}, as a number`, onchange: set, ...shared }));
}

function controls() {
  $("classes").hidden = !able.classes.length;
  $("label").replaceChildren(...(able.couples ? [make("option", { value: "" }, "all, side by side")] : []), ...able.classes.map((name, i) => make("option", { value: i }, name)));
  if (able.classes.length && !able.couples && look.label === null) look.label = 0;
  $("encoding").hidden = !able.encodes;
  $("resolutions").hidden = !able.resolutions.length;
  $("resolution").replaceChildren(make("option", { value: "" }, "full size"), ...able.resolutions.map((side) => make("option", { value: side }, `${side} × ${side}`)));
  const cuts = [];
  if (able.styles) cuts.push(slider("Truncation psi: 0 is the mean, 1 as trained", "psi", { low: -1, high: 1.5, step: 0.05, off: 1 }));
  else if (able.truncates && !many()) cuts.push(slider("Truncation of the noise: all within ±", "truncate", { low: 0.2, high: 4, step: 0.1, off: 4 }));
  $("truncation").replaceChildren(...cuts);
  const kinds = [...new Set(able.directions.map((name) => name.split(":")[0]))];
  $("directions").replaceChildren(...kinds.flatMap((kind) => [make("h3", {}, NAMES[kind]),
    ...able.directions.filter((name) => name.startsWith(`${kind}:`)).map((name) => slider(`${LABELS[kind]} ${Number(name.split(":")[1]) + 1} (${name})`, "moves", { low: -4, high: 4, step: 0.1, off: 0, name }))]));
  between();
  $("turning").replaceChildren(...(able.kind === "solids" ? [slider("Seen from, in degrees", "turn", { low: -180, high: 180, step: 5, off: 30 })] : []));
  $("sliders").hidden = !cuts.length && !able.directions.length && able.kind !== "solids";
  $("mixing").hidden = !able.styles;
  $("cut").max = able.styles;
  for (const id of ["plane-box", "near-box", "frame-it", "walk-box"]) $(id).hidden = many();
  $("picture").classList.toggle("smooth", able.kind === "text");
  const [unit, size] = able.kind === "text" ? ["lines", `of at most ${able.shape[0]} symbols`] : ["images", able.shape.join(" × ")];
  $("card").textContent = `${able.recipe} after ${count(able.items)} ${unit} · ${able.kind} ${size} · noise of ${able.latent_dim} numbers · model ${able.model}`;
}

/** The choice of pairs of classes; each pair that is chosen, or moved along in a look, has its slider. */
function between() {
  $("between").hidden = !able.between.length;
  for (const id of ["towards", "away"]) $(id).replaceChildren(...able.between.map((name) => make("option", {}, name)));
  if (able.between.length > 1) $("away").value = able.between[1];
  $("pairs").replaceChildren();
}

/** The slider of a pair such as class:7-1, made where it is missing. */
function pair(name) {
  const had = [...$("pairs").querySelectorAll("input[type=range]")].find((input) => input.dataset.name === name);
  if (!had) $("pairs").append(slider(name.slice("class:".length), "moves", { low: -4, high: 4, step: 0.1, off: 0, name }));
  return had ?? $("pairs").lastChild.querySelector("input");
}

function pairChosen() {
  const [towards, away] = [$("towards").value, $("away").value];
  problem(towards === away ? "Choose two different classes." : "");
  if (towards !== away) pair(`class:${towards}-${away}`).focus();
}

/** The look that a link asks for; the blank one, and a line, where the model refuses it. */
async function linked(wanted) {
  const blank = structuredClone(BLANK);
  if (!wanted) return blank;
  const asked = { ...blank, ...wanted, moves: { ...wanted.moves } };
  const answer = await fetch(api("picture", `link&${query(asked)}`));
  if (answer.ok) return asked;
  toast(`The link's picture cannot be drawn: ${await line(answer)}`, { kind: "error", seconds: 15 });
  return blank;
}

async function choose(id, wanted = null) {
  model = id;
  problem("");
  $("model").value = id;
  $("card").textContent = "Loading the model …";
  try { able = await ask(`explore/models/${encodeURIComponent(id)}?lane=${tab}`); } catch (wrong) { $("card").textContent = ""; problem(wrong.message); $("explore").hidden = true; return; }
  look = await linked(wanted);
  const large = able.shape[2] > 64;
  pad = many() ? { count: 1, columns: 1 } : large ? { count: 9, columns: 3 } : { count: 25, columns: 5 };
  if (able.couples && !large) pad = { count: 25, columns: 5 };
  first = Math.floor(look.seed / pad.columns) * pad.columns;
  shownPad = "";
  frames = [];
  past = new History();
  controls();
  $("explore").hidden = false;
  $("movie").hidden = true;
  draw();
  strip();
  showStars();
}

// Nearest, walks, favourites ---------------------------------------------------------------------------------------------------

function nearest() {
  told("Looking through the training pictures …");
  $("nearest").disabled = true;
  relatives.ask(api("nearest", `&${query(look)}`), (response) => {
    const far = JSON.parse(response.headers.get("X-Ganvas-Distances"));
    const text = `This picture, then the nearest: ${far.map((x) => x.toFixed(1)).join(", ")} grey levels apart on average (of 255).`;
    $("relatives").setAttribute("aria-label", text);
    told(text);
  });
}

/** What is said of the nearest, after which others can be looked up. */
function told(text) {
  $("distances").textContent = text;
  $("nearest").disabled = false;
}

/** A small picture of a look, as a button. */
function thumb(of, from, label, press) {
  const canvas = make("canvas", { "aria-hidden": "true" });
  fetch(`./api/explore/models/${encodeURIComponent(from)}/picture?lane=${tab}t${Math.random().toString(36).slice(2, 8)}&${query(of)}`)
    .then(async (response) => { if (response.status === 200) await paint(canvas, await response.blob()); }).catch(() => {});
  return make("button", { type: "button", "aria-label": label, title: label, onclick: press }, canvas);
}

/** Focus on a button of a list that was made anew, near its place `i`; on `otherwise` where the list is empty. */
function land(list, i, which, otherwise) {
  const items = $(list).children, item = items[Math.min(i, items.length - 1)];
  (item?.querySelector(`${which}:not(:disabled)`) ?? item?.querySelector("button") ?? $(otherwise)).focus();
}

function strip() {
  $("keys").replaceChildren(...frames.map((frame, i) => make("li", {}, thumb(frame, model, `Keyframe ${i + 1}: seed ${frame.seed}; go there`, () => { past.note(look, ""); arrive(structuredClone(frame)); }),
    make("span", { class: "row" }, make("button", { type: "button", class: "remove", "aria-label": `Move keyframe ${i + 1} earlier`, disabled: i === 0, onclick: () => { frames.splice(i - 1, 0, ...frames.splice(i, 1)); strip(); land("keys", i - 1, "[aria-label$=earlier]", "frame-it"); } }, "‹"),
      make("button", { type: "button", class: "remove", "aria-label": `Remove keyframe ${i + 1}`, onclick: () => { frames.splice(i, 1); strip(); land("keys", i, "[aria-label^=Remove]", "frame-it"); } }, "×")))));
  $("steps").textContent = frames.length ? `${frames.length} keyframe${frames.length === 1 ? "" : "s"}` : "add pictures to walk between";
  $("film").disabled = frames.length < 2;
}

async function film() {
  $("film").disabled = true;
  $("film-said").textContent = "Drawing the film …";
  const kind = $("kind").value;
  try {
    const response = await fetch(api("walk"), { method: "POST", body: JSON.stringify({ looks: frames.map(plain), frames: Number($("frames").value), closed: $("closed").checked, kind }) });
    if (!response.ok) throw new Error(await line(response));
    const url = URL.createObjectURL(await response.blob());
    if ($("movie").src) URL.revokeObjectURL($("movie").src);
    const link = make("a", { href: url, download: `walk-${model}.${kind === "apng" ? "png" : kind}` }, "Save the film");
    $("film-said").replaceChildren(link);
    $("movie").hidden = kind === "mp4";
    if (kind !== "mp4") { $("movie").src = url; $("movie").alt = `A walk through ${frames.length} pictures`; }
  } catch (wrong) { $("film-said").textContent = wrong.message; }
  $("film").disabled = frames.length < 2;
}

async function keep() {
  try {
    stars = [...stars, await ask("explore/favourites", { method: "POST", body: { model, look: plain(look), name: described() } })];
    say("Kept", true);
    await fetchStars();
  } catch (wrong) { toast(wrong.message, { kind: "error" }); }
  showStars();
}

async function forget(star) {
  const place = stars.filter((each) => each.model === model).indexOf(star);
  try { await ask(`explore/favourites/${star.id}`, { method: "DELETE" }); } catch (wrong) { toast(wrong.message, { kind: "error" }); }
  try { await fetchStars(); } catch { /* shown as it was */ }
  showStars();
  land("stars", place, "[aria-label^=Forget]", "keep");
}

/** The list as it is now, also by what other tabs kept. */
async function fetchStars() {
  const found = await ask("explore/favourites");
  stars = found.kept;
  $("full").hidden = stars.length < found.most;
  $("full").textContent = `${found.most} are kept, over all models: forget one to keep another.`;
}

function showStars() {
  const mine = stars.filter((star) => star.model === model);
  $("no-stars").hidden = mine.length > 0;
  $("stars").replaceChildren(...mine.map((star) => make("li", {}, thumb({ ...BLANK, ...star.look }, model, star.name || "A favourite", () => { past.note(look, ""); arrive({ ...structuredClone(BLANK), ...structuredClone(star.look), moves: { ...star.look.moves } }); }),
    make("button", { type: "button", class: "remove", "aria-label": `Forget ${star.name}`, onclick: () => forget(star) }, "×"))));
}

// Events -----------------------------------------------------------------------------------------------------------------------

const go = (by) => seed(look.seed + by);
const undo = () => arrive(past.back(look));
const redo = () => arrive(past.on(look));

function drag(event) {
  const box = $("plane").getBoundingClientRect();
  const bounded = (v) => Math.round(100 * Math.max(-REACH, Math.min(REACH, v))) / 100;
  change({ x: bounded(((event.clientX - box.left) / box.width - 0.5) * 2 * REACH), y: bounded((0.5 - (event.clientY - box.top) / box.height) * 2 * REACH) }, "plane");
}

$("plane").addEventListener("pointerdown", (event) => { $("plane").setPointerCapture(event.pointerId); drag(event); });
$("plane").addEventListener("pointermove", (event) => { if (event.buttons) drag(event); });
const STEP = 0.1;
$("plane").addEventListener("keydown", (event) => {
  const way = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] }[event.key];
  if (!way) { if (event.key === "Home") change({ x: 0, y: 0 }); return; }
  event.preventDefault();
  const to = (v) => Math.round(100 * Math.max(-REACH, Math.min(REACH, v))) / 100;
  change({ x: to(look.x + way[0]), y: to(look.y + way[1]) }, "plane");
});
const padKeys = (event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -pad.columns, ArrowDown: pad.columns }[event.key];
  if (by) { event.preventDefault(); go(by); }
  if (event.key === "Enter") { first += pad.count; seed(first); }
};
for (const id of ["pad", "picture"]) $(id).addEventListener("keydown", padKeys);
$("pad").addEventListener("click", (event) => {
  const box = $("pad").getBoundingClientRect();
  const column = Math.floor((event.clientX - box.left) / box.width * pad.columns);
  const row = Math.floor((event.clientY - box.top) / box.height * Math.ceil(pad.count / pad.columns));
  seed(Math.min(first + pad.count - 1, first + row * pad.columns + column), "");
});
$("seed").addEventListener("change", () => { first = Math.max(0, Math.round(Number($("seed").value)) || 0); seed(first); });
$("back").addEventListener("click", () => { first = Math.max(0, first - pad.count); seed(first); });
$("on").addEventListener("click", () => { first += pad.count; seed(first); });
$("label").addEventListener("change", () => change({ label: $("label").value === "" ? null : Number($("label").value) }));
$("source").addEventListener("change", () => change({ picture: $("source").value === "" ? null : whole($("source").value) }));
$("resolution").addEventListener("change", () => change($("resolution").value === "" ? { resolution: null } : { resolution: Number($("resolution").value), psi: 1, mix: null, moves: able.styles ? {} : look.moves }));
$("right-seed").addEventListener("change", () => change({ right: whole($("right-seed").value) }));
$("up-seed").addEventListener("change", () => change({ up: whole($("up-seed").value) }));
$("mix").addEventListener("change", () => change({ mix: $("mix").checked ? whole($("mix-seed").value) : null, cut: look.cut || Math.floor(able.styles / 2) }));
$("mix-seed").addEventListener("change", () => { if ($("mix").checked) change({ mix: whole($("mix-seed").value) }); });
$("cut").addEventListener("input", () => change({ cut: Number($("cut").value) }, "cut"));
$("home").addEventListener("click", () => change({ x: 0, y: 0 }));
$("level").addEventListener("click", () => change({ moves: {}, psi: 1, truncate: null, turn: 30 }));
$("pair").addEventListener("click", pairChosen);
$("dice").addEventListener("click", dice);
$("undo").addEventListener("click", undo);
$("redo").addEventListener("click", redo);
$("keep").addEventListener("click", keep);
$("frame-it").addEventListener("click", () => { frames.push(structuredClone(look)); strip(); say(`Keyframe ${frames.length}`, true); });
$("nearest").addEventListener("click", nearest);
$("film").addEventListener("click", film);
$("model").addEventListener("change", () => choose($("model").value));
key("r", "Another seed, at random", dice);
key("ArrowLeft", "The seed before", () => go(-1));
key("ArrowRight", "The seed after", () => go(1));
key("f", "Keep as a favourite", keep);
key("k", "Add to the walk", () => $("frame-it").click());
key("u", "Undo", undo);
key("Ctrl+Z", "Undo", undo);
key("Ctrl+Shift+Z", "Redo", redo);

let models = [];

/** Go where the address says: to a model, the newest where it names none, and to a look. */
async function follow() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const id = asked.get("model") ?? models[0].id;
  if (!models.some((one) => one.id === id)) {
    for (const view of [main, seeds]) view.clear(); // a picture that comes late would take the line away
    model = "";
    $("model").value = "";
    $("explore").hidden = true;
    $("card").textContent = "";
    problem(`There is no model “${id}” here; choose another.`);
    return;
  }
  let wanted = null;
  try { wanted = JSON.parse(asked.get("look") ?? "null"); } catch { toast("The link is damaged: it names a model, but no look that can be read.", { kind: "error" }); }
  await choose(id, typeof wanted === "object" ? wanted : null);
}

addEventListener("hashchange", () => { if (models.length) follow().catch((wrong) => problem(wrong.message)); });

try {
  [models] = await Promise.all([ask("explore/models"), fetchStars()]);
  $("model").replaceChildren(...models.map((one) => make("option", { value: one.id }, `${one.id}`)));
  $("none").hidden = models.length > 0;
  if (models.length) await follow();
} catch (wrong) { problem(wrong.message); }
