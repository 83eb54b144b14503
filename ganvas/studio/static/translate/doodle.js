// The drawing: a map of named classes for a model that paints maps, or flat colors for one that translates pictures.

import { MapCanvas } from "../common/map_canvas.js";
import { centerMap, drawLine, packMap, readClasses, resizeMap, unpackMap } from "../common/map_shapes.js";
import { makePalettePng } from "../common/palette_png.js";
import { key, make, toast } from "../common/shell.js";
import { $, download, pressOne } from "./translate_state.js";

const INKS = [
  ["white", 255, 255, 255], ["black", 33, 33, 33], ["grey", 155, 155, 155], ["brown", 109, 69, 52], ["red", 248, 49, 47],
  ["orange", 255, 130, 35], ["yellow", 252, 213, 63], ["green", 0, 168, 84], ["light blue", 61, 174, 245], ["blue", 0, 96, 190],
  ["violet", 141, 101, 197], ["pink", 247, 100, 160],
].map(([name, ...color]) => ({ name, color }));
const TOO_STRANGE = 0.5; // share of the pixels of a map that may be of no class
const TOOL_KEYS = { b: "brush", e: "erase", l: "line", f: "fill", i: "pick", m: "move" };
const MAX_SIDE = 512; // pixels of a drawing in a link
const FIRST_WIDTH = 1 / 14; // of the brush, as a share of the side

export class Doodle {
  /** `changed(isWhole)` runs while a stroke is made, and with true when it is whole. */
  constructor(changed) {
    this.canvas = new MapCanvas($("map"), { changed, updated: () => this.update() });
    this.isEmpty = true;
    for (const button of $("tools").children) button.addEventListener("click", () => this.canvas.setTool(button.dataset.tool));
    $("width").addEventListener("input", () => this.canvas.setWidth(Number($("width").value)));
    $("zoom").addEventListener("input", () => this.canvas.setZoom(Number($("zoom").value)));
    $("undo").addEventListener("click", () => this.undo());
    $("redo").addEventListener("click", () => this.redo());
    $("clear").addEventListener("click", () => this.canvas.clear());
  }

  /** The keys of the help sheet; `isHere()`: whether there is a drawing to use them on. */
  addKeys(isHere) {
    const add = (name, about, run) => key(name, about, () => isHere() && run());
    for (const [name, tool] of Object.entries(TOOL_KEYS)) {
      const button = $("tools").querySelector(`[data-tool=${tool}]`);
      add(name, `${button.textContent}: the tool`, () => button.hidden || this.canvas.setTool(tool));
    }
    add("[", "A narrower brush", () => this.canvas.setWidth(this.canvas.width * 0.75 - 0.5));
    add("]", "A wider brush", () => this.canvas.setWidth(this.canvas.width * 1.25 + 0.5));
    add("+", "Enlarge the drawing", () => this.canvas.setZoom(this.canvas.zoom * 1.5));
    add("-", "Make it smaller again", () => this.canvas.setZoom(this.canvas.zoom / 1.5));
    add("Ctrl+Z", "Undo", () => this.undo());
    add("Ctrl+Shift+Z", "Redo", () => this.redo());
  }

  /** Begin anew with the classes of a model, or with inks where it has none, and with an empty drawing. */
  begin(classes, side) {
    const isOther = classes !== this.given;
    Object.assign(this, { given: classes, classes: classes.length ? classes : INKS, isEmpty: true });
    this.canvas.reset(this.classes, new Uint8Array(side * side), [side, side]);
    if (isOther) this.canvas.choose(Math.min(1, this.classes.length - 1));
    this.canvas.setWidth(side * FIRST_WIDTH);
    const buttons = this.classes.map(({ name, color }, k) => {
      const swatch = make("span", { class: "sketch-swatch", "aria-hidden": "true" });
      swatch.style.background = `rgb(${color})`;
      const facts = { type: "button", "data-class": k, "aria-pressed": "false", onclick: () => this.canvas.choose(k) };
      return make("button", facts, swatch, make("span", { class: "name" }, name));
    });
    $("palette").replaceChildren(...buttons);
    this.update();
  }

  /** The same drawing at another size. */
  resize(side) {
    const next = resizeMap(this.canvas.map, this.canvas.size, [side, side]);
    const { isEmpty } = this;
    this.begin(this.given, side);
    this.put(next, isEmpty);
  }

