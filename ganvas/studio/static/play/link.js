// A session in the link: what differs from the usual settings of its data, each move in order, a person's own points.

const SCALE = 1000; // points are kept as whole thousandths

/** {setup, history, points} -> "#data=ring&seed=3&do=b500~d3~objective:hinge" */
export function encodeLink({ setup, history, points }) {
  const parts = new URLSearchParams(Object.entries(setup).map(([name, value]) => [name, String(value)]));
  if (history.length) parts.set("do", history.map(encodeEvent).join("~"));
  if (points.length) parts.set("at", encodePoints(points));
  return `#${parts}`;
}

/** The hash of a link -> {setup, history, points}. The session's process checks it. */
export function decodeLink(hash) {
  const parts = new URLSearchParams(hash === "#tour" ? "" : hash.slice(1)); // lessons.js begins the tour
  const found = { setup: {}, history: [], points: [] };
  for (const [name, value] of parts) {
    if (name === "do") found.history = value.split("~").filter(Boolean).map(decodeEvent);
    else if (name === "at") found.points = decodePoints(value);
    else found.setup[name] = decodeValue(value);
  }
  return found;
}

function encodeEvent([kind, first, second]) {
  return kind === "set" ? `${first}:${second}` : `${kind}${first}`;
}

function decodeEvent(text) {
  const move = /^([bdg])(\d+)$/.exec(text);
  if (move) return [move[1], Number(move[2])];
  const [setting, ...rest] = text.split(":");
  return ["set", setting, decodeValue(rest.join(":"))];
}

function decodeValue(text) {
  if (text !== "" && Number.isFinite(Number(text))) return Number(text);
  if (text === "true" || text === "false") return text === "true";
  return text;
}

/** Points as 16-bit whole numbers in URL-safe base64. */
function encodePoints(points) {
  const numbers = new Int16Array(points.flat().map((value) => Math.round(value * SCALE)));
  const text = btoa(String.fromCharCode(...new Uint8Array(numbers.buffer)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function decodePoints(text) {
  try {
    const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
    const numbers = new Int16Array(bytes.buffer, 0, Math.floor(bytes.length / 4) * 2);
    const pair = (_, i) => [numbers[2 * i] / SCALE, numbers[2 * i + 1] / SCALE];
    return Array.from({ length: numbers.length / 2 }, pair);
  } catch {
    return []; // a damaged link: the session says that points are missing
  }
}
