// What goes in: a drawing, a picture, or the webcam; and the request that has it translated.

import { Intake, sendPicture } from "../common/intake.js";
import { make } from "../common/shell.js";
import { Doodle } from "./doodle.js";
import { LiveCamera } from "./live_camera.js";
import { fetchPicture, fitPicture, hasClearPixels, readPixels } from "../common/pixels.js";
import { SentPictures } from "./sent_pictures.js";
import { $, pressOne, schema, state } from "./translate_state.js";

const TINY = 256; // pixels below which each pixel is shown as a square
const EXAMPLES = "./static/translate/examples/";
const MODES = ["draw", "picture", "camera"];
const HINTS = {
  draw: "Draw here: what comes out follows the pen.",
  picture: "Drop another one anywhere on the page, or paste it.",
  camera: "Nothing leaves this machine.",
};

export class Entry {
  /** `changed(isWhole)`: what goes in is another; `isReady()`: the last result is there; `fail(text)`: what went wrong. */
  constructor({ changed, isReady, fail }) {
    Object.assign(this, { changed, fail, picture: null, shot: null, turn: 0 });
    this.doodle = new Doodle((isWhole) => this.redraw(isWhole));
    this.camera = new LiveCamera({
      side: schema.camera, take: (canvas) => this.takeShot(canvas), isReady, changed: () => this.showCamera(),
    });
    this.intake = new Intake($("intake"), {
      take: (given) => this.takeFile(given), isWanted: () => Boolean(state.model), over: document.querySelector(".entrance"),
    });
    for (const button of $("modes").children) button.addEventListener("click", () => this.chooseMode(button.dataset.mode));
    $("camera").addEventListener("click", () => this.turnCamera());
    $("shoot").addEventListener("click", () => this.keepShot());
    $("save-map").addEventListener("click", () => this.doodle.save(`${state.model.id}-drawing.png`));
  }

  addKeys() {
    this.doodle.addKeys(() => state.mode === "draw" && !$("work").hidden);
  }

  /** What can go into the model: photographs are not drawn in flat colours. */
  get modes() {
    const { takes, whole } = state.model;
    if (takes === "map") return ["draw"];
    return whole ? ["picture", "camera"] : MODES;
  }

  get isThere() {
    if (state.mode === "draw") return true;
    return Boolean(state.mode === "picture" ? this.picture : this.shot);
  }

  /** Begin with a model: with a `given` picture, with what a link asks for, or else with the first example. */
  async begin({ mode, map, picture, example, given }) {
    const mine = ++this.turn;
    this.stop();
    Object.assign(this, { picture: null, shot: null });
    const { takes, legend, side } = state.model;
    this.doodle.begin(takes === "map" ? this.listClasses(legend) : [], takes === "map" ? state.size : 2 * side);
    this.doodle.canvas.setTool("brush");
    this.offerExamples();
    $("intake").querySelector("button").textContent = takes === "map" ? "Open a drawing" : "Choose a picture";
    const usual = takes === "map" ? "draw" : "picture";
    state.mode = this.modes.includes(mode) ? mode : usual;
    if (takes === "map") await this.attempt(() => (map ? this.doodle.unpack(map) : this.showExample(example)));
    else {
      this.doodle.drawFace();
      if (map) await this.attempt(() => this.doodle.unpack(map));
      await this.attempt(async () => {
        const found = given ?? (await (picture ? this.fetch(picture) : this.fetchExample(example)));
        if (mine === this.turn && !this.picture && found) this.hold(found); // else the person was faster
      });
    }
    if (mine === this.turn) this.chooseMode(state.mode); // else another model was chosen meanwhile
  }

  /** The classes of a model as the drawing takes them; of one model always the same list. */
  listClasses(legend) {
    legend.classes ??= legend.map(([name, color]) => ({ name, color }));
    return legend.classes;
  }

  async attempt(run) {
    try {
      await run();
    } catch (wrong) {
      this.fail(wrong.message);
    }
  }

  // The three kinds -------------------------------------------------------------------------------------------------------

