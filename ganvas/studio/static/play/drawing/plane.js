// The picture of a game in the plane: heat map, contours, the warped noise grid, points, arrows.

import { drawArrows } from "./arrows.js";
import { circle, clear, drawMarks, stroke, trace, triangle } from "./canvas.js";
import { drawContours } from "./contours.js";
import { makeHeatMap } from "./heat_map.js";

/** Draw the layers in `layers`; `brightness(layer)` is less than 1 for what slow motion does not show now. */
export function drawPlane(context, width, height, { reach }, arrays, layers, brightness) {
  const scale = width / (2 * reach);
  const place = (x, y) => [width / 2 + x * scale, height / 2 - y * scale];
  clear(context, width, height, "--sunk");
  if (layers.has("surface")) drawHeatMap(context, width, height, arrays.surface, brightness("surface"));
  if (layers.has("contours")) drawContours(context, width, height, arrays.surface, brightness("contours"));
  if (layers.has("grid")) drawGrid(context, arrays.grid, place, brightness("grid"));
  // Arrows lie below the fakes, which stay visible in a crowd.
  if (layers.has("arrows")) drawArrows(context, ...findArrows(arrays, place), brightness("arrows"));
  if (layers.has("fakes")) drawMarks(context, arrays.fake, place, triangle, "--fake", 4, brightness("fakes"));
  // Reals are small and on top, so that a fake below one is visible too.
  if (layers.has("reals")) drawMarks(context, arrays.real, place, circle, "--real", 2.1, 0.9 * brightness("reals"));
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

/** Where the arrows start, and where they pull: pairs, in the picture's directions. */
function findArrows({ tail, pull }, place) {
  const each = (pair) => Array.from({ length: tail.length / 2 }, (_, i) => pair(2 * i));
  return [each((i) => place(tail[i], tail[i + 1])), each((i) => [pull[i], -pull[i + 1]])];
}

/** The arrays with fakes and grid on their way from the noise: there at t = 0, where G puts them at t = 1. */
export function blendFromNoise(arrays, t) {
  const blend = (from, to) => Object.assign(to.map((value, i) => (1 - t) * from[i] + t * value), { shape: to.shape });
  return { ...arrays, fake: blend(arrays.noise, arrays.fake), grid: blend(arrays.noise_grid, arrays.grid) };
}
