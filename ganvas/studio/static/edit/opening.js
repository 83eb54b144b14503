// Beginnings that come from elsewhere: a picture that was saved here, with its steps; a link of Explore.

import { readPngTexts } from "../common/png_text.js";
import { isSeed, readSeed } from "../common/seed.js";
import { CancelledError } from "../common/tasks.js";
import { makeEdit, readSteps, state } from "./edit_state.js";

const LOST = { // what a look of Explore has, and an edit has not
  psi: "truncation", truncate: "truncation", plane: "its place in the plane", noise: "its noise",
  resolution: "its resolution", picture: "the training picture",
};

/**
 * The edit in a PNG that was saved here; null: it holds none. `draw(edit)` is a promise of its picture, rejected with a line;
 * `findMaker(hash, recipe)` is a promise of {model, able} of the model that made it; null: it is not in the list.
 * Throws an Error with one line: it is damaged, or the model cannot follow it.
 */
export async function openSaved(file, draw, findMaker) {
  const { edits, model: maker = "", recipe = "" } = await readPngTexts(file);
  if (!edits) return null;
  const { origin, steps, tuned = "", filled } = parse(edits, file.name);
  const begun = { ...makeEdit(0), origin, steps: readSteps(steps) };
  const kept = filled ? " The pixels of your own picture around the hole are not in it." : "";
  const hash = maker.replace(/-tuned$/, "");
  const wasMine = hash === state.able.identity;
  const edit = { ...begun, ...(hash && !wasMine ? await findMaker(hash, recipe) : null) };
  const isMine = hash === edit.able.identity;
  const opened = isMine && !wasMine ? "Opened with its steps, in the model that made it." : "Opened with its steps.";
  if (tuned && isMine) {
    try {
      await draw({ ...edit, tuned });
      return { ...edit, tuned, words: `Opened with its steps and its tuned copy.${kept}` };
    } catch {
      await draw(edit);
      const gone = "The tuned copy that made it is gone: it lived as long as its page.";
      return { ...edit, words: `${opened} ${gone}${kept}` };
    }
  }
  const other = `another model made it, which is not in this list: ${recipe || "unknown"} (${hash})`;
  try {
    await draw(edit);
  } catch (wrong) {
    if (!hash || isMine || wrong instanceof CancelledError) throw wrong;
    throw new Error(`${file.name}: ${other}; this model cannot open it`);
  }
  return { ...edit, words: `${isMine ? opened : `Opened with its steps, but ${other}.`}${kept}` };
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

/** The edit that a link asks for. If it is damaged, its seed alone, and `fail(wrong)` is told. */
export function openLink(asked, fail) {
  try {
    return readLink(asked);
  } catch (wrong) {
    fail(new Error(`The link: ${wrong.message}`));
    return readLink({ seed: isSeed(asked.seed) ? asked.seed : 0, label: asked.label });
  }
}

/** The edit that a link asks for: a seed, perhaps a class and steps. Throws an Error with one line: it is damaged. */
function readLink({ seed = 0, label, steps, lost }) {
  const edit = makeEdit(readSeed(seed), state.able.classes.length ? Number(label ?? 0) || 0 : null);
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
