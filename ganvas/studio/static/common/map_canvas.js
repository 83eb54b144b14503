// A canvas on which a map of classes is drawn: hard edges, one class a pixel. By mouse, pen, finger, or by keys.
//
// Tools: brush, line, fill, pick (takes the class below it), move (when it is enlarged). The eraser is the brush with the first
// class. States of the undo stack are whole maps.

import { colorMap, drawLine, fillArea } from "./map_shapes.js";
import { colour, onTheme, say } from "./shell.js";
import { UndoStack } from "./undo.js";

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEY_STEPS = 32; // presses of an arrow key from one side of what is shown to the other
const MOST_ZOOM = 8;

export class MapCanvas {
  /**
   * `classes` [{name, color: [r, g, b]}]; `changed(isWhole)` runs while a stroke is made, and with true at its end;
   * `updated()` runs when the class, the tool, the brush or the zoom is another.
   */
  constructor(canvas, { changed = () => {}, updated = () => {} } = {}) {
    Object.assign(this, { canvas, changed, updated, tool: "brush", chosen: 0, width: 8, zoom: 1, corner: [0, 0] });
    Object.assign(this, { start: null, last: null, cursor: null, hover: null, before: "brush" });
    this.reset([{ name: "", color: [0, 0, 0] }], new Uint8Array(1), 1);
    const listen = (name, run) => canvas.addEventListener(name, (event) => run.call(this, event));
    listen("pointerdown", this.begin);
    listen("pointermove", this.move);
    for (const name of ["pointerup", "pointercancel"]) listen(name, this.finish);
    listen("pointerleave", () => this.setHover(null));
    listen("wheel", this.turnWheel);
    listen("keydown", this.press);
    for (const name of ["focus", "blur"]) listen(name, this.draw);
    new ResizeObserver(() => this.draw()).observe(canvas);
    onTheme(() => this.canvas.isConnected && this.draw());
  }

  /** Begin anew with a map of side x side pixels, without a past. */
  reset(classes, map, side) {
    Object.assign(this, { classes, side, map, colors: classes.map(({ color }) => color), start: null, last: null });
    Object.assign(this, { zoom: 1, corner: [0, 0], cursor: [side / 2, side / 2] });
    this.chosen = Math.min(this.chosen, classes.length - 1);
    this.stack = new UndoStack(map.slice());
    this.update();
  }

  /** Put another map in place of this one: one state of the undo stack. */
  replace(map) {
    this.map = map.slice();
    this.commit();
  }

  clear() {
    this.replace(new Uint8Array(this.side * this.side));
  }

  choose(k) {
    if (k < 0 || k >= this.classes.length) return;
    this.chosen = k;
    if (this.tool === "pick" || this.tool === "erase") this.tool = this.before;
    say(this.classes[k].name, true);
    this.update();
  }

  setTool(tool) {
    const passes = (name) => name === "pick" || name === "erase"; // choosing a class ends them
    if (passes(tool) && !passes(this.tool)) this.before = this.tool;
    Object.assign(this, { tool, start: null });
    this.update();
  }

  setWidth(width) {
    this.width = Math.max(1, Math.min(this.side, Math.round(width)));
    this.update();
  }

  /** Enlarge, with one point (in pixels of the map) staying where it is; without one the middle does. */
  setZoom(zoom, [x, y] = this.corner.map((from) => from + this.side / this.zoom / 2)) {
    const next = Math.max(1, Math.min(MOST_ZOOM, zoom));
    const [left, top] = this.corner;
    this.corner = [x - ((x - left) * this.zoom) / next, y - ((y - top) * this.zoom) / next];
    this.zoom = next;
    this.moveView(0, 0);
  }

  moveView(dx, dy) {
    const most = this.side - this.side / this.zoom;
    this.corner = this.corner.map((from, k) => Math.max(0, Math.min(most, from + [dx, dy][k])));
    this.update();
  }

  // Drawing ---------------------------------------------------------------------------------------------------------------

  get value() {
    return this.tool === "erase" ? 0 : this.chosen;
  }

  locate({ clientX, clientY }) {
    const { left, top, width } = this.canvas.getBoundingClientRect();
    const scale = this.side / this.zoom / width;
    return [this.corner[0] + (clientX - left) * scale, this.corner[1] + (clientY - top) * scale];
  }

  /** The map's pixel at a point. */
  round(point) {
    return point.map((value) => Math.max(0, Math.min(this.side - 1, Math.floor(value))));
  }

  begin(event) {
    if (event.button) return;
    this.canvas.setPointerCapture(event.pointerId);
    const point = this.locate(event);
    this.last = point;
    if (this.tool === "move") return;
    this.cursor = point;
    if (this.tool === "line") {
      this.start = point;
      this.last = point;
    } else this.use(point, point);
  }

  move(event) {
    const point = this.locate(event);
    this.setHover(event.pointerType === "touch" ? null : point);
    if (!this.last || !event.buttons) return;
    if (this.tool === "move") {
      this.moveView(this.last[0] - point[0], this.last[1] - point[1]); // what was below the pointer stays below it
      return;
    }
    if (this.tool === "line") this.preview(this.start, point);
    else if (this.tool !== "fill" && this.tool !== "pick") {
      for (const part of event.getCoalescedEvents?.() ?? []) this.drawTo(this.locate(part));
      this.drawTo(point);
      this.draw();
      this.changed(false);
    }
  }

