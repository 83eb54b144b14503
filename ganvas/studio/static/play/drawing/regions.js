// The regions of the classifier: which class it names at each place.

import { colour } from "../../common/shell.js";
import { circle, drawMarks, rgb, stroke, trace } from "./canvas.js";
import { openCompanion } from "./vae.js";

const GOLDEN_DEGREES = 137.508; // between the hues of a class and the next
const FIRST_HUE = 330; // of those tried, the one whose ten colors lie farthest apart in sRGB
const LIGHTNESS = { light: [0.91, 0.85, 0.79], dark: [0.3, 0.36, 0.42] }; // in OKLCH; the numbers stay legible on each
const CHROMA = 0.09;
const DARK_BELOW = 128; // the green of the card, of 255

/** The color of a class. The first 20 classes have 20 colors; all borders are drawn and all classes numbered besides. */
export function chooseClassColor(name) {
  const levels = LIGHTNESS[rgb("--card")[1] < DARK_BELOW ? "dark" : "light"];
  return `oklch(${levels[name % levels.length]} ${CHROMA} ${(FIRST_HUE + name * GOLDEN_DEGREES) % 360})`;
}

/** Draw the regions, their borders, the data, and the number of each class in the middle of its region. */
export function drawRegions(canvas, facts, { regions, real }) {
  const { context, width, height, place } = openCompanion(canvas, facts);
  const [rows, columns] = regions.shape;
  const cells = { columns, rows, width: width / columns, height: height / rows, total: height };
  fillRegions(context, regions, cells);
  drawBorders(context, regions, cells);
  if (facts.dims === 2) drawMarks(context, real, place, circle, "--ink", 1.4, 0.5);
  drawNumbers(context, regions, cells);
}

function fillRegions(context, regions, cells) {
  const colors = new Map([...new Set(regions)].map((name) => [name, chooseClassColor(name)]));
  regions.forEach((name, i) => {
    const [r, c] = [Math.floor(i / cells.columns), i % cells.columns];
    context.fillStyle = colors.get(name);
    // Whole pixels, or thin lines would show between the cells.
    const [left, right] = [Math.round(c * cells.width), Math.round((c + 1) * cells.width)];
    const top = Math.round(cells.total - (r + 1) * cells.height);
    const bottom = Math.round(cells.total - r * cells.height);
    context.fillRect(left, top, right - left, bottom - top);
  });
}

function drawBorders(context, regions, { columns, rows, width, height, total }) {
  stroke(context, "--ink", 1, 1, () => {
    regions.forEach((name, i) => {
      const [r, c] = [Math.floor(i / columns), i % columns];
      const [x, y] = [(c + 1) * width, total - (r + 1) * height];
      if (c + 1 < columns && regions[i + 1] !== name) trace(context, [x, y], [x, y + height]);
      if (r + 1 < rows && regions[i + columns] !== name) trace(context, [x - width, y], [x, y]);
    });
  });
}

function drawNumbers(context, regions, { columns, width, height, total }) {
  const sums = new Map(); // class -> [sum of columns, sum of rows, cells]
  regions.forEach((name, i) => {
    const [column, row, count] = sums.get(name) ?? [0, 0, 0];
    sums.set(name, [column + (i % columns) + 0.5, row + Math.floor(i / columns) + 0.5, count + 1]);
  });
  context.font = "600 13px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = colour("--ink");
  for (const [name, [column, row, count]] of sums) {
    context.fillText(String(name + 1), (column / count) * width, total - (row / count) * height);
  }
}
