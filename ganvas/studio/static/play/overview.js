// The game in one row: noise, artist, fakes, critic, data, both losses. Slow motion shows which of them are at work.

import { shorten } from "../common/chart.js";
import { make } from "../common/shell.js";

// [id, title, the field's word, style], and between two boxes an arrow: [mark, words]
const ROW = [
  ["noise", "Noise z", "", "plain-node"], ["→", "goes to"],
  ["G", "Artist G", "the generator", "artist"], ["→", "makes"],
  ["fakes", "▲ Fakes", "", "artist"], ["→", "go to"],
  ["D", "Critic D", "the discriminator", "critic"], ["←", "go to"],
  ["data", "● Data", "", "real-node"], ["loss-D", "Loss of D", "", "critic"], ["loss-G", "Loss of G", "", "artist"],
];

/** What D says of one kind of points: its mean, and beside it the share above one half. */
function describeVerdict(mean, share) {
  if (!Number.isFinite(mean)) return "not judged yet";
  return `D ${mean.toFixed(2)}${Number.isFinite(share) ? ` · ${Math.round(100 * share)} % above ½` : ""}`;
}

const describeLayers = (width, depth) => `${depth} hidden layer${depth === 1 ? "" : "s"} of ${width}`;

export class Overview {
  constructor(root) {
    this.boxes = {};
    const items = ROW.map((entry) => (entry.length === 2 ? makeArrow(...entry) : this.makeBox(...entry)));
    root.append(make("ol", { class: "nodes" }, ...items));
  }

  makeBox(id, title, word, style) {
    const about = make("span", { class: "small muted num" }, "\u00a0");
    const name = make("span", {}, make("strong", {}, title), word ? make("span", { class: "small" }, ` ${word}`) : null);
    const box = make("li", { class: `node ${style}`, "data-node": id }, name, about);
    this.boxes[id] = { box, about };
    return box;
  }

  /** Show the numbers of a picture, and the boxes that a caption of slow motion names (null: no caption). */
  show({ setup, terms, notes }, caption) {
    const texts = {
      noise: `${setup.latent_dim} ${setup.noise} number${setup.latent_dim === 1 ? "" : "s"}`,
      G: describeLayers(setup.width, setup.depth),
      fakes: describeVerdict(notes.mean_fake, notes.verdict_fake),
      D: describeLayers(setup.critic_width, setup.critic_depth),
      data: describeVerdict(notes.mean_real, notes.verdict_real),
      "loss-D": shorten(terms.D ?? NaN),
      "loss-G": shorten(terms.G ?? NaN),
    };
    for (const [id, { box, about }] of Object.entries(this.boxes)) {
      about.textContent = texts[id];
      box.dataset.lit = caption ? String(caption.boxes.includes(id)) : "";
    }
  }
}

function makeArrow(mark, words) {
  const shape = make("span", { "aria-hidden": "true" }, mark);
  return make("li", { class: "way" }, shape, make("span", { class: "unseen" }, words));
}
