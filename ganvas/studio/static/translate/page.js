// The page /translate: what goes in is a drawing, a picture or the webcam; what comes out follows it.

import { explainMissing, showAbsent } from "../common/absent.js";
import { ask, formatCount } from "../common/api.js";
import { LARGEST } from "../common/intake.js";
import { connectSeed, toSeed } from "../common/seed.js";
import { key, make, toast } from "../common/shell.js";
import { Socket } from "../common/socket.js";
import { Tasks } from "../common/tasks.js";
import { Entry, LARGEST_FILLED } from "./entry.js";
import { describeRequest } from "./entry_request.js";
import { forgetLink, readLink, writeLink } from "./entry_link.js";
import { Outcome } from "./outcome.js";
import { Requests } from "./requests.js";
import { explainTranslate } from "./translate_meanings.js";
import { $, pressOne, schema, showProblem, state } from "./translate_state.js";

const ERROR_SECONDS = 15;
const LARGE = 512; // pixels: photographs are translated at this size at first
const SMALL = 256; // pixels: what is enlarged at first; the largest drawing
const QUICK = 250; // milliseconds that an answer may take, so that it can follow the pen
const VIEWS = ["result", "compare", "back"];
let models = [];
let absent = []; // runs that cannot be read, each with the reason
let choices = 0; // of a model, by hand or by a link: what an older one waited for comes too late

// Asking ---------------------------------------------------------------------------------------------------------------

const socket = new Socket("translate", {}, { opened: () => refresh(), pictures: [] });
const requests = new Requests(new Tasks(socket), { report: showProgress, fail: showFailure });
const entry = new Entry({
  changed: (isWhole) => refresh(isWhole), isReady: () => !requests.busy, isQuick: () => requests.milliseconds < QUICK, fail,
});
const outcome = new Outcome(requests, { handOn, changed: (needsMore) => (needsMore ? refresh() : link()) });

/** Have what goes in translated, and shown; while a stroke is made the link waits. */
function refresh(isWhole = true) {
  if (!state.model) return;
  if (isWhole) link();
  if (!entry.isThere) {
    requests.forget();
    outcome.clear(entry.hasPicture ? "Paint over a part of the picture: here it is filled." : "Here is what comes out.");
    return;
  }
  if (!socket.isOpen) return; // it asks again when it is
  let asked = null;
  requests.ask(async () => {
    asked = await describeRequest(entry);
    return asked.request;
  }, (facts, arrays) => {
    if (asked.made.model === state.model && entry.isThere) return outcome.show(asked, facts, arrays);
    return null;
  });
}

const link = () => writeLink(() => entry.describeLink(), fail);

function showProgress(share) {
  $("progress").hidden = share === null;
  $("progress").value = share ?? 0;
}

/** Show why there is no result; "": there is one. */
function showFailure(text) {
  if (!state.model) return; // the line says that a link leads nowhere; a late result does not change that
  showProblem(text);
  if (text && !outcome.picture) outcome.clear("There is no result; the line above says why.");
}

function fail(text) {
  toast(text, { kind: "error", seconds: ERROR_SECONDS });
}

// The model -------------------------------------------------------------------------------------------------------------

/** Choose a model, and begin with what a link asks for. */
async function chooseModel(model, asked = {}) {
  choices += 1;
  showProblem("");
  Object.assign(state, { model, seed: toSeed(asked.seed ?? state.seed), view: "result" });
  $("model").value = model.id;
  $("work").hidden = false;
  const size = model.takes === "map" ? "maps" : "pictures";
  $("card").textContent = `${model.recipe} · learned from ${size} of ${model.side} × ${model.side} pixels`;
  $("links").replaceChildren(...model.links.map(({ href, label }) => make("a", { class: "button small", href }, label)));
  chooseWay(model.ways.find(({ to }) => to === asked.to) ?? model.ways[0]);
  state.strength = Math.max(0, Math.min(1, Number(asked.strength ?? 1) || 0));
  if (VIEWS.includes(asked.view) && (asked.view !== "back" || state.way.back)) state.view = asked.view;
  else if (model.scale > 1) state.view = "compare";
  outcome.clear("The model is loading …");
  outcome.draw();
  offerSizes(asked.size);
  showSettings();
  outcome.offer(models.filter(({ id, takes }) => takes === "picture" && id !== model.id));
  await entry.begin(asked);
}

/** Go one of the model's ways. */
function chooseWay(way) {
  state.way = way;
  const { ways } = state.model;
  const buttons = ways.map(({ source, to, title }) => {
    const press = () => {
      chooseWay(ways.find((each) => each.to === to));
      entry.attempt(() => entry.changeWay());
    };
    return make("button", { type: "button", class: "small", "data-to": to, onclick: press }, `${source} > ${title}`);
  });
  $("ways").hidden = ways.length < 2;
  $("ways").replaceChildren(...buttons);
  pressOne(buttons, "to", way.to);
  $("in-title").textContent = ways.length < 2 ? `In: ${way.source}` : "In";
  $("out-title").textContent = `Out: ${way.title}`;
  const back = document.querySelector("[data-view=back]");
  back.hidden = !way.back;
  if (!way.back && state.view === "back") state.view = "result";
}

