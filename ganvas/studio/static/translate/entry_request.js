// The request that has what goes in translated, or filled.

import { sendPicture } from "../common/intake.js";
import { readPixels } from "../common/pixels.js";
import { schema, state } from "./translate_state.js";

/** {request, canvas, made}: the task for what goes in now, what it looks like, and the settings that it is made with. */
export async function describeRequest(entry) {
  const { model, way, seed, strength, view, mode } = state;
  const wasClear = mode === "picture" && entry.picture.wasClear;
  const [canvas, made] = [entry.fit(), { model, way, seed, strength, wasClear }];
  if (model.takes === "map") {
    const request = { name: "paint", facts: { model: model.id, seed }, arrays: { map: entry.doodle.copyMap() } };
    return { canvas, made, request };
  }
  const back = way.back && view === "back";
  const bytes = 3 * canvas.width * canvas.height;
  const name = model.fills ? "fill" : "translate";
  const arrays = model.fills ? { hole: entry.hole.pack() } : {};
  const facts = model.fills ? { model: model.id } : { model: model.id, to: way.to, strength, back };
  if (bytes * Math.max(1, model.scale ** 2 * (back ? 2 : 1)) <= schema.most_sent) {
    return { canvas, made, request: { name, facts, arrays: { ...arrays, picture: readPixels(canvas) } } };
  }
  if (!model.fills || 3 * entry.hole.extent > schema.most_sent) facts.keep = true; // no frame holds what comes back
  const part = mode === "picture" ? `at ${state.size}` : "";
  facts.picture = await (part ? entry.picture.sent.send(part, () => canvas) : sendPicture(canvas).then(({ id }) => id));
  return { canvas, made, request: { name, facts, arrays } };
}
