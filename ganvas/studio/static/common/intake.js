// One way in for a picture: choose a file, drop or paste one, take it with the camera, or use an example of the page.

import { readError } from "./api.js";
import { FileIntake } from "./file_intake.js";
import { make, say } from "./shell.js";

const MAX_BYTES = 32 * 2 ** 20; // the server's limit for one picture
export const LARGEST = 1024; // pixels of the longer side of what is taken, where a page has no other limit
const TYPES = "image/png,image/jpeg,image/webp,image/bmp,image/gif";

export class Intake {
  /**
   * `take({canvas, name, file, isReduced})` gets each picture, upright and made smaller if a side has more than `largest()`
   * pixels, and its file if it has one; `examples`: [{name, url}], of this server; `text` stands on the button, `words` below;
   * `camera`: whether the page may ask for it (Page.permissions); `isWanted(event)`: whether a drop or a paste is for it now;
   * `over`: an element that has the class "over" while files are near.
   */
  constructor(root, {
    take, examples = [], camera = false, label = "Picture", isWanted = () => true, over = null, largest = () => LARGEST,
    text = "Choose a picture", words = "Or drop one anywhere on the page, or paste one. It stays on this machine.",
  }) {
    Object.assign(this, { take, largest, stream: null });
    this.files = new FileIntake(root, {
      choices: [{ text, accept: TYPES }], take: (files) => this.openFirst(files), label, isWanted, over, words,
    });
    this.root = this.files.root;
    if (camera) this.addCamera();
    if (examples.length) this.root.append(this.makeExamples(examples));
    addEventListener("pagehide", () => this.stopCamera());
  }

  addCamera() {
    this.files.buttons.append(make("button", { type: "button", onclick: () => this.startCamera() }, "Camera"));
    const facts = { playsinline: true, muted: true, "aria-label": "What the camera sees" };
    this.video = make("video", { class: "intake-video", ...facts });
    this.camera = make("div", { hidden: true }, this.video, make("p", { class: "row" },
      make("button", { type: "button", class: "primary", onclick: () => this.shoot() }, "Take the picture"),
      make("button", { type: "button", onclick: () => this.stopCamera() }, "Cancel")));
    this.root.append(this.camera);
  }

  makeExamples(examples) {
    const items = examples.map(({ name, url }) => {
      const picture = make("img", { src: url, alt: "", width: 64, height: 64, loading: "lazy" });
      const facts = { type: "button", class: "quiet intake-example", "aria-label": `Example: ${name}` };
      return make("li", {}, make("button", { ...facts, onclick: () => this.fetchExample(name, url) }, picture));
    });
    return make("ul", { class: "plain row", "aria-label": "Examples" }, ...items);
  }

  fail(text) {
    this.files.fail(text);
  }

  async fetchExample(name, url) {
    try {
      const response = await fetch(url);
      if (!response.ok) throw new Error(`${name}: ${await readError(response)}`);
      await this.open(new File([await response.blob()], name, { type: response.headers.get("Content-Type") }));
    } catch (wrong) {
      this.fail(wrong.message);
    }
  }

  /** Of several files the first one that can be read is the picture; a line says what is left out. */
  async openFirst(files) {
    try {
      const found = (await files).map(({ file }) => file);
      const taken = await this.findReadable(found);
      if (taken && found.length > 1) this.files.showProgress(`${taken.name} is taken; ${found.length - 1} more left out.`);
    } catch (wrong) {
      this.fail(wrong.message);
    }
  }

  /** Open the first file that can be read, and return it; if there is none, what is wrong with the first one is said. */
  async findReadable(files) {
    let problem = "";
    for (const file of files) {
      try {
        await this.open(file);
        return file;
      } catch (wrong) {
        problem ||= wrong.message;
      }
    }
    if (problem) throw new Error(problem);
    return null;
  }

  /** Take a file of the person's as the picture. Throws an Error with one line: it is none, or too large. */
  async open(file) {
    if (file.size > MAX_BYTES) {
      throw new Error(`${file.name}: expected at most 32 MB, found ${Math.ceil(file.size / 2 ** 20)} MB; save it smaller`);
    }
    const unreadable = `${file.name}: this browser cannot read it as a picture; choose a PNG, JPEG, WEBP, BMP or GIF file`;
    const bitmap = await createImageBitmap(file).catch(() => { // upright: it follows the orientation in the file
      throw new Error(unreadable);
    });
    this.fail("");
    this.hand(bitmap, file.name, file);
    bitmap.close();
  }

  hand(source, name, file = null) {
    const [width, height] = [source.videoWidth ?? source.width, source.videoHeight ?? source.height];
    const scale = Math.min(1, this.largest() / Math.max(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(source, 0, 0, canvas.width, canvas.height);
    say(`${name}: ${canvas.width} by ${canvas.height} pixels`, true);
    this.take({ canvas, name, file, isReduced: scale < 1 });
  }

  // The camera ------------------------------------------------------------------------------------------------------------

  async startCamera() {
    this.fail("");
    if (!navigator.mediaDevices?.getUserMedia) {
      this.fail("A browser gives the camera only to a page of this machine: open the studio at http://localhost.");
      return;
    }
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: LARGEST } } });
    } catch (wrong) {
      const denied = wrong.name === "NotAllowedError";
      this.fail(`The camera: ${denied ? "this page may not use it; allow it in the address bar" : "none was found"}.`);
      return;
    }
    this.video.srcObject = this.stream;
    this.camera.hidden = false;
    await this.video.play();
  }

  shoot() {
    this.hand(this.video, "camera");
    this.stopCamera();
  }

  stopCamera() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    if (this.camera) this.camera.hidden = true;
  }
}

/** Send a canvas to the studio: {id, width, height, channels}. Throws an Error with the server's line. */
export async function sendPicture(canvas) {
  const blob = canvas.convertToBlob
    ? await canvas.convertToBlob()
    : await new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
  const response = await fetch("./api/pictures", { method: "POST", body: blob });
  if (!response.ok) throw new Error(await readError(response));
  return response.json();
}
