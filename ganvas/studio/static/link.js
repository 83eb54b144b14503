// A session in the link: what differs from the usual setup of its data, each move in order, drawn points.

/** {setup, history, points} -> "#data=ring&seed=3&do=b500~d3~objective:hinge" */
export function coded({ setup, history, points }) {
  const parts = new URLSearchParams(Object.entries(setup).map(([name, value]) => [name, String(value)]));
  if (history.length) parts.set("do", history.map((event) => (event[0] === "set" ? `${event[1]}:${event[2]}` : `${event[0]}${event[1]}`)).join("~"));
  if (points.length) {
    const numbers = new Int16Array(points.flat().map((value) => Math.round(value * 1000)));
    parts.set("at", btoa(String.fromCharCode(...new Uint8Array(numbers.buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""));
  }
  return `#${parts}`;
}

const plain = (text) => (text !== "" && Number.isFinite(Number(text)) ? Number(text) : text === "true" ? true : text === "false" ? false : text);

/** The link's hash -> {setup, history, points}; what it says is checked by the session. */
export function decoded(hash) {
  const parts = new URLSearchParams(hash === "#tour" ? "" : hash.slice(1));  // the tour begins itself: lessons.js
  const wanted = { setup: {}, history: [], points: [] };
  for (const [name, value] of parts) {
    if (name === "do") {
      wanted.history = value.split("~").filter(Boolean).map((token) => {
        const move = /^([bdg])(\d+)$/.exec(token);
        const [setting, ...rest] = token.split(":");
        return move ? [move[1], Number(move[2])] : ["set", setting, plain(rest.join(":"))];
      });
    } else if (name === "at") {
      try {
        const bytes = Uint8Array.from(atob(value.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
        const numbers = new Int16Array(bytes.buffer, 0, Math.floor(bytes.length / 4) * 2);
        wanted.points = Array.from({ length: numbers.length / 2 }, (_, i) => [numbers[2 * i] / 1000, numbers[2 * i + 1] / 1000]);
      } catch { wanted.points = []; }
    } else wanted.setup[name] = plain(value);
  }
  return wanted;
}
