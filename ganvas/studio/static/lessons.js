// The guided tour and the lessons: words and settings come from the library, this shows them scene by scene.

import { make, say } from "./shell.js";

export class Lessons {
  constructor(bar, panel, { begin, send }) {
    Object.assign(this, { bar, panel, begin, send, lesson: null, scene: 0, cured: false });
    this.wanted = location.hash === "#tour";  // until it is begun
    this.load();
  }

  async load() {
    const lessons = await (await fetch("./api/play/lessons")).json();
    const buttons = lessons.map((lesson) => make("button", { type: "button", title: lesson.about, "data-lesson": lesson.name, "aria-pressed": "false", onclick: () => this.start(lesson) },
      lesson.name === "tour" ? "Guided tour" : lesson.title));
    this.bar.replaceChildren(buttons[0], make("span", { class: "muted small" }, "Break it:"), ...buttons.slice(1));
    this.tour = lessons.find((lesson) => lesson.name === "tour");
    this.invite();
  }

  /** Begin the tour where the link asks for it, once there are lessons and a session. */
  invite() {
    if (!this.wanted || !this.tour || !this.connected) return;
    this.wanted = false;
    this.start(this.tour);
  }

  /** From step 0; at a later scene, with what was done before it done again. */
  start(lesson, scene = 0) {
    Object.assign(this, { lesson, scene, cured: false, joined: false });
    this.begin({ setup: lesson.setup, history: lesson.scenes.slice(0, scene).flatMap((earlier) => earlier.do) });
    this.enter();
    this.panel.focus();
  }

  enter() {
    const scene = this.lesson.scenes[this.scene];
    for (const [who, count] of scene.do) this.send("step", { who, count, then: scene.play });
    if (scene.play && !scene.do.length) this.send("play", { on: true });
    this.render();
  }

  close() {
    this.lesson = null;
    this.render();
  }

  cure() {
    this.cured = true;
    if (this.lesson.anew) this.begin({ setup: { ...this.lesson.setup, ...this.lesson.cure }, history: [] });
    else for (const [name, value] of Object.entries(this.lesson.cure)) this.send("set", { name, value });
    this.send("play", { on: true });
    this.render();
  }

  /** Keep the buttons in step with a session that was left for another. */
  follow(facts) {
    this.connected = true;
    this.invite();
    if (!this.lesson) return;
    if (facts.setup.data === this.lesson.setup.data) this.joined = true;
    else if (this.joined) this.close();
  }

  render() {
    const { lesson } = this;
    for (const button of this.bar.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.lesson === lesson?.name));
    this.panel.hidden = !lesson;
    if (!lesson) { this.panel.replaceChildren(); return; }
    const scene = lesson.scenes[this.scene];
    const last = this.scene === lesson.scenes.length - 1;
    const text = this.cured ? lesson.cure_text : scene.text;
    const count = lesson.scenes.length > 1 ? make("span", { class: "muted small" }, `${this.scene + 1} of ${lesson.scenes.length}`) : null;
    this.panel.tabIndex = -1;
    this.panel.replaceChildren(
      make("div", { class: "lesson-words" }, make("h2", { id: "lesson-title" }, this.cured ? lesson.cure_title : scene.title), make("p", {}, text)),
      make("div", { class: "row" }, count,
        this.scene > 0 ? make("button", { type: "button", class: "quiet", onclick: () => this.start(lesson) }, "From the start") : null,
        this.scene > 0 ? make("button", { type: "button", id: "back", onclick: () => this.start(lesson, this.scene - 1) }, "Back") : null,
        last ? null : make("button", { type: "button", class: "primary", id: "next", onclick: () => { this.scene += 1; this.enter(); this.panel.focus(); } }, "Next"),
        lesson.cure_title && !this.cured ? make("button", { type: "button", class: "primary", id: "cure", onclick: () => { this.cure(); this.panel.focus(); } }, `Cure: ${lesson.cure_title.toLowerCase()}`) : null,
        this.cured ? make("button", { type: "button", class: "quiet", onclick: () => this.start(lesson) }, "Break it again") : null,
        make("button", { type: "button", class: "quiet", onclick: () => { const { name } = lesson; this.close(); this.bar.querySelector(`[data-lesson="${name}"]`).focus(); } }, "Close")));
    say(`${scene.title}. ${text}`, true);
  }
}
