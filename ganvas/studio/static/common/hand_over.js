// A picture for another page: the studio keeps it, and the page opens with its id.

import { ask, readError } from "./api.js";

const PLACES = [["edit", "Edit it: find it in a model"], ["animate", "Animate it: let it move as a clip does"]];

/** The pages that take a picture and have a model for it: [{page, label}]. */
export async function listPlaces() {
  const counts = await Promise.all(PLACES.map(([page]) => ask(`${page}/models`).then(({ length }) => length, () => 0)));
  return PLACES.filter((_, k) => counts[k]).map(([page, label]) => ({ page, label }));
}

/** Open a page with a picture that the studio has. */
export function openWith(page, id) {
  location.href = `./${page}#picture=${id}`;
}

/** Have the studio keep the picture at one of its addresses: its id. Throws an Error with one line. */
export async function keepAddress(address) {
  const picture = await fetch(address);
  if (!picture.ok) throw new Error(await readError(picture));
  const response = await fetch("./api/pictures", { method: "POST", body: await picture.blob() });
  if (!response.ok) throw new Error(await readError(response));
  return (await response.json()).id;
}
