// Draws a session: points, the critic's opinion, the artist's map. Only drawing: every number comes from the library.

import { fitted } from "./chart.js";
import { colour } from "./shell.js";

// [name, title in the plane, title on a line]
export const LAYERS = [
  ["reals", "● Data", "━ Data"], ["fakes", "▲ Fakes", "╍ Fakes"], ["surface", "Critic's opinion", "━ D(x)"], ["contours", "Contours", "┈ Best D"],
  ["grid", "Warped noise", "Noise to data"], ["arrows", "Pull", "Pull"],
];
export const LEVELS = [0.1, 0.3, 0.5, 0.7, 0.9];

function rgb(token) {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = colour(token);
  const text = probe.fillStyle;
  return [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));
}

/** Beliefs [rows, columns], row 0 at the bottom -> a small picture. */
function heat(surface) {
  const [rows, columns] = surface.shape;
  const [real, fake, middle] = [rgb("--real"), rgb("--fake"), rgb("--neutral")];
  const image = new ImageData(columns, rows);
  for (let i = 0; i < surface.length; i++) {
    const believed = surface[i];
    const end = believed > 0.5 ? real : fake;
    const share = Math.pow(Math.abs(believed - 0.5) * 2, 0.8) * 0.62;
    const at = 4 * ((rows - 1 - Math.floor(i / columns)) * columns + (i % columns));
    for (let k = 0; k < 3; k++) image.data[at + k] = middle[k] + share * (end[k] - middle[k]);
    image.data[at + 3] = 255;
  }
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [columns, rows];
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** Marching squares: the segments of a level on cell centres, in units of cells. */
export function contour(surface, level) {
  const [rows, columns] = surface.shape;
  const segments = [];
  const share = (a, b) => (level - a) / (b - a);
  for (let r = 0; r + 1 < rows; r++) for (let c = 0; c + 1 < columns; c++) {
    const corners = [surface[r * columns + c], surface[r * columns + c + 1], surface[(r + 1) * columns + c + 1], surface[(r + 1) * columns + c]];
    const crossings = [];
    const places = [[c, r], [c + 1, r], [c + 1, r + 1], [c, r + 1]];
    for (let k = 0; k < 4; k++) {
      const [a, b] = [corners[k], corners[(k + 1) % 4]];
      if ((a < level) === (b < level)) continue;
      const t = share(a, b);
      const [p, q] = [places[k], places[(k + 1) % 4]];
      crossings.push([p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])]);
    }
    for (let k = 0; k + 1 < crossings.length; k += 2) segments.push([crossings[k], crossings[k + 1]]);
  }
  return segments;
}

function circle(context, x, y, r) {
  context.moveTo(x + r, y);
  context.arc(x, y, r, 0, 2 * Math.PI);
}

function triangle(context, x, y, r) {
  context.moveTo(x, y - 1.2 * r);
  context.lineTo(x + 1.05 * r, y + 0.8 * r);
  context.lineTo(x - 1.05 * r, y + 0.8 * r);
  context.closePath();
}

/** Points [n, 2] as marks with a thin outline, so that they stand on any ground. */
function marks(context, points, place, mark, token, r, alpha = 1) {
  context.globalAlpha = alpha;
  context.beginPath();
  for (let i = 0; i < points.length; i += 2) mark(context, ...place(points[i], points[i + 1]), r);
  context.lineWidth = 1.4;
  context.strokeStyle = colour("--card");
  context.stroke();
  context.fillStyle = colour(token);
  context.fill();
  context.globalAlpha = 1;
}

function arrow(context, x, y, dx, dy) {
  const length = Math.hypot(dx, dy);
  if (length < 0.7) return;
  const head = Math.min(5, length * 0.5);
  const angle = Math.atan2(dy, dx);
  context.moveTo(x, y);
  context.lineTo(x + dx, y + dy);
  for (const turn of [2.6, -2.6]) {
    context.moveTo(x + dx, y + dy);
    context.lineTo(x + dx + head * Math.cos(angle + turn), y + dy + head * Math.sin(angle + turn));
  }
}

