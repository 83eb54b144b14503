// What the parts of the page share: the facts that the server sent, the model, and what the link holds.

import { ask } from "../common/api.js";

export const $ = (id) => document.getElementById(id);

export const schema = await ask("translate/schema");

export const state = {
  model: null, // of `models`
  way: null, // one of its ways
  mode: "", // draw, picture or camera
  seed: 0,
  strength: 1,
  size: 0, // pixels of the longer side of what goes in; 0: as it is
  view: "result", // or compare, or back
};

/** Show a problem above everything; "": none. */
export function showProblem(text) {
  $("problem").hidden = !text;
  $("problem").textContent = text;
}

/** Mark the pressed one of a group of buttons, each with `data-NAME`. */
export function pressOne(buttons, name, value) {
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset[name] === value));
}

/** Offer a blob, or an address of this server, as a file. */
export function download(source, name) {
  const address = source instanceof Blob ? URL.createObjectURL(source) : source;
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  link.click();
  if (source instanceof Blob) setTimeout(() => URL.revokeObjectURL(address), 10_000); // the download has begun by then
}
