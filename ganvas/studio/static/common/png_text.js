// The texts in a PNG file: what a saved picture says about how it was made.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

/** {keyword: text} of the tEXt and the plain iTXt chunks of a file; {} if it is no PNG. */
export async function readPngTexts(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const view = new DataView(bytes.buffer);
  const found = {};
  if (SIGNATURE.some((value, k) => bytes[k] !== value)) return found;
  for (let at = 8; at + 12 <= bytes.length;) {
    const [length, type] = [view.getUint32(at), String.fromCharCode(...bytes.subarray(at + 4, at + 8))];
    const data = bytes.subarray(at + 8, at + 8 + length);
    const end = data.indexOf(0);
    if (type === "tEXt" && end > 0) found[decode("latin1", data, 0, end)] = decode("latin1", data, end + 1);
    if (type === "iTXt" && end > 0 && data[end + 1] === 0) {
      const language = data.indexOf(0, end + 3); // the end of the language, then that of the translated keyword
      found[decode("latin1", data, 0, end)] = decode("utf-8", data, data.indexOf(0, language + 1) + 1);
    }
    at += 12 + length;
  }
  return found;
}

const decode = (code, data, from, to = data.length) => new TextDecoder(code).decode(data.subarray(from, to));
