// Style mixing by layer, and the noise of the layers, of a model with styles.

import { connectSeed } from "../common/seed.js";
import { make } from "../common/shell.js";
import { $, changeLook, state } from "./state.js";

const listBoxes = () => [...$("layers").querySelectorAll("input")];

/** The layers that the look takes from the other seed. */
function listMixed({ layers, cut }, styles) {
  return layers.length ? layers : Array.from({ length: styles }, (_, i) => i).filter((i) => i >= cut);
}

/** Make the boxes of a model's layers. */
export function makeLayerBoxes({ styles, noise }) {
  $("mixing").hidden = !styles;
  $("noise-box").hidden = !noise;
  const makeBox = (_, i) => {
    const input = make("input", { type: "checkbox", value: i, onchange: changeLayers });
    return make("label", { class: "layer" }, input, String(i + 1));
  };
  $("layers").replaceChildren(...Array.from({ length: styles }, makeBox));
}

/** Mix the ticked layers; without one there is nothing to mix. */
function changeLayers() {
  const layers = listBoxes().filter((input) => input.checked).map(({ value }) => Number(value));
  changeLook({ mix: layers.length ? Number($("mix-seed").value) : null, layers });
}

/** Tick a third of the layers. */
function chooseThird(name) {
  const { styles } = state.able;
  const third = { early: 0, middle: 1, late: 2 }[name];
  const isIn = (i) => Math.min(2, Math.floor((3 * i) / styles)) === third;
  listBoxes().forEach((input, i) => { input.checked = isIn(i); });
  changeLayers();
}

function toggleMix() {
  const mix = $("mix").checked ? Number($("mix-seed").value) : null;
  const { layers, cut } = state.look;
  const isNew = mix !== null && !layers.length && !cut;
  changeLook({ mix, ...(isNew ? { cut: Math.floor(state.able.styles / 2) } : {}) });
}

const changeNoise = () => changeLook({ noise: $("noise").checked ? Number($("noise-seed").value) : null });

/** Draw the noise of the layers from another seed. */
function rollNoise() {
  $("noise").checked = true;
  $("noise-seed").value = Math.floor(Math.random() * 100_000);
  changeNoise();
}

/** Put the boxes where the look is. */
export function showMix() {
  const { look, able } = state;
  $("mix").checked = look.mix !== null;
  if (look.mix !== null) $("mix-seed").value = look.mix;
  const mixed = look.mix === null ? [] : listMixed(look, able.styles);
  listBoxes().forEach((input, i) => { input.checked = mixed.includes(i); });
  $("noise").checked = look.noise !== null;
  if (look.noise !== null) $("noise-seed").value = look.noise;
  for (const id of ["mix", "noise", "other-noise"]) $(id).disabled = look.resolution !== null; // a lower one has no styles
}

/** Connect the boxes to the page. */
export function connectMix() {
  $("mix").addEventListener("change", toggleMix);
  const readMix = () => state.look.mix ?? $("mix-seed").defaultValue;
  connectSeed($("mix-seed"), readMix, (mix) => $("mix").checked && changeLook({ mix }));
  for (const button of document.querySelectorAll("[data-layers]")) {
    button.addEventListener("click", () => chooseThird(button.dataset.layers));
  }
  $("noise").addEventListener("change", changeNoise);
  const readNoise = () => state.look.noise ?? $("noise-seed").defaultValue;
  connectSeed($("noise-seed"), readNoise, () => $("noise").checked && changeNoise());
  $("other-noise").addEventListener("click", rollNoise);
}
