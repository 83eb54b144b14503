// A canvas on which a map of classes is drawn, perhaps over a picture: hard edges, one class a pixel. By mouse, pen, or keys.
//
// Tools: brush, line, fill, pick (takes the class below it), move (when it is enlarged). The eraser is the brush with the first
// class. States of the undo stack are whole maps.

import { drawRing, paintLayers, renderMap } from "./map_layers.js";
import { drawLine, fillArea } from "./map_shapes.js";
import { onTheme, say } from "./shell.js";
import { UndoStack } from "./undo.js";

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const BRUSHES = ["brush", "erase", "line"]; // tools that draw
const KEY_STEPS = 32; // presses of an arrow key from one side of what is shown to the other
const MOST_ZOOM = 8;
const MOST_STATES = 60; // of the undo stack
const MOST_KEPT = 64 * 2 ** 20; // bytes of them

export class MapCanvas {
  /**
   * `classes` [{name, color: [r, g, b]}], a color with a fourth number where the picture below it should be seen;
   * `changed(isWhole)` runs while a stroke is made, and with true at its end;
   * `updated()` runs when the class, the tool, the brush or the zoom is another.
   */
  constructor(canvas, { changed = () => {}, updated = () => {} } = {}) {
    Object.assign(this, { canvas, changed, updated, tool: "brush", chosen: 0, width: 8, zoom: 1, corner: [0, 0] });
    Object.assign(this, { start: null, last: null, cursor: null, hover: null, before: "brush", sheet: null });
    this.reset([{ name: "", color: [0, 0, 0] }], new Uint8Array(1), [1, 1]);
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

  /** Begin anew with a map of `size` [columns, rows], without a past; `below`: a picture of this size, or null. */
  reset(classes, map, size, below = null) {
    Object.assign(this, { classes, size, map, below, colors: classes.map(({ color }) => color), start: null, last: null });
    Object.assign(this, { zoom: 1, corner: [0, 0], cursor: size.map((count) => count / 2) });
    this.chosen = Math.min(this.chosen, classes.length - 1);
    const most = Math.max(1, Math.min(MOST_STATES, Math.floor(MOST_KEPT / map.length)));
    this.stack = new UndoStack(map.slice(), most);
    this.update();
  }

  /** The longer side in pixels. */
  get side() {
    return Math.max(...this.size);
  }

  /** The columns and rows that are shown. */
  get shown() {
    return this.size.map((count) => count / this.zoom);
  }

  /** Put another map in place of this one: one state of the undo stack. */
  replace(map) {
    this.map = map.slice();
    this.commit();
  }

  clear() {
    this.replace(new Uint8Array(this.map.length));
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
  setZoom(zoom, [x, y] = this.corner.map((from, k) => from + this.shown[k] / 2)) {
    const next = Math.max(1, Math.min(MOST_ZOOM, zoom));
    const [left, top] = this.corner;
    this.corner = [x - ((x - left) * this.zoom) / next, y - ((y - top) * this.zoom) / next];
    this.zoom = next;
    this.moveView(0, 0);
  }

  moveView(dx, dy) {
    const { size, shown } = this;
    this.corner = this.corner.map((from, k) => Math.max(0, Math.min(size[k] - shown[k], from + [dx, dy][k])));
    this.update();
  }

  // Drawing ---------------------------------------------------------------------------------------------------------------

  get value() {
    return this.tool === "erase" ? 0 : this.chosen;
  }

  locate({ clientX, clientY }) {
    const { left, top, width } = this.canvas.getBoundingClientRect();
    const scale = this.shown[0] / width;
    return [this.corner[0] + (clientX - left) * scale, this.corner[1] + (clientY - top) * scale];
  }

  /** The map's pixel at a point. */
  round(point) {
    return point.map((value, k) => Math.max(0, Math.min(this.size[k] - 1, Math.floor(value))));
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
    if (this.tool === "line") this.preview(this.start, this.locate(event));
    Object.assign(this, { last: null, start: null });
    if (BRUSHES.includes(this.tool)) this.commit();
  }

  drawTo(point) {
    drawLine(this.map, this.size[0], this.last, point, this.width, this.value);
    this.last = point;
  }

  /** The line as it would be, on the map as it was. */
  preview(from, to) {
    this.map = this.stack.present.slice();
    drawLine(this.map, this.size[0], from, to, this.width, this.value);
    this.draw();
    this.changed(false);
  }

  /** Use the tool at one point; a brush draws from another one to it. */
  use(from, point) {
    const [x, y] = this.round(point);
    if (this.tool === "pick") {
      this.choose(this.map[y * this.size[0] + x]);
      this.last = null;
    } else if (this.tool === "fill") {
      fillArea(this.map, this.size[0], x, y, this.value);
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
    if (/^[0-9]$/.test(event.key) && !this.below) this.choose((Number(event.key) + 9) % 10); // 0 is the tenth
    if (!direction && event.key !== "Enter") return;
    event.preventDefault();
    const from = this.cursor;
    if (direction) {
      const step = Math.max(1, Math.round(this.side / KEY_STEPS / this.zoom));
      this.cursor = from.map((value, k) => Math.max(0.5, Math.min(this.size[k] - 0.5, value + step * direction[k])));
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
    say(`Column ${x + 1}, row ${y + 1}: ${this.classes[this.map[y * this.size[0] + x]].name}`, true);
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
    const { cursor, shown } = this;
    this.corner = this.corner.map((from, k) => Math.max(cursor[k] + 1 - shown[k], Math.min(cursor[k] - 1, from)));
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
    this.draw(true);
  }

  update() {
    this.draw();
    this.updated();
  }

  /** `isSame`: the map is the one that was drawn last. */
  draw(isSame = false) {
    if (!this.sheet || isSame !== true) this.sheet = this.render();
    const { below, sheet, canvas, corner, shown } = this;
    if (!paintLayers(canvas, below ? [below, sheet] : [sheet], corner, shown)) return;
    const isFocused = document.activeElement === canvas && canvas.matches(":focus-visible");
    const point = isFocused ? this.cursor : this.hover;
    const scale = canvas.width / shown[0];
    const radius = BRUSHES.includes(this.tool) ? (this.width / 2) * scale : 5;
    if (point) drawRing(canvas, point.map((value, k) => (value - corner[k]) * scale), Math.max(4, radius));
  }

  /** The map in its colors, one pixel a pixel: an OffscreenCanvas. */
  render() {
    return renderMap(this.map, this.size[0], this.colors);
  }
}
