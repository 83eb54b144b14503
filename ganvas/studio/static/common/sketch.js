// A canvas to draw on, with layers, an eraser, undo and redo: by mouse, pen, finger, or by the arrow keys and Enter.
//
// A layer is a list of strokes; strokes are never changed, so a state of the undo stack is cheap. The picture is made of the
// strokes again at any size.

import { explain } from "./explain.js";
import { colour, make, onTheme, say } from "./shell.js";
import { UndoStack } from "./undo.js";

const KEY_STEP = 1 / 32; // of the side, that an arrow key moves the cursor
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
let count = 0;

const resolveColor = (color) => (color.startsWith("--") ? colour(color) : color);
const clamp = (value) => Math.max(0, Math.min(1, value));

export class Sketch {
  /**
   * `layers`: [{name, label, color}], from the bottom; `ratio`: width over height; `size`: of the brush, a share of the width;
   * `background`: a color, or null for none; a color may be one of the theme, such as "--real"; `changed()` runs after each
   * change; `paintOver(context, width, height)` draws on top of all, only on the page.
   */
  constructor(root, {
    layers, label = "Sketch", ratio = 1, size = 0.05, background = "#ffffff", changed = () => {}, paintOver = () => {},
  }) {
    this.paintOver = paintOver;
    Object.assign(this, { layers, label, ratio, size, background, changed, active: layers.at(-1).name, erasing: false });
    Object.assign(this, { hidden: new Set(), below: null, stroke: null, pressed: false, cursor: [0.5, 0.5] });
    this.stack = new UndoStack(this.makeEmpty());
    this.build(root);
    this.draw();
  }

  /** The strokes of each layer: {name: [{points: [[x, y], ...], size, erases}]}, in shares of width and height. */
  get strokes() {
    return this.stack.present;
  }

  /** The strokes of a layer, with the one that is being made. */
  listStrokes(name) {
    return this.stroke && name === this.active ? [...this.strokes[name], this.stroke] : this.strokes[name];
  }

  get isEmpty() {
    return Object.values(this.strokes).every((strokes) => strokes.length === 0);
  }

  build(root) {
    const id = `sketch-${count++}`;
    const how = make("p", { id: `${id}-how`, class: "small muted" },
      "Drag to draw. Or focus the picture: arrow keys move the cursor, and with Shift they draw; Enter makes a dot.");
    this.canvas = make("canvas", {
      class: "sketch-canvas", tabindex: 0, role: "application", "data-arrows": "", "aria-label": this.label,
      "aria-describedby": how.id,
      onkeydown: (event) => this.press(event), onpointerdown: (event) => this.begin(event),
      onpointermove: (event) => this.move(event), onpointerup: () => this.finish(), onpointercancel: () => this.finish(),
      onblur: () => this.draw(), onfocus: () => this.draw(),
    });
    this.canvas.style.aspectRatio = this.ratio;
    this.root = make("div", { class: "sketch" }, this.canvas, this.makeTools(id), this.makeLayers(id), how);
    root.append(this.root);
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    onTheme(() => this.root.isConnected && this.draw());
  }

  makeTools(id) {
    const button = (text, run, facts = {}) => make("button", { type: "button", class: "small", ...facts, onclick: run }, text);
    this.undoButton = button("Undo", () => this.undo());
    this.redoButton = button("Redo", () => this.redo());
    this.eraser = button("Eraser", () => this.setEraser(!this.erasing), { "aria-pressed": "false" });
    const brush = make("input", {
      type: "range", id: `${id}-size`, min: 1, max: 20, value: Math.round(100 * this.size),
      oninput: () => { this.size = brush.value / 100; },
    });
    const field = make("span", { class: "sketch-size" }, make("label", { for: brush.id, class: "small" }, "Brush"), brush);
    explain(field, "The width of the brush, and of the eraser.", brush);
    const tools = [this.eraser, field, this.undoButton, this.redoButton, button("Clear", () => this.clear())];
    return make("div", { class: "row", role: "group", "aria-label": "Tools" }, ...tools);
  }

  /** The layers: which one is drawn on, and which are visible. One layer alone needs no choice. */
  makeLayers(id) {
    const rows = this.layers.map(({ name, label, color }) => {
      const choose = make("input", {
        type: "radio", name: `${id}-layer`, checked: name === this.active, onchange: () => { this.active = name; },
      });
      const swatch = make("span", { class: "sketch-swatch", "aria-hidden": "true" });
      swatch.style.background = color;
      const eye = make("button", {
        type: "button", class: "small quiet", "aria-pressed": "true", onclick: () => this.toggle(name, eye),
      }, `Show ${label}`);
      return make("div", { class: "row" }, make("label", { class: "check" }, choose, swatch, label), eye);
    });
    const group = make("fieldset", { class: "sketch-layers" }, make("legend", { class: "small" }, "Draw on"), ...rows);
    group.hidden = this.layers.length < 2;
    return group;
  }

  toggle(name, eye) {
    if (!this.hidden.delete(name)) this.hidden.add(name);
    eye.setAttribute("aria-pressed", String(!this.hidden.has(name)));
    this.draw();
  }

  setEraser(on) {
    this.erasing = on;
    this.eraser.setAttribute("aria-pressed", String(on));
  }

  /** Put a picture (anything that a canvas can draw) below all layers, to trace it; null removes it. */
  setBelow(picture) {
    this.below = picture;
    this.draw();
  }

