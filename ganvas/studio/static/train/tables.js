// Tables of the page /train.

import { make } from "../common/shell.js";

/** A table of [name, value] rows. */
export function makeFacts(rows) {
  const makeRow = ([name, value]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value));
  return make("table", { class: "facts" }, make("tbody", {}, ...rows.map(makeRow)));
}

/** A table with a head, whose cells are text ("": empty), in a box that scrolls. */
export function makeTable(head, rows) {
  const cells = head.map((text) => (text === "" ? make("td") : make("th", { scope: "col" }, text)));
  const table = make("table", { class: "facts" }, make("thead", {}, make("tr", {}, ...cells)), make("tbody", {}, ...rows));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" }, table);
}
