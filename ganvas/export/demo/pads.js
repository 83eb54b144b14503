// Canvases to draw on: a picture, a label map, a hole. Each holds one sample of an input in its own pixels.

const STROKE = { picture: 0.08, map: 0.1, mask: 0.12 }; // width of a brush, in sides of the pad
const GREY_OF = [0.299, 0.587, 0.114]; // brightness of red, green and blue, ITU-R BT.601

const KEY_STEPS = 32; // presses of an arrow key from one side of a pad to the other
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEYS = "By keys: the arrows move the brush, with Shift they draw; Enter makes a dot.";
let padNumber = 0;

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// A pad of `side` pixels that calls `paint(x, y, radius)` along every stroke, and `changed` after it. Strokes are made by mouse,
// pen, finger or keys. `element` holds the canvas and the ring of the brush, which is never a part of the picture.
class Pad {
  constructor(side, label, stroke, changed) {
    this.side = side;
    this.changed = changed;
    this.brush = stroke;
    const how = `pad-keys-${padNumber++}`;
    this.canvas = make("canvas", {
      width: side, height: side, className: "pad", role: "application", tabIndex: 0, "aria-label": label, "aria-describedby": how,
    });
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.cursor = [side / 2, side / 2];
    this.ring = make("span", { className: "ring", "aria-hidden": "true" });
    this.said = make("span", { className: "unseen", role: "status" });
    const keys = make("p", { className: "hint", id: how }, KEYS);
    this.element = make("div", {}, make("div", { className: "sheet" }, this.canvas, this.ring), this.said, keys);
    this.canvas.addEventListener("keydown", (event) => this.press(event));
    this.canvas.addEventListener("focus", () => this.moveRing());
    let last = null;
    const place = (event) => {
      const box = this.canvas.getBoundingClientRect();
      return [((event.clientX - box.left) / box.width) * side, ((event.clientY - box.top) / box.height) * side];
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button) return; // a second finger, or another button
      this.canvas.setPointerCapture(event.pointerId);
      last = place(event);
      this.stroke(last, last);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!last || !event.isPrimary) return;
      const next = place(event);
      this.stroke(last, next);
      last = next;
    });
    for (const name of ["pointerup", "pointercancel"])
      this.canvas.addEventListener(name, (event) => {
        if (event.isPrimary) last = null;
      });
  }

  press(event) {
    const direction = ARROWS[event.key];
    if ((!direction && event.key !== "Enter") || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const from = this.cursor;
    const step = Math.max(1, Math.round(this.side / KEY_STEPS));
    if (direction) this.cursor = from.map((value, k) => Math.max(0.5, Math.min(this.side - 0.5, value + step * direction[k])));
    if (event.shiftKey || !direction) this.stroke(from, this.cursor);
    const [x, y] = this.cursor.map(Math.floor);
    this.said.textContent = `Column ${x + 1}, row ${y + 1}${this.describe(x, y)}`;
    this.moveRing();
  }

  // What is at a pixel, in words.
  describe() {
    return "";
  }

  moveRing() {
    const [x, y] = this.cursor.map((value) => `${(100 * value) / this.side}%`);
    Object.assign(this.ring.style, { left: x, top: y, width: `${100 * this.brush}%` });
  }

  // Paint discs from one place to another.
  stroke(from, to) {
    const radius = Math.max(0.5, (this.brush * this.side) / 2);
    const steps = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / (radius / 2)));
    for (let i = 0; i <= steps; i++) {
      const share = i / steps;
      this.paint(from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1]), radius);
    }
    this.changed();
  }

  // Call `visit` with the number of each pixel of a disc.
  disc(x, y, radius, visit) {
    for (let row = Math.max(0, Math.floor(y - radius)); row <= Math.min(this.side - 1, y + radius); row++)
      for (let column = Math.max(0, Math.floor(x - radius)); column <= Math.min(this.side - 1, x + radius); column++)
        if ((column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2 <= radius ** 2) visit(row * this.side + column);
  }
}

// Colors in [-1, 1], `channels` of them.
class PicturePad extends Pad {
  constructor(input, label, changed) {
    super(input.shape[2], label, STROKE.picture, changed);
    this.channels = input.shape[0];
    if (this.channels === 1) this.canvas.style.filter = "grayscale(1)"; // what the model gets
    this.setColor = () => {}; // of whoever shows the color of the brush
    this.color = "#000000";
    this.drawScene();
  }

  // A sun above hills: something to begin with where there is no example.
  drawScene() {
    const side = this.side;
    const sky = this.context.createLinearGradient(0, 0, 0, side);
    sky.addColorStop(0, "#5b9bd5");
    sky.addColorStop(1, "#f3e3c3");
    const parts = [
      [sky, () => this.context.rect(0, 0, side, side)],
      ["#f7c331", () => this.context.arc(0.7 * side, 0.3 * side, 0.14 * side, 0, 2 * Math.PI)],
      ["#6f8f4e", () => this.context.ellipse(0.25 * side, 1.02 * side, 0.55 * side, 0.45 * side, 0, 0, 2 * Math.PI)],
      ["#47703f", () => this.context.ellipse(0.85 * side, 1.05 * side, 0.5 * side, 0.35 * side, 0, 0, 2 * Math.PI)],
    ];
    for (const [color, trace] of parts) {
      this.context.fillStyle = color;
      this.context.beginPath();
      trace();
      this.context.fill();
    }
    this.changed();
  }

