// A map of classes as a PNG with a palette: each pixel is the number of its class, and every viewer shows its color.

import { Crc32 } from "./crc32.js";

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
const INDEXED = [8, 3, 0, 0, 0]; // bits, kind, and the only compression, filter and order that there are

/** A map (width x height numbers) as a Blob; `colors` [[r, g, b], ...] of the classes. Source: PNG 1.2, section 4.1. */
export async function makePalettePng(map, width, height, colors) {
  const rows = new Uint8Array((width + 1) * height); // before each row the number of its filter: none
  for (let y = 0; y < height; y++) rows.set(map.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const stream = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head.set(INDEXED, 8);
  const pixels = new Uint8Array(await new Response(stream).arrayBuffer());
  const chunks = [["IHDR", head], ["PLTE", Uint8Array.from(colors.flat())], ["IDAT", pixels], ["IEND", new Uint8Array()]];
  return new Blob([SIGNATURE, ...chunks.map(([name, data]) => makeChunk(name, data))], { type: "image/png" });
}

function makeChunk(name, data) {
  const chunk = new Uint8Array(data.length + 12);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  chunk.set(new TextEncoder().encode(name), 4);
  chunk.set(data, 8);
  view.setUint32(data.length + 8, new Crc32().add(chunk.subarray(4, data.length + 8)).value());
  return chunk;
}
