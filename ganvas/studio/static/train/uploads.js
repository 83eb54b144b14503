// The part of the form that takes your own pictures: chosen or dropped, with how far they are on their way.

import { formatCount } from "../common/api.js";
import { makeZip, postZip, waitForReport } from "./send_pictures.js";
import { listDroppedFiles } from "./zip.js";

const $ = (id) => document.getElementById(id);

/** The files that were chosen. The field is emptied, so that the same file can be chosen again. */
function takeFiles(id) {
  const files = [...$(id).files];
  $(id).value = "";
  return files.map((file) => ({ name: file.webkitRelativePath || file.name, file }));
}

export class Uploader {
  /** `add(upload)` is called with each upload that is ready. */
  constructor(limit, add) {
    Object.assign(this, { limit, add, latest: "", active: 0 });
    for (const id of ["zip", "folder"]) $(id).addEventListener("change", () => this.send(takeFiles(id)));
  }

  /** Whether pictures are being packed, sent or read. */
  get busy() {
    return this.active > 0;
  }

  /** Take what was dropped; its list of files can be read only now. */
  takeDrop(transfer) {
    return this.track(async () => this.send(await listDroppedFiles(transfer)));
  }

  send(files) {
    if (!files.length) return undefined;
    return this.track(async () => {
      const report = (text, share) => this.showProgress(text, share);
      const zip = await makeZip(files, this.limit, report);
      const id = await postZip(zip, report);
      this.latest = id;
      report(`Reading ${zip.name} …`, null);
      const upload = await waitForReport(id, () => this.latest === id);
      if (!upload) return; // a later one is shown instead
      report(`${formatCount(upload.report.count)} pictures are ready.`, null);
      this.add(upload);
    });
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
