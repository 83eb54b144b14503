// Pictures on their way to the studio: packed, sent, and read by the server.

import { ask, formatCount, readError } from "../common/api.js";
import { acceptDrops } from "../common/drop.js";
import { listDroppedFiles, packZip } from "./zip.js";

const $ = (id) => document.getElementById(id);
const POLL_MILLISECONDS = 700;

/** The files that were chosen. The field is emptied, so that the same file can be chosen again. */
function takeFiles(id) {
  const files = [...$(id).files];
  $(id).value = "";
  return files;
}

export class Uploader {
  /** `add(upload)` is called with each upload that is ready. Files may be dropped anywhere while the form is shown. */
  constructor(limit, add) {
    Object.assign(this, { limit, add, latest: 0, active: 0 });
    $("zip").addEventListener("change", () => {
      for (const file of takeFiles("zip")) this.send(file, file.name);
    });
    $("folder").addEventListener("change", () => {
      const files = takeFiles("folder");
      this.sendFolder(files.map((file) => ({ name: file.webkitRelativePath || file.name, file })));
    });
    acceptDrops($("drop"), (transfer) => this.takeDrop(transfer), () => !$("start").hidden);
  }

  /** Whether pictures are being packed, sent or read. */
  get busy() {
    return this.active > 0;
  }

  /** Run some work, and count it while it goes on. */
  async track(work) {
    this.active += 1;
    try {
      await work();
    } catch (wrong) {
      this.refuse(wrong.message);
    } finally {
      this.active -= 1;
    }
  }

  takeDrop(transfer) {
    return this.track(async () => {
      const files = await listDroppedFiles(transfer);
      const isZip = files.length === 1 && /\.zip$/i.test(files[0].name);
      if (isZip) this.send(files[0].file, files[0].name);
      else this.sendFolder(files);
    });
  }

  sendFolder(entries) {
    if (!entries.length) return undefined;
    return this.track(async () => {
      const report = (share) => this.showProgress("Reading the folder …", share);
      report(0);
      this.send(await packZip(entries, this.limit, report), entries[0].name.split("/")[0]);
    });
  }

  send(blob, name) {
    return this.track(async () => {
      this.showProgress(`Sending ${name} …`, 0);
      await this.waitFor(await this.post(blob, name), name);
    });
  }

  /** Send a zip; returns the upload's id. Not by fetch, which does not say how much was sent. */
  post(blob, name) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", `./api/train/uploads?name=${encodeURIComponent(name)}`);
      request.upload.addEventListener("progress", (event) => {
        this.showProgress(`Sending ${name} …`, event.loaded / Math.max(1, event.total));
      });
      request.addEventListener("error", () => reject(new Error("the studio does not answer")));
      request.addEventListener("load", async () => {
        const answer = new Response(request.responseText, { status: request.status || 500 });
        if (request.status === 202) resolve((await answer.json()).id);
        else reject(new Error(await readError(answer)));
      });
      request.send(blob);
    });
  }

  /** Ask until the server has read an upload, or a later one is shown instead. */
  async waitFor(id, name) {
    this.latest = id;
    this.showProgress(`Reading ${name} …`, null);
    while (this.latest === id) {
      const upload = await ask(`train/uploads/${id}`);
      if (upload.state === "refused") throw new Error(upload.words);
      if (upload.state === "ready") {
        this.showProgress(`${formatCount(upload.report.count)} pictures are ready.`, null);
        this.add(upload);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
    }
  }

  /** Show a line and how much is done; null: no bar. */
  showProgress(text, share) {
    $("upload").className = "small";
    $("upload").textContent = text;
    $("sent").hidden = share === null;
    if (share !== null) $("sent").value = share;
  }

  refuse(text) {
    this.showProgress("", null);
    $("upload").className = "problem";
    $("upload").textContent = text;
  }

  clear() {
    this.showProgress("", null);
  }
}
