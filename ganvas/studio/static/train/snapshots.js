// The snapshots of a run: the same noise at every moment, one picture at a time or as a film.

import { formatCount, spellCount } from "../common/api.js";
import { calm } from "../common/shell.js";

const $ = (id) => document.getElementById(id);
const FILM_MILLISECONDS = 220;

/** Give the frame the shape of the picture, so that it is as large as the window allows. */
function fitFrame({ naturalWidth, naturalHeight }) {
  $("frame").style.setProperty("--ratio", naturalWidth / naturalHeight);
}

export class Snapshots {
  constructor(path) {
    Object.assign(this, { path, details: null, following: true, film: null });
    $("picture").removeAttribute("src");
    $("picture").hidden = true;
    $("caption").textContent = "The picture is on its way";
    $("picture").onload = () => fitFrame($("picture"));
    $("newest").setAttribute("aria-pressed", "true");
  }

  get place() {
    return Number($("scrub").value);
  }

  get last() {
    return Number($("scrub").max);
  }

  draw(details) {
    this.details = details;
    const { snapshots, draws, explores, unit } = details;
    $("scrub").max = Math.max(0, snapshots.length - 1);
    if (this.following) $("scrub").value = this.last;
    const isBlank = !snapshots.length;
    for (const part of [$("scrub").parentElement, $("same-noise")]) part.hidden = !draws && isBlank;
    for (const id of ["film", "scrub", "newest"]) $(id).disabled = isBlank;
    const what = explores ? `noise in every picture: the ${unit} change` : "inputs in every picture: the outputs change";
    $("same-noise").textContent = `The same ${what} as training goes on.`;
    this.show();
  }

  /** Show the picture at the slider. */
  show() {
    const { snapshots, total, unit, missing, explores } = this.details;
    const at = Math.min(this.place, snapshots.length - 1);
    const items = snapshots[at];
    $("picture").hidden = items === undefined;
    $("no-picture").hidden = items !== undefined;
    if (items === undefined) {
      $("caption").textContent = "";
      $("no-picture").textContent = missing.picture;
      return;
    }
    const text = `${spellCount(items, unit)}${items === 0 ? ": before the first move" : ""}`;
    const source = `./api/${this.path}/samples/${items}`;
    if ($("picture").getAttribute("src") !== source) $("picture").src = source;
    const given = explores ? "one noise" : "the same inputs";
    $("picture").alt = `What the generator makes of ${given} after ${formatCount(items)} of ${formatCount(total)} ${unit}`;
    $("caption").textContent = `${text} · picture ${at + 1} of ${snapshots.length}`;
    $("scrub").setAttribute("aria-valuetext", text);
  }

  /** Look at one picture, or follow the newest. */
  follow(on) {
    this.following = on;
    $("newest").setAttribute("aria-pressed", String(on));
    if (on && this.details) this.draw(this.details);
  }

  /** The slider was moved. */
  scrub() {
    this.stop();
    this.follow(this.place === this.last);
    if (this.details) this.show();
  }

  step() {
    $("scrub").value = this.place + 1;
    this.show();
  }

  /** Play all pictures as a film, or stop it; with reduced motion, one picture each time. */
  play() {
    if (!this.details) return;
    this.follow(false);
    const atEnd = this.place >= this.last;
    if (calm.matches) {
      $("scrub").value = atEnd ? 0 : this.place + 1;
      this.show();
      return;
    }
    if (this.film) {
      this.stop();
      return;
    }
    if (atEnd) $("scrub").value = 0;
    this.showButton("Ⅱ", "Stop the film");
    this.film = setInterval(() => (this.place >= this.last ? this.stop() : this.step()), FILM_MILLISECONDS);
  }

  stop() {
    clearInterval(this.film);
    this.film = null;
    this.showButton("▶", "Play the pictures from the first");
  }

  showButton(mark, label) {
    $("film").textContent = mark;
    $("film").setAttribute("aria-label", label);
  }
}
