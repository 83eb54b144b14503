// One way in for pictures: drop, paste, choose a file, take one with the camera, or use an example that comes with the page.

import { readError } from "./api.js";
import { acceptDrops } from "./drop.js";
import { make, say } from "./shell.js";

const MAX_BYTES = 32 * 2 ** 20; // the server's limit for one picture
const LARGEST = 1024; // pixels of the longer side of what is sent
const TYPES = "image/png,image/jpeg,image/webp,image/bmp,image/gif";
let count = 0;

export class Intake {
  /**
   * `take({canvas, name})` gets each picture, upright and at most LARGEST pixels; `examples`: [{name, url}], of this server;
   * `camera`: whether the page may ask for it (Page.permissions); `isWanted()`: whether a drop or a paste is for it now.
   */
  constructor(root, { take, examples = [], camera = false, label = "Picture", isWanted = () => true }) {
    Object.assign(this, { take, label, isWanted, stream: null });
    this.build(root, examples, camera);
    acceptDrops(this.root, (data) => this.open(data.files[0]), isWanted);
    addEventListener("paste", (event) => this.paste(event));
    addEventListener("pagehide", () => this.stopCamera());
  }

  build(root, examples, camera) {
    const id = `intake-${count++}`;
    const file = make("input", {
      type: "file", id, accept: TYPES, class: "unseen", onchange: () => {
        this.open(file.files[0]);
        file.value = ""; // so that the same file can be chosen again
      },
    });
    const choose = make("label", { class: "button", for: id }, "Choose a picture");
    const shoot = make("button", { type: "button", onclick: () => this.startCamera() }, "Camera");
    shoot.hidden = !camera;
    this.problem = make("p", { class: "intake-problem small", role: "status" });
    const seen = { playsinline: true, muted: true, "aria-label": "What the camera sees" };
    this.video = make("video", { class: "intake-video", ...seen });
    this.camera = make("div", { hidden: true }, this.video, make("p", { class: "row" },
      make("button", { type: "button", class: "primary", onclick: () => this.shoot() }, "Take the picture"),
      make("button", { type: "button", onclick: () => this.stopCamera() }, "Cancel")));
    const how = "Or drop one anywhere on the page, or paste one. It stays on this machine.";
    const words = make("p", { class: "small muted" }, how);
    const parts = [make("p", { class: "row" }, file, choose, shoot), words, this.camera, this.problem];
    if (examples.length) parts.push(this.makeExamples(examples));
    this.root = make("div", { class: "intake", role: "group", "aria-label": this.label }, ...parts);
    root.append(this.root);
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
    this.problem.textContent = text;
    if (text) say(text, true);
  }

  async fetchExample(name, url) {
    try {
      const response = await fetch(url);
      if (!response.ok) throw new Error(await readError(response));
      await this.open(new File([await response.blob()], name, { type: response.headers.get("Content-Type") }));
    } catch (wrong) {
      this.fail(`${name}: ${wrong.message}`);
    }
  }

  paste(event) {
    if (!this.isWanted() || event.target.closest?.("input, textarea, [contenteditable]")) return;
    const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    this.open(file);
  }

  /** Read a file of the person's; what is no picture is answered by a line. */
  async open(file) {
    if (!file) return;
    this.fail("");
    if (file.size > MAX_BYTES) {
      this.fail(`${file.name}: expected at most 32 MB, found ${Math.ceil(file.size / 2 ** 20)} MB; save it smaller`);
      return;
    }
    let bitmap;
    try {
      bitmap = await createImageBitmap(file); // upright: it follows the orientation in the file
    } catch {
      this.fail(`${file.name}: this browser cannot read it as a picture; choose a PNG, JPEG, WEBP, BMP or GIF file`);
      return;
    }
    this.hand(bitmap, file.name);
    bitmap.close();
  }

  hand(source, name) {
    const [width, height] = [source.videoWidth ?? source.width, source.videoHeight ?? source.height];
    const scale = Math.min(1, LARGEST / Math.max(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(source, 0, 0, canvas.width, canvas.height);
    say(`${name}: ${canvas.width} by ${canvas.height} pixels`, true);
    this.take({ canvas, name });
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
    this.camera.hidden = true;
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
