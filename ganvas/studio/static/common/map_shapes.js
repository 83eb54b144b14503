// A map of classes, one number a pixel: lines, areas, colors to classes, and the map as text for a link.

const NEAR = 24; // levels from a class's color, within which a color is that class
const EDGE = 255; // a pixel whose class is not known yet
const MAX_SIDE = 2048; // pixels of a map in a link

/** Set the pixels of a map (rows of `columns` pixels) within a round brush that goes from one point to another, in pixels. */
export function drawLine(map, columns, [x0, y0], [x1, y1], width, value) {
  const reach = Math.max(width / 2, 0.71); // at least the pixel below the point
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length = dx * dx + dy * dy;
  const clip = (at, count) => Math.max(0, Math.min(count - 1, at));
  const span = (a, b, count) =>
    [Math.floor(Math.min(a, b) - reach), Math.ceil(Math.max(a, b) + reach)].map((at) => clip(at, count));
  const [[left, right], [top, bottom]] = [span(x0, x1, columns), span(y0, y1, map.length / columns)];
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const [px, py] = [x + 0.5 - x0, y + 0.5 - y0];
      const along = length ? Math.max(0, Math.min(1, (px * dx + py * dy) / length)) : 0;
      const far = (px - along * dx) ** 2 + (py - along * dy) ** 2;
      if (far <= reach * reach) map[y * columns + x] = value;
    }
  }
}

/** Set the area of one class around a pixel. */
export function fillArea(map, columns, x, y, value) {
  const from = map[y * columns + x];
  if (from === value) return;
  const open = [y * columns + x];
  map[open[0]] = value;
  while (open.length) {
    for (const at of listNeighbours(open.pop(), columns, map.length)) {
      if (map[at] !== from) continue;
      map[at] = value;
      open.push(at);
    }
  }
}

function listNeighbours(at, columns, count) {
  const found = [];
  if (at % columns) found.push(at - 1);
  if ((at + 1) % columns) found.push(at + 1);
  if (at >= columns) found.push(at - columns);
  if (at + columns < count) found.push(at + columns);
  return found;
}

/**
 * The classes of a drawn picture, {data: RGBA, width, height}; `unknown` is the share of the opaque pixels that are near no
 * class's color (1 if none is opaque): they, and the transparent ones, get the class of the nearest pixel that is, as the soft
 * edge of a brush should. Grey pixels may be the numbers of the classes themselves, with 255 for not known.
 */
export function readClasses({ data, width, height }, colors) {
  const map = new Uint8Array(width * height).fill(EDGE);
  const isNumber = (value, i) => value === data[i - (i % 4)] && (value < colors.length || value === EDGE);
  const fits = data.every((value, i) => (i % 4 === 3 ? value === 255 : isNumber(value, i)));
  const levels = data.filter((_, i) => i % 4 < 3);
  const isBlackAndWhite = levels.includes(EDGE) && levels.every((value) => value === 0 || value === EDGE);
  const numbers = fits && !isBlackAndWhite;
  const known = [];
  let opaque = 0;
  for (let at = 0; at < map.length; at++) {
    const [r, g, b, alpha] = data.subarray(4 * at, 4 * at + 4);
    opaque += alpha >= 128 && !(numbers && r === EDGE);
    map[at] = numbers ? r : alpha < 128 ? EDGE : findNear([r, g, b], colors);
    if (map[at] !== EDGE) known.push(at);
  }
  const unknown = opaque ? 1 - known.length / opaque : 1;
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

/** The map in its colors [r, g, b], or [r, g, b, a] where they are not opaque, as ImageData. */
export function colorMap(map, columns, colors) {
  const pixels = new Uint32Array(map.length);
  const bytes = Uint8Array.from(colors.flatMap(([r, g, b, alpha = 255]) => [r, g, b, alpha]));
  const words = new Uint32Array(bytes.buffer); // a pixel as one number
  for (let at = 0; at < map.length; at++) pixels[at] = words[map[at]];
  return new ImageData(new Uint8ClampedArray(pixels.buffer), columns, map.length / columns);
}

/** A map at another size, by its nearest pixels. */
export function resizeMap(map, [oldColumns, oldRows], [columns, rows]) {
  const place = (at, old, now) => Math.floor(((at + 0.5) * old) / now);
  const find = (at) =>
    map[place(Math.floor(at / columns), oldRows, rows) * oldColumns + place(at % columns, oldColumns, columns)];
  return Uint8Array.from({ length: columns * rows }, (_, at) => find(at));
}

/** A map in the middle of a square of `side` pixels, the rest of which is of the first class. */
export function centerMap(map, [columns, rows], side) {
  const square = new Uint8Array(side * side);
  const [left, top] = [columns, rows].map((count) => Math.floor((side - count) / 2));
  for (let y = 0; y < rows; y++) square.set(map.subarray(y * columns, (y + 1) * columns), (top + y) * side + left);
  return square;
}

/** A map as text for a link: its columns and rows (one number of a square), then its pixels, compressed. */
export async function packMap(map, columns) {
  const stream = new Blob([map]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const text = btoa(Array.from(bytes, (each) => String.fromCharCode(each)).join(""));
  const rows = map.length / columns;
  const size = columns === rows ? columns : `${columns}x${rows}`;
  return `${size}.${text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

/** {map, columns, rows} of such a text. Throws an Error with one line: it is none, or it has other classes than `count`. */
export async function unpackMap(text, count) {
  const [, digits, others, packed] = /^(\d{1,4})(?:x(\d{1,4}))?\.([\w-]+)$/.exec(text) ?? [];
  const [columns, rows] = [Number(digits), Number(others ?? digits)];
  if (!packed || Math.min(columns, rows) < 1 || Math.max(columns, rows) > MAX_SIDE) {
    throw new Error("the map in the link is damaged");
  }
  const map = new Uint8Array(columns * rows);
  let at = 0;
  try {
    const bytes = Uint8Array.from(atob(packed.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      map.set(value, at); // it throws where there is more than the size says
      at += value.length;
    }
  } catch {
    throw new Error("the map in the link is damaged");
  }
  if (at !== map.length || map.some((each) => each >= count)) throw new Error("the map in the link is of another model");
  return { map, columns, rows };
}
