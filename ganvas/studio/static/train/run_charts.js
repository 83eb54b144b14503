// The four charts of a run: losses, verdicts, the held-out distance, the balance.

import { Chart } from "../common/chart.js";
import { make } from "../common/shell.js";
import { listVerdicts, nameColumn } from "./gauges.js";

const $ = (id) => document.getElementById(id);
const MAX_POINTS = 600; // of a curve
const STYLES = [
  ["--accent", "solid"], ["--fake", "dashed"], ["--warn", "dotted"],
  ["--real", "long"], ["--bad", "dashed"], ["--ink", "dotted"],
];
const BALANCE = [
  { key: "skill", name: "the discriminator's skill", token: "--warn", dash: "solid" },
  { key: "lead", name: "how far it is slowed down", token: "--accent", dash: "dashed" },
  { key: "augment", name: "augmentation", token: "--fake", dash: "dotted" },
];
const MEANINGS = {
  losses: "Each player lowers its own loss, so no curve falls for long: what one player gains the other loses. A loss that "
    + "stays far from the level where D can only guess says that one player is ahead.",
  verdicts: "How much of each kind the discriminator takes for real. With perfect fakes all curves meet at one half. If data "
    + "it never trained on lie far below the data it trains on, it learns its data by heart.",
  players: "The skill is the share of right answers. Between 0.55 and 0.95 both players learn. Outside, the training slows the "
    + "discriminator down or augments its inputs; these curves show by how much.",
  curve: "How far the samples are from pictures that were held out. The floor is the value of other real data: no model gets "
    + "below it. Compare values of one name only.",
};
const NOT_MEASURES = ["step", "items", "floor"]; // columns of a row of measures

/** At most `most` rows, evenly spaced, always with the last. */
function thin(rows, most) {
  if (rows.length <= most) return rows;
  return Array.from({ length: most }, (_, i) => rows[Math.round((i * (rows.length - 1)) / (most - 1))]);
}

/** Fill gaps with the value before: a lazy penalty is not in every row. */
function fillGaps(values) {
  let last = NaN;
  return values.map((value) => (Number.isFinite(value) ? (last = value) : last));
}

export class RunCharts {
  constructor() {
    this.charts = {};
    for (const name of ["losses", "verdicts", "curve", "players"]) $(name).replaceChildren();
  }

  /** Draw rows of means and measures of the log. */
  draw(details, rows, measures) {
    this.details = details;
    this.rows = thin(rows, MAX_POINTS);
    this.steps = this.rows.map((row) => row.items);
    this.drawLosses();
    this.drawVerdicts();
    this.drawBalance();
    this.drawMeasures(measures);
  }

  /** The values of some columns, NaN in the gaps. */
  readColumns(series, fill = (values) => values) {
    const read = (name) => this.rows.map((row) => (Number.isFinite(row[name]) ? row[name] : NaN));
    return Object.fromEntries(series.map(({ key }) => [key, fill(read(key))]));
  }

  hasColumn(name) {
    return this.rows.some((row) => name in row);
  }

  drawLosses() {
    const names = this.details.terms.filter((name) => this.hasColumn(name));
    const series = names.map((name, i) => {
      const [token, dash] = STYLES[i % STYLES.length];
      return { key: name, name, token, dash };
    });
    const { value, text } = this.details.equilibrium;
    const lines = value ? [{ y: value, text: `D at ${text}: it can only guess` }] : [];
    const options = { title: "Losses", about: "each term of the players' objectives", lines };
    this.drawChart("losses", series, options, this.steps, this.readColumns(series, fillGaps));
  }

  drawVerdicts() {
    const series = listVerdicts(this.rows, this.details.unit, this.details.discriminators);
    const lines = [{ y: 0.5, text: "one half" }];
    const options = { title: "Taken for real", about: "by the discriminator", low: 0, high: 1, lines };
    this.drawChart("verdicts", series, options, this.steps, this.readColumns(series, fillGaps));
  }

  drawBalance() {
    const all = this.details.discriminators.flatMap((who, i) => BALANCE.map(({ key, name, token, dash }) => {
      return { key: nameColumn(key, who), name: who ? `${name} (${who})` : name, token, dash: i ? "long" : dash };
    }));
    const series = all.filter(({ key }) => this.hasColumn(key));
    const lines = [{ y: 0.5, text: "a guess" }];
    const options = { title: "Balance", about: "the skill, and what was done about it", low: 0, lines };
    this.drawChart("players", series, options, this.steps, this.readColumns(series));
  }

  drawMeasures(measures) {
    const columns = Object.keys(measures[measures.length - 1] ?? {});
    const metric = columns.find((name) => !NOT_MEASURES.includes(name));
    if (!metric) {
      this.blank("curve", "measure");
      return;
    }
    const values = measures.map((row) => row[metric]);
    const floor = measures.find((row) => Number.isFinite(row.floor))?.floor;
    const lines = floor === undefined ? [] : [{ y: floor, text: `floor ${floor.toPrecision(3)}: other real data` }];
    const series = [{ key: metric, name: "the model", token: "--accent", dash: "solid" }];
    const options = { title: `Distance ${metric}`, about: "to held-out data; lower is better", low: 0, lines };
    // The first distances are those of noise. They are so large that later ones would lie on the axis, so they may leave
    // the chart at the top.
    const late = values.slice(Math.floor(values.length / 3));
    if (values.length > 5 && this.charts.curve) this.charts.curve.chart.high = 1.6 * Math.max(...late);
    this.drawChart("curve", series, options, measures.map((row) => row.items), { [metric]: values });
  }

  /** Draw the chart `name`. It is made again when its series change. */
  drawChart(name, series, options, steps, values) {
    if (!series.length) {
      this.blank(name, "chart");
      return;
    }
    const identity = series.map(({ key }) => key).join();
    if (this.charts[name]?.identity !== identity) {
      $(name).replaceChildren();
      const chart = new Chart($(name), { ...options, meaning: MEANINGS[name], series, axis: this.details.unit });
      this.charts[name] = { identity, chart };
    }
    this.charts[name].chart.draw(steps, values, options.lines);
  }

  /** Say why there is no chart. */
  blank(name, reason) {
    delete this.charts[name];
    $(name).replaceChildren(make("p", { class: "muted small" }, this.details.missing[reason]));
  }
}