  // Bytes [H, W, C] of an example.
  showExample(bytes) {
    const picture = this.context.createImageData(this.side, this.side);
    const from = (i, c) => bytes[i * this.channels + (this.channels === 3 ? c : 0)];
    for (let i = 0; i < this.side * this.side; i++) picture.data.set([from(i, 0), from(i, 1), from(i, 2), 255], 4 * i);
    this.context.putImageData(picture, 0, 0);
    this.pickColor(bytes[0] < 128 ? "#ffffff" : "#000000"); // seen against the corner
    this.changed();
  }

  pickColor(color) {
    this.color = color;
    this.setColor(color);
  }

  clear(color) {
    this.context.fillStyle = color;
    this.context.fillRect(0, 0, this.side, this.side);
    this.changed();
  }

  paint(x, y, radius) {
    this.context.fillStyle = this.color;
    this.context.beginPath();
    this.context.arc(x, y, radius, 0, 2 * Math.PI);
    this.context.fill();
  }

  // The middle square of a picture of any size, on white where it is transparent.
  async load(file) {
    const picture = await createImageBitmap(file);
    const size = Math.min(picture.width, picture.height);
    this.context.fillStyle = "#ffffff";
    this.context.fillRect(0, 0, this.side, this.side);
    this.context.imageSmoothingQuality = "high";
    const left = (picture.width - size) / 2;
    const top = (picture.height - size) / 2;
    this.context.drawImage(picture, left, top, size, size, 0, 0, this.side, this.side);
    this.changed();
  }

  read() {
    const pixels = this.context.getImageData(0, 0, this.side, this.side).data;
    const area = this.side * this.side;
    const values = new Float32Array(this.channels * area);
    for (let i = 0; i < area; i++) {
      const color = pixels.subarray(4 * i, 4 * i + 3);
      const grey = GREY_OF[0] * color[0] + GREY_OF[1] * color[1] + GREY_OF[2] * color[2];
      for (let c = 0; c < this.channels; c++) values[c * area + i] = (this.channels === 3 ? color[c] : Math.round(grey)) / 127.5 - 1;
    }
    return values;
  }
}

// The number of a class at each pixel, shown in the colors of a legend.
class MapPad extends Pad {
  constructor(input, label, legend, changed) {
    super(input.shape[1], label, STROKE.map, changed);
    this.legend = legend.map(({ color }) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)));
    this.names = legend.map(({ name }) => name);
    this.ids = new Uint8Array(this.side * this.side);
    this.chosen = 0;
    this.scatter(1);
  }

  // Regions around random places, each of one class.
  scatter(seed) {
    const random = new MersenneTwister(seed);
    const places = Array.from({ length: 7 }, () => [random.uniform(), random.uniform(), random.next() % this.legend.length]);
    for (let i = 0; i < this.ids.length; i++) {
      const [x, y] = [(i % this.side) / this.side, Math.floor(i / this.side) / this.side];
      let nearest = Infinity;
      for (const [px, py, id] of places) {
        const distance = (px - x) ** 2 + (py - y) ** 2;
        if (distance < nearest) [nearest, this.ids[i]] = [distance, id];
      }
    }
    this.show();
    this.changed();
  }

  // Bytes [H, W] of an example; what is not known gets the first class.
  showExample(bytes) {
    this.ids.set(bytes.map((id) => (id < this.legend.length ? id : 0)));
    this.show();
    this.changed();
  }

  fill(id) {
    this.ids.fill(id);
    this.show();
    this.changed();
  }

  paint(x, y, radius) {
    this.disc(x, y, radius, (i) => (this.ids[i] = this.chosen));
    this.show();
  }

  describe(x, y) {
    return `: ${this.names[this.ids[y * this.side + x]]}`;
  }

  show() {
    const picture = this.context.createImageData(this.side, this.side);
    this.ids.forEach((id, i) => picture.data.set([...this.legend[id], 255], 4 * i));
    this.context.putImageData(picture, 0, 0);
  }

  read() {
    return this.ids;
  }
}

// 1 in the hole of the picture of another pad, which it shows.
class MaskPad extends Pad {
  constructor(input, label, beneath, changed) {
    super(input.shape[2], label, STROKE.mask, changed);
    this.beneath = beneath;
    this.mask = new Float32Array(this.side * this.side);
    this.disc(this.side / 2, this.side / 2, this.side / 6, (i) => (this.mask[i] = 1));
    this.show();
  }

  clear() {
    this.mask.fill(0);
    this.show();
    this.changed();
  }

  paint(x, y, radius) {
    this.disc(x, y, radius, (i) => (this.mask[i] = 1));
    this.show();
  }

  show() {
    this.context.drawImage(this.beneath.canvas, 0, 0);
    const picture = this.context.getImageData(0, 0, this.side, this.side);
    this.mask.forEach((inside, i) => inside && picture.data.set([200, 60, 220, 255], 4 * i));
    this.context.putImageData(picture, 0, 0);
  }

  read() {
    return this.mask;
  }
}
