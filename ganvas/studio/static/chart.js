// Line charts on a canvas: told apart by dash, not by colour alone; with a summary in words, the latest values beside the names,
// or those under the pointer, and the values as a table.

import { colour, make, onTheme } from "./shell.js";

const ROWS = 12; // of a chart's table, evenly spaced, the latest among them
const DASHES = { solid: [], dashed: [6, 4], dotted: [2, 3], long: [12, 4] };

export const short = (x) => !Number.isFinite(x) ? "–" : Number.isInteger(x) && Math.abs(x) < 1e4 ? String(x) : Math.abs(x) >= 1e4 || Math.abs(x) < 1e-3 ? x.toExponential(1)
  : Math.abs(x) >= 100 ? x.toFixed(0) : Math.abs(x) >= 10 ? x.toFixed(1) : Math.abs(x) < 0.1 ? x.toPrecision(1) : x.toFixed(2);

/** A canvas's context, scaled to the screen's pixels; width and height in CSS pixels. */
export function fitted(canvas, height = null) {
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

/** What a level line looks like, for the legend: its words beside the canvas are crossed by no line. */
function edge() {
  const swatch = make("span", { class: "swatch dotted" });
  swatch.style.setProperty("--c", "var(--edge)");
  return swatch;
}

export class Chart {
  /** `series`: [{key, name, token, dash}]; `lines`: [{y, text}]; `low`, `high`: fixed ends of the axis, null: from the data. */
  constructor(parent, { title, about = "", series, lines = [], low = null, high = null, unit = "", log = false, axis = "step" }) {
    Object.assign(this, { title, about, series, lines, low, high, unit, log, axis, steps: [], values: {}, pointed: null });
    this.canvas = make("canvas", { class: "chart", role: "img", "aria-label": title,
      onpointermove: (event) => this.point(event.offsetX), onpointerleave: () => this.point(null) });
    this.legend = make("p", { class: "chart-legend small" });
    this.table = make("table", { class: "values num" });
    this.sheet = make("details", { class: "small", ontoggle: () => this.tabulate() }, make("summary", {}, "As a table", make("span", { class: "unseen" }, `: ${title}`)),
      make("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": `${title}, as a table` }, this.table));
    this.root = make("figure", { class: "chart-box" }, make("figcaption", {}, make("strong", {}, title), about ? make("span", { class: "muted small" }, ` ${about}`) : ""),
      this.canvas, this.legend, this.sheet);
    parent.append(this.root);
    onTheme(() => this.root.isConnected && this.redraw());
    new ResizeObserver(() => this.redraw()).observe(this.canvas);
  }

  /** steps [n], values {key: [n]} */
  draw(steps, values, lines = this.lines) {
    Object.assign(this, { steps, values, lines });
    this.redraw();
  }

  /** Tell the values of the step that is nearest to a place on the canvas, or the latest. */
  point(place) {
    this.pointed = place;
    this.redraw();
  }

  redraw() {
    const { context, width, height } = fitted(this.canvas, 120);
    if (width < 20) return;
    const shown = this.series.filter(({ key }) => this.values[key]?.length);
    const all = shown.flatMap(({ key }) => Array.from(this.values[key]).filter(Number.isFinite));
    const extra = this.lines.map((line) => line.y);
    let low = this.low ?? Math.min(...all, ...extra, 0);
    let high = this.high ?? Math.max(...all, ...extra, low + 1e-6);
    if (!all.length && !extra.length && this.high === null) [low, high] = [0, 1];
    if (this.high === null) high += 0.06 * (high - low);
    context.font = "11px system-ui, sans-serif";
    const levels = [low, (low + high) / 2, high];
    const widest = Math.max(...levels.map((value) => context.measureText(short(value)).width));
    const [left, right, top, bottom] = [Math.max(38, Math.ceil(widest) + 9), width - 8, 8, height - 18];
    const first = this.steps[0] ?? 0;
    const end = Math.max(this.steps[this.steps.length - 1] ?? 1, first + 1);
    const x = (step) => left + (right - left) * (step - first) / (end - first);
    const away = (step) => Math.abs(x(step) - this.pointed);
    const at = this.pointed === null || !this.steps.length ? null : this.steps.reduce((best, step, i) => away(step) < away(this.steps[best]) ? i : best, 0);
    const y = (value) => bottom - (bottom - top) * (Math.min(Math.max(value, low), high) - low) / (high - low);
    context.fillStyle = colour("--soft");
    context.strokeStyle = colour("--grid");
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const value of levels) {
      context.beginPath();
      context.moveTo(left, y(value));
      context.lineTo(right, y(value));
      context.stroke();
      context.fillText(short(value), left - 5, y(value));
    }
    context.textBaseline = "top";
    const told = (at === null ? end : this.steps[at]).toLocaleString("en");
    context.fillText(this.axis === "step" ? `step ${told}` : `${told} ${this.axis}`, right, bottom + 4);
    if (at !== null) context.fillRect(x(this.steps[at]) - 0.5, top, 1, bottom - top);
    for (const line of this.lines) {
      context.strokeStyle = colour("--edge");
      context.setLineDash([3, 3]);
      context.beginPath();
      context.moveTo(left, y(line.y));
      context.lineTo(right, y(line.y));
      context.stroke();
    }
    for (const { key, token, dash = "solid" } of shown) {
      context.strokeStyle = colour(token);
      context.fillStyle = colour(token);
      context.lineWidth = 1.75;
      context.setLineDash(DASHES[dash]);
      context.beginPath();
      let pen = false;
      this.steps.forEach((step, i) => {
        const value = this.values[key][i];
        if (!Number.isFinite(value)) { pen = false; return; }
        if (pen) context.lineTo(x(step), y(value));
        else if (Number.isFinite(this.values[key][i + 1])) context.moveTo(x(step), y(value));
        else { // alone: a line of one point has no length
          const dot = new Path2D();
          dot.arc(x(step), y(value), 2.5, 0, 7);
          context.fill(dot);
        }
        pen = true;
      });
      context.stroke();
    }
    context.setLineDash([]);
    this.describe(shown, at);
  }

  describe(shown, at) {
    const last = (key) => { const list = this.values[key]; for (let i = list.length - 1; i >= 0; i--) if (Number.isFinite(list[i])) return list[i]; return NaN; };
    const words = shown.map(({ key, name }) => `${name} ${short(last(key))}${this.unit}`);
    this.canvas.setAttribute("aria-label", `${this.title}: ${words.join(", ") || "nothing yet"}${this.lines.map((line) => `; line at ${line.text}`).join("")}`);
    const parts = this.series.map(({ key, name, token, dash = "solid" }) => {
      const swatch = make("span", { class: `swatch ${dash}` });
      swatch.style.setProperty("--c", `var(${token})`);
      return make("span", { class: "entry" }, swatch, `${name} `, make("b", { class: "num" }, this.values[key]?.length ? `${short(at === null ? last(key) : this.values[key][at])}${this.unit}` : "–"));
    });
    this.legend.replaceChildren(...parts, ...this.lines.map(({ text }) => make("span", { class: "entry" }, edge(), text)));
    this.tabulate();
  }

  /** The values as a table, while it is open. */
  tabulate() {
    if (!this.sheet.open) return;
    const rows = Math.min(this.steps.length, ROWS);
    const picked = Array.from({ length: rows }, (_, i) => Math.round(i * (this.steps.length - 1) / Math.max(1, rows - 1)));
    const head = [this.axis, ...this.series.map(({ name }) => name)].map((name) => make("th", { scope: "col" }, name));
    const body = picked.map((i) => make("tr", {}, make("th", { scope: "row" }, this.steps[i].toLocaleString("en")),
      ...this.series.map(({ key }) => make("td", {}, `${short(this.values[key]?.[i])}${this.unit}`))));
    this.table.replaceChildren(make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body));
  }
}
