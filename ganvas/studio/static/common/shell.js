// What every page has: theme, keys and their help sheet, messages on the page and for screen readers.

const $ = (id) => document.getElementById(id);

/** Make an element with attributes and children. Strings become text, never markup. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Theme ------------------------------------------------------------------------------------------------------------------

const THEMES = { system: ["◐", "Auto"], light: ["○", "Light"], dark: ["●", "Dark"] };
const watchers = new Set();

function getTheme() {
  return document.documentElement.dataset.theme ?? "system";
}

function setTheme(name) {
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  try {
    localStorage.setItem("ganvas-theme", name);
  } catch {
    /* not kept */
  }
  showTheme();
}

function showTheme() {
  const [mark, name] = THEMES[getTheme()];
  $("theme").replaceChildren(
    make("span", { "aria-hidden": "true" }, mark),
    name,
    make("span", { class: "unseen" }, " theme; press for the next"),
  );
  for (const watcher of watchers) if (watcher() === false) watchers.delete(watcher);
}

/** Call `redraw` whenever the colours change, so that canvases follow; until it returns false: its canvas is gone. */
export function onTheme(redraw) {
  watchers.add(redraw);
}

/** The value of a colour token such as "--real". */
export function colour(token) {
  return getComputedStyle(document.documentElement).getPropertyValue(token).trim();
}

export const calm = matchMedia("(prefers-reduced-motion: reduce)");

// Messages ---------------------------------------------------------------------------------------------------------------

let last = 0;
let waiting = null;

/** Have a screen reader say `text`: at most once in five seconds, and only the latest. `atOnce` is for answers to a key. */
export function say(text, atOnce = false) {
  const speak = () => {
    last = Date.now();
    waiting = null;
    $("live").textContent = text;
  };
  if (waiting) clearTimeout(waiting);
  if (atOnce) speak();
  else waiting = setTimeout(speak, Math.max(0, 5000 - (Date.now() - last)));
}

/** Show a message until it is dismissed, or for some seconds (0: no limit); `action` is {label, run}. */
export function toast(text, { kind = "info", seconds = 8, action = null } = {}) {
  const box = make("div", { class: `toast ${kind}` }, make("p", {}, text));
  const close = () => box.remove();
  if (action)
    box.append(
      make(
        "button",
        {
          type: "button",
          onclick: () => {
            close();
            action.run();
          },
        },
        action.label,
      ),
    );
  box.append(make("button", { type: "button", class: "quiet", "aria-label": "Dismiss", onclick: close }, "×"));
  $("toasts").append(box);
  while ($("toasts").children.length > 4) $("toasts").firstChild.remove();
  if (seconds) setTimeout(close, seconds * 1000);
  say(text, true);
  return close;
}

// Keys -------------------------------------------------------------------------------------------------------------------

const keys = new Map();

/** Add a key to the page and its help sheet. A control on the page does the same, so no key is ever needed. */
export function key(name, about, run) {
  keys.set(name, { about, run });
}

function isTextField(target) {
  return target.closest?.(
    "input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]",
  );
}

const KEY_NAMES = { " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };

try {
  $("keys-on").checked = localStorage.getItem("ganvas-keys") !== "off";
} catch {
  /* not kept */
}
$("keys-on").addEventListener("change", () => {
  try {
    localStorage.setItem("ganvas-keys", $("keys-on").checked ? "on" : "off");
  } catch {
    /* not kept */
  }
});

document.addEventListener("keydown", (event) => {
  const held = event.ctrlKey || event.metaKey;
  if (event.key.length === 1 && !held && !$("keys-on").checked) return;
  if (event.altKey || isTextField(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === " " && event.target.closest?.("button, summary, a, input, label")) return;
  if (event.key.startsWith("Arrow") && event.target.closest?.("input, [role=slider], [role=tab], [data-arrows]"))
    return;
  const found = keys.get(held ? `Ctrl+${event.shiftKey ? "Shift+" : ""}${event.key.toUpperCase()}` : event.key);
  if (!found) return;
  event.preventDefault();
  found.run(event);
});

/** Open the help sheet. */
function openHelp() {
  const rows = [...keys].map(([name, { about }]) => [
    make("dt", {}, make("kbd", {}, KEY_NAMES[name] ?? name)),
    make("dd", {}, about),
  ]);
  $("keys").replaceChildren(...rows.flat());
  const more = document.querySelector("template#help-more");
  $("sheet-more").replaceChildren(...(more ? [more.content.cloneNode(true)] : []));
  $("sheet").showModal();
}

$("theme").addEventListener("click", () => {
  const names = Object.keys(THEMES);
  setTheme(names[(names.indexOf(getTheme()) + 1) % names.length]);
});
$("help").addEventListener("click", openHelp);
key("?", "This sheet", openHelp);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);
showTheme();
