// The dialog in which data are drawn.

import { colour } from "../common/shell.js";
import { Sketch } from "../common/sketch.js";
import { makePoints } from "./brush_points.js";

const $ = (id) => document.getElementById(id);
const REACH = 1.25; // the field shows -REACH to REACH
const LAYER = "data";
let most = 0;
let use = () => {};
let cancel = () => {};

const listPoints = () => makePoints(sketch.listStrokes(LAYER), most, REACH);

/** The points on top of the strokes: what the session will get. */
function paintPoints(context, width, height) {
  context.fillStyle = colour("--real");
  const radius = Math.max(1.5, width / 140);
  for (const [x, y] of listPoints()) {
    context.beginPath();
    context.arc((width * (1 + x / REACH)) / 2, (height * (1 - y / REACH)) / 2, radius, 0, 7);
    context.fill();
  }
}

function showCount() {
  const { length } = listPoints();
  $("drawn").textContent = `${length} point${length === 1 ? "" : "s"}${length === most ? ", the most there can be" : ""}`;
  $("use").disabled = length === 0;
}

// Nothing is drawn before the dialog is open: the field has no size.
const sketch = new Sketch($("pad"), {
  layers: [{ name: LAYER, label: "Data", color: "--line" }], label: "Drawing field", size: 0.02, background: "--sunk",
  changed: showCount, paintOver: paintPoints,
});

$("use").addEventListener("click", () => {
  $("drawing").close("use");
  use(listPoints());
});
$("cancel").addEventListener("click", () => $("drawing").close("cancel"));
$("drawing").addEventListener("close", () => {
  if ($("drawing").returnValue !== "use") cancel();
});

/** Open the field for at most `limit` points. `onUse` gets them; `onCancel` runs if it is closed without. */
export function openPad(limit, onUse, onCancel) {
  [most, use, cancel] = [limit, onUse, onCancel];
  $("drawing").returnValue = "";
  $("drawing").showModal();
  sketch.reset();
  sketch.canvas.focus();
}
