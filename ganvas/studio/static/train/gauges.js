// Shares of 1 as bars: what the discriminator takes for real, and the balance.

import { make } from "../common/shell.js";

// [column of the log, name, mark, colour, dash]; UNIT is what the run counts
const VERDICTS = [
  ["verdict_real", "UNIT of the data", "●", "--real", "solid"],
  ["verdict_held_out", "data it never trained on", "○", "--warn", "dotted"],
  ["verdict_fake", "the generator's UNIT", "▲", "--fake", "dashed"],
];

/** The column of a note of one discriminator; its name is "" where the game has only one. */
export const nameColumn = (note, discriminator) => (discriminator ? `${note}_${discriminator}` : note);

/** What the discriminators judge in these rows of the log: {key, name, mark, token, dash}. */
export function listVerdicts(rows, unit, discriminators) {
  const all = discriminators.flatMap((who, i) => VERDICTS.map(([note, about, mark, token, dash]) => {
    const name = about.replace("UNIT", unit) + (who ? ` (${who})` : "");
    return { key: nameColumn(note, who), name, mark, token, dash: i ? "long" : dash };
  }));
  return all.filter(({ key }) => rows.some((row) => key in row));
}

/** One bar with its number. Its mark differs by shape and place, not only by colour. */
function makeGauge(name, value, mark, token, hint = "") {
  const percent = `${Math.round(100 * value)} %`;
  const fill = make("i");
  fill.style.setProperty("--v", String(Math.min(1, Math.max(0, value))));
  fill.style.setProperty("--c", `var(${token})`);
  const title = make("span", {}, make("span", { class: "mark", "aria-hidden": "true" }, mark), name);
  const label = make("div", { class: "label" }, title, make("b", { class: "num" }, percent));
  const meter = {
    class: "track", role: "meter", "aria-label": hint ? `${name}; ${hint}` : name,
    "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(100 * value), "aria-valuetext": percent,
  };
  return make("div", { class: "gauge" }, label, make("div", meter, fill));
}

/** The gauges of a row of the log. */
export function makeVerdictGauges(row, unit, discriminators) {
  const gauges = listVerdicts([row], unit, discriminators).map(({ key, name, mark, token }) => {
    return makeGauge(`takes ${name} for real`, row[key], mark, token, "at one half it can only guess");
  });
  if ("accuracy" in row) gauges.push(makeGauge("right answers", row.accuracy, "✓", "--accent"));
  return gauges.length ? gauges : [make("p", { class: "muted small" }, "This game has no discriminator.")];
}

/** The balance of a row of the log, with the words of the run. */
export function makeBalanceGauges(row, words, discriminators) {
  const known = discriminators.filter((who) => nameColumn("skill", who) in row);
  if (known.length) {
    const gauges = known.map((who) => {
      const name = who ? `the skill of the discriminator ${who}` : "the discriminator's skill";
      return makeGauge(name, row[nameColumn("skill", who)], "◆", "--warn", "left of the mark it guesses");
    });
    return [...gauges, make("p", { class: "small" }, words)];
  }
  const watched = discriminators.some((who) => nameColumn("lead", who) in row);
  const text = watched ? "The balance has not been measured yet." : "Nothing to balance in this game.";
  return [make("p", { class: "muted small" }, text)];
}
