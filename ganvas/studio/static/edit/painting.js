// Painting on the picture: strokes that become a step.

import { drawPixels } from "../common/pixels.js";
import { Sketch } from "../common/sketch.js";
import { $ } from "./edit_state.js";

export class Painting {
  /**
   * `apply(strokes)` gets what was painted, uint8 [side, side, 4]; `left()` runs when painting ends; `getPicture()` is the
   * picture of now, uint8 [side, side, C], or nothing.
   */
  constructor({ apply, left, getPicture }) {
    Object.assign(this, { apply, left, getPicture, take: apply, tool: "paint" });
    const layers = [{ name: "paint", label: "Paint", color: "#ffffff" }];
    const changed = () => { $("apply").disabled = this.sketch.isEmpty; };
    this.sketch = new Sketch($("sketch"), { layers, label: "Paint on the picture", background: null, size: 0.08, changed });
    $("paint").addEventListener("click", () => (this.isOpen && this.tool === "paint" ? this.close() : this.open()));
    $("apply").addEventListener("click", () => this.finish());
    $("discard").addEventListener("click", () => this.leave());
    addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.isOpen || document.querySelector("dialog[open]")) return;
      if (event.defaultPrevented && !this.sketch.isEmpty) return; // it closed an explanation: what was painted stays
      this.leave();
    });
    $("color").addEventListener("input", () => this.setColor($("color").value));
    $("pick-ground").addEventListener("click", () => this.takeGround());
  }

  get isOpen() {
    return !$("sketch").hidden;
  }

  /**
   * Begin to paint on the picture, or on another one; `take(strokes)` gets what was painted. `tool`: the id of the button that
   * is pressed meanwhile; `color`: that of a mark, of which only the place counts.
   */
  open({ take = this.apply, tool = "paint", pixels: other = null, color = null } = {}) {
    const pixels = other ?? this.getPicture();
    if (!pixels) return;
    if (this.isOpen) this.show(false);
    Object.assign(this, { take, tool, side: pixels.shape[0], other });
    this.show(true);
    this.sketch.reset();
    this.sketch.setBelow(drawPixels(pixels));
    this.sketch.layers[0].color = color ?? $("color").value;
    this.sketch.draw();
    this.sketch.canvas.focus();
  }

  /** The picture of now lies below what was painted; a hole that was painted in another picture than `target` is gone. */
  follow(target) {
    if (!this.isOpen) return;
    if (!this.other) this.sketch.setBelow(drawPixels(this.getPicture()));
    else if (this.other !== target) this.close();
  }

  setColor(color) {
    $("color").value = color;
    if (this.tool !== "paint") return; // a mark has its own color
    this.sketch.layers[0].color = color;
    if (this.isOpen) this.sketch.draw();
  }

  /** The color of the corner at the top left: with it something is removed. */
  takeGround() {
    const pixels = this.getPicture();
    if (!pixels) return;
    const channels = pixels.shape[2];
    const parts = [0, 1, 2].map((k) => pixels[Math.min(k, channels - 1)].toString(16).padStart(2, "0"));
    this.setColor(`#${parts.join("")}`);
  }

  finish() {
    const { data } = this.sketch.render(this.side).getContext("2d").getImageData(0, 0, this.side, this.side);
    const strokes = new Uint8Array(data);
    strokes.shape = [this.side, this.side, 4];
    this.close();
    this.take(strokes); // what `open` was given
  }

  /** End painting, and go back to the button that began it: what has the focus is gone. */
  leave() {
    const button = $(this.tool);
    this.close();
    button.focus();
  }

  close() {
    this.show(false);
    this.left();
  }

  show(isOpen) {
    $("sketch").hidden = $("paint-controls").hidden = !isOpen;
    $("result").closest(".view").hidden = isOpen;
    $(this.tool).setAttribute("aria-pressed", String(isOpen));
  }
}
