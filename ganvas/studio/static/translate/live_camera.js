// The webcam: each picture of it that there is time for.

import { calm } from "../common/shell.js";
import { fitPicture } from "../common/pixels.js";

const CALM_MILLISECONDS = 500; // with reduced motion: two pictures a second

export class LiveCamera {
  /** `side`: pixels of the longer side; `take(canvas)` gets each picture; `isReady()`: whether the last one is done. */
  constructor({ side, take, isReady, changed }) {
    Object.assign(this, { side, take, isReady, changed, stream: null, last: 0 });
    this.video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
    addEventListener("pagehide", () => this.stop());
  }

  get isOn() {
    return this.stream !== null;
  }

  /** Throws an Error with one line: there is none, or it may not be used. */
  async start() {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error("A browser gives the camera only to a page of this machine: open the studio at http://localhost.");
    }
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 2 * this.side } } });
    } catch (wrong) {
      const isDenied = wrong.name === "NotAllowedError";
      throw new Error(`The camera: ${isDenied ? "this page may not use it; allow it in the address bar" : "none was found"}.`);
    }
    this.video.srcObject = this.stream;
    await this.video.play();
    this.changed();
    this.look();
  }

  /** Once for each frame of the screen: a hidden tab has none, and so the camera rests. */
  look() {
    if (!this.isOn) return;
    const now = performance.now();
    if (this.video.videoWidth && this.isReady() && now - this.last >= (calm.matches ? CALM_MILLISECONDS : 0)) {
      this.last = now;
      this.take(this.shoot());
    }
    requestAnimationFrame(() => this.look());
  }

  /** The picture of now, as in a mirror. */
  shoot(side = this.side) {
    const { videoWidth: width, videoHeight: height } = this.video;
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    context.scale(-1, 1);
    context.drawImage(this.video, -width, 0);
    return fitPicture(canvas, side);
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.changed();
  }
}
