// The field to draw data on: by mouse, pen, finger, or by the arrow keys and Enter.

import { fitCanvas } from "../common/chart.js";
import { colour, say, toast } from "../common/shell.js";
import { UndoStack } from "../common/undo.js";

const $ = (id) => document.getElementById(id);
const REACH = 1.25; // the field shows -REACH to REACH
const KEY_STEP = 0.1;
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
let most = 0;
let points = [];
let stack = new UndoStack([]); // of points, one state for each stroke
let cursor = [0, 0];
let use = () => {};
let cancel = () => {};

const clamp = (value) => Math.max(-REACH, Math.min(REACH, value));

function paint() {
  const { context, width, height } = fitCanvas($("pad"), $("pad").clientHeight);
  const place = ([x, y]) => [width / 2 + (x * width) / (2 * REACH), height / 2 - (y * height) / (2 * REACH)];
  context.fillStyle = colour("--sunk");
  context.fillRect(0, 0, width, height);
  context.fillStyle = colour("--real");
  for (const point of points) {
    context.beginPath();
    context.arc(...place(point), 3, 0, 7);
    context.fill();
  }
  paintCursor(context, ...place(cursor));
  const where = cursor.map((value) => value.toFixed(1)).join(", ");
  $("pad").setAttribute("aria-label", `Drawing field: ${points.length} points; cursor at ${where}`);
  $("use").disabled = points.length === 0;
  if (!stack.canUndo && document.activeElement === $("undo-stroke")) $("pad").focus(); // a disabled button loses the focus
  $("undo-stroke").disabled = !stack.canUndo;
}

function paintCursor(context, x, y) {
  context.strokeStyle = colour("--ink");
  context.beginPath();
  context.moveTo(x - 8, y);
  context.lineTo(x + 8, y);
  context.moveTo(x, y - 8);
  context.lineTo(x, y + 8);
  context.stroke();
}

function add(point) {
  if (points.length < most) points.push(point.map((value) => Math.round(clamp(value) * 1000) / 1000));
}

function locate(event) {
  const box = $("pad").getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * 2 - 1;
  const y = 1 - ((event.clientY - box.top) / box.height) * 2;
  return [x * REACH, y * REACH];
}

function press(event) {
  const direction = DIRECTIONS[event.key];
  if (direction) cursor = cursor.map((value, k) => clamp(value + KEY_STEP * direction[k]));
  else if (event.key === "Enter") {
    add(cursor);
    stack.push([...points]);
    say(`${points.length} points`, true);
  } else return;
  event.preventDefault();
  paint();
}

/** Take back the last stroke, or the clearing. */
function undo(event) {
  event.preventDefault();
  points = [...stack.undo()];
  say(`${points.length} points`, true);
  paint();
}

$("pad").addEventListener("keydown", press);
$("pad").addEventListener("pointerdown", (event) => {
  $("pad").setPointerCapture(event.pointerId);
  add(locate(event));
  paint();
});
$("pad").addEventListener("pointermove", (event) => {
  if (!$("pad").hasPointerCapture(event.pointerId)) return;
  for (const part of event.getCoalescedEvents?.() ?? [event]) add(locate(part));
  paint();
});
$("pad").addEventListener("pointerup", () => {
  stack.push([...points]);
  paint();
});
$("pad").addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") undo(event);
});
$("undo-stroke").addEventListener("click", undo);
$("clear").addEventListener("click", () => {
  points = [];
  stack.push([]);
  paint();
});
$("use").addEventListener("click", () => {
  $("drawing").close("use");
  use(points);
});
$("cancel").addEventListener("click", () => $("drawing").close("cancel"));
$("drawing").addEventListener("close", () => {
  if ($("drawing").returnValue !== "use") cancel();
});

/** Open the field for at most `limit` points. `onUse` gets them; `onCancel` runs if it is closed without. */
export function openPad(limit, onUse, onCancel) {
  [most, points, cursor, use, cancel] = [limit, [], [0, 0], onUse, onCancel];
  stack = new UndoStack([]);
  $("drawing").returnValue = "";
  $("drawing").showModal();
  paint();
  $("pad").focus();
  if (!window.PointerEvent) toast("This browser has no pointer events; use the arrow keys.");
}
