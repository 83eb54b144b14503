// The stage: the picture, alone or beside the one before, and the film of all steps.

import { CompareView } from "../common/compare_view.js";
import { drawPixels } from "../common/pixels.js";
import { make } from "../common/shell.js";
import { $, state } from "./edit_state.js";

/** What is shown, in words. */
export function describe() {
  const { origin, steps } = state.stack.present;
  const count = steps.filter(({ on }) => on).length;
  const start = origin.code ? origin.name || "your picture" : `seed ${origin.seed}`;
  return `${start}, ${count} step${count === 1 ? "" : "s"}`;
}

export class Stage {
  constructor() {
    this.shown = null; // {before, after, film} uint8 of the last answer
    this.view = new CompareView($("result"));
    for (const button of $("views").children) button.addEventListener("click", () => this.choose(button.dataset.view));
  }

  /** Show the result, "compare": before and after, or "filled": the picture of the person with its hole filled. */
  choose(view) {
    state.view = view;
    this.draw();
  }

  /** Show an answer: pictures uint8 [H, W, C] before and after all steps, and the film [n, h, w, C]. */
  show(arrays) {
    this.shown = arrays;
    this.draw();
    this.drawFilm(arrays.film);
  }

  /** Nothing is shown, until there is an answer. */
  clear() {
    this.shown = null;
    $("veil").hidden = false;
  }

  /** Show what a search has found so far. */
  showSearch(pixels) {
    this.view.show(drawPixels(pixels));
  }

  draw() {
    if (!this.shown) return;
    const { target, hole } = state.stack.present;
    const filled = document.querySelector("[data-view=filled]");
    filled.hidden = !hole;
    if (!hole && state.view === "filled") state.view = "result";
    for (const each of $("views").children) each.setAttribute("aria-pressed", String(each.dataset.view === state.view));
    const compares = state.view === "compare";
    const after = state.view === "filled" ? fillHole(target, hole, this.shown.after) : this.shown.after;
    this.view.show(drawPixels(after), compares ? drawPixels(target ?? this.shown.before) : null);
    $("veil").hidden = true;
    $("note").textContent = state.stack.present.words;
    const name = state.view === "filled" ? "Your picture with its hole filled" : "The result";
    const label = compares ? "Divider: before on the left, after on the right" : `${name}: ${describe()}`;
    $("result").setAttribute("aria-label", label);
  }


  /** The picture at the beginning and after each step; those of steps that are off are dim. */
  drawFilm(film) {
    const [count, height, width, channels] = film.shape;
    const size = height * width * channels;
    const { steps } = state.stack.present;
    const items = Array.from({ length: count }, (_, k) => {
      const pixels = film.subarray(k * size, (k + 1) * size);
      pixels.shape = [height, width, channels];
      const canvas = make("canvas", { width, height, role: "img", "aria-label": k ? `After step ${k}` : "The beginning" });
      canvas.getContext("2d").drawImage(drawPixels(pixels), 0, 0);
      return make("li", { "data-off": String(k > 0 && steps[k - 1]?.on === false) }, canvas);
    });
    $("film").replaceChildren(...items);
  }
}

/** A picture uint8 [H, W, C] whose painted pixels are those of another one; the rest keeps its bits. */
function fillHole(target, hole, made) {
  const channels = target.shape[2];
  const filled = target.map((value, at) => (hole[4 * Math.floor(at / channels) + 3] > 127 ? made[at] : value));
  filled.shape = target.shape;
  return filled;
}
