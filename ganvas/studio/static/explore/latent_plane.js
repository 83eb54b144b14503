// The plane to drag in: the seed in the middle, two other seeds to the right and up.

import { schema } from "./look.js";
import { $, changeLook, state, toSeed } from "./state.js";

const REACH = schema.plane_reach; // quarter turns to each edge
const KEY_STEP = 0.1;
const DIRECTIONS = { ArrowLeft: [-KEY_STEP, 0], ArrowRight: [KEY_STEP, 0], ArrowUp: [0, KEY_STEP], ArrowDown: [0, -KEY_STEP] };

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
  $("right-seed").addEventListener("change", () => changeLook({ right: toSeed($("right-seed").value) }));
  $("up-seed").addEventListener("change", () => changeLook({ up: toSeed($("up-seed").value) }));
}
