// A map of classes, one number a pixel: lines, areas, colours to classes, and the map as text for a link.

const NEAR = 24; // levels from a class's colour, within which a colour is that class
const EDGE = 255; // a pixel whose class is not known yet
const MAX_SIDE = 512; // pixels of a map in a link

/** Set the pixels of `map` (side x side) within a round brush that goes from one point to another, in pixels. */
export function drawLine(map, side, [x0, y0], [x1, y1], width, value) {
  const reach = Math.max(width / 2, 0.71); // at least the pixel below the point
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length = dx * dx + dy * dy;
  const clip = (low) => Math.max(0, Math.min(side - 1, low));
  const [left, right] = [clip(Math.floor(Math.min(x0, x1) - reach)), clip(Math.ceil(Math.max(x0, x1) + reach))];
  const [top, bottom] = [clip(Math.floor(Math.min(y0, y1) - reach)), clip(Math.ceil(Math.max(y0, y1) + reach))];
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const [px, py] = [x + 0.5 - x0, y + 0.5 - y0];
      const along = length ? Math.max(0, Math.min(1, (px * dx + py * dy) / length)) : 0;
      const far = (px - along * dx) ** 2 + (py - along * dy) ** 2;
      if (far <= reach * reach) map[y * side + x] = value;
    }
  }
}

/** Set the area of one class around a pixel. */
export function fillArea(map, side, x, y, value) {
  const from = map[y * side + x];
  if (from === value) return;
  const open = [y * side + x];
  map[open[0]] = value;
  while (open.length) {
    for (const at of listNeighbours(open.pop(), side)) {
      if (map[at] !== from) continue;
      map[at] = value;
      open.push(at);
    }
  }
}

function listNeighbours(at, side, count = side * side) {
  const found = [];
  if (at % side) found.push(at - 1);
  if ((at + 1) % side) found.push(at + 1);
  if (at >= side) found.push(at - side);
  if (at + side < count) found.push(at + side);
  return found;
}

/**
 * The classes of a drawn picture, {data: RGBA, width, height}; `unknown` is the share of pixels that are near no class's
 * colour: they get the class of the nearest pixel that is, as the soft edge of a brush should. Grey pixels may be the numbers
 * of the classes themselves.
 */
export function readClasses({ data, width, height }, colors) {
  const map = new Uint8Array(width * height).fill(EDGE);
  const isNumber = (value, i) => value === data[i - (i % 4)] && value < colors.length;
  const numbers = data.every((value, i) => (i % 4 === 3 ? value === 255 : isNumber(value, i)));
  const known = [];
  for (let at = 0; at < map.length; at++) {
    const [r, g, b, alpha] = data.subarray(4 * at, 4 * at + 4);
    map[at] = numbers ? r : alpha < 128 ? EDGE : findNear([r, g, b], colors);
    if (map[at] !== EDGE) known.push(at);
  }
  const unknown = 1 - known.length / map.length;
  for (let i = 0; i < known.length; i++) {
    for (const at of listNeighbours(known[i], width, map.length)) {
      if (map[at] !== EDGE) continue;
      map[at] = map[known[i]];
      known.push(at);
    }
  }
  return { map, unknown };
}

function findNear(color, colors) {
  let [best, least] = [EDGE, NEAR + 1];
  colors.forEach((each, k) => {
    const far = Math.max(...each.map((level, i) => Math.abs(level - color[i])));
    if (far < least) [best, least] = [k, far];
  });
  return best;
}

/** The map in its colours, as ImageData. */
export function colorMap(map, side, colors) {
  const pixels = new Uint32Array(side * side);
  const words = new Uint32Array(Uint8Array.from(colors.flatMap((color) => [...color, 255])).buffer); // a pixel as one number
  for (let at = 0; at < map.length; at++) pixels[at] = words[map[at]];
  return new ImageData(new Uint8ClampedArray(pixels.buffer), side, side);
}

/** A map as text for a link: its side, then its pixels, compressed. */
export async function packMap(map, side) {
  const stream = new Blob([map]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const text = btoa(String.fromCharCode(...bytes));
  return `${side}.${text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

/** {map, side} of such a text. Throws an Error with one line: it is none, or it has other classes than `count`. */
export async function unpackMap(text, count) {
  const [, digits, packed] = /^(\d{1,3})\.([\w-]+)$/.exec(text) ?? [];
  const side = Number(digits);
  if (!packed || side < 1 || side > MAX_SIDE) throw new Error("the map in the link is damaged");
  const map = new Uint8Array(side * side);
  let at = 0;
  try {
    const bytes = Uint8Array.from(atob(packed.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      map.set(value, at); // it throws where there is more than the side says
      at += value.length;
    }
  } catch {
    throw new Error("the map in the link is damaged");
  }
  if (at !== map.length || map.some((each) => each >= count)) throw new Error("the map in the link is of another model");
  return { map, side };
}