/** The sizes of what goes in that make sense for the model; the first of `preferred` is chosen. */
function offerSizes(asked) {
  const { side, whole, scale, takes, fills } = state.model;
  const isMap = takes === "map";
  const larger = fills && whole ? [LARGE, LARGEST, 0] : [side, 2 * side, 4 * side, ...(isMap ? [] : [SMALL, LARGE, 0])];
  const sizes = larger.filter((size) => !isMap || size <= SMALL);
  const sorted = [...new Set(sizes)].sort((a, b) => (a || Infinity) - (b || Infinity));
  const options = sorted.map((size) => {
    const isTrained = size === side && !whole;
    const asItIs = `as it is; files: at most ${formatCount(fills ? LARGEST_FILLED : LARGEST)}`;
    return make("option", { value: size }, size ? `${size} pixels${isTrained ? ", as trained" : ""}` : asItIs);
  });
  $("size").replaceChildren(...options);
  const usual = isMap ? Math.min(2 * side, sorted.at(-1)) : side;
  const photo = fills ? 0 : scale > 1 ? SMALL : LARGE;
  const best = whole ? photo : usual;
  state.size = sorted.includes(Number(asked ?? NaN)) ? Number(asked) : best;
  $("size").value = state.size;
}

function showSettings() {
  const isMap = state.model.takes === "map";
  for (const id of ["seed-field", "dice"]) $(id).hidden = !isMap;
  $("strength-field").hidden = isMap || state.model.fills;
  $("out-zoom-field").hidden = !state.model.whole && !state.model.fills;
  $("seed").value = state.seed;
  $("strength").value = state.strength;
  $("strength-out").textContent = `${Math.round(100 * state.strength)} %`;
}

/** Give a picture that the studio has to another model. */
function handOn(model, picture) {
  chooseModel(model, { mode: "picture", picture }).catch((wrong) => fail(wrong.message));
}

async function loadModels() {
  [models, absent] = await Promise.all([ask("translate/models"), ask("translate/absent")]);
  showAbsent($("absent"), absent);
  $("none").hidden = models.length > 0;
  $("choice").hidden = !models.length;
  $("model").replaceChildren(...models.map(({ id }) => make("option", { value: id }, id)));
  $("model").value = state.model?.id ?? "";
}

/** Go where the address says; the newest model if it names none. */
async function followLink() {
  const asked = readLink();
  choices += 1;
  const mine = choices;
  forgetLink();
  if (asked.model && !models.some(({ id }) => id === asked.model)) await loadModels(); // it may be new
  if (mine !== choices) return;
  const model = asked.model ? models.find(({ id }) => id === asked.model) : models[0];
  if (model) {
    await chooseModel(model, asked);
    return;
  }
  entry.stop();
  state.model = null;
  $("work").hidden = true;
  $("model").value = "";
  showProblem(explainMissing(asked.model, absent, " that translates"));
}

// Events ----------------------------------------------------------------------------------------------------------------

function setSeed(seed) {
  state.seed = seed;
  showSettings();
  refresh();
}

const rollSeed = () => state.model?.takes === "map" && setSeed(Math.floor(Math.random() * 100_000));

function setStrength() {
  state.strength = Number($("strength").value);
  showSettings();
  refresh();
}

function setSize() {
  state.size = Number($("size").value);
  entry.resize();
}

/** What came out becomes what goes in; where there is a way back, that one is next. */
function reuse() {
  const { picture } = outcome;
  const { ways } = state.model;
  if (state.way.back) chooseWay(ways.find(({ title }) => title === state.way.source));
  entry.offerExamples();
  entry.take({ canvas: picture, name: "the result" });
}

function offerStarts() {
  const cards = schema.starts.map(({ recipe, title, about, minutes, own, picture }) => {
    const image = make("img", { src: `./static/${picture}`, alt: "", width: 96, height: 96 });
    const data = own ? "on your own photographs" : "the data come with the package";
    const time = make("p", { class: "small" }, `${minutes} min · ${data}`);
    const words = make("div", {}, make("h3", {}, title), make("p", {}, about), time);
    return make("a", { class: "start", href: `./train#new&recipe=${recipe}` }, image, words);
  });
  $("starts").replaceChildren(...cards);
}

explainTranslate();
$("model").addEventListener("change", () => {
  const model = models.find(({ id }) => id === $("model").value);
  chooseModel(model, entry.keepFor(model)).catch((wrong) => fail(wrong.message));
});
$("dice").addEventListener("click", rollSeed);
connectSeed($("seed"), () => state.seed, setSeed);
$("strength").addEventListener("input", setStrength);
$("size").addEventListener("change", setSize);
$("reuse").addEventListener("click", reuse);
key("r", "Another seed, at random", rollSeed);
key("s", "Save the result", () => !$("save").disabled && outcome.save());
entry.addKeys();
addEventListener("hashchange", () => {
  if (models.length) followLink().catch((wrong) => showProblem(wrong.message));
});

try {
  offerStarts();
  await loadModels();
  if (models.length) await followLink();
} catch (wrong) {
  showProblem(wrong.message);
}
