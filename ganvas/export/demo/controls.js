// The controls of the inputs. Each has an element, and `read(count)`: the values of `count` samples.

const MOST_SEED = 2 ** 32 - 1; // the generator of PyTorch takes 32 bits of a seed
const FEW_CLASSES = 12; // as buttons; more are a list
const SPAN = 3; // of a slider, in standard deviations
const BRUSHES = [
  ["Fine", 0.4],
  ["Middle", 1],
  ["Broad", 2.5],
];
let controlNumber = 0;

function makeField(legend, ...children) {
  return make("fieldset", { className: "control" }, make("legend", {}, legend), ...children);
}

function makeButton(text, act) {
  const button = make("button", { type: "button" }, text);
  button.addEventListener("click", act);
  return button;
}

// Buttons of which one is pressed.
function makeChoice(names, chosen, choose) {
  const buttons = names.map((name, i) =>
    makeButton(name, () => {
      buttons.forEach((each, k) => each.setAttribute("aria-pressed", String(k === i)));
      choose(i);
    }),
  );
  buttons.forEach((each, k) => each.setAttribute("aria-pressed", String(k === chosen)));
  return buttons;
}

function makeSlider(name, low, high, value, change) {
  const id = `slider-${controlNumber++}`;
  const input = make("input", { type: "range", id, min: low, max: high, step: 0.05 });
  const shown = make("output", { htmlFor: id });
  const set = (number) => {
    input.value = number;
    shown.textContent = number.toFixed(2);
  };
  input.addEventListener("input", () => {
    shown.textContent = Number(input.value).toFixed(2);
    change();
  });
  set(value);
  return { element: make("div", { className: "slider" }, make("label", { htmlFor: id }, name), shown, input), input, set };
}

function repeat(values, count) {
  const whole = new values.constructor(values.length * count);
  for (let i = 0; i < count; i++) whole.set(values, i * values.length);
  return whole;
}

// `hint`: what a seed gives here.
class SeedControl {
  constructor(input, hint, changed) {
    this.size = input.shape[0];
    this.seed = 0;
    this.changed = changed;
    const id = `seed-${controlNumber++}`;
    this.number = make("input", { type: "number", id, min: 0, max: MOST_SEED, step: 1, value: 0 });
    this.number.addEventListener("input", () => {
      if (this.isValid()) this.set(Number(this.number.value), true);
      this.tell();
    });
    this.number.addEventListener("change", () => {
      if (!this.isValid()) this.number.value = this.seed;
      this.tell();
    });
    const row = make(
      "div",
      { className: "row" },
      this.number,
      makeButton("Back", () => this.set(Math.max(0, this.seed - 1))),
      makeButton("Next", () => this.set(Math.min(MOST_SEED, this.seed + 1))),
      makeButton("Random", () => this.set(crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000)),
    );
    this.usual = hint;
    this.hint = make("p", { className: "hint", role: "status" }, hint);
    this.element = makeField("Noise", make("label", { htmlFor: id }, "Seed"), row, this.hint);
  }

  isValid() {
    return this.number.validity.valid && this.number.value !== "";
  }

  // Say what is wrong with what was typed, if anything is.
  tell() {
    const valid = this.isValid();
    const wrong = `A seed is a whole number from 0 to ${MOST_SEED.toLocaleString("en")}. The output is still that of seed ${this.seed}.`;
    this.number.setAttribute("aria-invalid", String(!valid));
    this.hint.classList.toggle("bad", !valid);
    this.hint.textContent = valid ? this.usual : wrong;
  }

  set(seed, typed = false) {
    this.seed = seed;
    if (!typed) {
      this.number.value = seed;
      this.tell();
    }
    this.changed();
  }

  read(count) {
    const values = new Float32Array(this.size * count);
    for (let i = 0; i < count; i++) values.set(drawLatent((this.seed + i) % (MOST_SEED + 1), this.size), i * this.size);
    return values;
  }
}

class ClassControl {
  constructor(input, names, changed) {
    this.chosen = 0;
    const set = (i) => {
      this.chosen = i;
      changed();
    };
    if (input.classes <= FEW_CLASSES) {
      this.element = makeField("Class", make("div", { className: "row" }, ...makeChoice(names.slice(0, input.classes), 0, set)));
      return;
    }
    const id = `class-${controlNumber++}`;
    const list = make("select", { id }, ...names.map((name, i) => make("option", { value: i }, name)));
    list.addEventListener("change", () => set(Number(list.value)));
    this.element = makeField("Class", make("label", { htmlFor: id }, "Class of the sample "), list);
  }

  read(count) {
    return new Array(count).fill(this.chosen);
  }
}

class ShiftControl {
  constructor(input, directions, changed) {
    this.size = input.shape[0];
    this.steps = directions.map((each) => each.step);
    this.sliders = directions.map((each) => makeSlider(each.name, -SPAN, SPAN, 0, changed));
    const reset = makeButton("All to the middle", () => {
      this.sliders.forEach((each) => each.set(0));
      changed();
    });
    this.element = makeField("Directions", ...this.sliders.map((each) => each.element), reset);
    this.element.hidden = !directions.length;
  }

