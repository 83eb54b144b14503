// The cards of the recipes: a picture of what it learns from, a sentence, the time on this machine. One of them is chosen.

import { formatSeconds } from "../common/api.js";
import { make } from "../common/shell.js";

const $ = (id) => document.getElementById(id);
const PICTURES = "./static/train/data/";

/**
 * How long a whole run takes unless the form says another length: the minutes of the `offer` if it is suggested, else on
 * this machine if that is known, else on the reference machine.
 */
export function describeTime({ name, seconds, minutes }, offer) {
  if (name === offer?.best && offer.minutes) return `${offer.minutes} min`;
  if (seconds === null) return `${minutes < 1 ? "under 1" : minutes} min on two cores`;
  return `about ${seconds < 60 ? "1 min" : formatSeconds(Math.max(120, seconds))} here`;
}

const capitalize = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function makeCard(recipe, offer, choose) {
  const input = make("input", { type: "radio", name: "recipe", value: recipe.name, onchange: choose });
  const picture = make("img", { src: PICTURES + recipe.picture, alt: "", width: 56, height: 56, loading: "lazy" });
  const title = make("span", { class: "recipe-title" }, capitalize(recipe.about));
  const chip = recipe.name === offer.best ? make("span", { class: "suggested" }, "suggested") : null;
  const kind = make("span", { class: "muted small" }, recipe.kind);
  const facts = make("span", { class: "recipe-facts small" }, make("code", {}, recipe.name),
    make("span", { class: "num", "data-time": recipe.name }, describeTime(recipe, offer)));
  return make("label", { class: "recipe" }, input, picture, make("span", { class: "recipe-words" }, title, chip, kind, facts));
}

/** Show the recipes of an offer {best, made, others, minutes}; `choose()` is called when another one is chosen. */
export function showCards(recipes, offer, choose) {
  const { best, made, others } = offer;
  const find = (name) => recipes.find((recipe) => recipe.name === name);
  const makeCards = (names) => names.map(find).filter(Boolean).map((recipe) => makeCard(recipe, offer, choose));
  const first = makeCards([best, ...made]);
  const none = make("p", { class: "muted" }, "No recipe takes these data.");
  $("recipes").replaceChildren(...(first.length ? first : [none]));
  $("more-box").hidden = !others.length;
  $("more-title").textContent = `${others.length} more ${others.length === 1 ? "recipe takes" : "recipes take"} these data too`;
  $("more").replaceChildren(...makeCards(others));
}

/** Say how long each takes, once that is known; the cards stay, with the choice and the focus. */
export function showTimes(recipes, offer) {
  for (const place of document.querySelectorAll("[data-time]")) {
    const recipe = recipes.find(({ name }) => name === place.dataset.time);
    if (recipe) place.textContent = describeTime(recipe, offer);
  }
}

const listCards = () => [...document.querySelectorAll("#form input[name=recipe]")];

/** The name of the chosen recipe; "": none. */
export const getRecipe = () => listCards().find((input) => input.checked)?.value ?? "";

/** Choose a recipe by name, if it is offered; returns whether it is. */
export function chooseRecipe(name) {
  const card = listCards().find((input) => input.value === name);
  if (!card) return false;
  card.checked = true;
  if ($("more").contains(card)) $("more-box").open = true;
  return true;
}
