// The picture of a game on a line: both densities, D(x), the best D, and where each noise goes.

import { colour } from "../../common/shell.js";
import { drawArrows } from "./arrows.js";
import { clear, stroke, trace } from "./canvas.js";

export const MARGIN = 16; // pixels left and right of the axis
const NO_DATA = 0.01; // density below which the best D means nothing

/** Draw the layers in `layers`; `brightness(layer)` is less than 1 for what slow motion does not show now. */
export function drawLine(context, width, height, facts, arrays, layers, brightness) {
  const axes = makeAxes(width, height, facts, arrays);
  clear(context, width, height, "--card");
  drawLevels(context, axes);
  if (layers.has("reals")) drawDensity(context, axes, arrays.density, "--real", [], 0.18, brightness("reals"));
  if (layers.has("fakes")) drawDensity(context, axes, arrays.fake_density, "--fake", [9, 4], 0.16, brightness("fakes"));
  if (layers.has("contours")) drawBest(context, axes, arrays, brightness("contours"));
  if (layers.has("surface")) drawCurve(context, axes, arrays.curve, axes.realness, "--accent", [], 2.5, brightness("surface"));
  drawGround(context, axes);
  if (layers.has("grid")) drawNoiseLines(context, axes, arrays, brightness("grid"));
  if (layers.has("arrows")) drawArrows(context, ...findArrows(axes, arrays), brightness("arrows"));
  drawLabels(context, axes);
}

/** Where values lie in the picture. */
function makeAxes(width, height, { reach, setup }, arrays) {
  const [left, right] = [MARGIN, width - MARGIN];
  const [top, ground, bottom] = [18, height * 0.66, height - 26];
  const middle = (left + right) / 2;
  // A collapsed G has a very high density: it may leave the picture, or the data would be flat.
  const highest = 1.15 * Math.max(0.2, ...arrays.density, Math.min(3, Math.max(...arrays.fake_density)));
  const normal = (z) => middle + (right - left) * 0.15 * z;
  const uniform = (z) => middle + (right - left) * 0.42 * Math.sign(z) * (1 - 2 * computeTail(Math.abs(z)));
  return {
    left, right, ground, bottom,
    xs: arrays.x,
    x: (value) => left + ((right - left) * (value + reach)) / (2 * reach),
    density: (value) => ground - (ground - top) * Math.min(1.05, value / highest),
    realness: (value) => ground - ((ground - top) * value) / 1.05,
    noise: setup.noise === "uniform" ? uniform : normal,
  };
}

/** Trace values over x, with gaps where `isKnown(i)` is false. */
function traceCurve(context, axes, values, height, isKnown = () => true) {
  values.forEach((value, i) => {
    if (!isKnown(i)) return;
    const joins = i > 0 && isKnown(i - 1);
    context[joins ? "lineTo" : "moveTo"](axes.x(axes.xs[i]), height(value));
  });
}

function drawCurve(context, axes, values, height, token, dash, lineWidth, alpha, isKnown) {
  context.setLineDash(dash);
  stroke(context, token, lineWidth, alpha, () => traceCurve(context, axes, values, height, isKnown));
  context.setLineDash([]);
}

function drawDensity(context, axes, values, token, dash, fill, alpha) {
  context.beginPath();
  traceCurve(context, axes, values, axes.density);
  context.lineTo(axes.x(axes.xs[axes.xs.length - 1]), axes.ground);
  context.lineTo(axes.x(axes.xs[0]), axes.ground);
  context.closePath();
  context.globalAlpha = fill * alpha;
  context.fillStyle = colour(token);
  context.fill();
  context.globalAlpha = 1;
  drawCurve(context, axes, values, axes.density, token, dash, 2.5, alpha);
}

function drawBest(context, axes, { best, density, fake_density: fakes }, alpha) {
  const isKnown = (i) => density[i] + fakes[i] > NO_DATA;
  drawCurve(context, axes, best, axes.realness, "--soft", [2, 4], 1.5, alpha, isKnown);
}

function drawLevels(context, { left, right, realness }) {
  stroke(context, "--grid", 1, 1, () => {
    for (const value of [0.5, 1]) trace(context, [left, realness(value)], [right, realness(value)]);
  });
}

function drawGround(context, { left, right, ground, bottom }) {
  stroke(context, "--edge", 1.2, 1, () => {
    for (const level of [ground, bottom]) trace(context, [left, level], [right, level]);
  });
}

function drawNoiseLines(context, axes, { noise, landing }, alpha) {
  stroke(context, "--fake", 1.2, 0.6 * alpha, () => {
    noise.forEach((z, i) => trace(context, [axes.noise(z), axes.bottom], [axes.x(landing[i]), axes.ground]));
  });
}

/** Where the arrows start, above the axis, and where they pull: pairs. */
function findArrows(axes, { tail, pull }) {
  return [Array.from(tail, (x) => [axes.x(x), axes.ground - 8]), Array.from(pull, (x) => [x, 0])];
}

function drawLabels(context, { left, right, ground, bottom, realness }) {
  context.fillStyle = colour("--soft");
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "top";
  context.textAlign = "left";
  context.fillText("noise z", left, bottom + 6);
  context.fillText("x", left, ground + 4);
  context.textAlign = "right";
  context.textBaseline = "bottom";
  context.fillText("D = 1", right, realness(1) - 2);
  context.fillText("D = 1/2", right, realness(0.5) - 2);
}

/** The share of a standard normal above z. Source: Abramowitz and Stegun 26.2.17, to 1e-7; for places on the screen only. */
function computeTail(z) {
  const t = 1 / (1 + 0.2316419 * z);
  const coefficients = [1.330274, -1.821256, 1.781478, -0.3565638, 0.3193815];
  const sum = coefficients.reduce((total, coefficient) => total * t + coefficient, 0);
  return 0.3989423 * Math.exp((-z * z) / 2) * t * sum;
}