  chooseMode(mode) {
    state.mode = mode;
    if (mode !== "camera") this.camera.stop();
    const isDrawn = mode === "draw";
    for (const button of $("modes").children) button.hidden = !this.modes.includes(button.dataset.mode);
    $("modes").hidden = this.modes.length < 2;
    pressOne($("modes").children, "mode", mode);
    $("map").hidden = $("draw-tools").hidden = $("draw-controls").hidden = !isDrawn;
    $("entry").hidden = isDrawn;
    $("entry-tools").hidden = mode === "camera" || (isDrawn && state.model.takes !== "map");
    $("picture-controls").hidden = mode !== "picture";
    $("camera-controls").hidden = mode !== "camera";
    $("in-hint").textContent = HINTS[mode];
    if (mode === "camera") this.shot = null;
    this.show();
    this.changed(true);
  }

  /** A stroke, or a part of one. */
  redraw(isWhole) {
    if (!state.model) return;
    $("in-said").textContent = this.say();
    this.changed(isWhole);
  }

  /** A file of the person's: a drawing for a model of maps, else a picture. */
  takeFile(given) {
    if (state.model.takes !== "map") this.take({ ...given, wasClear: hasClearPixels(given.canvas) });
    else this.attempt(() => this.doodle.readPicture(given.canvas));
  }

  /**
   * Have a picture as what goes in, not shown yet. `example`: its file if it is one of the page's; `sent`: SentPictures;
   * `wasClear`: whether it has transparent pixels, which become white.
   */
  hold({ canvas, name, example = "", sent = new SentPictures(), wasClear = false }) {
    this.picture = { canvas, name, example, sent, wasClear };
  }

  /** Take a picture of the person's, or an example, and show it. */
  take(given) {
    this.hold(given);
    if (state.mode === "picture") {
      this.show();
      this.changed(true);
    } else this.chooseMode("picture");
  }

  /** A picture that the studio has, by its id. */
  async fetch(id) {
    const canvas = await fetchPicture(`./api/pictures/${encodeURIComponent(id)}`);
    return { canvas, name: "the picture of the link", sent: new SentPictures(id) };
  }

  /** An example, by the name of its file, or the first one; null: there is none. */
  async fetchExample(asked) {
    const files = schema.examples[state.way.examples] ?? [];
    const file = files.includes(asked) ? asked : files[0];
    return file ? { canvas: await fetchPicture(`${EXAMPLES}${file}`), name: "an example", example: file } : null;
  }

  async showExample(asked) {
    const { turn } = this;
    const found = await this.fetchExample(asked);
    if (turn !== this.turn || !found) return;
    if (state.model.takes === "map") {
      this.doodle.readPicture(found.canvas);
      this.doodle.put(this.doodle.canvas.map);
      this.redraw(true);
    } else this.take(found);
  }

  offerExamples() {
    const files = schema.examples[state.way.examples] ?? [];
    const items = files.map((file, i) => {
      const picture = make("img", { src: `${EXAMPLES}${file}`, alt: "", width: 50, height: 50 });
      const press = () => this.attempt(() => this.showExample(file));
      const facts = { type: "button", class: "quiet intake-example", "aria-label": `Example ${i + 1}`, onclick: press };
      return make("li", {}, make("button", facts, picture));
    });
    const list = make("ul", { class: "plain row", "aria-label": "Examples" }, ...items);
    $("examples").replaceChildren(...(items.length ? [list] : []));
  }

  /** The model goes another of its ways: an example of the old one makes no sense then; a drawing and the webcam stay. */
  async changeWay() {
    this.offerExamples();
    const [isExample, { turn }] = [Boolean(this.picture?.example), this];
    if (!isExample || state.mode !== "picture") this.changed(true);
    const found = isExample ? await this.fetchExample() : null;
    if (!found || turn !== this.turn) return;
    if (state.mode === "picture") this.take(found);
    else this.hold(found);
  }

  /** What another model should begin with: the same picture, if it is no example. */
  keepFor(model) {
    const keeps = model.takes === "picture" && this.picture && !this.picture.example;
    return keeps ? { mode: "picture", given: this.picture } : {};
  }

