// Draw your own data: by mouse, pen, finger, or arrow keys and Enter.

import { fitted } from "./chart.js";
import { colour, say, toast } from "./shell.js";

const $ = (id) => document.getElementById(id);
const REACH = 1.25;
const MOST = 2000;
let points = [];
let cursor = [0, 0];
let done = () => {};
let given_up = () => {};

function paint() {
  const { context, width, height } = fitted($("pad"), $("pad").clientHeight);
  const place = ([x, y]) => [width / 2 + x * width / (2 * REACH), height / 2 - y * height / (2 * REACH)];
  context.fillStyle = colour("--sunk");
  context.fillRect(0, 0, width, height);
  context.fillStyle = colour("--real");
  for (const point of points) { context.beginPath(); context.arc(...place(point), 3, 0, 7); context.fill(); }
  context.strokeStyle = colour("--ink");
  const [x, y] = place(cursor);
  context.beginPath();
  context.moveTo(x - 8, y); context.lineTo(x + 8, y); context.moveTo(x, y - 8); context.lineTo(x, y + 8);
  context.stroke();
  $("pad").setAttribute("aria-label", `Drawing field: ${points.length} points; cursor at ${cursor.map((value) => value.toFixed(1)).join(", ")}`);
  $("use").disabled = points.length === 0;
}

function put(point) {
  if (points.length >= MOST) return;
  points.push(point.map((value) => Math.round(Math.max(-REACH, Math.min(REACH, value)) * 1000) / 1000));
}

function at(event) {
  const box = $("pad").getBoundingClientRect();
  return [((event.clientX - box.left) / box.width * 2 - 1) * REACH, (1 - (event.clientY - box.top) / box.height * 2) * REACH];
}

$("pad").addEventListener("pointerdown", (event) => { $("pad").setPointerCapture(event.pointerId); put(at(event)); paint(); });
$("pad").addEventListener("pointermove", (event) => {
  if (!$("pad").hasPointerCapture(event.pointerId)) return;
  for (const part of event.getCoalescedEvents?.() ?? [event]) put(at(part));
  paint();
});
$("pad").addEventListener("keydown", (event) => {
  const moves = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
  if (moves[event.key]) cursor = cursor.map((value, k) => Math.max(-REACH, Math.min(REACH, value + moves[event.key][k])));
  else if (event.key === "Enter") { put(cursor); say(`${points.length} points`, true); }
  else return;
  event.preventDefault();
  paint();
});
$("clear").addEventListener("click", () => { points = []; paint(); });
$("use").addEventListener("click", () => { const drawn = points; done = ((then) => () => then(drawn))(done); $("drawing").close("use"); done(); });
$("cancel").addEventListener("click", () => $("drawing").close("cancel"));
$("drawing").addEventListener("close", () => { if ($("drawing").returnValue !== "use") given_up(); });

/** Open the field; `then` gets the points, `otherwise` runs where it was closed without them. */
export function openPad(then, otherwise) {
  [points, cursor, done, given_up] = [[], [0, 0], then, otherwise];
  $("drawing").returnValue = "";
  $("drawing").showModal();
  paint();
  $("pad").focus();
  if (!window.PointerEvent) toast("This browser has no pointer events; use the arrow keys.");
}
