// Explanations on hover and on focus: of a setting, a layer, a chart. One box for the page; Escape closes it.

import { make } from "./shell.js";

const WAIT = 350; // milliseconds that the pointer rests before the box opens
const LEAVE = 200; // milliseconds in which the pointer can move from the element to the box
const GAP = 6; // pixels between the two
const box = make("div", { class: "tip", popover: "manual", "aria-hidden": "true" });
const texts = make("div", { hidden: true }); // what describes the controls; hidden, so that it is read only with them
let timer = 0;
let shown = null; // the element that is explained now
let count = 0;

document.body.append(texts, box);

/**
 * Explain `target` by `text`, while the pointer is on it or `control` in it has the focus. A screen reader reads the text as
 * the description of `control`. Returns the element that holds the text: who changes it changes the explanation.
 */
export function explain(target, text, control = target) {
  const words = make("p", { id: `tip-${count++}` }, text);
  texts.append(words);
  describe(control, words.id);
  target.addEventListener("pointerenter", (event) => event.pointerType !== "touch" && openSoon(target, words));
  target.addEventListener("pointerleave", closeSoon);
  target.addEventListener("pointerdown", close); // a list that opens, or a slider on its way, is not covered
  control.addEventListener("focus", () => control.matches(":focus-visible") && open(target, words));
  control.addEventListener("blur", close);
  return words;
}

/** Explain controls of the page, {id: text}: each together with its label. */
export function explainAll(meanings) {
  for (const [id, text] of Object.entries(meanings)) {
    const control = document.getElementById(id);
    const box = control.closest(".field") ?? (control.type === "checkbox" ? control.closest("label") : null);
    explain(box ?? control, text, control);
  }
}

/** A button "?" that explains what stands before it, by hover, focus or a press. */
export function makeHint(name, text) {
  const facts = { type: "button", class: "hint", "aria-label": `About: ${name}` };
  const button = make("button", facts, "?");
  const words = explain(button, text);
  button.addEventListener("click", () => open(button, words));
  return button;
}

/** Add an id to what describes a control. */
function describe(control, id) {
  const ids = control.getAttribute("aria-describedby");
  control.setAttribute("aria-describedby", ids ? `${ids} ${id}` : id);
}

function openSoon(target, words) {
  clearTimeout(timer);
  timer = setTimeout(open, WAIT, target, words);
}

function open(target, words) {
  clearTimeout(timer);
  if (!target.isConnected || !words.textContent) return;
  shown = target;
  box.textContent = words.textContent;
  // In a dialog that is open, the box must be in that dialog: the rest of the page is behind it.
  const home = target.closest("dialog") ?? document.body;
  if (box.parentElement !== home) home.append(box);
  if (!box.matches(":popover-open")) box.showPopover();
  place(target.getBoundingClientRect());
}

/** Put the box below an element, or above it where there is no room. */
function place({ left, top, bottom }) {
  const { width, height } = box.getBoundingClientRect();
  const below = bottom + GAP;
  const fits = below + height <= innerHeight || top - GAP - height < 0;
  box.style.left = `${Math.max(GAP, Math.min(left, innerWidth - width - GAP))}px`;
  box.style.top = `${fits ? below : top - GAP - height}px`;
}

function closeSoon() {
  clearTimeout(timer);
  if (shown && document.activeElement?.matches(":focus-visible") && shown.contains(document.activeElement)) return;
  timer = setTimeout(close, LEAVE);
}

function close() {
  clearTimeout(timer);
  shown = null;
  if (box.matches(":popover-open")) box.hidePopover();
}

box.addEventListener("pointerenter", () => clearTimeout(timer));
box.addEventListener("pointerleave", closeSoon);
addEventListener("scroll", close, { capture: true, passive: true });
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !shown) return;
  close();
  event.preventDefault(); // the first Escape closes the box only, not a dialog or what was painted
}, { capture: true });
