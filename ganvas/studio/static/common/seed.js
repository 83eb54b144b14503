// What is a seed, and the fields of a page that take one.

import { formatCount } from "./api.js";
import { toast } from "./shell.js";

export const SEEDS = 2 ** 32; // as in ganvas/latents/seed_latents.py
const EXPECTED = `the seed: expected a whole number from 0 to ${formatCount(SEEDS - 1)}`;
const ERROR_SECONDS = 15;

/** The nearest seed to a number that the page worked out. */
export const toSeed = (number) => Math.max(0, Math.min(SEEDS - 1, Math.round(Number(number)) || 0));

/** Whether a text, or a number, is a seed. */
export function isSeed(text) {
  const seed = String(text).trim() === "" ? NaN : Number(text);
  return Number.isInteger(seed) && seed >= 0 && seed < SEEDS;
}

/** The seed in a field or a link. Throws an Error with one line: it is none. */
export function readSeed(text) {
  if (isSeed(text)) return Number(text);
  throw new Error(EXPECTED);
}

/** Call `use(seed)` when the field has another seed; where it has none that is said, and the field has its old value again. */
export function connectSeed(field, readOld, use) {
  field.addEventListener("change", () => {
    if (isSeed(field.value)) {
      use(Number(field.value));
      return;
    }
    field.value = readOld();
    toast(EXPECTED, { kind: "error", seconds: ERROR_SECONDS });
  });
}
