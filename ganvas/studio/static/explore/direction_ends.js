// The two ends of each direction as small pictures: what the slider does to the present seed. A press goes there.

import { make } from "../common/shell.js";
import { encodeLook } from "./look.js";
import { address, changeLook, state } from "./state.js";
import { View } from "./view.js";

const WAIT_MILLISECONDS = 400; // after the last change: the picture itself comes first
const sheet = document.createElement("canvas");
const view = new View(sheet);
let timer = 0;
let shownPath = "";

/** A button with one end of a direction. */
export function makeEnd(name, side, value, label) {
  const canvas = make("canvas", { "aria-hidden": "true", width: 1, height: 1 });
  const press = () => changeLook({ moves: { ...state.look.moves, [name]: value } });
  const facts = { type: "button", class: "end", "data-end": name, "data-side": side, title: label, "aria-label": label };
  return make("button", { ...facts, onclick: press }, canvas);
}

/** Forget the pictures of another model. */
export function clearEnds() {
  shownPath = "";
  view.clear();
}

/** Draw the ends for the look, once it rests, and only if something else than its moves has changed. */
export function drawEnds() {
  if (!state.able.directions.length || state.look.resolution !== null) return;
  const path = address("ends", `&${encodeLook({ ...state.look, moves: {} })}`);
  if (path === shownPath) return;
  clearTimeout(timer);
  timer = setTimeout(() => {
    shownPath = path;
    view.ask(path, (response) => cut(JSON.parse(response.headers.get("X-Ganvas-Names"))));
  }, WAIT_MILLISECONDS);
}

/** Cut the sheet, two columns and a row for each name, into the buttons. */
function cut(names) {
  const [width, height] = [sheet.width / 2, sheet.height / names.length];
  for (const button of document.querySelectorAll("[data-end]")) {
    const row = names.indexOf(button.dataset.end);
    if (row < 0) continue;
    const canvas = button.firstChild;
    Object.assign(canvas, { width, height });
    const left = button.dataset.side === "high" ? width : 0;
    canvas.getContext("2d").drawImage(sheet, left, row * height, width, height, 0, 0, width, height);
  }
}
