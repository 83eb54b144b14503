// Dragging points of the picture: a press takes one, its release is where it goes; number fields do the same by keys.

import { explain } from "../common/explain.js";
import { colour, make, onTheme } from "../common/shell.js";
import { $ } from "./edit_state.js";

const MOST = 8; // pairs of points
const PARTS = ["from x", "from y", "to x", "to y"];
const tips = [];

export class Dragging {
  /** `run(handles, targets, mask)` gets points [x, y] in pixels of the picture; `getSide()` is its side; `opened()`. */
  constructor({ run, getSide, opened }) {
    Object.assign(this, { run, getSide, opened, pairs: [], drawn: null, isOpen: false, mask: null });
    const canvas = $("marks");
    $("drag").addEventListener("click", () => this.show(!this.isOpen));
    $("add-points").addEventListener("click", () => this.add());
    $("drag-go").addEventListener("click", () => this.go());
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => this.finish());
    new ResizeObserver(() => this.draw()).observe(canvas);
    onTheme(() => canvas.isConnected && this.draw());
  }

  show(isOpen) {
    this.isOpen = isOpen;
    $("marks").hidden = $("drag-part").hidden = !isOpen;
    $("result").tabIndex = isOpen ? -1 : 0; // it lies below the points
    $("drag").setAttribute("aria-pressed", String(isOpen));
    if (isOpen) this.opened();
    this.list();
  }

  /** Forget all points, and what may move. */
  clear() {
    Object.assign(this, { pairs: [], mask: null });
    this.show(false);
  }

  /** A pair in the middle, for whoever uses the number fields. */
  add() {
    const middle = (this.getSide() - 1) / 2;
    this.pairs.push([middle, middle, middle, Math.max(0, middle - 4)]);
    this.list();
  }

  locate({ clientX, clientY }) {
    const { left, top, width, height } = $("marks").getBoundingClientRect();
    const side = this.getSide();
    const place = [(clientX - left) / width, (clientY - top) / height];
    return place.map((share) => Math.round(10 * Math.max(0, Math.min(side - 1, share * side - 0.5))) / 10);
  }

  begin(event) {
    if (event.button || this.pairs.length >= MOST) return;
    $("marks").setPointerCapture(event.pointerId);
    const at = this.locate(event);
    this.drawn = [...at, ...at];
    this.draw();
  }

  move(event) {
    if (!this.drawn) return;
    this.drawn = [...this.drawn.slice(0, 2), ...this.locate(event)];
    this.draw();
  }

  finish() {
    if (!this.drawn) return;
    this.pairs.push(this.drawn);
    this.drawn = null;
    this.list();
  }

  go() {
    const [handles, targets] = [this.pairs.map((pair) => pair.slice(0, 2)), this.pairs.map((pair) => pair.slice(2))];
    this.run(handles, targets, this.mask);
  }

  list() {
    for (const tip of tips.splice(0)) tip.remove();
    const items = this.pairs.map((pair, at) => {
      const fields = PARTS.map((part, k) => {
        const bounds = { min: 0, max: this.getSide() - 1, step: 0.1, value: pair[k] };
        const field = make("input", { type: "number", ...bounds, "aria-label": `Point ${at + 1}: ${part}` });
        field.addEventListener("change", () => {
          pair[k] = Math.max(0, Math.min(this.getSide() - 1, Number(field.value) || 0));
          this.list();
        });
        tips.push(explain(field, "In pixels of the picture: x from the left, y from the top."));
        return field;
      });
      const remove = make("button", { type: "button", class: "quiet small", "aria-label": `Remove point ${at + 1}` }, "×");
      remove.addEventListener("click", () => {
        this.pairs.splice(at, 1);
        this.list();
      });
      return make("li", { class: "pair" }, ...fields, remove);
    });
    $("pairs").replaceChildren(...items);
    $("drag-go").disabled = !this.pairs.length;
    $("mask-said").textContent = this.mask ? "Only what you painted may move." : "";
    this.draw();
  }

  /** Show where the handles are now, while a drag runs. */
  follow(points) {
    this.draw(points);
  }

  draw(points = null) {
    const canvas = $("marks");
    const scale = Math.min(2, devicePixelRatio || 1);
    Object.assign(canvas, { width: Math.round(canvas.clientWidth * scale), height: Math.round(canvas.clientHeight * scale) });
    if (canvas.width < 2 || !this.isOpen) return;
    const context = canvas.getContext("2d");
    const toPixels = (number) => ((number + 0.5) / this.getSide()) * canvas.width;
    const dot = (x, y, token, radius) => {
      context.fillStyle = colour(token);
      context.beginPath();
      context.arc(x, y, radius * scale, 0, 7);
      context.fill();
    };
    [...this.pairs, ...(this.drawn ? [this.drawn] : [])].forEach((pair, k) => {
      const [x, y, toX, toY] = [...(points?.[k] ?? pair.slice(0, 2)), ...pair.slice(2)].map(toPixels);
      for (const [token, width] of [["--card", 5], ["--accent", 2.5]]) {
        Object.assign(context, { strokeStyle: colour(token), lineWidth: width * scale });
        context.beginPath();
        context.moveTo(x, y);
        context.lineTo(toX, toY);
        context.stroke();
      }
      dot(toX, toY, "--card", 8);
      dot(toX, toY, "--accent", 5);
      dot(x, y, "--card", 8);
      dot(x, y, "--bad", 5);
    });
  }
}
