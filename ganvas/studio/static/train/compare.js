// Two runs side by side: the settings that differ, what they generate from the same noise, measures with intervals.

import { ask, formatCount } from "../common/api.js";
import { shorten } from "../common/chart.js";
import { make } from "../common/shell.js";
import { makeCell, makeHead, makeTable } from "./tables.js";

const $ = (id) => document.getElementById(id);
const POLL_MILLISECONDS = 1500;
const NO_OTHER = "No other run with a model generates the same kind of data from the same source.";
let question = 0; // number of the latest question
let pair = ""; // the runs that it is about
let waiting = false; // whether it is still being answered
let shown = ""; // what is on the page

/** Offer the other runs of the same kind of data. */
export function offerRuns(runs, id) {
  const before = $("other").value;
  const kind = runs.find((run) => run.id === id)?.alike;
  const suits = (run) => run.id !== id && run.model && kind && run.alike === kind;
  const names = runs.filter(suits).map((run) => run.id);
  const present = [...$("other").options].map((option) => option.value);
  if (names.join() !== present.join()) {
    $("other").replaceChildren(...names.map((name) => make("option", { value: name }, name)));
  }
  if (names.includes(before)) $("other").value = before;
  $("contest-box").hidden = !names.length; // an empty choice says nothing; a line does
  $("contest").disabled = !names.length;
}

/** Look again whether the comparison is still of the present models. */
export function refreshComparison(a) {
  if (!waiting) compareWith(a);
}

/** Show how the comparison of `a` with the chosen run stands; `start`: measure them. */
export async function compareWith(a, start = false) {
  const mine = ++question;
  const [b, samples] = [$("other").value, Number($("samples").value)];
  waiting = b !== "";
  if (!waiting) return put("", make("p", { class: "muted small" }, NO_OTHER));
  const query = `a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}&samples=${samples}`;
  if (query !== pair) put("");
  pair = query;
  try {
    if (start) await ask("train/compare", { method: "POST", body: { a, b, samples } });
    await follow(query, () => mine === question);
  } catch (wrong) {
    if (mine === question) put("", make("p", { class: "problem" }, wrong.message));
  } finally {
    if (mine === question) waiting = false;
  }
  return undefined;
}

/** Show a comparison, and ask again until it is measured. */
async function follow(query, isLatest) {
  for (;;) {
    const found = await ask(`train/compare?${query}`);
    if (!isLatest()) return;
    show(found, query);
    if (found.state !== "measuring") return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
}

/** Replace what is on the page; `text` tells whether the next answer is the same. */
function put(text, ...parts) {
  shown = text;
  $("comparison").replaceChildren(...parts);
}

function show(found, query) {
  const text = JSON.stringify([found, query]);
  if (text === shown) return; // a new table would lose its scroll position
  const parts = [];
  if (found.state === "measuring") {
    parts.push(make("p", { class: "muted" }, "Measuring both … this takes a minute or two; trainings go first."));
  }
  if (found.words) parts.push(make("p", { class: found.state === "failed" ? "problem" : "muted" }, found.words));
  if (found.state === "ready") parts.push(...showMeasures(found), ...showSheet(found, query));
  put(text, ...parts, ...showDifferences(found));
}

function showDifferences({ a, b, differences }) {
  if (!differences.length) return [make("h3", {}, "All settings are equal")];
  const format = (value) => {
    if (value === null || value === undefined) return "–";
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  };
  const makeRow = ([name, ...values]) => {
    return make("tr", {}, makeHead(name), ...values.map((value) => makeCell(format(value))));
  };
  return [make("h3", { class: "spaced" }, "Settings that differ"), makeTable(["", a, b], differences.map(makeRow))];
}

function showMeasures({ a, b, models, reference, note, about }) {
  const format = (m) => (m ? `${shorten(m.value)}${m.interval ? ` ± ${shorten(m.interval)}` : ""}` : "–");
  const makeRow = (name) => {
    const values = models.map((model) => format(model.measures[name]));
    const floor = shorten(models.find((model) => model.measures[name])?.measures[name].floor ?? NaN);
    const cells = [...values, floor].map((text) => makeCell(text, "num"));
    const [what, better] = about[name] ?? ["", ""];
    const words = [what, better].filter(Boolean).join("; ");
    return make("tr", {}, makeHead(name, words), ...cells);
  };
  const names = [...new Set(models.flatMap((model) => Object.keys(model.measures)))];
  const items = models.map((model) => formatCount(model.items)).join(" and ");
  const parts = [
    make("h3", { class: "spaced" }, "Measures, with 95 % intervals"),
    makeTable(["", a, b, "other real data"], names.map(makeRow)),
    make("p", { class: "muted small" }, `against ${reference}; trained on ${items}`),
  ];
  if (note) parts.push(make("p", { class: "muted small" }, note));
  return parts;
}

function showSheet({ a, b, models }, query) {
  const version = models.map((model) => model.items).join("-"); // another address when they were measured again
  const alt = `What ${a} and ${b} generate from the same noise, and real samples`;
  const href = `./api/train/compare/sheet?${query}&at=${version}`;
  const link = make("a", { href, target: "_blank", class: "sheet-link" }, make("img", { src: href, alt, class: "sheet-img" }));
  const how = make("p", { class: "muted small" }, "Press the sheet to see each pixel.");
  return [make("h3", { class: "spaced" }, "The same noise"), link, how];
}
