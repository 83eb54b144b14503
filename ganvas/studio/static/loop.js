// The game at a glance: noise, artist, fakes, critic, data and both losses in one row; slow motion lights who is at work.

import { short } from "./chart.js";
import { make } from "./shell.js";

// Who is at work in each of slow motion's ten stages.
const AT_WORK = [["noise", "G", "fakes"], ["fakes", "data", "D"], ["loss-D"], ["loss-D", "D"], ["D"], ["noise", "G", "fakes"], ["fakes", "D"], ["loss-G"], ["loss-G", "D", "fakes"], ["G"]];
const percent = (share) => `${Math.round(100 * share)} %`;
const layers = (width, depth) => `${depth} hidden layer${depth === 1 ? "" : "s"} of ${width}`;

export class Loop {
  constructor(root) {
    this.boxes = {};
    const box = (id, title, token) => {
      const about = make("span", { class: "small muted num" });
      const whole = make("li", { class: `node ${token}`, "data-node": id }, make("strong", {}, title), about);
      this.boxes[id] = { whole, about };
      return whole;
    };
    const way = (mark, words) => make("li", { class: "way" }, make("span", { "aria-hidden": "true" }, mark), make("span", { class: "unseen" }, words));
    root.append(make("ol", { class: "nodes" }, box("noise", "Noise z", "plain-node"), way("→", "goes to"), box("G", "Artist G", "artist"), way("→", "makes"), box("fakes", "▲ Fakes", "artist"),
      way("→", "are shown to"), box("D", "Critic D", "critic"), way("←", "is shown"), box("data", "● Data", "real-node"), box("loss-D", "Loss of D", "critic"), box("loss-G", "Loss of G", "artist")));
  }

  show({ setup, terms, notes, caption }) {
    const said = {
      noise: `${setup.latent_dim} ${setup.noise} number${setup.latent_dim === 1 ? "" : "s"}`,
      G: layers(setup.width, setup.depth),
      fakes: notes.verdict_fake === undefined ? "not judged yet" : `${percent(notes.verdict_fake)} pass for real`,
      D: layers(setup.critic_width, setup.critic_depth),
      data: notes.verdict_real === undefined ? setup.data : `${percent(notes.verdict_real)} are believed`,
      "loss-D": short(terms.D ?? NaN),
      "loss-G": short(terms.G ?? NaN),
    };
    const work = caption ? AT_WORK[caption[0] - 1] : null;
    for (const [id, { whole, about }] of Object.entries(this.boxes)) {
      about.textContent = said[id];
      whole.dataset.lit = work ? String(work.includes(id)) : "";
    }
  }
}
