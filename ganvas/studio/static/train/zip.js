// A folder as a zip without compression: a list of blobs, so that the browser streams the files from the disk.

import { Crc32 } from "../common/crc32.js";

const MAX_FILES = 65_000; // what a plain zip can hold
const LOCAL_HEADER = 0x04034b50;
const DIRECTORY_HEADER = 0x02014b50;
const DIRECTORY_END = 0x06054b50;

async function computeChecksum(file) {
  const crc = new Crc32();
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return crc.value();
    crc.add(value);
  }
}

/** The bytes of a header: its signature, then numbers as [size in bytes, value], little-endian. */
function makeHeader(signature, fields) {
  const bytes = new Uint8Array(4 + fields.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, signature, true);
  let at = 4;
  for (const [size, value] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return bytes;
}

/**
 * entries [{name, file}] -> a Blob of at most `limit` bytes; `report(share)` is called as files are read.
 * Throws an Error with one line.
 */
export async function packZip(entries, limit, report = () => {}) {
  if (entries.length > MAX_FILES) throw new Error("more than 65,000 files: pack them into a zip and drop that");
  const total = entries.reduce((sum, { file }) => sum + file.size, 0);
  if (total > limit) throw new Error(`more than ${limit / 1024 ** 3} GB: choose fewer pictures`);
  const [parts, directory] = [[], []];
  let offset = 0;
  for (const [i, { name, file }] of entries.entries()) {
    const bytes = new TextEncoder().encode(name);
    const crc = await computeChecksum(file);
    // Version, UTF-8 names, no compression, no time, the first date there is, checksum, both sizes, lengths of the names.
    const common = [
      [2, 20], [2, 0x800], [2, 0], [2, 0], [2, 0x21], [4, crc], [4, file.size], [4, file.size], [2, bytes.length], [2, 0],
    ];
    const local = makeHeader(LOCAL_HEADER, common);
    parts.push(local, bytes, file);
    const entry = [[2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]];
    directory.push(makeHeader(DIRECTORY_HEADER, entry), bytes);
    offset += local.length + bytes.length + file.size;
    report((i + 1) / entries.length);
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const count = entries.length;
  const end = makeHeader(DIRECTORY_END, [[2, 0], [2, 0], [2, count], [2, count], [4, size], [4, offset], [2, 0]]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}
