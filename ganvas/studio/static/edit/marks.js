// What is marked on the picture, and not painted: the hole that is filled, and what a drag may move.

import { ask } from "../common/api.js";
import { sendPicture } from "../common/intake.js";
import { $, state } from "./edit_state.js";

const COLOR = "#ff4fa3";

/**
 * Connect the buttons of both. `getPhoto()`: the canvas of the person's picture, or nothing, for a model that fills holes in
 * photographs; `fail(wrong)`: what went wrong.
 */
export function connectMarks({ painting, dragging, jobs, getPhoto, fail }) {
  $("paint-mask").addEventListener("click", () => {
    painting.open({ take: (strokes) => takeMask(dragging, strokes), tool: "paint-mask", color: COLOR });
  });
  $("fill").addEventListener("click", () => {
    const { target, origin } = state.stack.present;
    const take = (strokes) => jobs.fill(strokes, target, origin.name);
    painting.open({ take, tool: "fill", pixels: target, color: COLOR });
  });
  offerFiller(getPhoto, fail).catch(() => {}); // without the list of models there is no button
}

/** What was painted becomes the mask of a drag: white may move. */
function takeMask(dragging, strokes) {
  const mask = Uint8Array.from({ length: strokes.length / 4 }, (_, k) => (strokes[4 * k + 3] > 127 ? 255 : 0));
  mask.shape = strokes.shape.slice(0, 2);
  dragging.mask = mask.some(Boolean) ? mask : null;
  dragging.show(true);
}

/** A button that opens the picture on the page Translate with the newest model that fills holes, if there is one. */
async function offerFiller(getPhoto, fail) {
  const filler = (await ask("translate/models")).find(({ fills }) => fills);
  $("filler-part").hidden = !filler;
  $("filler").addEventListener("click", async () => {
    try {
      const { id } = await sendPicture(getPhoto());
      location.href = `./translate#${new URLSearchParams({ model: filler.id, picture: id })}`;
    } catch (wrong) {
      fail(wrong);
    }
  });
}
