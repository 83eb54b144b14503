// Take a session away: its link, its picture, its numbers.

import { make, toast } from "../common/shell.js";
import { encodeLink } from "./link.js";
import { addTexts } from "./png.js";

/** Offer a blob as a file. */
function download(blob, name) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000); // the download has begun by then
}

const nameFile = ({ setup, step }) => `ganvas-${setup.data}-seed${setup.seed}-step${step}`;

/** Put the link into the clipboard. */
export async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    toast("The link holds everything: settings, seed, and each move.");
  } catch {
    toast("The link is in the address bar.");
  }
}

/** Save the picture as a PNG that carries its link. */
export function savePicture(canvas, { facts }, points) {
  const link = encodeLink({ setup: facts.first, history: facts.history, points });
  const texts = { link, summary: facts.summary, synthetic: "true" };
  canvas.toBlob(async (blob) => download(await addTexts(blob, texts), `${nameFile(facts)}.png`), "image/png");
}

/** Save all facts and arrays as JSON. */
export function saveRun({ facts, arrays }, points) {
  const plain = Object.entries(arrays).map(([name, array]) => [name, { shape: array.shape, values: Array.from(array) }]);
  const text = JSON.stringify({ link: location.hash, points, ...facts, arrays: Object.fromEntries(plain) });
  download(new Blob([text], { type: "application/json" }), `${nameFile(facts)}.json`);
}
