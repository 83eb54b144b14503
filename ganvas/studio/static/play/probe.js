// What is under the pointer, or under a cross that the arrow keys move: the place, what D says there, the nearest point.

import { MARGIN } from "./drawing/line.js";

const NEAR = 10; // pixels within which a point is meant
const KEY_STEP = 8; // pixels that an arrow key moves the cross
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** A coordinate with two digits and a proper minus; no "-0.00". */
const format = (x) => (Object.is(Math.round(x * 100), -0) ? 0 : x).toFixed(2).replace("-", "−");

export class Probe {
  /** `getFrame()` gives the picture that is shown: {facts, arrays}. */
  constructor(canvas, cross, output, getFrame) {
    Object.assign(this, { canvas, cross, output, getFrame, at: null });
    canvas.addEventListener("pointermove", (event) => this.moveTo(event.offsetX, event.offsetY));
    canvas.addEventListener("pointerleave", () => this.hide());
    canvas.addEventListener("blur", () => this.hide());
    canvas.addEventListener("keydown", (event) => this.press(event));
  }

  press(event) {
    if (event.key === "Escape") this.hide();
    const direction = DIRECTIONS[event.key];
    if (!direction) return;
    event.preventDefault();
    const [x, y] = this.at ?? [this.canvas.clientWidth / 2, this.canvas.clientHeight / 2];
    this.moveTo(x + KEY_STEP * direction[0], y + KEY_STEP * direction[1]);
  }

  moveTo(x, y) {
    const clamp = (value, end) => Math.min(end, Math.max(0, value));
    this.at = [clamp(x, this.canvas.clientWidth), clamp(y, this.canvas.clientHeight)];
    this.show();
  }

  hide() {
    this.at = null;
    this.show();
  }

  /** Say what is there now. While the game plays it changes under the pointer. */
  show() {
    const frame = this.at && this.getFrame();
    this.cross.hidden = !frame;
    if (!frame) {
      this.output.textContent = "";
      return;
    }
    this.cross.style.setProperty("--x", `${this.at[0]}px`);
    this.cross.style.setProperty("--y", `${this.at[1]}px`);
    this.output.textContent = frame.facts.dims === 2 ? this.describePlane(frame) : this.describeLine(frame);
  }

  describePlane({ facts: { reach }, arrays }) {
    const side = this.canvas.clientWidth;
    const scale = side / (2 * reach);
    const x = (this.at[0] - side / 2) / scale;
    const y = (side / 2 - this.at[1]) / scale;
    const cells = arrays.surface.shape[0];
    const cell = (value) => Math.min(cells - 1, Math.max(0, Math.floor(((value + reach) / (2 * reach)) * cells)));
    const here = `x ${format(x)}, y ${format(y)}: D ${arrays.surface[cell(y) * cells + cell(x)].toFixed(2)}`;
    const [real, fake] = [findNearest(arrays.real, x, y), findNearest(arrays.fake, x, y)];
    const isFake = fake.distance < real.distance;
    const point = isFake ? fake : real;
    if (point.distance * scale > NEAR) return here;
    const place = `${isFake ? "▲ fake" : "● data"} at ${format(point.x)}, ${format(point.y)}`;
    return `${here} · ${place}${isFake ? `, D ${arrays.fake_realness[point.i].toFixed(2)}` : ""}`;
  }

  describeLine({ facts: { reach }, arrays }) {
    const share = (this.at[0] - MARGIN) / (this.canvas.clientWidth - 2 * MARGIN);
    const i = Math.min(arrays.x.length - 1, Math.max(0, Math.floor(share * arrays.x.length)));
    const [density, fakes] = [arrays.density[i], arrays.fake_density[i]];
    const best = density + fakes > 0.01 ? `, the best D ${arrays.best[i].toFixed(2)}` : "";
    const densities = `density of data ${density.toFixed(2)}, of fakes ${fakes.toFixed(2)}`;
    return `x ${format((2 * share - 1) * reach)}: D ${arrays.curve[i].toFixed(2)}${best} · ${densities}`;
  }
}

/** The point of [n, 2] nearest to a place: {i, x, y, distance}. */
function findNearest(points, x, y) {
  let best = { distance: Infinity };
  for (let i = 0; i < points.length; i += 2) {
    const distance = Math.hypot(points[i] - x, points[i + 1] - y);
    if (distance < best.distance) best = { i: i / 2, x: points[i], y: points[i + 1], distance };
  }
  return best;
}
