// Clips of a person's files, or of the camera, as frames: uint8 [T, H, W, 3].

import { fitPicture, readPixels } from "../common/pixels.js";

export const LARGEST = 96; // pixels of the longer side of a frame: the models have 64
export const MOST = 24; // frames of a clip
const RECORD_SECONDS = 2;
const SEEK_SECONDS = 5; // that one frame of a film may take

/** Frames of one size as an array. */
export function stackFrames(frames) {
  const [{ shape }] = frames;
  const size = shape.reduce((product, n) => product * n, 1);
  const stack = new Uint8Array(frames.length * size);
  frames.forEach((frame, k) => stack.set(frame, k * size));
  stack.shape = [frames.length, ...shape];
  return stack;
}

const readFrame = (picture) => readPixels(fitPicture(picture, LARGEST));

/** The frames of a file: {frames, milliseconds}. Throws an Error with one line. */
export async function readClip(file) {
  const frames = file.type.startsWith("video/") ? await readFilm(file) : await readAnimation(file);
  if (frames.list.length < 2) throw new Error(`${file.name}: expected a clip with two frames or more, found one picture`);
  return { frames: stackFrames(frames.list), milliseconds: frames.milliseconds };
}

async function readAnimation(file) {
  const unreadable = `${file.name}: this browser cannot read it as a clip; choose a GIF, an animated PNG or WebP, or a film`;
  if (!globalThis.ImageDecoder) throw new Error(`${file.name}: this browser cannot take clips apart; use ganvas animate`);
  try {
    const decoder = new ImageDecoder({ data: await file.arrayBuffer(), type: file.type });
    await decoder.tracks.ready;
    const { frameCount } = decoder.tracks.selectedTrack;
    const list = [];
    let total = 0;
    const count = Math.min(MOST, frameCount);
    for (let k = 0; k < count; k++) {
      const { image } = await decoder.decode({ frameIndex: Math.floor((k * frameCount) / count) });
      total += image.duration ?? 0;
      const bitmap = await createImageBitmap(image);
      list.push(readFrame(bitmap));
      image.close();
      bitmap.close();
    }
    const pace = total / 1000 / list.length;
    return { list, milliseconds: pace >= 10 ? (pace * frameCount) / count : 40 };
  } catch {
    throw new Error(unreadable);
  }
}

async function readFilm(file) {
  const video = Object.assign(document.createElement("video"), { muted: true, preload: "auto" });
  video.src = URL.createObjectURL(file);
  try {
    await waitFor(video, "loadeddata");
    const seconds = Math.min(video.duration, 4);
    const list = [];
    for (let k = 0; k < MOST; k++) {
      video.currentTime = (k * seconds) / MOST;
      await waitFor(video, "seeked");
      list.push(readFrame(await createImageBitmap(video)));
    }
    return { list, milliseconds: (1000 * seconds) / MOST };
  } catch {
    throw new Error(`${file.name}: this browser cannot play it; choose another film, or a GIF`);
  } finally {
    URL.revokeObjectURL(video.src);
  }
}

function waitFor(target, name) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("late")), SEEK_SECONDS * 1000);
    const end = (run) => () => {
      clearTimeout(timer);
      run();
    };
    target.addEventListener(name, end(resolve), { once: true });
    target.addEventListener("error", end(() => reject(new Error("unreadable"))), { once: true });
  });
}

/** Two seconds of the camera: {frames, milliseconds}. Throws an Error with one line. */
export async function recordClip() {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Error("A browser gives the camera only to a page of this machine: open the studio at http://localhost.");
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 320 } } });
  } catch (wrong) {
    const isDenied = wrong.name === "NotAllowedError";
    throw new Error(`The camera: ${isDenied ? "this page may not use it; allow it in the address bar" : "none was found"}.`);
  }
  try {
    const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, srcObject: stream });
    await video.play();
    const list = [];
    for (let k = 0; k < MOST; k++) {
      list.push(readFrame(await createImageBitmap(video)));
      await new Promise((resolve) => { setTimeout(resolve, (1000 * RECORD_SECONDS) / MOST); });
    }
    return { frames: stackFrames(list), milliseconds: (1000 * RECORD_SECONDS) / MOST };
  } finally {
    for (const track of stream.getTracks()) track.stop();
  }
}
