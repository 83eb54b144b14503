// The page: controls for the inputs of the model, and its output for them, always the newest.

const MORE = 10; // further seeds, beside the first
const SEEDS = {
  pictures: "The same seed gives the same output here and in Python.",
  points: `${POINTS_SHOWN.toLocaleString("en")} points: of this seed and of those after it. The same seed gives the same point in Python.`,
  text: `${LINES_SHOWN} lines: of this seed and of those after it. The same seed gives the same line in Python.`,
};
const ORDER = ["map", "picture", "mask", "noise", "class", "psi", "shift"]; // of the controls
const byId = (id) => document.getElementById(id);
const description = JSON.parse(byId("description").textContent);
const status = byId("status");
const box = byId("output");
const kinds = new Set(description.inputs.map((each) => each.kind));
const solid = description.output === "voxels";
const pictured = description.output === "pictures" || solid;
const fromNoise = kinds.has("noise") && !kinds.has("picture") && !kinds.has("map") && !kinds.has("mask");
let session = null;
let shown = null; // the output on the page
let angle = Math.PI / 6;
let wanted = false;
let running = false;

byId("name").textContent = description.name;
byId("about").textContent = `A trained model in one file: ${description.about}.`;
for (const [name, text] of Object.entries(description.facts)) byId("facts").append(make("dt", {}, name), make("dd", {}, text));

function tell(state, text) {
  document.documentElement.dataset.state = state;
  status.textContent = text;
  status.classList.toggle("bad", state === "error");
}

function fail(error) {
  const text = error instanceof Error ? error.message : typeof error === "string" ? error : "";
  // onnxruntime sometimes throws a bare number
  tell("error", text || `The model cannot be run here (error ${error}). Close other pages to free memory, and reload this one.`);
}

const changed = () => session && update();
let picture = null; // the control of the first picture: a hole is drawn over it

const alone = description.inputs.filter((each) => each.kind === "picture").length === 1;

function makeControl(input) {
  const examples = description.examples[input.name] ?? [];
  if (input.kind === "noise") return new SeedControl(input, SEEDS[description.output] ?? SEEDS.pictures, changed);
  if (input.kind === "class") return new ClassControl(input, description.classes, changed);
  if (input.kind === "shift") return new ShiftControl(input, description.sliders, changed);
  if (input.kind === "psi") return new PsiControl(changed);
  if (input.kind === "map") return new MapControl(input, examples, description.legend, changed);
  if (input.kind === "mask") return new MaskControl(input, picture.pad, changed);
  const control = new PictureControl(input, alone, examples, changed, (text) => tell("error", text));
  picture ??= control;
  return control;
}

const controls = description.inputs.map(makeControl);
const places = description.inputs.map((_, i) => i).sort((a, b) => ORDER.indexOf(description.inputs[a].kind) - ORDER.indexOf(description.inputs[b].kind));
byId("controls").append(...places.map((i) => controls[i].element));
const seeds = controls.find((each) => each instanceof SeedControl);
const canvas = pictured || description.output === "points" ? make("canvas", { role: "img" }) : null;
if (canvas) box.append(canvas);
document.body.classList.toggle("steered", Boolean(canvas)); // it stays in view on a narrow page
byId("synthetic").hidden = description.output === "logits";
const nothing = make("p", { className: "hint", hidden: true }, "Nothing is solid here: the model fills no cell. It may need more training.");
if (solid) {
  box.append(nothing);
  const slider = makeSlider("Turn", -180, 180, 30, () => {
    angle = (Number(slider.input.value) * Math.PI) / 180;
    if (shown) drawSolid(canvas, shown, 0, angle);
  });
  slider.input.step = 5;
  box.append(slider.element);
}

function runModel(count) {
  const inputs = description.inputs.map((each, i) => ({ ...each, values: controls[i].read(count) }));
  return session.run(inputs, count);
}

function countSamples() {
  return { points: POINTS_SHOWN, text: LINES_SHOWN }[description.output] ?? 1;
}

function draw(target, output, at, side) {
  if (solid) drawSolid(target, output, at, angle, side);
  else drawPicture(target, output, at);
}

function show(output) {
  shown = output;
  if (solid) nothing.hidden = output.data.subarray(0, output.dims[2] ** 3).some((value) => value > 0);
  if (pictured) draw(canvas, output, 0);
  else if (description.output === "points") drawPoints(canvas, output);
  else if (description.output === "logits") showBars(box, output, description.classes);
  else {
    const lines = readLines(output, description.symbols).map((line) => make("li", {}, line));
    box.replaceChildren(make("ol", { className: "lines", start: seeds.seed }, ...lines));
  }
  if (canvas) canvas.setAttribute("aria-label", seeds ? `Output of seed ${seeds.seed}` : "Output");
  byId("save").hidden = !canvas;
}

// Pictures of the next seeds, as buttons.
function showMore(output) {
  const buttons = Array.from({ length: output.dims[0] - 1 }, (_, i) => {
    const small = make("canvas", { "aria-hidden": "true" });
    draw(small, output, i + 1, 64);
    const seed = seeds.seed + i + 1;
    const button = makeButton("", () => seeds.set(seed));
    button.append(small, `Seed ${seed}`);
    return button;
  });
  byId("more").replaceChildren(make("div", { className: "grid" }, ...buttons));
  byId("more-card").hidden = false;
}

// Run the model for the newest inputs. While it runs, further changes wait, and only the last of them is computed.
async function update() {
  wanted = true;
  if (running) return;
  running = true;
  try {
    while (wanted) {
      wanted = false;
      tell("busy", "Computing ...");
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const start = performance.now();
      show(await runModel(countSamples()));
      const seconds = (performance.now() - start) / 1000;
      if (pictured && fromNoise && !wanted) {
        await new Promise((resolve) => setTimeout(resolve));
        if (!wanted) showMore(await runModel(MORE + 1));
      }
      tell("ready", `Computed here in ${seconds.toFixed(2)} s.`);
    }
  } catch (error) {
    fail(error);
  } finally {
    running = false;
  }
}

byId("save").addEventListener("click", () => {
  canvas.toBlob((blob) => {
    const link = make("a", { href: URL.createObjectURL(blob), download: `${description.name}${seeds ? `-seed${seeds.seed}` : ""}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
});

tell("loading", "Unpacking the model ...");
try {
  session = await Session.open();
  await update();
} catch (error) {
  fail(error);
}