  finish(event) {
    if (!this.last) return;
    const drew = this.tool === "brush" || this.tool === "erase" || this.tool === "line";
    if (this.tool === "line") this.preview(this.start, this.locate(event));
    Object.assign(this, { last: null, start: null });
    if (drew) this.commit();
  }

  drawTo(point) {
    drawLine(this.map, this.side, this.last, point, this.width, this.value);
    this.last = point;
  }

  /** The line as it would be, on the map as it was. */
  preview(from, to) {
    this.map = this.stack.present.slice();
    drawLine(this.map, this.side, from, to, this.width, this.value);
    this.draw();
    this.changed(false);
  }

  /** Use the tool at one point; a brush draws from another one to it. */
  use(from, point) {
    const [x, y] = this.round(point);
    if (this.tool === "pick") {
      this.choose(this.map[y * this.side + x]);
      this.last = null;
    } else if (this.tool === "fill") {
      fillArea(this.map, this.side, x, y, this.value);
      this.last = null;
      this.commit();
    } else {
      this.last = from;
      this.drawTo(point);
      this.draw();
      this.changed(false);
    }
  }

  /** The change is whole: one state of the undo stack. */
  commit() {
    this.stack.push(this.map.slice());
    this.update();
    this.changed(true);
  }

  undo() {
    this.goTo(this.stack.undo(), "Undone");
  }

  redo() {
    this.goTo(this.stack.redo(), "Done again");
  }

  goTo(map, words) {
    this.map = map.slice();
    say(words, true);
    this.update();
    this.changed(true);
  }

  // Keys and wheel --------------------------------------------------------------------------------------------------------

  press(event) {
    const direction = DIRECTIONS[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^[0-9]$/.test(event.key)) this.choose((Number(event.key) + 9) % 10); // 0 is the tenth
    if (!direction && event.key !== "Enter") return;
    event.preventDefault();
    const from = this.cursor;
    if (direction) {
      const step = Math.max(1, Math.round(this.side / KEY_STEPS / this.zoom));
      this.cursor = from.map((value, k) => Math.max(0.5, Math.min(this.side - 0.5, value + step * direction[k])));
      this.showCursor();
    }
    if (this.tool === "line" && !event.shiftKey) {
      this.drawLineByKeys(direction);
      return;
    }
    if (!direction || event.shiftKey) {
      this.use(direction && this.tool !== "line" ? from : this.cursor, this.cursor);
      if (this.last) this.commit();
      this.last = null;
      return;
    }
    const [x, y] = this.round(this.cursor);
    say(`Column ${x + 1}, row ${y + 1}: ${this.classes[this.map[y * this.side + x]].name}`, true);
    this.draw();
  }

  /** The first Enter is where the line starts, the second where it ends. */
  drawLineByKeys(direction) {
    if (!direction && !this.start) {
      this.start = this.cursor;
      say("The line starts here; Enter ends it", true);
    } else if (!direction) {
      this.preview(this.start, this.cursor);
      this.start = null;
      this.commit();
      return;
    }
    if (this.start) this.preview(this.start, this.cursor);
    else this.draw();
  }

  /** Move what is shown so that the cursor is in it. */
  showCursor() {
    const shown = this.side / this.zoom;
    this.corner = this.corner.map((from, k) => Math.max(this.cursor[k] + 1 - shown, Math.min(this.cursor[k] - 1, from)));
    this.moveView(0, 0);
  }

  turnWheel(event) {
    if (event.ctrlKey) this.setZoom(this.zoom * (event.deltaY < 0 ? 1.25 : 0.8), this.locate(event));
    else if (this.zoom > 1) this.moveView(event.deltaX / 4 / this.zoom, event.deltaY / 4 / this.zoom);
    else return;
    event.preventDefault();
  }

  // The picture -----------------------------------------------------------------------------------------------------------

  setHover(point) {
    this.hover = point;
    this.draw();
  }

  update() {
    this.draw();
    this.updated();
  }

  draw() {
    const size = Math.round(this.canvas.clientWidth * Math.min(2, devicePixelRatio || 1));
    if (size < 2) return; // hidden
    if (this.canvas.width !== size || this.canvas.height !== size) Object.assign(this.canvas, { width: size, height: size });
    const context = this.canvas.getContext("2d");
    const shown = this.side / this.zoom;
    context.imageSmoothingEnabled = false;
    context.drawImage(this.render(), ...this.corner, shown, shown, 0, 0, size, size);
    const isFocused = document.activeElement === this.canvas && this.canvas.matches(":focus-visible");
    const point = isFocused ? this.cursor : this.hover;
    if (point) this.drawRing(context, point, size / shown);
  }

  /** The brush around a point; `scale`: screen pixels in a pixel of the map. */
  drawRing(context, point, scale) {
    const [x, y] = point.map((value, k) => (value - this.corner[k]) * scale);
    const isBrush = this.tool === "brush" || this.tool === "erase" || this.tool === "line";
    for (const [token, lineWidth] of [["--card", 4], ["--ink", 2]]) {
      context.strokeStyle = colour(token);
      context.lineWidth = lineWidth;
      context.beginPath();
      context.arc(x, y, Math.max(4, isBrush ? (this.width / 2) * scale : 5), 0, 7);
      context.stroke();
    }
  }

  /** The map in its colours, one pixel a pixel: an OffscreenCanvas. */
  render() {
    const canvas = new OffscreenCanvas(this.side, this.side);
    canvas.getContext("2d").putImageData(colorMap(this.map, this.side, this.colors), 0, 0);
    return canvas;
  }
}
