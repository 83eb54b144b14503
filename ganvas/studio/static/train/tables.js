// Tables of the page /train. A name breaks between its parts only, and what it means stands below it: so a phone has room.

import { make } from "../common/shell.js";

const LONGEST = 24; // letters without a place to break: more of them break anywhere

/** A text as parts for `make`, with places to break after the marks within a name, such as train.learning_rate. */
export function splitWords(text) {
  const pieces = String(text).split(/(?<=[._/,:=])(?=\S)/u).flatMap((piece) => {
    return piece.split(new RegExp(`(?<=\\S{${LONGEST}})(?=\\S)`, "u"));
  });
  return pieces.flatMap((piece, i) => (i ? [make("wbr"), piece] : [piece]));
}

/** The head of a row: a name or a control, and what it means below. */
export function makeHead(name, meaning = "") {
  const words = meaning ? make("span", { class: "meaning" }, meaning) : null;
  return make("th", { scope: "row" }, ...(typeof name === "string" ? splitWords(name) : [name]), words);
}

export const makeCell = (text, style = null) => make("td", { class: style }, ...splitWords(text));

/** A table of rows: a name, its value, and perhaps what it means. */
export function makeFacts(rows) {
  const makeRow = ([name, value, meaning]) => make("tr", {}, makeHead(name, meaning), makeCell(value));
  return make("table", { class: "facts" }, make("tbody", {}, ...rows.map(makeRow)));
}

/** A table with a head, whose cells are text ("": empty), in a box that scrolls. */
export function makeTable(head, rows) {
  const cells = head.map((text) => (text === "" ? make("td") : make("th", { scope: "col" }, ...splitWords(text))));
  const table = make("table", { class: "facts" }, make("thead", {}, make("tr", {}, ...cells)), make("tbody", {}, ...rows));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" }, table);
}
