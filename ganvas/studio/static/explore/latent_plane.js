// The plane to drag in: the seed in the middle, two other seeds to the right and up.

import { connectSeed } from "../common/seed.js";
import { encodeLook, schema } from "./look.js";
import { $, address, changeLook, showsMany, state } from "./state.js";
import { View } from "./view.js";

const REACH = schema.plane_reach; // quarter turns to each edge
const KEY_STEP = 0.1;
const DIRECTIONS = { ArrowLeft: [-KEY_STEP, 0], ArrowRight: [KEY_STEP, 0], ArrowUp: [0, KEY_STEP], ArrowDown: [0, -KEY_STEP] };

const WAIT_MILLISECONDS = 500; // after the last change: the picture itself comes first
const [CELLS, FEW_CELLS, LARGE] = [7, 5, 48]; // pictures on a side of the atlas; of pictures with more pixels than LARGE
const view = new View($("atlas"));
let timer = 0;
let shownPath = "";
let grip = null; // where a drag on the large picture began

/** Forget the plane of another model. */
export function clearAtlas() {
  shownPath = "";
  view.clear();
}

/** Draw the plane seen from far, once the look rests, and only if another plane is meant. */
export function drawAtlas() {
  if (showsMany()) return;
  const side = state.able.shape[2] > LARGE ? FEW_CELLS : CELLS;
  const path = address("atlas", `&side=${side}&${encodePlane()}`);
  if (path === shownPath) return;
  clearTimeout(timer);
  timer = setTimeout(() => {
    shownPath = path;
    view.ask(path);
  }, WAIT_MILLISECONDS);
}

/** The look in the middle of the plane, with both of its other seeds. */
function encodePlane() {
  const { right, up, ...middle } = { ...state.look, x: 0, y: 0 };
  const text = decodeURIComponent(encodeLook(middle).slice("look=".length));
  return `look=${encodeURIComponent(JSON.stringify({ ...JSON.parse(text), right, up }))}`;
}

/** A drag on the large picture moves it: as far as the picture is wide is a quarter turn. */
function dragPicture(event) {
  const { width } = $("picture").getBoundingClientRect();
  const x = clamp(grip.x - (event.clientX - grip.left) / width);
  const y = clamp(grip.y + (event.clientY - grip.top) / width);
  changeLook({ x, y }, "plane");
}

function connectPicture() {
  const picture = $("picture");
  picture.addEventListener("pointerdown", (event) => {
    if (showsMany()) return;
    grip = { x: state.look.x, y: state.look.y, left: event.clientX, top: event.clientY };
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointermove", (event) => {
    if (grip && event.buttons) dragPicture(event);
  });
  for (const kind of ["pointerup", "pointercancel"]) picture.addEventListener(kind, () => { grip = null; });
}

/** Within the plane, in hundredths: a link stays short. */
const clamp = (value) => Math.round(100 * Math.max(-REACH, Math.min(REACH, value))) / 100;

function drag(event) {
  const box = $("plane").getBoundingClientRect();
  const x = (event.clientX - box.left) / box.width - 0.5;
  const y = 0.5 - (event.clientY - box.top) / box.height;
  changeLook({ x: clamp(2 * REACH * x), y: clamp(2 * REACH * y) }, "plane");
}

function press(event) {
  const direction = DIRECTIONS[event.key];
  if (event.key === "Home") changeLook({ x: 0, y: 0 });
  if (!direction) return;
  event.preventDefault();
  const { x, y } = state.look;
  changeLook({ x: clamp(x + direction[0]), y: clamp(y + direction[1]) }, "plane");
}

/** Put the dot and the two seeds where the look is. */
export function showPlane() {
  const { x, y, right, up } = state.look;
  $("dot").style.setProperty("--x", x);
  $("dot").style.setProperty("--y", y);
  $("plane").setAttribute("aria-valuenow", Math.round(100 * x));
  $("plane").setAttribute("aria-valuetext", `${x.toFixed(2)} to the right, ${y.toFixed(2)} up`);
  $("right-seed").value = right;
  $("up-seed").value = up;
}

/** Connect the plane to the page. */
export function connectPlane() {
  connectPicture();
  $("plane").setAttribute("aria-valuemin", -100 * REACH);
  $("plane").setAttribute("aria-valuemax", 100 * REACH);
  $("plane").addEventListener("pointerdown", (event) => {
    $("plane").setPointerCapture(event.pointerId);
    drag(event);
  });
  $("plane").addEventListener("pointermove", (event) => {
    if (event.buttons) drag(event);
  });
  $("plane").addEventListener("keydown", press);
  $("home").addEventListener("click", () => changeLook({ x: 0, y: 0 }));
  connectSeed($("right-seed"), () => state.look.right, (right) => changeLook({ right }));
  connectSeed($("up-seed"), () => state.look.up, (up) => changeLook({ up }));
}
