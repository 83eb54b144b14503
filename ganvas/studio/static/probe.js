// What lies under the pointer, or under a cross that the arrow keys move: a place, what the critic says there, which point.

const NEAR = 10; // pixels to a point that is meant
const STEP = 8; // pixels of an arrow key
const MARGIN = 16; // left and right of a line's axis

const number = (x) => (Object.is(Math.round(x * 100), -0) ? 0 : x).toFixed(2).replace("-", "−");

export class Probe {
  /** `frame()` is the picture that is shown: {facts, arrays}. */
  constructor(canvas, cross, said, frame) {
    Object.assign(this, { canvas, cross, said, frame, at: null });
    canvas.addEventListener("pointermove", (event) => this.go(event.offsetX, event.offsetY));
    canvas.addEventListener("pointerleave", () => this.leave());
    canvas.addEventListener("blur", () => this.leave());
    canvas.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (event.key === "Escape") this.leave();
      if (!way) return;
      event.preventDefault();
      const [x, y] = this.at ?? [canvas.clientWidth / 2, canvas.clientHeight / 2];
      this.go(x + STEP * way[0], y + STEP * way[1]);
    });
  }

  go(x, y) {
    const inside = (value, end) => Math.min(end, Math.max(0, value));
    this.at = [inside(x, this.canvas.clientWidth), inside(y, this.canvas.clientHeight)];
    this.show();
  }

  leave() {
    this.at = null;
    this.show();
  }

  /** Tell what is there now; while the game plays it changes under the pointer. */
  show() {
    const found = this.at && this.frame();
    this.cross.hidden = !found;
    if (!found) { this.said.textContent = ""; return; }
    this.cross.style.setProperty("--x", `${this.at[0]}px`);
    this.cross.style.setProperty("--y", `${this.at[1]}px`);
    this.said.textContent = found.facts.dims === 2 ? this.plane(found) : this.line(found);
  }

  plane({ facts: { reach }, arrays }) {
    const [px, py] = this.at, side = this.canvas.clientWidth, scale = side / (2 * reach);
    const x = (px - side / 2) / scale, y = (side / 2 - py) / scale;
    const cells = arrays.surface.shape[0];
    const cell = (value) => Math.min(cells - 1, Math.max(0, Math.floor((value + reach) / (2 * reach) * cells)));
    const there = `x ${number(x)}, y ${number(y)}: D ${arrays.surface[cell(y) * cells + cell(x)].toFixed(2)}`;
    const [kind, at] = [["● data", nearest(arrays.real, x, y)], ["▲ fake", nearest(arrays.fake, x, y)]].sort((a, b) => a[1].far - b[1].far)[0];
    if (at.far * scale > NEAR) return there;
    const point = kind.startsWith("▲") ? `, D ${arrays.believed[at.i].toFixed(2)}` : "";
    return `${there} · ${kind} at ${number(at.x)}, ${number(at.y)}${point}`;
  }

  line({ facts: { reach }, arrays }) {
    const share = (this.at[0] - MARGIN) / (this.canvas.clientWidth - 2 * MARGIN);
    const i = Math.min(arrays.x.length - 1, Math.max(0, Math.floor(share * arrays.x.length)));
    const best = arrays.density[i] + arrays.drawn[i] > 0.01 ? `, at best ${arrays.best[i].toFixed(2)}` : "";
    return `x ${number((2 * share - 1) * reach)}: D ${arrays.curve[i].toFixed(2)}${best} · density of data ${arrays.density[i].toFixed(2)}, of fakes ${arrays.drawn[i].toFixed(2)}`;
  }
}

/** The point of [n, 2] nearest to a place: {i, x, y, far}. */
function nearest(points, x, y) {
  let best = { far: Infinity };
  for (let i = 0; i < points.length; i += 2) {
    const far = Math.hypot(points[i] - x, points[i + 1] - y);
    if (far < best.far) best = { i: i / 2, x: points[i], y: points[i + 1], far };
  }
  return best;
}
