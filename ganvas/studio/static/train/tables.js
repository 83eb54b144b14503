// Tables of the page /train.

import { make } from "../common/shell.js";

/** A table of rows: a name, its value, and perhaps what it means. */
export function makeFacts(rows) {
  const makeMeaning = (text) => (text === undefined ? null : make("td", { class: "muted" }, text));
  const makeRow = ([name, value, meaning]) => {
    return make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value), makeMeaning(meaning));
  };
  return make("table", { class: "facts" }, make("tbody", {}, ...rows.map(makeRow)));
}

/** A table with a head, whose cells are text ("": empty), in a box that scrolls. */
export function makeTable(head, rows) {
  const cells = head.map((text) => (text === "" ? make("td") : make("th", { scope: "col" }, text)));
  const table = make("table", { class: "facts" }, make("thead", {}, make("tr", {}, ...cells)), make("tbody", {}, ...rows));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" }, table);
}