/** The whole picture. `layers`: names that are drawn; `focus`: the one that slow motion lights, or null. */
export function draw(canvas, facts, arrays, layers, focus = null) {
  const side = Math.min(canvas.parentElement.clientWidth, 640);
  const tall = facts.dims === 2 ? side : Math.round(Math.min(side * 0.8, 520));
  canvas.style.height = `${tall}px`;
  const { context, width, height } = fitted(canvas, tall);
  const lit = (layer) => (focus === null || focus === "losses" || focus === layer || (focus === "surface" && (layer === "contours" || layer === "reals" || layer === "fakes")) ? 1 : 0.25);
  if (facts.dims === 2) plane(context, width, height, facts, arrays, layers, lit);
  else line(context, width, height, facts, arrays, layers, lit);
}

function plane(context, width, height, { reach }, arrays, layers, lit) {
  const scale = width / (2 * reach);
  const place = (x, y) => [width / 2 + x * scale, height / 2 - y * scale];
  context.fillStyle = colour("--sunk");
  context.fillRect(0, 0, width, height);
  if (layers.has("surface")) {
    context.globalAlpha = lit("surface");
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(heat(arrays.surface), 0, 0, width, height);
    context.globalAlpha = 1;
  }
  if (layers.has("contours")) {
    const cell = width / arrays.surface.shape[1];
    context.strokeStyle = colour("--ink");
    for (const level of LEVELS) {
      context.globalAlpha = lit("contours") * (level === 0.5 ? 0.75 : 0.22);
      context.lineWidth = level === 0.5 ? 2 : 1;
      context.beginPath();
      for (const [a, b] of contour(arrays.surface, level)) {
        context.moveTo((a[0] + 0.5) * cell, height - (a[1] + 0.5) * cell);
        context.lineTo((b[0] + 0.5) * cell, height - (b[1] + 0.5) * cell);
      }
      context.stroke();
    }
    context.globalAlpha = 1;
  }
  if (layers.has("grid")) mesh(context, arrays.grid, place, lit("grid"));
  if (layers.has("fakes")) marks(context, arrays.fake, place, triangle, "--fake", 4, lit("fakes"));
  if (layers.has("reals")) marks(context, arrays.real, place, circle, "--real", 2.1, 0.9 * lit("reals")); // small, on top: both stay to be seen
  if (layers.has("arrows")) {
    context.globalAlpha = lit("arrows");
    context.strokeStyle = colour("--ink");
    context.lineWidth = 1.4;
    context.beginPath();
    for (let i = 0; i < arrays.tail.length; i += 2) {
      const [dx, dy] = stretched(arrays.pull[i], arrays.pull[i + 1]);
      arrow(context, ...place(arrays.tail[i], arrays.tail[i + 1]), dx, -dy);
    }
    context.stroke();
    context.globalAlpha = 1;
  }
}

/** True to length while small, so that a gradient that vanishes is seen to; never longer than 38 pixels. */
function stretched(x, y) {
  const length = Math.hypot(x, y);
  const shown = 38 * Math.tanh(length);
  return length ? [x / length * shown, y / length * shown] : [0, 0];
}

function mesh(context, grid, place, alpha) {
  const [rows, columns] = grid.shape;
  const at = (r, c) => place(grid[2 * (r * columns + c)], grid[2 * (r * columns + c) + 1]);
  context.globalAlpha = 0.55 * alpha;
  context.strokeStyle = colour("--fake");
  context.lineWidth = 1;
  context.beginPath();
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) {
    if (c + 1 < columns) { context.moveTo(...at(r, c)); context.lineTo(...at(r, c + 1)); }
    if (r + 1 < rows) { context.moveTo(...at(r, c)); context.lineTo(...at(r + 1, c)); }
  }
  context.stroke();
  context.globalAlpha = 1;
}

