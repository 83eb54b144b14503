// In a small window the steps are a sheet at the lower edge, which slides up.

import { $ } from "./edit_state.js";

export function connectSheet() {
  const [sheet, button] = [$("steps-pane"), $("sheet-toggle")];
  const isSheet = () => getComputedStyle(sheet).position === "fixed"; // else it is a column
  const show = (isOpen) => {
    sheet.dataset.open = String(isOpen);
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen && isSheet()) document.querySelector(".stage .view").scrollIntoView(); // what the steps change stays in sight
  };
  button.addEventListener("click", () => show(sheet.dataset.open !== "true"));
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || sheet.dataset.open !== "true" || document.querySelector("dialog[open]")) return;
    if (!isSheet()) return;
    show(false);
    if (sheet.contains(event.target)) button.focus();
  });
  show(false);
}
