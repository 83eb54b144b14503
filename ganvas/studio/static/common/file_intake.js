// One way in for files: choose, drop anywhere on the page, or paste; with one line for progress and one for what went wrong.

import { acceptDrops, listDroppedFiles } from "./drop.js";
import { make, say, toast } from "./shell.js";

const listChosenFiles = (files) => [...files].map((file) => ({ name: file.webkitRelativePath || file.name, file }));

export class FileIntake {
  /**
   * `choices`: the buttons, each {text, id, accept, folder, style}; `take(files)` gets a promise of [{name, file}], which is
   * rejected if a dropped folder cannot be read; `lead`, `words`: what stands above and below the buttons; `over`: an element
   * that has the class "over" while files are near; `isWanted(event)`: whether a drop or a paste is for it now.
   */
  constructor(root, { choices, take, label, lead = "", words = "", over = null, isWanted = () => true }) {
    this.take = take;
    this.isWanted = isWanted;
    this.inputs = choices.map((choice) => this.makeInput(choice, label));
    const buttons = choices.map(({ text, style = "" }, i) =>
      make("button", { type: "button", class: style, onclick: () => this.inputs[i].click() }, text));
    this.buttons = make("p", { class: "row" }, ...buttons, ...this.inputs);
    this.words = make("p", { class: "small muted" }, words);
    this.status = make("p", { class: "intake-status small", role: "status" });
    this.bar = make("progress", { max: 1, value: 0, hidden: true, "aria-label": "Sending" });
    const top = lead ? [make("p", {}, make("strong", {}, lead))] : [];
    const parts = [...top, this.buttons, ...(words ? [this.words] : []), this.status, this.bar];
    this.root = make("div", { class: "intake", role: "group", "aria-label": label }, ...parts);
    root.append(this.root);
    acceptDrops(over ?? this.root, (transfer) => this.take(listDroppedFiles(transfer)), isWanted);
    addEventListener("paste", (event) => this.paste(event));
  }

  /** The field behind a button. It is emptied after a choice, so that the same file can be chosen again. */
  makeInput({ text, id, accept, folder = false }, label) {
    const input = make("input", {
      type: "file", id, accept, class: "unseen", tabindex: -1, "aria-label": `${label}: ${text}`, onchange: () => {
        const files = listChosenFiles(input.files);
        input.value = "";
        if (files.length) this.take(Promise.resolve(files));
      },
    });
    input.webkitdirectory = input.multiple = folder;
    return input;
  }

  /** Files of the clipboard, such as a picture that was copied on another page. Text goes where it always goes. */
  paste(event) {
    if (!this.isWanted(event) || event.target.closest?.("input, textarea, [contenteditable]")) return;
    const files = listChosenFiles(event.clipboardData?.files ?? []);
    if (!files.length) return;
    event.preventDefault();
    this.take(Promise.resolve(files));
  }

  /** Show a line, and how much is done; null: no bar. */
  showProgress(text, share = null) {
    this.status.classList.remove("intake-problem");
    this.status.textContent = text;
    this.bar.hidden = share === null;
    if (share !== null) this.bar.value = share;
  }

  /** Show what went wrong, where the person sees it: the line may lie outside the window, or in a hidden part; "": nothing. */
  fail(text) {
    this.showProgress(text);
    this.status.classList.toggle("intake-problem", text !== "");
    if (!text) return;
    if (!this.status.checkVisibility()) {
      toast(text, { kind: "error" });
      return;
    }
    this.status.scrollIntoView({ block: "nearest" });
    say(text, true);
  }
}
