// Pictures of the server on canvases.

import { readError } from "../common/api.js";

/** A canvas that shows the picture asked for last: while one is on its way only the newest request waits. */
export class View {
  /** `report(text)` is called with what went wrong, "" when a picture came. */
  constructor(canvas, report = () => {}) {
    Object.assign(this, { canvas, report, busy: false, next: null, version: 0 });
  }

  /** Show what `path` answers; `then(response)` is called when it is there. */
  ask(path, then = () => {}) {
    this.next = { path, then };
    if (!this.busy) this.run();
  }

  /** Show nothing, not even what is on its way. */
  clear() {
    this.next = null;
    this.version += 1;
    this.canvas.hidden = true;
  }

  async run() {
    this.busy = true;
    this.canvas.setAttribute("aria-busy", "true"); // a screen reader waits until the picture is the newest one
    while (this.next) {
      const request = this.next;
      this.next = null;
      await this.fetchAndPaint(request);
    }
    this.busy = false;
    this.canvas.removeAttribute("aria-busy");
  }

  async fetchAndPaint({ path, then }) {
    const { version } = this; // another one afterwards: the view was cleared meanwhile
    try {
      const response = await fetch(path);
      if (response.status === 204) return; // a newer request has replaced it on the server
      if (!response.ok) throw new Error(await readError(response));
      const blob = await response.blob();
      if (version !== this.version) return;
      await paint(this.canvas, blob);
      if (version !== this.version) {
        this.canvas.hidden = true;
        return;
      }
      this.report("");
      then(response);
    } catch (wrong) {
      if (version === this.version) this.report(wrong.message);
    }
  }
}

/** Put a picture's pixels on a canvas, one to one. */
export async function paint(canvas, blob) {
  const bitmap = await createImageBitmap(blob);
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  bitmap.close();
  canvas.hidden = false;
}