function line(context, width, height, { reach, setup }, arrays, layers, lit) {
  const [left, right] = [16, width - 16];
  const [roof, ground, cellar] = [18, height * 0.66, height - 26];
  const x = (value) => left + (right - left) * (value + reach) / (2 * reach);
  const highest = 1.15 * Math.max(0.2, ...arrays.density, Math.min(3, Math.max(...arrays.drawn)));
  const y = (density) => ground - (ground - roof) * Math.min(1.05, density / highest);
  const belief = (value) => ground - (ground - roof) * value / 1.05;
  const path = (values, height_, known = () => true) => {
    context.beginPath();
    values.forEach((value, i) => { if (known(i)) context[i && known(i - 1) ? "lineTo" : "moveTo"](x(arrays.x[i]), height_(value)); });
  };
  const filled = (values, token, alpha) => {
    path(values, y);
    context.lineTo(x(arrays.x[arrays.x.length - 1]), ground);
    context.lineTo(x(arrays.x[0]), ground);
    context.closePath();
    context.globalAlpha = alpha;
    context.fillStyle = colour(token);
    context.fill();
    context.globalAlpha = 1;
  };
  const stroked = (values, height_, token, dash, weight, alpha, known) => {
    path(values, height_, known);
    context.setLineDash(dash);
    context.lineWidth = weight;
    context.strokeStyle = colour(token);
    context.globalAlpha = alpha;
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  };
  context.fillStyle = colour("--card");
  context.fillRect(0, 0, width, height);
  context.strokeStyle = colour("--grid");
  context.lineWidth = 1;
  context.beginPath();
  for (const value of [0.5, 1]) { context.moveTo(left, belief(value)); context.lineTo(right, belief(value)); }
  context.stroke();
  if (layers.has("reals")) { filled(arrays.density, "--real", 0.18 * lit("reals")); stroked(arrays.density, y, "--real", [], 2.5, lit("reals")); }
  if (layers.has("fakes")) { filled(arrays.drawn, "--fake", 0.16 * lit("fakes")); stroked(arrays.drawn, y, "--fake", [9, 4], 2.5, lit("fakes")); }
  if (layers.has("contours")) stroked(arrays.best, belief, "--soft", [2, 4], 1.5, lit("contours"), (i) => arrays.density[i] + arrays.drawn[i] > 0.01);
  if (layers.has("surface")) stroked(arrays.curve, belief, "--accent", [], 2.5, lit("surface"));
  context.strokeStyle = colour("--edge");
  context.lineWidth = 1.2;
  context.beginPath();
  for (const level of [ground, cellar]) { context.moveTo(left, level); context.lineTo(right, level); }
  context.stroke();
  const where = (z) => (setup.noise === "uniform" ? (left + right) / 2 + (right - left) * 0.42 * Math.sign(z) * (1 - 2 * tail(Math.abs(z))) : (left + right) / 2 + (right - left) * 0.15 * z);
  if (layers.has("grid")) {
    context.strokeStyle = colour("--fake");
    context.globalAlpha = 0.6 * lit("grid");
    context.beginPath();
    arrays.noise.forEach((z, i) => { context.moveTo(where(z), cellar); context.lineTo(x(arrays.landing[i]), ground); });
    context.stroke();
    context.globalAlpha = 1;
  }
  if (layers.has("arrows")) {
    context.strokeStyle = colour("--ink");
    context.lineWidth = 1.4;
    context.globalAlpha = lit("arrows");
    context.beginPath();
    arrays.tail.forEach((value, i) => { if (i % 4 === 0) arrow(context, x(value), ground - 5 - (i / 4 % 4) * 4, 38 * Math.tanh(arrays.pull[i]), 0); });
    context.stroke();
    context.globalAlpha = 1;
  }
  context.fillStyle = colour("--soft");
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "top";
  context.textAlign = "left";
  context.fillText("noise z", left, cellar + 6);
  context.fillText("x", left, ground + 4);
  context.textAlign = "right";
  context.textBaseline = "bottom";
  context.fillText("D = 1", right, belief(1) - 2);
  context.fillText("D = 1/2", right, belief(0.5) - 2);
}

/** The share of a standard normal above z. Source: Abramowitz and Stegun 26.2.17, to 1e-7; for places on the screen only. */
function tail(z) {
  const t = 1 / (1 + 0.2316419 * z);
  return 0.3989423 * Math.exp(-z * z / 2) * t * (0.3193815 + t * (-0.3565638 + t * (1.781478 + t * (-1.821256 + t * 1.330274))));
}

