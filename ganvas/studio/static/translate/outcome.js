// What comes out: the result, alone or beside what went in; to save, to link, to hand on.

import { CompareView } from "../common/compare_view.js";
import { formatCount } from "../common/api.js";
import { make, say, toast } from "../common/shell.js";
import { flushLink } from "./entry_link.js";
import { drawPixels, fetchPicture } from "./pixels.js";
import { $, download, pressOne, state } from "./translate_state.js";

const ERROR_SECONDS = 15;

export class Outcome {
  /** `handOn(model, picture)`: the id of a picture for another model; `changed(needsMore)`: the view is another. */
  constructor(requests, { handOn, changed }) {
    Object.assign(this, { requests, handOn, changed, picture: null, entry: null, back: null, request: null, kept: null });
    this.view = new CompareView($("result"));
    for (const button of $("views").children) button.addEventListener("click", () => this.choose(button.dataset.view));
    $("out-zoom").addEventListener("input", () => this.view.setZoom(Number($("out-zoom").value)));
    $("save").addEventListener("click", () => this.save());
    $("hand").addEventListener("click", () => $("hand-sheet").showModal());
    $("copy").addEventListener("click", copyLink);
  }

  /** Nothing is there yet; `why` in its place. */
  clear(why) {
    Object.assign(this, { picture: null, back: null, kept: null, request: null });
    $("veil").textContent = why;
    $("veil").hidden = false;
    for (const id of ["save", "hand", "reuse"]) $(id).disabled = true;
    this.view.show(null);
  }

  /** Show the answer to a request; `entry` is what went in, a canvas. */
  async show(request, entry, facts, arrays) {
    const picture = facts.kept ? await fetchPicture(`./api/pictures/${facts.kept}`) : drawPixels(arrays.picture);
    const back = arrays.back ? drawPixels(arrays.back) : null;
    Object.assign(this, { request, entry, picture, back, facts, kept: facts.kept ?? null });
    $("veil").hidden = true;
    for (const id of ["save", "hand", "reuse"]) $(id).disabled = false;
    this.draw();
    say($("result").getAttribute("aria-label"));
  }

  choose(view) {
    state.view = view;
    this.changed(view === "back" && !this.back);
    this.draw();
  }

  draw() {
    pressOne($("views").children, "view", state.view);
    const { picture, entry, back, facts } = this;
    if (!picture) return;
    const isBack = state.view === "back" && back;
    const shown = isBack ? back : picture;
    this.view.show(shown, state.view === "result" ? null : entry);
    const words = this.describe(isBack);
    $("result").setAttribute("aria-label", `${state.view === "result" ? "The result" : "Divider"}: ${words}`);
    $("out-said").textContent = words;
    const far = `There and back: ${facts.apart} grey levels of 255 from the input on average.`;
    $("note").textContent = isBack ? far : this.warn();
  }

  describe(isBack) {
    const { way, seed, model } = state;
    const { width, height, milliseconds } = this.facts;
    const parts = [isBack ? `${way.source} > ${way.title} > ${way.source}` : `${way.source} > ${way.title}`];
    if (model.takes === "map") parts.push(`seed ${seed}`);
    else if (state.strength < 1) parts.push(`strength ${state.strength}`);
    parts.push(`${width} × ${height} pixels`, `${formatCount(milliseconds)} ms`);
    return parts.join(" · ");
  }

  /** At another size than trained a model is worse: the person should know why. */
  warn() {
    const { side, whole, takes } = state.model;
    const long = Math.max(this.entry.width, this.entry.height);
    if (whole || takes === "map" || long === side) return "";
    return `It learned at ${side} pixels; at ${long} what it makes may be worse.`;
  }

  /** The id of the result's file, made if there is none yet. */
  async keep() {
    this.kept ??= await this.requests.keep(this.request);
    return this.kept;
  }

  async save() {
    await this.attempt(async () => {
      const id = await this.keep();
      const seed = state.model.takes === "map" ? `-seed${state.seed}` : "";
      download(`./api/pictures/${id}`, `${state.model.id}-${state.way.title}${seed}.png`);
    });
  }

  async attempt(run) {
    try {
      await run();
    } catch (wrong) {
      toast(wrong.message, { kind: "error", seconds: ERROR_SECONDS });
    }
  }

  /** Offer the models that the result can go into. */
  offer(models) {
    const buttons = models.map((model) => {
      const press = () => this.attempt(async () => {
        $("hand-sheet").close();
        this.handOn(model, await this.keep());
      });
      return make("li", {}, make("button", { type: "button", onclick: press }, model.id));
    });
    $("hand-list").replaceChildren(...buttons);
    $("hand").hidden = !models.length;
  }
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
