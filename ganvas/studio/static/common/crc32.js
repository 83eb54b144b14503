// The checksum of ZIP and PNG files.

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

/** The checksum of bytes that come in parts: `add(bytes)` each part, then `value()`. */
export class Crc32 {
  constructor() {
    this.state = 0xffffffff;
  }

  add(bytes) {
    let crc = this.state;
    for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
    this.state = crc;
    return this;
  }

  value() {
    return (this.state ^ 0xffffffff) >>> 0;
  }
}
