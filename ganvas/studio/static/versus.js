// Two runs side by side: the settings they differ in, what they draw from the same noise, measures with intervals.

import { ask, count } from "./api.js";
import { short } from "./chart.js";
import { make } from "./shell.js";

const $ = (id) => document.getElementById(id);
let asked = 0;  // number of the latest question
let pair = "";  // which runs it is about
let waiting = false;  // whether it is still being answered
let seen = "";  // what is shown

/** Offer the other runs of the same kind of data. */
export function others(runs, id) {
  const before = $("other").value;
  const kind = runs.find((run) => run.id === id)?.alike;
  const found = runs.filter((run) => run.id !== id && run.model && kind && run.alike === kind).map((run) => run.id);
  if (found.join() !== [...$("other").options].map((option) => option.value).join()) $("other").replaceChildren(...found.map((name) => make("option", { value: name }, name)));
  if (found.includes(before)) $("other").value = before;
  $("contest").disabled = !found.length;
}

/** Look again whether the comparison still holds. */
export function refresh(a) {
  if (!waiting) versus(a);
}

/** Show how the comparison of `a` with the chosen run stands; `start` begins it. */
export async function versus(a, start = false) {
  const mine = ++asked;
  const b = $("other").value, samples = Number($("samples").value);
  waiting = b !== "";
  if (!waiting) { put("", make("p", { class: "muted small" }, "No other run with a model draws the same kind of data from the same source.")); return; }
  const query = `a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}&samples=${samples}`;
  if (query !== pair) put("");
  pair = query;
  try {
    let found = start ? await ask("train/compare", { method: "POST", body: { a, b, samples } }) : await ask(`train/compare?${query}`);
    for (;;) {
      if (mine !== asked) return;
      show(found, query);
      if (found.state !== "measuring") return;
      await new Promise((done) => setTimeout(done, 1500));
      found = await ask(`train/compare?${query}`);
    }
  } catch (wrong) {
    if (mine === asked) put("", make("p", { class: "problem" }, wrong.message));
  } finally {
    if (mine === asked) waiting = false;
  }
}

function put(spelt, ...parts) {
  seen = spelt;
  $("comparison").replaceChildren(...parts);
}

function show(found, query) {
  const spelt = JSON.stringify([found, query]);
  if (spelt === seen) return;
  const parts = [];
  const cell = (value) => make("td", {}, value === null || value === undefined ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value));
  parts.push(make("h3", {}, found.differences.length ? "Settings that differ" : "All settings are equal"));
  if (found.differences.length) parts.push(table(["", found.a, found.b], found.differences.map(([name, x, y]) => make("tr", {}, make("th", { scope: "row" }, name), cell(x), cell(y)))));
  if (found.state === "measuring") parts.push(make("p", { class: "muted" }, "Measuring both … this takes a minute or two; trainings go first."));
  if (found.words) parts.push(make("p", { class: found.state === "failed" ? "problem" : "muted" }, found.words));
  if (found.state === "ready") {
    const names = Object.keys(found.models[0]?.measures ?? {});
    const measured = (m) => m ? `${short(m.value)}${m.interval ? ` ± ${short(m.interval)}` : ""}` : "–";
    parts.push(make("h3", { class: "spaced" }, "Measures, with 95 % intervals"));
    parts.push(table(["", ...[found.a, found.b], "other real data"], names.map((name) => make("tr", {}, make("th", { scope: "row" }, name),
      ...found.models.map((model) => make("td", { class: "num" }, measured(model.measures[name]))), make("td", { class: "num" }, short(found.models[0].measures[name].floor ?? NaN))))));
    parts.push(make("p", { class: "muted small" }, `against ${found.reference}; ${found.models.map((model) => count(model.items)).join(" and ")} seen`));
    if (found.note) parts.push(make("p", { class: "muted small" }, found.note));
    const now = found.models.map((model) => model.items).join("-");  // another address when they were measured anew
    parts.push(make("h3", {}, "The same noise"));
    parts.push(make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Sheets side by side" }, make("img", { src: `./api/train/compare/sheet?${query}&at=${now}`, alt: `What ${found.a} and ${found.b} draw from the same noise, and real samples` })));
  }
  put(spelt, ...parts);
}

function table(head, rows) {
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" }, make("table", { class: "facts" },
    make("thead", {}, make("tr", {}, ...head.map((text) => text === "" ? make("td") : make("th", { scope: "col" }, text)))), make("tbody", {}, ...rows)));
}
