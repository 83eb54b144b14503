// The choice of a class: buttons where there are few, else a list.

import { make } from "../common/shell.js";
import { schema } from "./look.js";
import { $, changeLook, state } from "./state.js";

const choose = (value) => changeLook({ label: value === "" ? null : Number(value) });

/** Make the choice for a model; a model of couples can show all of its domains side by side. */
export function makeClassChoice({ classes, couples }) {
  const isShort = classes.length <= schema.few_classes;
  $("classes").hidden = !classes.length;
  $("class-buttons").hidden = !isShort;
  $("class-choice").hidden = isShort;
  const all = couples ? [["", "all, side by side"]] : [];
  const choices = [...all, ...classes.map((name, i) => [String(i), name])];
  $("label").replaceChildren(...choices.map(([value, text]) => make("option", { value }, text)));
  const makeButton = ([value, text]) => {
    return make("button", { type: "button", class: "small", "data-class": value, onclick: () => choose(value) }, text);
  };
  $("class-buttons").replaceChildren(...(isShort ? choices.map(makeButton) : []));
  if (classes.length && !couples && state.look.label === null) state.look.label = 0;
}

/** Put the choice where the look is. */
export function showClass() {
  const value = String(state.look.label ?? "");
  $("label").value = value;
  for (const button of $("class-buttons").children) {
    button.setAttribute("aria-pressed", String(button.dataset.class === value));
  }
}

/** Connect the list to the page. */
export function connectClasses() {
  $("label").addEventListener("change", () => choose($("label").value));
}
