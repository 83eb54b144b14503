// Text in a picture file: where a saved picture is from, for the person who opens it.

import { Crc32 } from "../common/crc32.js";

const AFTER_HEADER = 33; // bytes of a PNG's signature and its first chunk

/** A PNG blob with each of `texts` {keyword: text} as an uncompressed iTXt chunk (PNG 1.2, section 4.2.3.3). */
export async function addTexts(blob, texts) {
  const chunks = Object.entries(texts).map(([keyword, text]) => {
    const body = new TextEncoder().encode(`iTXt${keyword}\0\0\0\0\0${text}`);
    const chunk = new Uint8Array(body.length + 8);
    const view = new DataView(chunk.buffer);
    view.setUint32(0, body.length - 4);
    chunk.set(body, 4);
    view.setUint32(body.length + 4, new Crc32().add(body).value());
    return chunk;
  });
  return new Blob([blob.slice(0, AFTER_HEADER), ...chunks, blob.slice(AFTER_HEADER)], { type: "image/png" });
}
