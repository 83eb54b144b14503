// What goes in: a drawing, a picture, or the webcam; over a picture perhaps the hole that a model fills.

import { Intake, LARGEST, sendPicture } from "../common/intake.js";
import { make } from "../common/shell.js";
import { Doodle } from "./doodle.js";
import { showEntry, showStroke } from "./entry_view.js";
import { Hole, readMap } from "./hole.js";
import { LiveCamera } from "./live_camera.js";
import { fetchPicture, fitPicture, hasClearPixels } from "../common/pixels.js";
import { SentPictures } from "./sent_pictures.js";
import { $, pressOne, schema, state } from "./translate_state.js";

const EXAMPLES = "./static/translate/examples/";
const MODES = ["draw", "picture", "camera"];
export const LARGEST_FILLED = 2048; // pixels of the longer side of a photograph with a hole

export class Entry {
  /**
   * `changed(isWhole)`: what goes in is another; `isReady()`: the last result is there; `isQuick()`: results come so fast that
   * they can follow the pen; `fail(text)`: what went wrong.
   */
  constructor({ changed, isReady, isQuick, fail }) {
    Object.assign(this, { changed, isQuick, fail, picture: null, shot: null, turn: 0 });
    this.doodle = new Doodle((isWhole) => this.redraw(isWhole));
    this.camera = new LiveCamera({
      side: schema.camera, take: (canvas) => this.takeShot(canvas), isReady, changed: () => this.showCamera(),
    });
    this.hole = new Hole(this.doodle.canvas);
    const isMask = (event) => Boolean(state.model?.fills && event.target.closest?.("#mask-part"));
    const largest = () => (state.model.fills ? LARGEST_FILLED : LARGEST);
    this.intake = new Intake($("intake"), {
      take: (given) => this.takeFile(given), isWanted: (event) => Boolean(state.model) && !isMask(event), largest,
      over: document.querySelector(".entrance"),
    });
    new Intake($("mask-intake"), {
      take: (given) => this.takeMask(given), isWanted: isMask, largest, label: "Mask", text: "Open a mask",
      words: "A picture of the same size: white is filled.",
    });
    for (const button of $("modes").children) button.addEventListener("click", () => this.switchMode(button.dataset.mode));
    $("camera").addEventListener("click", () => this.turnCamera());
    $("shoot").addEventListener("click", () => this.keepShot());
    $("save-map").addEventListener("click", () => this.doodle.save(`${state.model.id}-drawing.png`));
    $("save-mask").addEventListener("click", () => this.hole.save(`${state.model.id}-mask.png`));
  }

  addKeys() {
    this.doodle.addKeys(() => !$("map").hidden && !$("work").hidden);
  }

  /** What can go into the model: photographs are not drawn in flat colors. */
  get modes() {
    const { takes, whole } = state.model;
    if (takes === "map") return ["draw"];
    return whole || state.model.fills ? ["picture", "camera"] : MODES;
  }

  get hasPicture() {
    if (state.mode === "draw") return true;
    return Boolean(state.mode === "picture" ? this.picture : this.shot);
  }

  /** Whether there is something to make a result of. */
  get isThere() {
    return this.hasPicture && !(state.model.fills && this.hole.isEmpty);
  }

  /** Begin with a model: with a `given` picture, with what a link asks for, or else with the first example. */
  async begin({ mode, map, picture, example, given, hole = null, mask = null }) {
    const mine = ++this.turn;
    this.stop();
    this.hole.drop();
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
        if (!state.model.fills || (hole === null && mask === null)) return;
        const painted = mask ? readMap(await this.fetchCanvas(mask)) : await Hole.unpack(hole);
        if (mine === this.turn) this.hole.drop(painted);
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

  /** Each of them has a hole of its own. */
  switchMode(mode) {
    if (mode !== state.mode) {
      if (state.mode === "picture" && this.picture) this.picture.hole = this.hole.copy();
      this.hole.drop(mode === "picture" ? this.picture?.hole : null);
    }
    this.chooseMode(mode);
  }

  chooseMode(mode) {
    state.mode = mode;
    if (mode !== "camera") this.camera.stop();
    const isDrawn = mode === "draw";
    const { fills } = state.model;
    for (const button of $("modes").children) button.hidden = !this.modes.includes(button.dataset.mode);
    $("modes").hidden = this.modes.length < 2;
    pressOne($("modes").children, "mode", mode);
    $("draw-tools").hidden = $("draw-controls").hidden = !isDrawn && !fills;
    $("entry-tools").hidden = mode === "camera" || (isDrawn && state.model.takes !== "map");
    $("picture-controls").hidden = mode !== "picture";
    $("camera-controls").hidden = mode !== "camera";
    if (mode === "camera") this.shot = null;
    this.show();
    this.changed(true);
  }

  /** A stroke, or a part of one. */
  redraw(isWhole) {
    if (!state.model) return;
    showStroke(this);
    if (isWhole || !state.model.fills || this.isQuick()) this.changed(isWhole);
  }

  /** A picture of the person's as the mask of the hole. */
  takeMask(given) {
    this.attempt(() => {
      if (!this.hasPicture) throw new Error("There is no picture yet; choose one first.");
      this.hole.readMask(given, state.mode === "picture" ? this.picture.canvas : this.shot);
    });
  }

  /** A file of the person's: a drawing for a model of maps, else a picture. */
  takeFile(given) {
    if (state.model.takes !== "map") this.take({ ...given, wasClear: hasClearPixels(given.canvas) });
    else this.attempt(() => this.doodle.readPicture(given.canvas));
  }

  /**
   * Have a picture as what goes in, not shown yet. `example`: its file if it is one of the page's; `sent`: SentPictures;
   * `wasClear`: whether it has transparent pixels, which become white; `isReduced`: whether it was made smaller; `hole`: what
   * is painted over it.
   */
  hold({ canvas, name, example = "", sent = new SentPictures(), wasClear = false, isReduced = false, hole = null }) {
    this.picture = { canvas, name, example, sent, wasClear, isReduced };
    this.hole.drop(hole ?? (example ? "scratch" : null));
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
    return { canvas: await this.fetchCanvas(id), name: "the picture of the link", sent: new SentPictures(id) };
  }

  fetchCanvas(id) {
    return fetchPicture(`./api/pictures/${encodeURIComponent(id)}`);
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
    if (!keeps) return {};
    const { canvas } = this.picture;
    const isLarge = !model.fills && Math.max(canvas.width, canvas.height) > LARGEST;
    const given = isLarge ? { canvas: fitPicture(canvas, LARGEST), sent: new SentPictures() } : { hole: this.hole.copy() };
    return { mode: "picture", given: { ...this.picture, ...given } };
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
    this.take({ canvas, name: "the webcam", hole: this.hole.copy() });
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
    showEntry(this);
  }

  /** What goes in, for the link. */
  async describeLink() {
    if (state.mode === "draw") return { map: await this.doodle.pack() };
    if (state.mode === "camera" || !this.picture) return {};
    const { canvas, sent, example } = this.picture;
    const send = async (mask) => (await sendPicture(mask)).id;
    const hole = state.model.fills && this.hole.isThere ? await this.hole.describeLink(send) : {};
    if (example) return { example, ...hole };
    return { picture: await sent.send("whole", () => fitPicture(canvas)), ...hole };
  }
}
