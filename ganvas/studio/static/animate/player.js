// Shows the frames in a loop, with a timeline; with reduced motion it waits for a press.

import { drawPixels } from "../common/pixels.js";
import { calm } from "../common/shell.js";

const $ = (id) => document.getElementById(id);

export class Player {
  constructor() {
    Object.assign(this, { pictures: [], driving: [], motion: [], milliseconds: 40, at: 0, isPlaying: !calm.matches, last: 0 });
    $("play").addEventListener("click", () => this.setPlaying(!this.isPlaying));
    $("frame").addEventListener("input", () => {
      this.setPlaying(false);
      this.go(Number($("frame").value));
    });
    this.setPlaying(this.isPlaying);
    requestAnimationFrame((now) => this.tick(now));
  }

  setPlaying(isPlaying) {
    this.isPlaying = isPlaying;
    $("play").textContent = isPlaying ? "Pause" : "Play";
    $("play").setAttribute("aria-pressed", String(isPlaying));
  }

  /** Show frames uint8 [T, H, W, 3] beside those of the clip; `motion` of each frame, 1 for the largest of the training. */
  show({ frames, driving }, motion, milliseconds) {
    Object.assign(this, { pictures: cutFrames(frames), driving: cutFrames(driving), motion, milliseconds });
    $("frame").max = this.pictures.length - 1;
    $("veil").hidden = true;
    this.go(Math.min(this.at, this.pictures.length - 1));
  }

  /** Before there is a result: the picture rests, and the clip uint8 [T, H, W, 3] moves. */
  showInputs(picture, { frames, milliseconds }) {
    this.show({ frames, driving: frames }, [], milliseconds);
    this.pictures = this.driving.map(() => drawPixels(picture));
    this.go(this.at);
  }

  go(at) {
    this.at = at;
    $("frame").value = at;
    draw($("result"), this.pictures[at]);
    draw($("driving"), this.driving[at]);
    const motion = this.motion[at];
    $("motion").closest(".gauge").hidden = motion === undefined;
    $("motion").value = motion ?? 0;
    $("motion-said").textContent = motion === undefined ? "" : `${motion.toFixed(2)} of the largest of the training`;
  }

  tick(now) {
    if (this.isPlaying && this.pictures.length && now - this.last >= this.milliseconds) {
      this.last = now;
      this.go((this.at + 1) % this.pictures.length);
    }
    requestAnimationFrame((later) => this.tick(later));
  }
}

function cutFrames(frames) {
  const [count, height, width, channels] = frames.shape;
  const size = height * width * channels;
  return Array.from({ length: count }, (_, k) => {
    const pixels = frames.subarray(k * size, (k + 1) * size);
    pixels.shape = [height, width, channels];
    return drawPixels(pixels);
  });
}

/** Draw a picture into a canvas of its size. */
export function draw(canvas, picture) {
  if (!picture) return;
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    Object.assign(canvas, { width: picture.width, height: picture.height });
  }
  canvas.getContext("2d").drawImage(picture, 0, 0);
}