  /** Show a map in place of the drawing. */
  put(map, isEmpty = false) {
    this.canvas.reset(this.classes, map, this.canvas.size);
    this.isEmpty = isEmpty;
  }

  /** A face in flat colors, so that there is something to see at first. */
  drawFace() {
    const { side } = this.canvas;
    const map = new Uint8Array(side * side);
    const [yellow, black, red] = ["yellow", "black", "red"].map((name) => INKS.findIndex((ink) => ink.name === name));
    const draw = (points, width, ink) => points.slice(1).forEach((point, i) =>
      drawLine(map, side, points[i].map((x) => x * side), point.map((x) => x * side), width * side, ink));
    draw([[0.5, 0.5], [0.5, 0.5]], 0.86, yellow);
    for (const x of [0.34, 0.66]) draw([[x, 0.38], [x, 0.42]], 0.11, black);
    draw([[0.3, 0.62], [0.4, 0.7], [0.5, 0.73], [0.6, 0.7], [0.7, 0.62]], 0.06, red);
    this.put(map);
  }

  /**
   * Take a picture as a map: the class of each pixel by its color. It keeps its ratio, and the rest of the drawing becomes the
   * first class, which is told. Throws an Error with one line if the picture is no map.
   */
  readPicture(canvas) {
    const { side, colors } = this.canvas;
    const longer = Math.max(canvas.width, canvas.height);
    const [columns, rows] = [canvas.width, canvas.height].map((length) => Math.max(1, Math.round((side * length) / longer)));
    const small = new OffscreenCanvas(columns, rows);
    const context = small.getContext("2d");
    context.imageSmoothingEnabled = false; // a mixture of two colors is no class
    context.drawImage(canvas, 0, 0, columns, rows);
    const { map, unknown } = readClasses(context.getImageData(0, 0, columns, rows), colors);
    if (unknown > TOO_STRANGE) {
      throw new Error(`${Math.round(100 * unknown)} % of its pixels have no color of the palette; use the palette's colors.`);
    }
    this.canvas.replace(centerMap(map, [columns, rows], side));
    this.isEmpty = false;
    if (columns !== rows) {
      toast(`The map is not square: the drawing around it is ${this.classes[0].name}. ganvas paint keeps the shape of a map.`);
    }
  }

  /** The map as uint8 [H, W]. */
  copyMap() {
    const map = this.canvas.map.slice();
    map.shape = [this.canvas.side, this.canvas.side];
    return map;
  }

  render() {
    return this.canvas.render();
  }

  pack() {
    return packMap(this.canvas.map, this.canvas.side);
  }

  /** Show the map of a link. Throws an Error with one line. */
  async unpack(text) {
    const { map, columns, rows } = await unpackMap(text, this.classes.length);
    if (columns !== rows || columns > MAX_SIDE) throw new Error("the map in the link is damaged");
    this.begin(this.given, columns);
    this.put(map);
  }

  async save(name) {
    const { map, side, colors } = this.canvas;
    download(await makePalettePng(map, side, side, colors), name);
  }

  undo() {
    this.canvas.undo();
  }

  redo() {
    this.canvas.redo();
  }

  /** Show the state of the canvas on its controls. */
  update() {
    const { canvas } = this;
    if (!canvas) return; // it is being made
    pressOne($("tools").children, "tool", canvas.tool);
    pressOne($("palette").children, "class", String(canvas.value));
    $("map").classList.toggle("moves", canvas.tool === "move");
    $("width").max = Math.round(canvas.side / 3);
    $("width").value = canvas.width;
    $("width-out").textContent = `${canvas.width} pixels`;
    $("zoom").value = canvas.zoom;
    $("zoom-out").textContent = `× ${canvas.zoom.toFixed(1).replace(".0", "")}`;
    for (const [id, can] of [["undo", canvas.stack.canUndo], ["redo", canvas.stack.canRedo]]) {
      if (!can && document.activeElement === $(id)) $("map").focus(); // a disabled button loses the focus
      $(id).disabled = !can;
    }
    if (canvas.below) return; // a hole in a picture has other words
    const drawn = new Set(canvas.map);
    const names = [...drawn].map((k) => this.classes[k]?.name).filter(Boolean);
    $("map").setAttribute("aria-label", `The drawing: ${names.join(", ")}`);
  }

  describe() {
    const { side, chosen, tool } = this.canvas;
    const what = tool === "erase" ? `eraser: ${this.classes[0].name}` : this.classes[chosen].name;
    return `${what} · ${side} × ${side} pixels`;
  }
}
