// What comes out: the result, alone or beside what went in; to save, to link, to hand on.

import { CompareView } from "../common/compare_view.js";
import { formatCount } from "../common/api.js";
import { listPlaces, openWith } from "../common/hand_over.js";
import { make, say, toast } from "../common/shell.js";
import { flushLink } from "./entry_link.js";
import { drawPixels, fetchPicture, fitPicture } from "../common/pixels.js";
import { $, download, pressOne, state } from "./translate_state.js";

const ERROR_SECONDS = 15;
const CLEAR = (command) => `Transparent pixels became white; ganvas ${command} keeps them.`;

export class Outcome {
  /** `handOn(model, picture)`: the id of a picture for another model; `changed(needsMore)`: the view is another. */
  constructor(requests, { handOn, changed }) {
    Object.assign(this, { requests, handOn, changed, result: null, places: [] });
    listPlaces().then((places) => { this.places = places; }, () => {});
    this.view = new CompareView($("result"));
    for (const button of $("views").children) button.addEventListener("click", () => this.choose(button.dataset.view));
    $("out-zoom").addEventListener("input", () => this.view.setZoom(Number($("out-zoom").value)));
    $("save").addEventListener("click", () => this.save());
    $("hand").addEventListener("click", () => this.openSheet());
    $("copy").addEventListener("click", copyLink);
  }

  /** The picture that came out; null: there is none. */
  get picture() {
    return this.result?.picture ?? null;
  }

  /** Nothing is there yet; `why` in its place. */
  clear(why) {
    this.result = null;
    $("veil").textContent = why;
    $("veil").hidden = false;
    for (const id of ["out-said", "note"]) $(id).textContent = "";
    $("result").setAttribute("aria-label", "The result");
    for (const id of ["save", "hand", "reuse"]) $(id).disabled = true;
    this.view.show(null);
  }

  /** Show the answer to a request; `canvas` is what went in, and `made` the settings: those of the page may be newer. */
  async show({ request, canvas, made }, facts, arrays) {
    const given = facts.kept ? await fetchPicture(`./api/pictures/${facts.kept}`) : drawPixels(arrays.picture);
    const picture = made.model.fills && !facts.kept ? paste(canvas, given, facts.corner) : given;
    const back = arrays.back ? drawPixels(arrays.back) : null;
    this.result = { request, made, entry: canvas, picture, back, facts, file: facts.kept ?? null, backFile: null };
    $("veil").hidden = true;
    for (const id of ["save", "hand", "reuse"]) $(id).disabled = false;
    this.draw();
    say($("result").getAttribute("aria-label"));
  }

  choose(view) {
    state.view = view;
    this.changed(view === "back" && !this.result?.back);
    this.draw();
  }

  draw() {
    pressOne($("views").children, "view", state.view);
    if (!this.result) return;
    const { picture, entry, back, facts, made } = this.result;
    const isBack = state.view === "back" && back;
    const shown = isBack ? back : picture;
    this.view.show(shown, state.view === "result" ? null : entry);
    const words = this.describe(isBack);
    $("result").setAttribute("aria-label", `${state.view === "result" ? "The result" : "Divider"}: ${words}`);
    $("out-said").textContent = words;
    const far = `There and back: ${facts.apart} grey levels of 255 from the input on average.`;
    const filled = facts.filled ? `${facts.filled}.` : "";
    const clear = made.wasClear ? CLEAR(made.model.fills ? "inpaint" : "translate") : "";
    $("note").textContent = [isBack ? far : this.warn(), filled, clear].filter(Boolean).join(" ");
  }

  describe(isBack) {
    const { way, seed, strength, model } = this.result.made;
    const { width, height, milliseconds } = this.result.facts;
    const parts = [isBack ? `${way.source} > ${way.title} > ${way.source}` : `${way.source} > ${way.title}`];
    if (model.takes === "map") parts.push(`seed ${seed}`);
    else if (strength < 1) parts.push(`strength ${strength}`);
    parts.push(`${width} × ${height} pixels`, `${formatCount(milliseconds)} ms`);
    return parts.join(" · ");
  }

  /** At another size than trained a model is worse: the person should know why. */
  warn() {
    const { made, entry } = this.result;
    const { side, whole, takes } = made.model;
    const long = Math.max(entry.width, entry.height);
    if (whole || takes === "map" || long === side) return "";
    return `It learned at ${side} pixels; at ${long} what it makes may be worse.`;
  }

  /** The id of the file of a result, made if there is none yet. */
  async keep(result) {
    result.file ??= await this.requests.keep(result.request);
    return result.file;
  }

  async save() {
    const { result } = this; // another one may come while the file is made
    const { model, way, seed } = result.made;
    await this.attempt(async () => {
      if (state.view === "back" && result.back) {
        result.backFile ??= await this.requests.keep(result.request, "back");
        download(`./api/pictures/${result.backFile}`, `${model.id}-${way.title}-back.png`);
        return;
      }
      const end = model.takes === "map" ? `-seed${seed}` : "";
      download(`./api/pictures/${await this.keep(result)}`, `${model.id}-${way.title}${end}.png`);
    });
  }

  async attempt(run) {
    try {
      await run();
    } catch (wrong) {
      toast(wrong.message, { kind: "error", seconds: ERROR_SECONDS });
    }
  }

  /** The models that the result can go into. */
  offer(models) {
    this.models = models;
  }

  /** Offer these models, and the pages that take a picture. */
  openSheet() {
    const makeButton = (text, take) => {
      const press = () => this.attempt(async () => {
        $("hand-sheet").close();
        take(await this.keep(this.result));
      });
      return make("li", {}, make("button", { type: "button", onclick: press }, text));
    };
    const pages = this.places.map(({ page, label }) => makeButton(label, (id) => openWith(page, id)));
    const models = this.models.map((model) => makeButton(model.id, (id) => this.handOn(model, id)));
    $("hand-list").replaceChildren(...pages, ...models);
    $("hand-none").hidden = pages.length + models.length > 0;
    $("hand-sheet").showModal();
  }
}

/** A copy of a picture with another one on it, which begins at `corner`. */
function paste(picture, part, corner) {
  const canvas = fitPicture(picture);
  canvas.getContext("2d").drawImage(part, ...corner);
  return canvas;
}

/** Put the link of what is here now into the clipboard. */
async function copyLink() {
  try {
    await flushLink();
  } catch (wrong) {
    toast(`There is no link: ${wrong.message}`, { kind: "error", seconds: ERROR_SECONDS });
    return;
  }
  const entry = state.mode === "camera" ? "not the webcam" : "what goes in";
  try {
    await navigator.clipboard.writeText(location.href);
    toast(`The link holds the model, ${entry}, and every setting.`);
  } catch {
    toast("The link is in the address bar.");
  }
}
