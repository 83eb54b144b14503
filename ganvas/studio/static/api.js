// Questions to the server: JSON there and back, an error is one line.

/** The answer as JSON; throws an Error whose message is the server's line, with the answer's `status`. */
export async function ask(path, { method = "GET", body = undefined, raw = undefined, signal = undefined } = {}) {
  const response = await fetch(`./api/${path}`, { method, signal, body: raw ?? (body === undefined ? undefined : JSON.stringify(body)) });
  if (!response.ok) throw Object.assign(new Error(await line(response)), { status: response.status });
  return response.json();
}

/** What went wrong, in one line. */
export async function line(response) {
  const text = await response.text();
  try { return JSON.parse(text).error ?? text; } catch { return text.replace(/^ganvas: /, "") || `the server answered ${response.status}`; }
}

export const count = (n) => Number(n).toLocaleString("en");

/** Seconds as 45 s, 12 min, 3 h 10 min. */
export function span(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
