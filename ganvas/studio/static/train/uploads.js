// The part of the form that takes your own pictures: chosen, dropped or pasted, with how far they are on their way.

import { FileIntake } from "../common/file_intake.js";
import { describeCount } from "./report.js";
import { makeZip, postZip, waitForReport } from "./send_pictures.js";

const CHOICES = [
  { text: "Choose a zip", id: "zip", accept: ".zip,application/zip" },
  { text: "Choose a folder", id: "folder", folder: true },
];

/** The name of an upload; where another one of `uploads` has the same name, also when it was sent. */
export function labelUpload({ id, name, sent }, uploads) {
  if (!uploads.some((other) => other.name === name && other.id !== id)) return name;
  const format = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" };
  return `${name}, sent ${new Date(1000 * sent).toLocaleString("en-GB", format)}`;
}

export class Uploader {
  /**
   * `begin()` is called when pictures come, `add(upload)` with each upload that is ready; `describeData()` names the data
   * that are chosen, which stay chosen if pictures are refused.
   */
  constructor(root, limit, { begin, add, describeData }) {
    Object.assign(this, { limit, begin, add, describeData, latest: "", active: 0 });
    this.intake = new FileIntake(root, {
      choices: CHOICES, take: (files) => this.send(files), label: "Your own pictures",
      lead: "Or drop a folder or a zip of pictures or clips anywhere on this page",
      words: "Pictures: one sub-folder for each class, or none. Clips: GIFs, animated PNG and WebP, films. " +
        "All stay on this machine.",
    });
  }

  /** Whether pictures are being packed, sent or read. */
  get busy() {
    return this.active > 0;
  }

  /** Send files, a promise of [{name, file}]. */
  async send(files) {
    this.active += 1;
    try {
      await this.sendAll(await files);
    } catch (wrong) {
      const data = this.describeData();
      this.intake.fail(data ? `${wrong.message}. Start training would use: ${data}.` : wrong.message);
    } finally {
      this.active -= 1;
    }
  }

  async sendAll(files) {
    if (!files.length) return; // an empty folder
    this.begin();
    const report = (text, share) => this.intake.showProgress(text, share);
    const zip = await makeZip(files, this.limit, report);
    const id = await postZip(zip, report);
    this.latest = id;
    report(`Reading ${zip.name} …`, null);
    const upload = await waitForReport(id, () => this.latest === id);
    if (!upload) return; // a later one is shown instead
    const told = describeCount(upload.report);
    report(`${told} ${told.startsWith("1 ") ? "is" : "are"} ready.`, null);
    this.add(upload);
  }

  clear() {
    this.intake.showProgress("");
  }
}