  resize() {
    if (state.model.takes === "map") this.doodle.resize(state.size);
    this.show();
    this.changed(true);
  }

  // The webcam ------------------------------------------------------------------------------------------------------------

  turnCamera() {
    if (this.camera.isOn) this.camera.stop();
    else this.attempt(() => this.camera.start());
  }

  takeShot(canvas) {
    if (state.mode !== "camera") return;
    this.shot = canvas;
    this.show();
    this.changed(false);
  }

  keepShot() {
    const canvas = this.camera.shoot(2 * schema.camera);
    this.camera.stop();
    this.take({ canvas, name: "the webcam" });
  }

  showCamera() {
    const { isOn } = this.camera;
    $("camera").textContent = isOn ? "Stop the camera" : "Start the camera";
    $("shoot").disabled = !isOn;
  }

  stop() {
    this.camera.stop();
  }

  // What is shown, and asked ----------------------------------------------------------------------------------------------

  /** The picture of now at the size that is wanted. */
  fit() {
    if (state.mode === "draw") {
      const drawn = this.doodle.render();
      return state.model.takes === "map" ? drawn : fitPicture(drawn, state.size);
    }
    return fitPicture(state.mode === "picture" ? this.picture.canvas : this.shot, state.size);
  }

  show() {
    const isDrawn = state.mode === "draw";
    const canvas = this.isThere ? this.fit() : null;
    $("no-entry").hidden = isDrawn || canvas !== null;
    $("no-entry").textContent = state.mode === "camera" ? "The webcam is off." : "Choose a picture, drop or paste one.";
    const ratio = canvas && !isDrawn ? canvas.width / canvas.height : 1;
    document.querySelector(".translate-bench").style.setProperty("--ratio", ratio);
    $("in-said").textContent = canvas ? this.say(canvas) : "";
    if (!canvas || isDrawn) return;
    Object.assign($("entry"), { width: canvas.width, height: canvas.height });
    $("entry").classList.toggle("tiny", Math.max(canvas.width, canvas.height) <= TINY);
    $("entry").getContext("2d").drawImage(canvas, 0, 0);
    $("entry").setAttribute("aria-label", `What goes in: ${this.say(canvas)}`);
  }

  say(canvas = null) {
    if (state.mode === "draw") return this.doodle.describe();
    const name = state.mode === "camera" ? "the webcam, as in a mirror" : this.picture.name;
    return `${name} · ${canvas.width} × ${canvas.height} pixels`;
  }

  /** {request, canvas, made}: the task for what goes in now, what it looks like, and the settings that it is made with. */
  async describe() {
    const { model, way, seed, strength, view, mode } = state;
    const wasClear = mode === "picture" && this.picture.wasClear;
    const [canvas, made] = [this.fit(), { model, way, seed, strength, wasClear }];
    if (model.takes === "map") {
      const request = { name: "paint", facts: { model: model.id, seed }, arrays: { map: this.doodle.copyMap() } };
      return { canvas, made, request };
    }
    const back = way.back && view === "back";
    const facts = { model: model.id, to: way.to, strength, back };
    const bytes = 3 * canvas.width * canvas.height;
    if (bytes * Math.max(1, model.scale ** 2 * (back ? 2 : 1)) <= schema.most_sent) {
      return { canvas, made, request: { name: "translate", facts, arrays: { picture: readPixels(canvas) } } };
    }
    const name = mode === "picture" ? `at ${state.size}` : "";
    const id = await (name ? this.picture.sent.send(name, () => canvas) : sendPicture(canvas).then((sent) => sent.id));
    return { canvas, made, request: { name: "translate", facts: { ...facts, picture: id, keep: true } } };
  }

  /** What goes in, for the link. */
  async describeLink() {
    if (state.mode === "draw") return { map: await this.doodle.pack() };
    if (state.mode === "camera" || !this.picture) return {};
    if (this.picture.example) return { example: this.picture.example };
    const { canvas, sent } = this.picture;
    return { picture: await sent.send("whole", () => fitPicture(canvas)) };
  }
}
