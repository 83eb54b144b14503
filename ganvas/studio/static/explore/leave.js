// The ways to other pages: to Edit with the seed, the class and what was changed; to Animate with the picture.

import { keepAddress, listPlaces, openWith } from "../common/hand_over.js";
import { make, toast } from "../common/shell.js";
import { encodeLook, schema } from "./look.js";
import { $, address, state } from "./state.js";

const ERROR_SECONDS = 15;
const NOT_TAKEN = ["psi", "truncate", "noise", "resolution", "picture"]; // Edit has none of these
const places = listPlaces();

/** The links of the model; `able` is what it can do. */
export async function showLinks({ links, kind }) {
  const anchors = links.map(({ href, label, page }) =>
    make("a", { class: "button small", href, "data-page": page, "data-href": href }, label));
  $("links").replaceChildren(...anchors);
  const { model } = state;
  const animates = kind === "pictures" && (await places).some(({ page }) => page === "animate");
  if (!animates || model !== state.model || $("animate")) return;
  const facts = { type: "button", class: "small", id: "animate", onclick: animate };
  $("links").append(make("button", facts, "Animate the picture"));
}

async function animate() {
  try {
    openWith("animate", await keepAddress(address("save", `&scale=1&${encodeLook(state.look)}`)));
  } catch (wrong) {
    toast(wrong.message, { kind: "error", seconds: ERROR_SECONDS });
  }
}

/** The link to Edit follows the look: it has the same beginning and steps. */
export function followLook() {
  const link = $("links").querySelector("[data-page=edit]");
  if (link) link.href = `${link.dataset.href}&${new URLSearchParams(describeEdit(state.look))}`;
}

/** {seed, label, steps, lost} of a look, as the link of Edit takes them. */
function describeEdit(look) {
  const { seed, label, moves, mix, cut, layers } = look;
  const steps = Object.entries(moves).filter(([, amount]) => amount)
    .map(([name, amount]) => ({ kind: "move", name, amount }));
  if (mix !== null) steps.push({ kind: "mix", seed: mix, first: cut, layers });
  const lost = NOT_TAKEN.filter((name) => look[name] !== schema.look[name]);
  if (look.x || look.y) lost.push("plane");
  return {
    seed, ...(label === null ? {} : { label }), ...(steps.length ? { steps: JSON.stringify(steps) } : {}),
    ...(lost.length ? { lost } : {}),
  };
}
