// The pad of seeds: the pictures of the next seeds, of which one is chosen.

import { SEEDS, connectSeed, toSeed } from "../common/seed.js";
import { encodeLook } from "./look.js";
import { $, address, showProblem, showsMany, state } from "./state.js";
import { View } from "./view.js";

const MARK = "#ff8a00"; // of the chosen seed: visible on light and on dark pictures
const LARGE = 64; // pixels above which fewer pictures fit

const view = new View($("pad"), showProblem);
let first = 0; // the pad's first seed
let size = { count: 25, columns: 5 };
let shownPath = "";

/** The first seed of a pad that shows `seed` and begins at the start of a row. */
const findFirst = (seed) => Math.min(Math.floor(seed / size.columns) * size.columns, SEEDS - size.count);

/** Show as many seeds as fit for the model, with that of the look. */
export function layOutPad() {
  const { able, look } = state;
  const isLarge = able.shape[2] > LARGE;
  if (showsMany()) size = { count: 1, columns: 1 };
  else if (isLarge) size = { count: 9, columns: 3 };
  else size = { count: 25, columns: 5 };
  first = findFirst(look.seed);
  shownPath = "";
}

export function clearPad() {
  view.clear();
}

/** Draw the pad, or only its mark where its pictures are the same. */
export function drawPad() {
  $("seed").value = first;
  if (showsMany()) {
    view.clear();
    return;
  }
  const look = encodeLook({ ...state.look, seed: first, picture: null });
  const path = address("pad", `&count=${size.count}&columns=${size.columns}&${look}`);
  if (path === shownPath) {
    drawMark();
    return;
  }
  shownPath = path;
  view.ask(path, drawMark);
}

/** A frame around the chosen seed. */
function drawMark() {
  const canvas = $("pad");
  const { seed } = state.look;
  const range = `Seeds ${first} to ${first + size.count - 1}, ${seed} is chosen`;
  canvas.setAttribute("aria-label", `${range}; arrows choose another, Enter the next page`);
  const place = seed - first;
  if (place < 0 || place >= size.count || showsMany()) return;
  const context = canvas.getContext("2d");
  const width = canvas.width / size.columns;
  const height = canvas.height / Math.ceil(size.count / size.columns);
  const thick = Math.max(1, Math.round(width / 16));
  const [x, y] = [(place % size.columns) * width, Math.floor(place / size.columns) * height];
  context.lineWidth = thick;
  context.strokeStyle = MARK;
  context.strokeRect(x + thick / 2, y + thick / 2, width - thick, height - thick);
}

/** Go to another look; the pad goes with it if it does not show its seed. */
export function goTo(look) {
  state.look = look;
  if (look.seed < first || look.seed >= first + size.count) first = findFirst(look.seed);
  shownPath = ""; // the old mark must go
  state.draw();
}

/** Choose a seed; `kind` groups quick changes for undo. */
export function chooseSeed(number, kind = "seed") {
  state.history.add(state.look, kind);
  goTo({ ...state.look, seed: toSeed(number), picture: null });
}

export const moveSeed = (by) => chooseSeed(state.look.seed + by);
export const rollSeed = () => chooseSeed(Math.floor(Math.random() * 100_000), "dice");

/** Show the page of seeds from `seed` on, and choose its first. */
function turnTo(seed) {
  const chosen = toSeed(seed);
  first = Math.min(chosen, SEEDS - size.count);
  chooseSeed(chosen);
}

function press(event) {
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -size.columns, ArrowDown: size.columns }[event.key];
  if (event.key === "Enter") turnTo(first + size.count);
  if (!by) return;
  event.preventDefault();
  moveSeed(by);
}

function click(event) {
  const box = $("pad").getBoundingClientRect();
  const rows = Math.ceil(size.count / size.columns);
  const column = Math.floor(((event.clientX - box.left) / box.width) * size.columns);
  const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
  chooseSeed(Math.min(first + size.count - 1, first + row * size.columns + column), "");
}

/** Connect the pad to the page. */
export function connectPad() {
  for (const id of ["pad", "picture"]) $(id).addEventListener("keydown", press);
  $("pad").addEventListener("click", click);
  connectSeed($("seed"), () => first, turnTo);
  $("back").addEventListener("click", () => turnTo(first - size.count));
  $("on").addEventListener("click", () => turnTo(first + size.count));
  $("dice").addEventListener("click", rollSeed);
}
