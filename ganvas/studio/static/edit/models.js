// What a model of the page offers, and which one made a picture.

import { ask } from "../common/api.js";
import { make } from "../common/shell.js";
import { CancelledError } from "../common/tasks.js";
import { fill, offerSteps } from "./adding.js";
import { showDirections } from "./directions.js";
import { $ } from "./edit_state.js";

/** What a model offers, as `describe` of the process says. */
async function describeModel(tasks, model, lane = "describe") {
  return (await tasks.start("describe", { model: model.id }, { lane }).done).facts;
}

/** The same of the model that was chosen; while it is loaded the page says so. */
export async function loadModel(tasks, model) {
  $("card").textContent = "Loading the model …";
  try {
    return await describeModel(tasks, model);
  } catch (wrong) {
    if (!(wrong instanceof CancelledError)) $("card").textContent = ""; // else another model is being loaded
    throw wrong;
  }
}

/** The one of `models` with this hash and recipe, {model, able}; null: there is none. */
export async function findMaker(tasks, models, hash, recipe) {
  const { id } = await ask(`edit/maker?${new URLSearchParams({ model: hash, recipe })}`);
  const model = models.find((each) => each.id === id);
  return model ? { model, able: await describeModel(tasks, model, "maker") } : null;
}

/** Show what a model offers; `move(name, amount)` runs when the end of a direction is pressed. */
export function showOffer({ model, able }, move) {
  $("work").hidden = false;
  $("card").textContent = `${model.recipe} · pictures of ${able.side} × ${able.side} pixels`;
  $("links").replaceChildren(...model.links.map(({ href, label }) => make("a", { class: "button small", href }, label)));
  fill($("label"), able.classes.map((name, k) => [k, name]));
  $("label-field").hidden = !able.classes.length;
  offerSteps(able);
  showDirections($("ways"), model.id, able.directions, move);
  $("drag-panel").hidden = !able.styles;
}
