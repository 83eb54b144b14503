// What the parts of the page share: the model, its abilities, the present look.

import { make } from "../common/shell.js";
import { LookHistory, encodeLook, makeBlank, tab } from "./look.js";
import { paint } from "./view.js";

export const $ = (id) => document.getElementById(id);

export const state = {
  model: "", // id of its run
  able: null, // what the server says that it can do
  look: makeBlank(),
  history: new LookHistory(),
  draw: () => {}, // set by the page
};

/** The address of a picture of the model. */
export function address(what, extra = "") {
  return `./api/explore/models/${encodeURIComponent(state.model)}/${what}?lane=${tab}${extra}`;
}

/** Whether one picture shows many samples: a cloud of points, a page of lines. */
export const showsMany = () => state.able.kind === "points" || state.able.kind === "text";

/** Change the look and draw it; `kind` groups quick changes for undo. */
export function changeLook(values, kind = "") {
  state.history.add(state.look, kind);
  state.look = { ...state.look, ...values };
  state.draw();
}

/** Show a problem above everything; "": none. */
export function showProblem(text) {
  $("problem").hidden = !text;
  $("problem").textContent = text;
}

/** A small picture of a look of a model, as a button. */
export function makeThumb(look, label, press) {
  const canvas = make("canvas", { "aria-hidden": "true" });
  const lane = `${tab}t${Math.random().toString(36).slice(2, 8)}`; // a lane of its own: the server answers each of them
  const path = `./api/explore/models/${encodeURIComponent(state.model)}/picture?lane=${lane}&${encodeLook(look)}`;
  fetch(path)
    .then(async (response) => response.status === 200 && paint(canvas, await response.blob()))
    .catch(() => {}); // the button works without its picture
  return make("button", { type: "button", "aria-label": label, title: label, onclick: press }, canvas);
}

/** Focus a button of a list that was made again, near place `i`; `otherwise` if the list is empty. */
export function focusNear(list, i, which, otherwise) {
  const items = $(list).children;
  const item = items[Math.min(i, items.length - 1)];
  (item?.querySelector(`${which}:not(:disabled)`) ?? item?.querySelector("button") ?? $(otherwise)).focus();
}
