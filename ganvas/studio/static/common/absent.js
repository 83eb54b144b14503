// The runs that a page does not show, each with the reason.

import { make } from "./shell.js";

/** One line for each reason in `absent`, [{id, reason}], in an element. */
export function showAbsent(root, absent) {
  const names = new Map();
  for (const { id, reason } of absent) names.set(reason, [...(names.get(reason) ?? []), id]);
  root.replaceChildren(...[...names].map(([reason, ids]) => make("p", {}, `Not shown: ${ids.join(", ")} (${reason}).`)));
}

/** Why a link leads nowhere; `does`: what the models of the page do. */
export function explainMissing(id, absent, does) {
  const reason = absent.find((each) => each.id === id)?.reason;
  return reason ? `${id} is not shown here: ${reason}.` : `There is no model “${id}” here${does}; choose another.`;
}
