// The five charts of a session.

import { Chart, shorten } from "../common/chart.js";

const SKILLS = [
  { key: "skill_D", name: "critic D", token: "--accent" },
  { key: "skill_G", name: "artist G", token: "--fake", dash: "dashed" },
];

/** values [rows, keys] -> {key: [rows]} */
function splitColumns(values, keys) {
  const [rows, width] = values.shape;
  return Object.fromEntries(keys.map((name, k) => [name, Array.from({ length: rows }, (_, i) => values[i * width + k])]));
}

export class SessionCharts {
  constructor(root) {
    this.loss = new Chart(root, {
      title: "Losses",
      series: [
        { key: "D", name: "critic D", token: "--accent" },
        { key: "G", name: "artist G", token: "--fake", dash: "dashed" },
      ],
    });
    this.verdict = new Chart(root, {
      title: "Called real by D", low: 0, high: 1, lines: [{ y: 0.5, text: "one half" }],
      series: [
        { key: "verdict_real", name: "● data", token: "--real" },
        { key: "verdict_fake", name: "▲ fakes", token: "--fake", dash: "dashed" },
      ],
    });
    this.distance = new Chart(root, {
      title: "Distance from fakes to data", about: "in nats",
      series: [{ key: "kl", name: "KL", token: "--ink" }, { key: "js", name: "JS", token: "--edge", dash: "dashed" }],
    });
    this.modes = new Chart(root, {
      title: "Modes covered", low: 0, series: [{ key: "captured", name: "covered", token: "--real" }],
    });
    this.skill = new Chart(root, {
      title: "Skill of each player", about: "D: share it judges right · G: share taken for real",
      low: 0, high: 1, lines: [{ y: 0.5, text: "balance" }], series: SKILLS,
    });
  }

  draw({ facts, arrays }) {
    const moves = splitColumns(arrays.moves_values, facts.move_keys);
    const steps = Array.from(arrays.moves_steps);
    const [level, text] = facts.equilibrium;
    const value = text === "2 ln 2" ? " = 1.386" : "";
    this.loss.draw(steps, moves, [{ y: level, text: `D at equilibrium: ${text}${value}` }]);
    this.verdict.draw(steps, moves);
    this.skill.draw(steps, moves);
    const measures = splitColumns(arrays.measures_values, facts.measure_keys);
    const measured = Array.from(arrays.measures_steps);
    const floor = { y: facts.floor.kl, text: `a perfect G: KL ${shorten(facts.floor.kl)}` };
    this.distance.draw(measured, measures, [floor]);
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
