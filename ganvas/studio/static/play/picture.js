// The main picture with its layers, the way from noise to data, and the pictures of the companion models.

import { fitCanvas } from "../common/chart.js";
import { explain } from "../common/explain.js";
import { calm, make } from "../common/shell.js";
import { drawLine } from "./drawing/line.js";
import { blendFromNoise, drawPlane } from "./drawing/plane.js";
import { drawRegions } from "./drawing/regions.js";
import { drawVae } from "./drawing/vae.js";

const $ = (id) => document.getElementById(id);
// {name, titles in the plane and on a line, explanations likewise, whether it is drawn at first in the plane}
const LAYERS = [
  {
    name: "reals", titles: ["● Data", "━ Data"], atFirst: true,
    words: ["Green circles: points of the data.", "Green, solid: the density of the data."],
  },
  {
    name: "fakes", titles: ["▲ Fakes", "╍ Fakes"], atFirst: true,
    words: ["Violet triangles: what G makes of noise, always the same noise.", "Violet, dashed: the density of the fakes."],
  },
  {
    name: "surface", titles: ["What D says", "━ D(x)"], atFirst: true,
    words: [
      "The ground: how real D takes each place to be. Green is real, violet is fake.",
      "Blue: D(x), from 0 at the axis to 1 at the upper line.",
    ],
  },
  {
    name: "contours", titles: ["Contours", "┈ Best D"], atFirst: true,
    words: [
      "Lines of equal D. On the thick one D is one half: it can only guess there.",
      "Dotted: the best possible D, p / (p + p_G), where there are data or fakes.",
    ],
  },
  {
    name: "grid", titles: ["Warped noise", "Noise to data"], atFirst: false,
    words: ["Where G sends an even grid of noise.", "Each line goes from a noise z to the place where G sends it."],
  },
  {
    name: "arrows", titles: ["Arrows", "Arrows"], atFirst: true,
    words: Array(2).fill(
      "Where the loss of G moves a fake: minus the gradient, short ones in true length. Arrows that begin close together are "
      + "drawn as one, their mean.",
    ),
  },
];
// What else is bright while slow motion shows a layer: D judges the points, not the ground alone.
const BRIGHT_WITH = { surface: ["contours", "reals", "fakes"] };
const DIM = 0.25;
const MORPH_MILLISECONDS = 2000;

export class Picture {
  /** `getFrame()` gives the last {facts, arrays}, or null; `getCaption()` the caption of slow motion, or null. */
  constructor(canvas, layerBar, getFrame, getCaption) {
    Object.assign(this, { canvas, getFrame, getCaption, morphing: null });
    const plane = LAYERS.filter(({ atFirst }) => atFirst).map(({ name }) => name);
    this.layers = { 1: new Set(LAYERS.map(({ name }) => name)), 2: new Set(plane) };
    this.boxes = LAYERS.map((layer) => this.makeLayerBox(layerBar, layer));
  }

  get dims() {
    return this.getFrame()?.facts.dims ?? 2;
  }

  makeLayerBox(bar, { name, titles, words, atFirst }) {
    const text = make("span", {}, titles[0]);
    const toggle = () => {
      if (box.checked) this.layers[this.dims].add(name);
      else this.layers[this.dims].delete(name);
      this.draw();
    };
    const box = make("input", { type: "checkbox", checked: atFirst, onchange: toggle });
    const label = make("label", { class: "check" }, box, text);
    bar.append(label);
    return { name, titles, words, box, text, about: explain(label, words[0], box) };
  }

  /** Tick the boxes of the layers that are drawn. */
  showLayers() {
    const kind = this.dims === 2 ? 0 : 1;
    for (const { name, titles, words, box, text, about } of this.boxes) {
      box.checked = this.layers[this.dims].has(name);
      text.textContent = titles[kind];
      about.textContent = words[kind];
    }
  }

  draw() {
    const frame = this.getFrame();
    if (!frame) return;
    const { facts, arrays } = frame;
    if (this.morphing === null) this.drawFrame(facts, arrays, this.layers[facts.dims], this.getCaption()?.focus ?? null);
    else this.drawFrame(facts, blendFromNoise(arrays, this.morphing), new Set(["reals", "fakes", "grid"]), null);
    this.canvas.setAttribute("aria-label", `The game. ${facts.summary}`);
    this.drawCompanions(facts, arrays);
  }

  drawFrame(facts, arrays, layers, focus) {
    const { context, width, height } = fitCanvas(this.canvas);
    const bright = (layer) => focus === null || focus === "losses" || focus === layer || BRIGHT_WITH[focus]?.includes(layer);
    const draw = facts.dims === 2 ? drawPlane : drawLine;
    draw(context, width, height, facts, arrays, layers, (layer) => (bright(layer) ? 1 : DIM));
  }

  drawCompanions(facts, arrays) {
    $("beside").hidden = !(arrays.vae || arrays.regions);
    $("vae-box").hidden = !arrays.vae;
    $("regions-box").hidden = !arrays.regions;
    if (arrays.vae) drawVae($("vae"), facts, arrays);
    if (arrays.regions) drawRegions($("regions"), facts, arrays);
  }

  /** Two seconds in which the noise becomes the fakes; with reduced motion both pictures, one after the other. */
  morph() {
    if (!this.getFrame() || this.dims === 1 || this.morphing !== null) return;
    const begin = performance.now();
    const turn = (now) => {
      const t = (now - begin) / MORPH_MILLISECONDS;
      const eased = calm.matches ? 0 : t * t * (3 - 2 * t);
      this.morphing = t >= 1 ? null : eased;
      this.draw();
      if (t < 1) requestAnimationFrame(turn);
    };
    turn(begin);
  }
}
