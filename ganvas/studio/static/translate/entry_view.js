// What goes in, on the page: its canvas, what is said of it, and the words of its controls.

import { $, schema, state } from "./translate_state.js";

const TINY = 256; // pixels below which each pixel is shown as a square
const HINTS = {
  draw: "Draw here: what comes out follows the pen.",
  picture: "Drop another one anywhere on the page, or paste it.",
  camera: "Nothing leaves this machine.",
};
const KEYS = "By keys: the arrows move the cursor, and with Shift they draw; Enter uses the tool";

/** Show what goes in: a drawing, a picture, or a picture below its hole. */
export function showEntry(entry) {
  const isDrawn = state.mode === "draw";
  const { fills } = state.model;
  const canvas = entry.hasPicture ? entry.fit() : null;
  showControls(fills);
  $("map").hidden = !isDrawn && !(fills && canvas);
  $("entry").hidden = isDrawn || fills;
  $("no-entry").hidden = isDrawn || canvas !== null;
  $("no-entry").textContent = state.mode === "camera" ? "The webcam is off." : "Choose a picture, drop or paste one.";
  const ratio = canvas && !isDrawn ? canvas.width / canvas.height : 1;
  document.querySelector(".translate-bench").style.setProperty("--ratio", ratio);
  if (canvas && fills) entry.hole.show(canvas);
  $("in-hint").textContent = hint(entry);
  $("in-said").textContent = canvas ? describeEntry(entry, canvas) : "";
  if (!canvas || isDrawn || fills) return;
  Object.assign($("entry"), { width: canvas.width, height: canvas.height });
  $("entry").classList.toggle("tiny", Math.max(canvas.width, canvas.height) <= TINY);
  $("entry").getContext("2d").drawImage(canvas, 0, 0);
  $("entry").setAttribute("aria-label", `What goes in: ${describeEntry(entry, canvas)}`);
}

/** Say what a stroke has changed. */
export function showStroke(entry) {
  $("in-said").textContent = describeEntry(entry, entry.doodle.canvas.below);
  if (state.model.fills) entry.hole.update();
}

/** The controls of a hole in place of those of a drawing. */
function showControls(fills) {
  document.querySelector(".colors").hidden = document.querySelector("[data-tool=pick]").hidden = fills;
  $("mask-part").hidden = !fills;
  $("save-map").hidden = fills;
  $("work").classList.toggle("fills", fills);
  $("map-how").textContent = fills
    ? `Drag to paint the hole. ${KEYS}.`
    : `Drag to draw. ${KEYS}; 1 to 9, and 0, choose what to draw with.`;
}

function describeEntry({ doodle, picture, hole }, canvas) {
  if (state.mode === "draw") return doodle.describe();
  const name = state.mode === "camera" ? "the webcam, as in a mirror" : picture.name;
  const size = `${canvas.width} × ${canvas.height} pixels`;
  return [name, size, ...(state.model.fills ? [hole.describe()] : [])].join(" · ");
}

function hint({ picture }) {
  const isCut = state.mode === "camera" && (!state.size || state.size > schema.camera);
  if (isCut) return `While the webcam runs, its pictures have ${schema.camera} pixels: a larger size changes nothing.`;
  if (!state.model.fills) return HINTS[state.mode];
  const isReduced = state.mode === "picture" && picture?.isReduced;
  return isReduced ? "It was made smaller; ganvas inpaint takes any size." : "Paint over what should be filled.";
}
