// The arrows on the fakes. Those that begin close together are drawn as one, their mean: a crowd would hide the fakes.

import { arrow, stroke } from "./canvas.js";

const LONGEST = 38; // pixels
const CELL = 26; // pixels within which arrows are one

/**
 * Starts [x, y] in pixels and pulls [dx, dy], each a list of pairs -> the mean arrow of each cell that has a start in it:
 * [{x, y, dx, dy, count}].
 */
export function groupArrows(starts, pulls, cell = CELL) {
  const groups = new Map();
  starts.forEach(([x, y], i) => {
    const key = `${Math.floor(x / cell)} ${Math.floor(y / cell)}`;
    const sum = groups.get(key) ?? { x: 0, y: 0, dx: 0, dy: 0, count: 0 };
    groups.set(key, {
      x: sum.x + x, y: sum.y + y, dx: sum.dx + pulls[i][0], dy: sum.dy + pulls[i][1], count: sum.count + 1,
    });
  });
  return [...groups.values()].map(({ x, y, dx, dy, count }) => {
    return { x: x / count, y: y / count, dx: dx / count, dy: dy / count, count };
  });
}

/** In true length while short, so that a gradient that vanishes can be seen to; never longer than LONGEST. */
function limitLength(x, y) {
  const length = Math.hypot(x, y);
  const limited = LONGEST * Math.tanh(length);
  return length ? [(x / length) * limited, (y / length) * limited] : [0, 0];
}

/** Draw the arrows of `starts` and `pulls`, the vertical part of a pull downwards as in the picture. */
export function drawArrows(context, starts, pulls, alpha) {
  stroke(context, "--ink", 1.6, alpha, () => {
    for (const { x, y, dx, dy } of groupArrows(starts, pulls)) arrow(context, x, y, ...limitLength(dx, dy));
  });
}