  // Drawing ---------------------------------------------------------------------------------------------------------------

  locate({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [clamp((clientX - left) / width), clamp((clientY - top) / height)];
  }

  begin(event) {
    if (event.button) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.stroke = { points: [this.locate(event)], size: this.size, erases: this.erasing };
    this.draw();
  }

  move(event) {
    if (!this.stroke) return;
    const parts = event.getCoalescedEvents?.() ?? [];
    for (const part of parts.length ? parts : [event]) this.stroke.points.push(this.locate(part));
    this.draw();
  }

  /** The stroke is whole: one state of the undo stack. */
  finish() {
    if (!this.stroke) return;
    const layer = [...this.strokes[this.active], this.stroke];
    this.stroke = null;
    this.change({ ...this.strokes, [this.active]: layer });
  }

  press(event) {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      event.preventDefault();
      event.stopPropagation(); // the page has its own undo
      if (event.shiftKey) this.redo();
      else this.undo();
      return;
    }
    const direction = DIRECTIONS[event.key];
    if (!direction && event.key !== "Enter") return;
    event.preventDefault();
    const from = this.cursor;
    if (direction) this.cursor = from.map((value, k) => clamp(value + KEY_STEP * direction[k]));
    if (direction && !event.shiftKey) {
      this.draw();
      return;
    }
    this.stroke = { points: [from, this.cursor], size: this.size, erases: this.erasing };
    this.finish();
  }

  change(state) {
    this.stack.push(state);
    this.update("");
  }

  undo() {
    this.stack.undo();
    this.update("Undone");
  }

  redo() {
    this.stack.redo();
    this.update("Done again");
  }

  makeEmpty() {
    return Object.fromEntries(this.layers.map(({ name }) => [name, []]));
  }

  clear() {
    if (!this.isEmpty) this.change(this.makeEmpty());
  }

  /** Begin anew, without a past. */
  reset() {
    Object.assign(this, { stack: new UndoStack(this.makeEmpty()), stroke: null, cursor: [0.5, 0.5] });
    this.setEraser(false);
    this.draw();
    this.changed();
  }

  update(words) {
    this.draw();
    const drawn = Object.values(this.strokes).reduce((sum, strokes) => sum + strokes.length, 0);
    say(`${words ? `${words}: ` : ""}${drawn} stroke${drawn === 1 ? "" : "s"}`, true);
    this.changed();
  }

  // The picture -----------------------------------------------------------------------------------------------------------

  draw() {
    const width = Math.round(this.canvas.clientWidth * Math.min(2, devicePixelRatio || 1));
    if (width < 2) return; // hidden
    const height = Math.round(width / this.ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    this.paint(context, width, height, this.layers.filter(({ name }) => !this.hidden.has(name)), true);
    this.paintOver(context, width, height);
    if (document.activeElement === this.canvas) this.drawCursor(context, width, height);
    for (const [button, can] of [[this.undoButton, this.stack.canUndo], [this.redoButton, this.stack.canRedo]]) {
      if (!can && document.activeElement === button) this.canvas.focus(); // a disabled button loses the focus
      button.disabled = !can;
    }
  }

  /** Paint the background, what lies below, and layers, each on a canvas of its own so that an eraser spares the others. */
  paint(context, width, height, layers, withBelow) {
    if (this.background) {
      context.fillStyle = resolveColor(this.background);
      context.fillRect(0, 0, width, height);
    }
    if (withBelow && this.below) context.drawImage(this.below, 0, 0, width, height);
    for (const { name, color } of layers) {
      const sheet = new OffscreenCanvas(width, height);
      const pen = sheet.getContext("2d");
      for (const stroke of this.listStrokes(name)) drawStroke(pen, width, height, stroke, resolveColor(color));
      context.drawImage(sheet, 0, 0);
    }
  }

  drawCursor(context, width, height) {
    const [x, y] = [this.cursor[0] * width, this.cursor[1] * height];
    for (const [token, lineWidth] of [["--card", 4], ["--ink", 2]]) {
      context.strokeStyle = colour(token);
      context.lineWidth = lineWidth;
      context.beginPath();
      context.arc(x, y, Math.max(4, (this.size * width) / 2), 0, 7);
      context.stroke();
    }
  }

  /** The picture at a width in pixels, of all layers or of those that are named: an OffscreenCanvas. */
  render(width, names = this.layers.map(({ name }) => name)) {
    const height = Math.round(width / this.ratio);
    const canvas = new OffscreenCanvas(width, height);
    this.paint(canvas.getContext("2d"), width, height, this.layers.filter(({ name }) => names.includes(name)), false);
    return canvas;
  }
}

function drawStroke(pen, width, height, { points, size, erases }, color) {
  pen.globalCompositeOperation = erases ? "destination-out" : "source-over";
  pen.strokeStyle = pen.fillStyle = color;
  pen.lineWidth = size * width;
  pen.lineCap = pen.lineJoin = "round";
  const [[left, top], ...rest] = points.map(([x, y]) => [x * width, y * height]);
  pen.beginPath();
  if (rest.every(([x, y]) => x === left && y === top)) { // a dot: not every browser draws a line without length
    pen.arc(left, top, pen.lineWidth / 2, 0, 7);
    pen.fill();
    return;
  }
  pen.moveTo(left, top);
  for (const [x, y] of rest) pen.lineTo(x, y);
  pen.stroke();
}
