// The directions of the model, each with its two ends as pictures and a name that a person can give it.

import { explain } from "../common/explain.js";
import { drawPixels } from "../common/pixels.js";
import { make } from "../common/shell.js";

const KEPT = "ganvas-directions"; // names that a person gave, of this browser

/** The names that were given to the directions of a model: {direction: name}. */
function readNames(model) {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "{}")[model] ?? {};
  } catch {
    return {};
  }
}

function keepName(model, direction, name) {
  try {
    const all = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    localStorage.setItem(KEPT, JSON.stringify({ ...all, [model]: { ...all[model], [direction]: name } }));
  } catch {
    /* not kept */
  }
}

/** Fill a list with directions; `add(name, amount)` runs when one of its ends is pressed. */
export function showDirections(list, model, names, add) {
  const given = readNames(model);
  const items = names.map((name) => {
    const makeEnd = (side, amount) => {
      const facts = { type: "button", class: "end", "data-end": name, "data-side": side, "aria-label": `${name}, ${amount}` };
      return make("button", { ...facts, onclick: () => add(name, amount) }, make("canvas", { "aria-hidden": "true" }));
    };
    const field = make("input", { type: "text", value: given[name] ?? name, "aria-label": `Name of ${name}`, maxlength: 40 });
    explain(field, "A name of your own for this direction; this browser keeps it. The pictures are its two ends.");
    field.addEventListener("change", () => keepName(model, name, field.value));
    return make("li", {}, makeEnd("low", -2), field, makeEnd("high", 2));
  });
  list.replaceChildren(...items);
}

/** Draw the ends, uint8 [2 n, h, w, C], into the buttons of the list. */
export function drawEnds(list, pictures) {
  const [, height, width, channels] = pictures.shape;
  const size = height * width * channels;
  [...list.querySelectorAll(".end canvas")].forEach((canvas, k) => {
    const pixels = pictures.subarray(k * size, (k + 1) * size);
    pixels.shape = [height, width, channels];
    Object.assign(canvas, { width, height });
    if (pixels.length) canvas.getContext("2d").drawImage(drawPixels(pixels), 0, 0);
  });
}
