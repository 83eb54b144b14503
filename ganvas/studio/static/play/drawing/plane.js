// The picture of a game in the plane: heat map, contours, the warped noise grid, points, arrows.

import { arrow, circle, clear, drawMarks, stroke, trace, triangle } from "./canvas.js";
import { drawContours } from "./contours.js";
import { makeHeatMap } from "./heat_map.js";

const LONGEST_ARROW = 38; // pixels

/** Draw the layers in `layers`; `brightness(layer)` is less than 1 for what slow motion does not show now. */
export function drawPlane(context, width, height, { reach }, arrays, layers, brightness) {
  const scale = width / (2 * reach);
  const place = (x, y) => [width / 2 + x * scale, height / 2 - y * scale];
  clear(context, width, height, "--sunk");
  if (layers.has("surface")) drawHeatMap(context, width, height, arrays.surface, brightness("surface"));
  if (layers.has("contours")) drawContours(context, width, height, arrays.surface, brightness("contours"));
  if (layers.has("grid")) drawGrid(context, arrays.grid, place, brightness("grid"));
  if (layers.has("fakes")) drawMarks(context, arrays.fake, place, triangle, "--fake", 4, brightness("fakes"));
  // Reals are small and on top, so that a fake below one is visible too.
  if (layers.has("reals")) drawMarks(context, arrays.real, place, circle, "--real", 2.1, 0.9 * brightness("reals"));
  if (layers.has("arrows")) drawArrows(context, arrays, place, brightness("arrows"));
}

function drawHeatMap(context, width, height, surface, alpha) {
  context.globalAlpha = alpha;
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(makeHeatMap(surface), 0, 0, width, height);
  context.globalAlpha = 1;
}

function drawGrid(context, grid, place, alpha) {
  const [rows, columns] = grid.shape;
  const at = (r, c) => place(grid[2 * (r * columns + c)], grid[2 * (r * columns + c) + 1]);
  stroke(context, "--fake", 1, 0.55 * alpha, () => {
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        if (c + 1 < columns) trace(context, at(r, c), at(r, c + 1));
        if (r + 1 < rows) trace(context, at(r, c), at(r + 1, c));
      }
    }
  });
}

function drawArrows(context, { tail, pull }, place, alpha) {
  stroke(context, "--ink", 1.4, alpha, () => {
    for (let i = 0; i < tail.length; i += 2) {
      const [dx, dy] = limitLength(pull[i], pull[i + 1]);
      arrow(context, ...place(tail[i], tail[i + 1]), dx, -dy);
    }
  });
}

/** In true length while short, so that a gradient that vanishes can be seen to; never longer than LONGEST_ARROW. */
function limitLength(x, y) {
  const length = Math.hypot(x, y);
  const limited = LONGEST_ARROW * Math.tanh(length);
  return length ? [(x / length) * limited, (y / length) * limited] : [0, 0];
}

/** The arrays with fakes and grid on their way from the noise: there at t = 0, where G puts them at t = 1. */
export function blendFromNoise(arrays, t) {
  const blend = (from, to) => Object.assign(to.map((value, i) => (1 - t) * from[i] + t * value), { shape: to.shape });
  return { ...arrays, fake: blend(arrays.noise, arrays.fake), grid: blend(arrays.noise_grid, arrays.grid) };
}
