// The hole that is painted over a picture, for a model that fills it: a map of two classes, on the canvas of the drawings.

import { drawLine, packMap, resizeMap, unpackMap } from "../common/map_shapes.js";
import { makePalettePng } from "../common/palette_png.js";
import { fitPicture } from "../common/pixels.js";
import { $, download } from "./translate_state.js";

const CLASSES = [{ name: "kept", color: [0, 0, 0, 0] }, { name: "hole", color: [255, 0, 255, 153] }];
const MASK_COLORS = [[0, 0, 0], [255, 255, 255]]; // of a mask: white is filled
const FIRST_WIDTH = 1 / 24; // of the brush, as a share of the longer side
const SCRATCH = [[0.18, 0.3], [0.42, 0.36], [0.55, 0.62], [0.84, 0.68]]; // in shares of the sides of an example
const LONGEST = 6000; // characters of a hole in a link; another one is a picture of its own

export class Hole {
  /** `canvas`: the MapCanvas of the drawings. */
  constructor(canvas) {
    Object.assign(this, { canvas, isThere: false, given: null });
  }

  /** The picture is another: its hole is `given` {map, size}, "scratch" for an example, or null for none. */
  drop(given = null) {
    Object.assign(this, { isThere: false, given });
  }

  /** Show the picture below the hole, which is made as large as that is. */
  show(picture) {
    const { canvas, given } = this;
    const size = [picture.width, picture.height];
    if (this.isThere && canvas.below && size.every((count, k) => count === canvas.size[k])) {
      canvas.below = picture;
      canvas.draw(true);
      return;
    }
    const old = this.isThere ? { map: canvas.map, size: canvas.size } : given;
    const isMap = old !== null && old !== "scratch";
    const map = isMap ? resizeMap(old.map, old.size, size) : new Uint8Array(picture.width * picture.height);
    if (old === "scratch") scratch(map, size);
    Object.assign(this, { isThere: true, given: null });
    const { width, side, tool } = canvas;
    canvas.chosen = 1;
    canvas.reset(CLASSES, map, size, picture);
    canvas.setWidth(isMap ? (width * canvas.side) / side : canvas.side * FIRST_WIDTH);
    canvas.setTool(tool === "pick" ? "brush" : tool);
    this.update();
  }

  get isEmpty() {
    return this.isThere ? !this.canvas.map.includes(1) : !this.given;
  }

  /** Say what is painted, on the canvas. */
  update() {
    $("map").setAttribute("aria-label", `The picture, and the hole in it: ${this.describe()}`);
  }

  describe() {
    const { map } = this.canvas;
    let count = 0;
    for (let at = 0; at < map.length; at++) count += map[at];
    const share = count / map.length;
    return share ? `${(100 * share).toFixed(1)} % painted over` : "nothing painted over";
  }

  /** {map, size}, for another model. */
  copy() {
    return this.isThere ? { map: this.canvas.map.slice(), size: this.canvas.size } : this.given;
  }

  /** The hole as bits, uint8 [rows, ceil(columns / 8)], the first pixel in the highest bit. */
  pack() {
    const { map, size: [columns, rows] } = this.canvas;
    const width = Math.ceil(columns / 8);
    const bits = new Uint8Array(rows * width);
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) if (map[y * columns + x]) bits[y * width + (x >> 3)] |= 128 >> (x & 7);
    }
    bits.shape = [rows, width];
    return bits;
  }

  /** How many pixels the smallest part of the picture has that holds the hole. */
  get extent() {
    const { map, size: [columns, rows] } = this.canvas;
    let [left, right, top, bottom] = [columns, -1, rows, -1];
    for (let at = map.indexOf(1); at >= 0; at = map.indexOf(1, at + 1)) {
      const x = at % columns;
      [left, right, bottom] = [Math.min(left, x), Math.max(right, x), Math.floor(at / columns)];
      top = Math.min(top, bottom);
    }
    return right < 0 ? 0 : (right - left + 1) * (bottom - top + 1);
  }

  /**
   * Take a picture as the mask of `picture`: what is brighter than the middle grey is filled; transparent pixels are black.
   * Throws an Error with one line: it has another size, or is all black or all white.
   */
  readMask({ canvas, name }, picture) {
    const { width, height } = canvas;
    if (width !== picture.width || height !== picture.height) {
      const wanted = `${picture.width} × ${picture.height} pixels, as the picture has`;
      throw new Error(`${name}: expected ${wanted}, found ${width} × ${height}; make the mask from the picture itself`);
    }
    const { map } = readMap(canvas);
    for (const [value, words] of [[1, "white where the picture is filled"], [0, "black where the picture is kept"]]) {
      if (!map.includes(value)) throw new Error(`${name}: expected ${words}, found none; white is filled, black is kept`);
    }
    this.canvas.replace(resizeMap(map, [width, height], this.canvas.size));
  }

  /** The hole for a link: {hole} as a text, or {mask}, the id that `send(canvas)` gives. */
  async describeLink(send) {
    const { map, size } = this.canvas;
    if (this.isEmpty) return { hole: "" };
    const text = await packMap(map, size[0]);
    if (text.length <= LONGEST) return { hole: text };
    return { mask: await send(fitPicture(await createImageBitmap(await this.makeMask()))) };
  }

  /** The hole of a link, as `drop` takes it. Throws an Error with one line. */
  static async unpack(text) {
    if (!text) return null;
    const { map, columns, rows } = await unpackMap(text, CLASSES.length);
    return { map, size: [columns, rows] };
  }

  /** A promise of the mask as a PNG, as ganvas inpaint takes it. */
  makeMask() {
    return makePalettePng(this.canvas.map, ...this.canvas.size, MASK_COLORS);
  }

  async save(name) {
    download(await this.makeMask(), name);
  }
}

/** The hole {map, size} of a mask: what is brighter than the middle grey; transparent pixels are black. */
export function readMap(canvas) {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const isHole = (at) => ((data[at] + data[at + 1] + data[at + 2]) / 3) * (data[at + 3] / 255) > 127.5;
  return { map: Uint8Array.from({ length: width * height }, (_, k) => Number(isHole(4 * k))), size: [width, height] };
}

/** A scratch over an example, so that there is something to see at first. */
function scratch(map, [columns, rows]) {
  const points = SCRATCH.map(([x, y]) => [x * columns, y * rows]);
  const width = 0.6 * FIRST_WIDTH * Math.max(columns, rows);
  points.slice(1).forEach((point, k) => drawLine(map, columns, points[k], point, width, 1));
}
