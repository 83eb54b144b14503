// The charts of a session, each with an explanation. A lesson puts the ones it speaks of first.

import { Chart, shorten } from "../common/chart.js";

const CRITIC = { name: "critic D", token: "--accent" };
const ARTIST = { name: "artist G", token: "--fake", dash: "dashed" };
const REALS = { name: "● data", token: "--real" };
const FAKES = { name: "▲ fakes", token: "--fake", dash: "dashed" };
const HALF = { low: 0, high: 1, lines: [{ y: 0.5, text: "one half" }] };

const CHARTS = {
  loss: {
    title: "Losses",
    meaning: "The losses of single steps. They do not fall as in other trainings: each player makes the other's task harder. "
      + "The line is the loss of D when it can only guess.",
    series: [{ key: "D", ...CRITIC }, { key: "G", ...ARTIST }],
  },
  mean: {
    title: "What D says on average", ...HALF,
    meaning: "The mean of D(x) over data and over fakes. At equilibrium both are one half: D can only guess.",
    series: [{ key: "mean_real", ...REALS }, { key: "mean_fake", ...FAKES }],
  },
  modes: {
    title: "Modes covered", low: 0, series: [{ key: "captured", name: "covered", token: "--real" }],
    meaning: "A mode counts if at least a quarter of its share of the fakes lies within 3 standard deviations of it. Of data "
      + "without modes: the mass of the data in cells that have at least half of their share of the fakes.",
  },
  kl: {
    title: "KL from fakes to data", about: "in nats",
    meaning: "KL(data || fakes), counted in cells. It is large if fakes are missing where data are. The line is the value of "
      + "a perfect generator with as many samples.",
    series: [{ key: "kl", name: "KL", token: "--ink" }],
  },
  js: {
    title: "JS between fakes and data", about: "in nats, at most ln 2", low: 0, high: Math.LN2,
    meaning: "The Jensen-Shannon divergence, counted in cells: 0 if fakes and data are distributed alike, ln 2 = 0.69 if they "
      + "never meet. With the best D, the minimax loss is 2 ln 2 - 2 JS. The line is the value of a perfect generator.",
    series: [{ key: "js", name: "JS", token: "--ink", dash: "dashed" }],
  },
  verdict: {
    title: "Share above one half", ...HALF,
    meaning: "The share of points that D takes for real. Where D is nearly flat at one half this share jumps between 0 and 1, "
      + "though D hardly changes: then look at the mean.",
    series: [{ key: "verdict_real", ...REALS }, { key: "verdict_fake", ...FAKES }],
  },
  skill: {
    title: "Skill of each player", ...HALF, lines: [{ y: 0.5, text: "balance" }],
    meaning: "D: the chance that it judges a point right. G: the mean of D over its fakes. At one half they are level.",
    series: [{ key: "skill_D", ...CRITIC }, { key: "skill_G", ...ARTIST }],
  },
};

/** values [rows, keys] -> {key: [rows]} */
function splitColumns(values, keys) {
  const [rows, width] = values.shape;
  return Object.fromEntries(keys.map((name, k) => [name, Array.from({ length: rows }, (_, i) => values[i * width + k])]));
}

export class SessionCharts {
  constructor(root) {
    this.root = root;
    for (const [name, options] of Object.entries(CHARTS)) this[name] = new Chart(root, options);
  }

  /** Put the charts that are named first; the others follow in their usual order. */
  order(first) {
    const names = [...first, ...Object.keys(CHARTS).filter((name) => !first.includes(name))];
    this.root.append(...names.map((name) => this[name].root));
  }

  draw({ facts, arrays }) {
    const moves = splitColumns(arrays.moves_values, facts.move_keys);
    const steps = Array.from(arrays.moves_steps);
    const [level, text] = facts.equilibrium;
    const value = text === "2 ln 2" ? " = 1.386" : "";
    this.loss.draw(steps, moves, [{ y: level, text: `D at equilibrium: ${text}${value}` }]);
    for (const chart of [this.mean, this.verdict, this.skill]) chart.draw(steps, moves);
    const measures = splitColumns(arrays.measures_values, facts.measure_keys);
    const measured = Array.from(arrays.measures_steps);
    for (const name of ["kl", "js"]) {
      const floor = { y: facts.floor[name], text: `a perfect G: ${shorten(facts.floor[name])}` };
      this[name].draw(measured, measures, [floor]);
    }
    this.drawModes(measured, measures, facts.measures.modes);
  }

  /** The number of modes that the fakes reach; of data without modes, the share that they cover. */
  drawModes(steps, measures, modes) {
    const chart = this.modes;
    const several = modes > 1;
    chart.high = modes ?? 1;
    chart.title = several ? `Modes covered, of ${modes}` : "Share of the data covered";
    chart.root.querySelector("strong").textContent = chart.title;
    chart.draw(steps, { captured: several ? measures.captured : measures.covered }, []);
  }
}
