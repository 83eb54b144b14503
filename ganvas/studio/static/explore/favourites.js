// The favourites: looks to keep.

import { ask } from "../common/api.js";
import { make, say, toast } from "../common/shell.js";
import { completeLook, shortenLook } from "./look.js";
import { goTo } from "./seeds.js";
import { $, focusNear, makeThumb, state } from "./state.js";

let favourites = []; // of all models

const complain = (wrong) => toast(wrong.message, { kind: "error" });

/** Read the list, also what other tabs kept. */
export async function loadFavourites() {
  const { kept, most } = await ask("explore/favourites");
  favourites = kept;
  $("full").hidden = kept.length < most;
  $("full").textContent = `${most} are kept, over all models: remove one to keep another.`;
}

/** Keep the present look, under a name. */
export async function keepLook(name) {
  const body = { model: state.model, look: shortenLook(state.look), name };
  try {
    await ask("explore/favourites", { method: "POST", body });
    say("Kept", true);
    await loadFavourites();
  } catch (wrong) {
    complain(wrong);
  }
  showFavourites();
}

async function remove(favourite) {
  const place = listOwn().indexOf(favourite);
  try {
    await ask(`explore/favourites/${favourite.id}`, { method: "DELETE" });
  } catch (wrong) {
    complain(wrong);
  }
  await loadFavourites().catch(() => {}); // without an answer the list stays as it was
  showFavourites();
  focusNear("stars", place, "[aria-label^=Remove]", "keep");
}

const listOwn = () => favourites.filter(({ model }) => model === state.model);

/** Show the favourites of the model. */
export function showFavourites() {
  const own = listOwn();
  $("no-stars").hidden = own.length > 0;
  $("stars").replaceChildren(...own.map(makeFavourite));
}

function makeFavourite(favourite) {
  const look = completeLook(favourite.look);
  const go = () => {
    state.history.add(state.look, "");
    goTo(completeLook(favourite.look));
  };
  const facts = { type: "button", class: "remove", "aria-label": `Remove ${favourite.name}` };
  const button = make("button", { ...facts, onclick: () => remove(favourite) }, "×");
  return make("li", {}, makeThumb(look, favourite.name || "A favourite", go), button);
}