  read(count) {
    const shift = new Float32Array(this.size);
    this.sliders.forEach((slider, k) => this.steps[k].forEach((step, i) => (shift[i] += Number(slider.input.value) * step)));
    return repeat(shift, count);
  }
}

class PsiControl {
  constructor(changed) {
    this.slider = makeSlider("Psi: 1 as trained, 0 the mean", 0, 1.5, 1, changed);
    this.element = makeField("Truncation", this.slider.element);
  }

  read(count) {
    return new Float32Array(count).fill(Number(this.slider.input.value));
  }
}

// Buttons for the examples of an input; the first is shown at once.
function makeExamples(pad, examples) {
  const bytes = examples.map((text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
  if (bytes.length) pad.showExample(bytes[0]);
  const buttons = bytes.map((each, i) => makeButton(`Example ${i + 1}`, () => pad.showExample(each)));
  return make("div", { className: "row" }, ...buttons);
}

function makeBrushes(pad) {
  const usual = pad.brush;
  return make("div", { className: "row", role: "group", "aria-label": "Brush" }, ...makeChoice(
    BRUSHES.map(([name]) => name),
    1,
    (i) => {
      pad.brush = usual * BRUSHES[i][1];
      pad.moveRing();
    },
  ));
}

class PictureControl {
  constructor(input, alone, examples, changed, failed) {
    const [, side] = input.shape;
    this.pad = new PicturePad(input, alone ? "Picture: draw here" : `Picture ${input.name}: draw here`, changed);
    const [file, color] = [`file-${controlNumber}`, `color-${controlNumber++}`];
    const choose = make("input", { type: "file", id: file, accept: "image/*" });
    choose.addEventListener("click", () => (choose.value = "")); // the same file once more is a change too
    choose.addEventListener("change", () => {
      if (choose.files.length) this.pad.load(choose.files[0]).catch(() => failed("This file is no picture that the browser knows."));
    });
    const ink = make("input", { type: "color", id: color, value: "#000000" });
    ink.addEventListener("input", () => (this.pad.color = ink.value));
    this.pad.setColor = (value) => (ink.value = value);
    const words = input.about.split(", in [")[0]; // of several pictures, which one it is
    const what = alone ? "" : `${words[0].toUpperCase()}${words.slice(1)}. `;
    this.element = makeField(
      alone ? "Picture" : `Picture: ${input.name}`,
      make("p", { className: "hint" }, `${what}Draw on it, or choose a picture: its middle square becomes ${side} x ${side} pixels. It stays in this page.`),
      make("div", { className: "row" }, make("label", { htmlFor: file }, "File"), choose),
      makeExamples(this.pad, examples),
      this.pad.element,
      make("div", { className: "row" }, make("label", { htmlFor: color }, "Color"), ink, makeBrushes(this.pad)),
      make(
        "div",
        { className: "row" },
        makeButton("White sheet", () => {
          this.pad.pickColor("#000000");
          this.pad.clear("#ffffff");
        }),
        makeButton("Black sheet", () => {
          this.pad.pickColor("#ffffff");
          this.pad.clear("#000000");
        }),
      ),
    );
  }

  read(count) {
    return repeat(this.pad.read(), count);
  }
}

class MapControl {
  constructor(input, examples, legend, changed) {
    this.pad = new MapPad(input, "Map of classes: draw here", legend, changed);
    const buttons = makeChoice(
      legend.map((each) => each.name),
      0,
      (i) => (this.pad.chosen = i),
    );
    buttons.forEach((button, i) => {
      const swatch = make("span", { className: "swatch" });
      swatch.style.background = legend[i].color;
      button.prepend(swatch);
    });
    let seed = 1;
    this.element = makeField(
      "Map",
      make("p", { className: "hint" }, "Choose a class and draw: the model paints it."),
      makeExamples(this.pad, examples),
      this.pad.element,
      make("div", { className: "row", role: "group", "aria-label": "Class to draw" }, ...buttons),
      makeBrushes(this.pad),
      make(
        "div",
        { className: "row" },
        makeButton("Fill all", () => this.pad.fill(this.pad.chosen)),
        makeButton("Another map", () => this.pad.scatter(++seed)),
      ),
    );
  }

  read(count) {
    return Array.from({ length: count }, () => Array.from(this.pad.read())).flat();
  }
}

class MaskControl {
  constructor(input, beneath, changed) {
    this.pad = new MaskPad(input, "Hole: draw here", beneath, changed);
    this.element = makeField(
      "Hole",
      make("p", { className: "hint" }, "Draw over what is to be filled."),
      this.pad.element,
      makeBrushes(this.pad),
      make("div", { className: "row" }, makeButton("No hole", () => this.pad.clear())),
    );
  }

  read(count) {
    this.pad.show(); // the picture may have changed
    return repeat(this.pad.read(), count);
  }
}
