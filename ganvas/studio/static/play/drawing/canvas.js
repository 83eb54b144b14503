// Small pieces that all pictures of /play are drawn with.

import { colour } from "../../common/shell.js";

/** The red, green and blue of a colour token such as "--real", from 0 to 255. */
export function rgb(token) {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = colour(token);
  const text = probe.fillStyle; // the browser turns any colour into #rrggbb
  return [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));
}

/** Fill the whole canvas with a colour token. */
export function clear(context, width, height, token) {
  context.fillStyle = colour(token);
  context.fillRect(0, 0, width, height);
}

/** Stroke what `trace` draws, with a colour token, a line width and an opacity. */
export function stroke(context, token, lineWidth, alpha, trace) {
  context.globalAlpha = alpha;
  context.strokeStyle = colour(token);
  context.lineWidth = lineWidth;
  context.beginPath();
  trace();
  context.stroke();
  context.globalAlpha = 1;
}

/** Trace a straight line between two places [x, y]. */
export function trace(context, from, to) {
  context.moveTo(...from);
  context.lineTo(...to);
}

/** Trace a circle: the mark of a real. */
export function circle(context, x, y, radius) {
  context.moveTo(x + radius, y);
  context.arc(x, y, radius, 0, 2 * Math.PI);
}

/** Trace a triangle: the mark of a fake. */
export function triangle(context, x, y, radius) {
  context.moveTo(x, y - 1.2 * radius);
  context.lineTo(x + 1.05 * radius, y + 0.8 * radius);
  context.lineTo(x - 1.05 * radius, y + 0.8 * radius);
  context.closePath();
}

/** Draw points [n, 2] as marks. A thin outline keeps them visible on any ground. */
export function drawMarks(context, points, place, mark, token, radius, alpha = 1) {
  context.globalAlpha = alpha;
  context.beginPath();
  for (let i = 0; i < points.length; i += 2) mark(context, ...place(points[i], points[i + 1]), radius);
  context.lineWidth = 1.4;
  context.strokeStyle = colour("--card");
  context.stroke();
  context.fillStyle = colour(token);
  context.fill();
  context.globalAlpha = 1;
}

/** Trace an arrow from (x, y) along (dx, dy), in pixels. */
export function arrow(context, x, y, dx, dy) {
  const length = Math.hypot(dx, dy);
  if (length < 0.7) return; // shorter than a pixel: its head would point anywhere
  const head = Math.min(5, length * 0.5);
  const angle = Math.atan2(dy, dx);
  trace(context, [x, y], [x + dx, y + dy]);
  for (const turn of [2.6, -2.6]) {
    const tip = [x + dx + head * Math.cos(angle + turn), y + dy + head * Math.sin(angle + turn)];
    trace(context, [x + dx, y + dy], tip);
  }
}
