// Requests to the server: JSON there and back; an error is one line.

/** The answer as JSON. Throws an Error with the server's line as its message and the answer's `status`. */
export async function ask(path, { method = "GET", body = undefined } = {}) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const response = await fetch(`./api/${path}`, { method, body: text });
  if (!response.ok) throw Object.assign(new Error(await readError(response)), { status: response.status });
  return response.json();
}

/** What went wrong, in one line. */
export async function readError(response) {
  const text = await response.text();
  try {
    return JSON.parse(text).error ?? text;
  } catch {
    return text.replace(/^ganvas: /, "") || `the server answered ${response.status}`;
  }
}

/** A number with thousands separators. */
export const formatCount = (n) => Number(n).toLocaleString("en");

/** A number of things, whose `plural` ends with s: 1 picture, 2,000 pictures. */
export const spellCount = (n, plural) => `${formatCount(n)} ${Number(n) === 1 ? plural.replace(/s$/, "") : plural}`;

/** Seconds as 45 s, 12 min, 3 h 10 min. */
export function formatSeconds(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
