// The copies of a picture that the studio has, by names: each is sent once, also while it is still on its way.

import { sendPicture } from "../common/intake.js";

export class SentPictures {
  /** `id`: of the picture itself, if the studio has it. */
  constructor(id = "") {
    this.ids = new Map(id ? [["whole", id]] : []);
  }

  /** A promise of the id of a copy; `draw()` gives its canvas if it is not sent yet. It is rejected with the server's line. */
  send(name, draw) {
    if (!this.ids.has(name)) {
      const forget = (wrong) => {
        this.ids.delete(name); // the next one tries again
        throw wrong;
      };
      this.ids.set(name, sendPicture(draw()).then(({ id }) => id).catch(forget));
    }
    return this.ids.get(name);
  }
}
