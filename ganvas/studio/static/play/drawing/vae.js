// The samples of the VAE over the data.

import { fitCanvas } from "../../common/chart.js";
import { circle, clear, drawMarks, stroke, trace, triangle } from "./canvas.js";

const LINE_HEIGHT = 120; // pixels, for data on a line

/** A canvas for a companion model: its context and size, and where a point lies. */
export function openCompanion(canvas, { reach, dims }) {
  const side = Math.min(320, canvas.parentElement.clientWidth);
  const tall = dims === 2 ? side : LINE_HEIGHT;
  canvas.style.height = `${tall}px`;
  const { context, width, height } = fitCanvas(canvas, tall);
  const place = (x, y) => [width / 2 + (x * width) / (2 * reach), height / 2 - (y * height) / (2 * reach)];
  return { context, width, height, place };
}

/** Draw the data and the samples of the VAE. */
export function drawVae(canvas, facts, arrays) {
  const { context, width, height, place } = openCompanion(canvas, facts);
  clear(context, width, height, "--sunk");
  if (facts.dims === 2) {
    drawMarks(context, arrays.real, place, circle, "--real", 2.2, 0.8);
    drawMarks(context, arrays.vae, place, triangle, "--accent", 3.2, 0.9);
    return;
  }
  for (const [values, token, row] of [[arrays.real, "--real", 0.35], [arrays.vae, "--accent", 0.7]]) {
    stroke(context, token, 1, 0.5, () => {
      for (const value of values) {
        const [x] = place(value, 0);
        trace(context, [x, height * row - 14], [x, height * row + 14]);
      }
    });
  }
}
