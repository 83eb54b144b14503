// Line charts on a canvas. Lines differ by dash, not only by colour. Each chart has a summary in words, the latest values
// (or those under the pointer) beside the names, and the values as a table.

import { makeHint } from "./explain.js";
import { colour, make, onTheme } from "./shell.js";

const TABLE_ROWS = 12; // evenly spaced, with the latest
const DASHES = { solid: [], dashed: [6, 4], dotted: [2, 3], long: [12, 4] };

/** A number in few characters. */
export function shorten(x) {
  if (!Number.isFinite(x)) return "–";
  const size = Math.abs(x);
  if (Number.isInteger(x) && size < 1e4) return String(x);
  if (size >= 1e4 || size < 1e-3) return x.toExponential(1);
  if (size >= 100) return x.toFixed(0);
  if (size >= 10) return x.toFixed(1);
  return size < 0.1 ? x.toPrecision(1) : x.toFixed(2);
}

/** A canvas's context, scaled to the screen's pixels; width and height in CSS pixels. */
export function fitCanvas(canvas, height = null) {
  const width = canvas.clientWidth || canvas.parentElement.clientWidth;
  const tall = height ?? canvas.clientHeight;
  const ratio = Math.min(3, devicePixelRatio || 1);
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(tall * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(tall * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, tall);
  return { context, width, height: tall };
}

/** A sample of a line, for the legend. */
function makeSwatch(token, dash) {
  const swatch = make("span", { class: `swatch ${dash}` });
  swatch.style.setProperty("--c", `var(${token})`);
  return swatch;
}

/** The last finite value of a list. */
function findLast(list) {
  return Array.from(list).findLast(Number.isFinite) ?? NaN;
}

export class Chart {
  /**
   * `series`: [{key, name, token, dash}]; `lines`: [{y, text}]; `low`, `high`: fixed ends of the axis, null: from the data;
   * `meaning`: what the chart shows and how to read it, as an explanation.
   */
  constructor(parent, options) {
    const defaults = { about: "", meaning: "", lines: [], low: null, high: null, unit: "", axis: "step" };
    Object.assign(this, defaults, options, { steps: [], values: {}, pointer: null });
    this.build(parent);
    onTheme(() => this.root.isConnected && this.redraw());
    new ResizeObserver(() => this.redraw()).observe(this.canvas);
  }

  build(parent) {
    const { title, about, meaning } = this;
    this.canvas = make("canvas", {
      class: "chart", role: "img", "aria-label": title,
      onpointermove: (event) => this.point(event.offsetX), onpointerleave: () => this.point(null),
    });
    this.legend = make("p", { class: "chart-legend small" });
    this.table = make("table", { class: "values num" });
    const label = `${title}, as a table`;
    this.sheet = make("details", { class: "small", ontoggle: () => this.fillTable() },
      make("summary", {}, "As a table", make("span", { class: "unseen" }, `: ${title}`)),
      make("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": label }, this.table));
    const caption = [make("strong", {}, title), about ? make("span", { class: "muted small" }, ` ${about}`) : ""];
    const head = make("figcaption", {}, ...caption, meaning ? makeHint(title, meaning) : "");
    this.root = make("figure", { class: "chart-box" }, head, this.canvas, this.legend, this.sheet);
    parent.append(this.root);
  }

  /** Show steps [n] and values {key: [n]}. */
  draw(steps, values, lines = this.lines) {
    Object.assign(this, { steps, values, lines });
    this.redraw();
  }

  /** Show the values of the step that is nearest to a place on the canvas; null: the latest. */
  point(place) {
    this.pointer = place;
    this.redraw();
  }

  redraw() {
    const { context, width, height } = fitCanvas(this.canvas);
    if (width < 20) return; // hidden
    const drawn = this.series.filter(({ key }) => this.values[key]?.length);
    context.font = "11px system-ui, sans-serif";
    const scale = this.makeScale(context, width, height, drawn);
    const at = this.findPointed(scale);
    this.drawAxes(context, scale, at);
    for (const line of this.lines) this.drawLevel(context, scale, line.y);
    for (const each of drawn) this.drawSeries(context, scale, each);
    context.setLineDash([]);
    this.describe(drawn, at);
  }

  /** The range of the vertical axis. */
  findRange(drawn) {
    const values = drawn.flatMap(({ key }) => Array.from(this.values[key]).filter(Number.isFinite));
    const levels = this.lines.map((line) => line.y);
    const low = this.low ?? Math.min(...values, ...levels, 0);
    if (this.high !== null) return [low, this.high];
    if (!values.length && !levels.length) return [0, 1.06];
    const high = Math.max(...values, ...levels, low + 1e-6);
    return [low, high + 0.06 * (high - low)];
  }

  /** Where steps and values lie on the canvas; room for the widest label is left of it. */
  makeScale(context, width, height, drawn) {
    const [low, high] = this.findRange(drawn);
    const labels = [low, (low + high) / 2, high];
    const widest = Math.max(...labels.map((value) => context.measureText(shorten(value)).width));
    const [left, right, top, bottom] = [Math.max(38, Math.ceil(widest) + 9), width - 8, 8, height - 18];
    const [first, end] = [this.steps[0] ?? 0, this.steps[this.steps.length - 1] ?? 0];
    const share = (step) => (end > first ? (step - first) / (end - first) : 1); // a single step lies at the end
    const x = (step) => left + (right - left) * share(step);
    const y = (value) => bottom - ((bottom - top) * (Math.min(Math.max(value, low), high) - low)) / (high - low);
    return { labels, left, right, top, bottom, end, x, y };
  }

  /** The index of the step under the pointer; null: no pointer. */
  findPointed({ x }) {
    if (this.pointer === null || !this.steps.length) return null;
    const distance = (i) => Math.abs(x(this.steps[i]) - this.pointer);
    return this.steps.reduce((best, _, i) => (distance(i) < distance(best) ? i : best), 0);
  }

  drawAxes(context, { labels, left, right, top, bottom, end, x, y }, at) {
    context.fillStyle = colour("--soft");
    context.strokeStyle = colour("--grid");
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const value of labels) {
      context.beginPath();
      context.moveTo(left, y(value));
      context.lineTo(right, y(value));
      context.stroke();
      context.fillText(shorten(value), left - 5, y(value));
    }
    context.textBaseline = "top";
    const step = (at === null ? end : this.steps[at]).toLocaleString("en");
    context.fillText(this.axis === "step" ? `step ${step}` : `${step} ${this.axis}`, right, bottom + 4);
    if (at !== null) context.fillRect(x(this.steps[at]) - 0.5, top, 1, bottom - top);
  }

  drawLevel(context, { left, right, y }, level) {
    context.strokeStyle = colour("--edge");
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(left, y(level));
    context.lineTo(right, y(level));
    context.stroke();
  }

  drawSeries(context, { x, y }, { key, token, dash = "solid" }) {
    const values = this.values[key];
    context.strokeStyle = colour(token);
    context.fillStyle = colour(token);
    context.lineWidth = 1.75;
    context.setLineDash(DASHES[dash]);
    context.beginPath();
    let joins = false;
    this.steps.forEach((step, i) => {
      if (!Number.isFinite(values[i])) {
        joins = false;
        return;
      }
      if (joins) context.lineTo(x(step), y(values[i]));
      else if (Number.isFinite(values[i + 1])) context.moveTo(x(step), y(values[i]));
      else this.drawDot(context, x(step), y(values[i])); // a line of one point has no length
      joins = true;
    });
    context.stroke();
  }

  drawDot(context, x, y) {
    const dot = new Path2D();
    dot.arc(x, y, 2.5, 0, 7);
    context.fill(dot);
  }

  /** Fill the legend, the label of the canvas and the table. */
  describe(drawn, at) {
    const values = drawn.map(({ key, name }) => `${name} ${shorten(findLast(this.values[key]))}${this.unit}`);
    const lines = this.lines.map((line) => `; line at ${line.text}`).join("");
    this.canvas.setAttribute("aria-label", `${this.title}: ${values.join(", ") || "nothing yet"}${lines}`);
    const entries = this.series.map((series) => this.makeEntry(series, at));
    const levels = this.lines.map(({ text }) => make("span", { class: "entry" }, makeSwatch("--edge", "dotted"), text));
    this.legend.replaceChildren(...entries, ...levels);
    this.fillTable();
  }

  makeEntry({ key, name, token, dash = "solid" }, at) {
    const values = this.values[key];
    const text = values?.length ? `${shorten(at === null ? findLast(values) : values[at])}${this.unit}` : "–";
    return make("span", { class: "entry" }, makeSwatch(token, dash), `${name} `, make("b", { class: "num" }, text));
  }

  /** Fill the table, while it is open. */
  fillTable() {
    if (!this.sheet.open) return;
    const count = Math.min(this.steps.length, TABLE_ROWS);
    const spread = (this.steps.length - 1) / Math.max(1, count - 1);
    const chosen = Array.from({ length: count }, (_, i) => Math.round(i * spread));
    const head = [this.axis, ...this.series.map(({ name }) => name)].map((name) => make("th", { scope: "col" }, name));
    const cell = (key, i) => make("td", {}, `${shorten(this.values[key]?.[i])}${this.unit}`);
    const body = chosen.map((i) => make("tr", {}, make("th", { scope: "row" }, this.steps[i].toLocaleString("en")),
      ...this.series.map(({ key }) => cell(key, i))));
    this.table.replaceChildren(make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body));
  }
}