/** The picture's arrays with fakes and grid on their way from the noise: at t = 0 there, at 1 where the artist puts them. */
export function between(arrays, t) {
  const blend = (from, to) => Object.assign(to.map((value, i) => (1 - t) * from[i] + t * value), { shape: to.shape });
  return { ...arrays, fake: blend(arrays.noise, arrays.fake), grid: blend(arrays.ground, arrays.grid) };
}

const HUES = ["--real", "--fake", "--accent", "--warn", "--bad", "--edge"];

/** The VAE's draws over the data. */
export function drawVae(canvas, { reach, dims }, arrays) {
  const side = Math.min(320, canvas.parentElement.clientWidth);
  canvas.style.height = `${dims === 2 ? side : 120}px`;
  const { context, width, height } = fitted(canvas, dims === 2 ? side : 120);
  const place = (x, y) => [width / 2 + x * width / (2 * reach), height / 2 - y * height / (2 * reach)];
  context.fillStyle = colour("--sunk");
  context.fillRect(0, 0, width, height);
  if (dims === 2) {
    marks(context, arrays.real, place, circle, "--real", 2.2, 0.8);
    marks(context, arrays.vae, place, triangle, "--accent", 3.2, 0.9);
    return;
  }
  for (const [values, token, row] of [[arrays.real, "--real", 0.35], [arrays.vae, "--accent", 0.7]]) {
    context.strokeStyle = colour(token);
    context.globalAlpha = 0.5;
    context.beginPath();
    for (const value of values) { const [x] = place(value, 0); context.moveTo(x, height * row - 14); context.lineTo(x, height * row + 14); }
    context.stroke();
    context.globalAlpha = 1;
  }
}

/** The classifier's regions, each with its number. */
export function drawRegions(canvas, { reach, dims }, arrays) {
  const side = Math.min(320, canvas.parentElement.clientWidth);
  canvas.style.height = `${dims === 2 ? side : 120}px`;
  const { context, width, height } = fitted(canvas, dims === 2 ? side : 120);
  const [rows, columns] = arrays.regions.shape;
  const middles = new Map();
  arrays.regions.forEach((named, i) => {
    const [r, c] = [Math.floor(i / columns), i % columns];
    context.globalAlpha = named % 2 ? 0.32 : 0.2;
    context.fillStyle = colour(HUES[named % HUES.length]);
    const [from, to] = [Math.round(c * width / columns), Math.round((c + 1) * width / columns)]; // whole pixels: no seams
    const [roof, ground] = [Math.round(height - (r + 1) * height / rows), Math.round(height - r * height / rows)];
    context.fillRect(from, roof, to - from, ground - roof);
    const sum = middles.get(named) ?? [0, 0, 0];
    middles.set(named, [sum[0] + c + 0.5, sum[1] + r + 0.5, sum[2] + 1]);
  });
  context.globalAlpha = 1;
  context.strokeStyle = colour("--ink");
  context.lineWidth = 1;
  context.beginPath();
  arrays.regions.forEach((named, i) => {
    const [r, c] = [Math.floor(i / columns), i % columns];
    if (c + 1 < columns && arrays.regions[i + 1] !== named) { const at = (c + 1) * width / columns; context.moveTo(at, height - (r + 1) * height / rows); context.lineTo(at, height - r * height / rows); }
    if (r + 1 < rows && arrays.regions[i + columns] !== named) { const at = height - (r + 1) * height / rows; context.moveTo(c * width / columns, at); context.lineTo((c + 1) * width / columns, at); }
  });
  context.stroke();
  if (dims === 2) marks(context, arrays.real, (x, y) => [width / 2 + x * width / (2 * reach), height / 2 - y * height / (2 * reach)], circle, "--ink", 1.4, 0.5);
  context.font = "600 13px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = colour("--ink");
  for (const [named, [c, r, n]] of middles) context.fillText(String(named + 1), c / n * width / columns, height - r / n * height / rows);
}
