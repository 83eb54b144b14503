// Beginnings that come from elsewhere: a picture that was saved here, with its steps; a link of Explore.

import { readPngTexts } from "../common/png_text.js";
import { makeEdit, readSteps, state, toSeed } from "./edit_state.js";

const LOST = { // what a look of Explore has, and an edit has not
  psi: "truncation", truncate: "truncation", plane: "its place in the plane", noise: "its noise",
  resolution: "its resolution", picture: "the training picture",
};

/**
 * The edit in a PNG that was saved here; null: it holds none. `draw(edit)` is a promise of its picture, rejected with a line.
 * Throws an Error with one line: it is damaged, or the model cannot follow it.
 */
export async function openSaved(file, draw) {
  const { edits, model: maker } = await readPngTexts(file);
  if (!edits) return null;
  const { origin, steps, tuned = "", filled } = parse(edits, file.name);
  const edit = { ...makeEdit(0), origin, steps: readSteps(steps) };
  const kept = filled ? " The pixels of your own picture around the hole are not in it." : "";
  const isMine = maker === state.able.identity || maker === `${state.able.identity}-tuned`;
  if (tuned && isMine) {
    try {
      await draw({ ...edit, tuned });
      return { ...edit, tuned, words: `Opened with its steps and its tuned copy.${kept}` };
    } catch {
      await draw(edit);
      const gone = "The tuned copy that made it is gone: it lived as long as its page.";
      return { ...edit, words: `Opened with its steps. ${gone}${kept}` };
    }
  }
  await draw(edit);
  const other = `Opened with its steps, but another model made it (${maker}): choose that one.`;
  return { ...edit, words: `${isMine ? "Opened with its steps." : other}${kept}` };
}

function parse(edits, name) {
  try {
    const found = JSON.parse(edits);
    if (found.origin !== null && typeof found.origin === "object") return found;
  } catch {
    // as for one without an origin
  }
  throw new Error(`${name}: its steps are damaged; choose another picture`);
}

/** The edit that a link asks for: a seed, perhaps a class and steps. Throws an Error with one line: its steps are damaged. */
export function readLink({ seed, label, steps, lost }) {
  const edit = makeEdit(toSeed(seed), state.able.classes.length ? Number(label ?? 0) || 0 : null);
  if (!steps) return edit;
  let values = null;
  try {
    values = JSON.parse(steps);
  } catch {
    // not a list
  }
  const without = [...new Set((lost ?? "").split(",").map((name) => LOST[name]).filter(Boolean))];
  const words = without.length ? `Taken over without: ${without.join(", ")}.` : "";
  return { ...edit, steps: readSteps(values), words };
}
