// The controls of a model, made from what it can do.

import { spellCount } from "../common/api.js";
import { explain } from "../common/explain.js";
import { make } from "../common/shell.js";
import { makeClassChoice, showClass } from "./class_choice.js";
import { makeEnd } from "./direction_ends.js";
import { showLinks } from "./leave.js";
import { schema } from "./look.js";
import { $, changeLook, showProblem, showsMany, state } from "./state.js";
import { makeLayerBoxes, showMix } from "./style_mix.js";

const DIRECTION_PREFIX = "class:"; // of a direction from class to class

/** A slider of the look's field, or of the direction `name` among its moves; with a number field beside it. */
function makeSlider(field, label = schema.controls[field].label, name = "") {
  const { low, high, step } = schema.controls[field];
  const id = `f-${field}-${name.replace(/\W/g, "-")}`;
  const off = name ? 0 : schema.look[field] ?? high; // the value that changes nothing
  const set = (event) => {
    const value = Number(event.target.value);
    if (event.target.value === "" || !Number.isFinite(value)) return;
    const bounded = Math.min(high, Math.max(low, value));
    if (name) changeLook({ moves: { ...state.look.moves, [name]: bounded } }, id);
    else changeLook({ [field]: bounded === off ? schema.look[field] : bounded }, id);
  };
  const facts = { min: low, max: high, step, "data-field": field, "data-name": name, "data-off": off, value: off };
  const range = make("input", { id, type: "range", oninput: set, ...facts });
  const number = make("input", { type: "number", "aria-label": `${label}, as a number`, onchange: set, ...facts });
  const box = make("div", { class: "slider" }, make("label", { for: id }, label), range, number);
  explain(box, schema.controls[field].about, range);
  explain(number, schema.controls[field].about);
  return box;
}

/** The slider of a direction between pictures of its two ends. */
function makeDirection(label, name) {
  const slider = makeSlider("moves", label, name);
  const low = makeEnd(name, "low", -schema.end, `${label}: to its lower end`);
  const high = makeEnd(name, "high", schema.end, `${label}: to its upper end`);
  return make("div", { class: "direction" }, low, slider, high);
}

/** Make all controls of the model. */
export function makeControls() {
  const { able } = state;
  makeChoices(able);
  const cuts = [];
  if (able.styles) cuts.push(makeSlider("psi"));
  else if (able.truncates && !showsMany()) cuts.push(makeSlider("truncate"));
  $("truncation").replaceChildren(...cuts);
  $("directions").replaceChildren(...makeDirections(able.directions));
  makePairChoice(able.between);
  const isSolid = able.kind === "solids";
  $("turning").replaceChildren(...(isSolid ? [makeSlider("turn")] : []));
  $("sliders").hidden = !cuts.length && !able.directions.length && !isSolid;
  makeLayerBoxes(able);
  for (const id of ["plane-box", "near-box", "frame-it", "walk-box"]) $(id).hidden = showsMany();
  $("picture").classList.toggle("smooth", able.kind === "text");
  $("copy-lines").hidden = able.kind !== "text";
  $("card").textContent = describeModel(able);
  showLinks(able);
}

function makeChoices({ classes, couples, encodes, resolutions }) {
  const makeOption = (value, text) => make("option", { value }, text);
  makeClassChoice({ classes, couples });
  $("encoding").hidden = !encodes;
  $("resolutions").hidden = !resolutions.length;
  const sizes = resolutions.map((side) => makeOption(side, `${side} × ${side}`));
  $("resolution").replaceChildren(makeOption("", "full size"), ...sizes);
}

/** The sliders of the directions, by kind: names are such as sefa:0. */
function makeDirections(names) {
  const kinds = [...new Set(names.map((name) => name.split(":")[0]))];
  return kinds.flatMap((kind) => {
    const [title, noun] = schema.directions[kind];
    const label = (name) => `${noun} ${Number(name.split(":")[1]) + 1}`;
    const ours = names.filter((name) => name.startsWith(`${kind}:`));
    return [make("h3", {}, title), ...ours.map((name) => makeDirection(label(name), name))];
  });
}

function describeModel({ recipe, items, kind, shape, latent_dim: numbers, model }) {
  const isText = kind === "text";
  const size = isText ? `of at most ${shape[0]} symbols` : shape.join(" × ");
  const trained = `${recipe} after ${spellCount(items, isText ? "lines" : "images")}`;
  return `${trained} · ${kind} ${size} · noise of ${numbers} numbers · model ${model}`;
}

/** The choice of two classes; a pair that is chosen, or in a look, has its slider. */
function makePairChoice(classes) {
  $("between").hidden = !classes.length;
  for (const id of ["towards", "away"]) $(id).replaceChildren(...classes.map((name) => make("option", {}, name)));
  if (classes.length > 1) $("away").value = classes[1];
  $("pairs").replaceChildren();
}

/** The slider of a direction such as class:7-1, made if it is missing. */
function findPairSlider(name) {
  const sliders = [...$("pairs").querySelectorAll("input[type=range]")];
  const present = sliders.find((input) => input.dataset.name === name);
  if (present) return present;
  $("pairs").append(makeSlider("moves", name.slice(DIRECTION_PREFIX.length), name));
  return $("pairs").lastChild.querySelector("input");
}

export function addPair() {
  const [towards, away] = [$("towards").value, $("away").value];
  showProblem(towards === away ? "Choose two different classes." : "");
  if (towards !== away) findPairSlider(`${DIRECTION_PREFIX}${towards}-${away}`).focus();
}

/** Put every control where the look is. */
export function showControls() {
  const { look } = state;
  showClass();
  if (document.activeElement !== $("source")) $("source").value = look.picture ?? "";
  $("resolution").value = look.resolution ?? "";
  for (const name of Object.keys(look.moves)) if (name.startsWith(DIRECTION_PREFIX)) findPairSlider(name);
  for (const input of document.querySelectorAll("[data-field]")) {
    const { field, name, off } = input.dataset;
    const value = name ? look.moves[name] : look[field];
    const inUse = document.activeElement === input && input.type !== "range"; // a person is typing
    if (!inUse) input.value = value ?? Number(off);
  }
  showMix();
}
