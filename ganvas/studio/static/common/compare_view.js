// A picture, or two of them with a divider: before on the left of it, after on the right. It can be enlarged and moved.

import { colour, onTheme } from "./shell.js";

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 0.05; // of the width, that an arrow key moves the divider, or the picture
const GRIP = 14; // pixels around the divider, in which a drag moves it
const FINE = 256; // pixels of a picture below which each pixel is shown as a square

export class CompareView {
  /** `canvas` is in a box that has the ratio of `after`; `moved(share)` runs when the divider is elsewhere. */
  constructor(canvas, moved = () => {}) {
    Object.assign(this, { canvas, moved, before: null, after: null, share: 0.5, zoom: 1, centre: [0.5, 0.5], drag: null });
    const listen = (name, run) => canvas.addEventListener(name, (event) => run.call(this, event));
    listen("pointerdown", this.begin);
    listen("pointermove", this.move);
    for (const name of ["pointerup", "pointercancel"]) listen(name, () => { this.drag = null; });
    listen("keydown", this.press);
    listen("wheel", this.turnWheel);
    new ResizeObserver(() => this.draw()).observe(canvas);
    onTheme(() => this.canvas.isConnected && this.draw());
  }

  /** Show a picture (what a canvas can draw); with `before` also that one, and the divider. */
  show(after, before = null) {
    Object.assign(this, { after, before });
    const { canvas } = this;
    const facts = before
      ? { role: "slider", "aria-valuemin": 0, "aria-valuemax": 100, "aria-orientation": "horizontal" }
      : { role: "img", "aria-valuemin": null, "aria-valuemax": null, "aria-valuenow": null, "aria-valuetext": null,
        "aria-orientation": null };
    for (const [name, value] of Object.entries(facts)) {
      if (value === null) canvas.removeAttribute(name);
      else canvas.setAttribute(name, value);
    }
    this.draw();
  }

  setShare(share) {
    this.share = Math.max(0, Math.min(1, share));
    this.draw();
    this.moved(this.share);
  }

  setZoom(zoom) {
    this.zoom = Math.max(1, zoom);
    this.moveView(0, 0);
  }

  /** Move what is shown by shares of what is shown. */
  moveView(dx, dy) {
    const half = 0.5 / this.zoom;
    this.centre = this.centre.map((at, k) => Math.max(half, Math.min(1 - half, at + [dx, dy][k] / this.zoom)));
    this.draw();
  }

  // Pointer, keys and wheel -----------------------------------------------------------------------------------------------

  begin(event) {
    if (event.button || !this.after) return;
    const box = this.canvas.getBoundingClientRect();
    const near = Math.abs(event.clientX - box.left - this.share * box.width) < GRIP;
    this.drag = this.before && (near || this.zoom === 1) ? "divider" : "view";
    this.at = [event.clientX, event.clientY];
    this.canvas.setPointerCapture(event.pointerId);
    this.move(event);
  }

  move(event) {
    if (!this.drag) return;
    const box = this.canvas.getBoundingClientRect();
    const { clientX, clientY } = event;
    if (this.drag === "divider") this.setShare((clientX - box.left) / box.width);
    else this.moveView((this.at[0] - clientX) / box.width, (this.at[1] - clientY) / box.height);
    this.at = [clientX, clientY];
  }

  press(event) {
    const direction = DIRECTIONS[event.key];
    if (!direction || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (event.shiftKey || !this.before) this.moveView(STEP * direction[0], STEP * direction[1]);
    else this.setShare(this.share + STEP * (direction[0] || -direction[1]));
  }

  turnWheel(event) {
    if (this.zoom === 1) return;
    const box = this.canvas.getBoundingClientRect();
    this.moveView(event.deltaX / box.width, event.deltaY / box.height);
    event.preventDefault();
  }

  // The picture -----------------------------------------------------------------------------------------------------------

  draw() {
    const { canvas, after, before } = this;
    const scale = Math.min(2, devicePixelRatio || 1);
    const [width, height] = [Math.round(canvas.clientWidth * scale), Math.round(canvas.clientHeight * scale)];
    if (width < 2 || height < 2) return; // hidden
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    if (!after) return;
    this.paint(context, after, 0, width, height);
    if (!before) return;
    const split = Math.round(this.share * width);
    if (split > 0) this.paint(context, before, split, width, height);
    context.fillStyle = colour("--card");
    context.fillRect(split - 2 * scale, 0, 4 * scale, height);
    context.fillStyle = colour("--accent");
    context.fillRect(split - scale, 0, 2 * scale, height);
    context.beginPath();
    context.arc(split, height / 2, 9 * scale, 0, 7);
    context.fill();
    const percent = Math.round(100 * this.share);
    canvas.setAttribute("aria-valuenow", percent);
    canvas.setAttribute("aria-valuetext", `before on the left ${percent} %, after on the rest`);
  }

  /** Paint the shown part of a picture; `split` > 0: only the columns to the left of it. */
  paint(context, picture, split, width, height) {
    context.save();
    if (split) {
      context.beginPath();
      context.rect(0, 0, split, height);
      context.clip();
      context.clearRect(0, 0, split, height);
    }
    context.imageSmoothingEnabled = Math.max(this.after.width, this.after.height) > FINE;
    context.imageSmoothingQuality = "high";
    const [w, h] = [picture.width / this.zoom, picture.height / this.zoom];
    const [x, y] = [this.centre[0] * picture.width - w / 2, this.centre[1] * picture.height - h / 2];
    context.drawImage(picture, x, y, w, h, 0, 0, width, height);
    context.restore();
  }
}
