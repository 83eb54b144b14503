// Lines of equal realness on the heat map of D.

import { stroke } from "./canvas.js";

const LEVELS = [0.1, 0.3, 0.5, 0.7, 0.9];

/** Marching squares: the segments of a level between cell centres, in units of cells. */
export function findContour(surface, level) {
  const [rows, columns] = surface.shape;
  const segments = [];
  for (let r = 0; r + 1 < rows; r++) {
    for (let c = 0; c + 1 < columns; c++) {
      const crossings = findCrossings(surface, level, r, c);
      for (let k = 0; k + 1 < crossings.length; k += 2) segments.push([crossings[k], crossings[k + 1]]);
    }
  }
  return segments;
}

/** Where a level crosses the four sides of the square between four cell centres. */
function findCrossings(surface, level, r, c) {
  const columns = surface.shape[1];
  const places = [[c, r], [c + 1, r], [c + 1, r + 1], [c, r + 1]];
  const corners = places.map(([x, y]) => surface[y * columns + x]);
  const crossings = [];
  for (let k = 0; k < 4; k++) {
    const [a, b] = [corners[k], corners[(k + 1) % 4]];
    if (a < level === b < level) continue;
    const share = (level - a) / (b - a);
    const [p, q] = [places[k], places[(k + 1) % 4]];
    crossings.push([p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1])]);
  }
  return crossings;
}

/** Draw all contours; that of one half, where D only guesses, is thick. */
export function drawContours(context, width, height, surface, alpha) {
  const cell = width / surface.shape[1];
  const place = ([x, y]) => [(x + 0.5) * cell, height - (y + 0.5) * cell];
  for (const level of LEVELS) {
    const half = level === 0.5;
    stroke(context, "--ink", half ? 2 : 1, alpha * (half ? 0.75 : 0.22), () => {
      for (const [a, b] of findContour(surface, level)) {
        context.moveTo(...place(a));
        context.lineTo(...place(b));
      }
    });
  }
}
