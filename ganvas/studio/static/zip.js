// A folder as a zip, without packing: a list of blobs, so that the browser streams the files from the disk.

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

const more = (crc, bytes) => {
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return crc;
};

export const crc32 = (bytes) => (more(0xffffffff, bytes) ^ 0xffffffff) >>> 0;

async function checksum(file) {
  let crc = 0xffffffff;
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return (crc ^ 0xffffffff) >>> 0;
    crc = more(crc, value);
  }
}

function header(signature, fields) {
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

/** entries: [{name, file}] -> a Blob; `told(done)` is called as files are read. Throws an Error with one line. */
export async function pack(entries, told = () => {}) {
  if (entries.length > 65000) throw new Error("more than 65,000 files: pack them into a zip and drop that");
  const total = entries.reduce((sum, { file }) => sum + file.size, 0);
  if (total > 2 * 1024 ** 3) throw new Error("more than 2 GB: choose fewer pictures");
  const parts = [], directory = [];
  let offset = 0;
  for (const [i, { name, file }] of entries.entries()) {
    const bytes = new TextEncoder().encode(name);
    const crc = await checksum(file);
    const common = [[2, 20], [2, 0x800], [2, 0], [2, 0], [2, 0x21], [4, crc], [4, file.size], [4, file.size], [2, bytes.length], [2, 0]];
    const local = header(0x04034b50, common);
    parts.push(local, bytes, file);
    directory.push(header(0x02014b50, [[2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]), bytes);
    offset += local.length + bytes.length + file.size;
    told((i + 1) / entries.length);
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = header(0x06054b50, [[2, 0], [2, 0], [2, entries.length], [2, entries.length], [4, size], [4, offset], [2, 0]]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

/** The files below what was dropped: [{name, file}], names with "/". */
export async function dropped(transfer) {
  const roots = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!roots.length) return [...transfer.files].map((file) => ({ name: file.name, file }));
  const found = [];
  const walk = async (entry, prefix) => {
    if (entry.isFile) {
      found.push({ name: prefix + entry.name, file: await new Promise((good, bad) => entry.file(good, bad)) });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const batch = await new Promise((good, bad) => reader.readEntries(good, bad));
      if (!batch.length) return;
      for (const child of batch) await walk(child, `${prefix}${entry.name}/`);
    }
  };
  for (const root of roots) await walk(root, "");
  return found;
}
