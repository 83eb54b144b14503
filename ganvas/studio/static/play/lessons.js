// The guided tour and the lessons: words and settings come from the server, this shows them part by part.

import { ask } from "../common/api.js";
import { explain } from "../common/explain.js";
import { make, say } from "../common/shell.js";

export class Lessons {
  /** `begin(session)` and `send(kind, facts)` reach the session's process; `order(names)` puts charts first. */
  constructor(bar, panel, { begin, send, order }) {
    Object.assign(this, { bar, panel, begin, send, order, lesson: null, part: 0, cured: false });
    this.tourAsked = location.hash === "#tour"; // until it is begun
    this.load();
  }

  async load() {
    const lessons = await ask("play/lessons");
    const buttons = lessons.map((lesson) => this.makeStart(lesson));
    this.bar.replaceChildren(buttons[0], make("span", { class: "muted small" }, "Break it:"), ...buttons.slice(1));
    this.tour = lessons.find((lesson) => lesson.name === "tour");
    this.startTourIfAsked();
  }

  makeStart(lesson) {
    const facts = { type: "button", class: "small", "data-lesson": lesson.name, "aria-pressed": "false" };
    const text = lesson.name === "tour" ? "Guided tour" : lesson.title;
    const button = make("button", { ...facts, onclick: () => this.start(lesson) }, text);
    explain(button, lesson.about);
    return button;
  }

  /** Start the tour if the link asks for it, once there are lessons and a session. */
  startTourIfAsked() {
    if (!this.tourAsked || !this.tour || !this.connected) return;
    this.tourAsked = false;
    this.start(this.tour);
  }

  /** Start at step 0; at a later part, with the moves of the earlier ones done again. */
  start(lesson, part = 0) {
    Object.assign(this, { lesson, part, cured: false, joined: false });
    this.begin({ setup: lesson.setup, history: lesson.parts.slice(0, part).flatMap((earlier) => earlier.do) });
    this.enterPart();
    this.panel.focus();
  }

  enterPart() {
    const part = this.lesson.parts[this.part];
    for (const [who, count] of part.do) this.send("step", { who, count, then: part.play });
    if (part.play && !part.do.length) this.send("play", { on: true });
    this.render();
  }

  goOn() {
    this.part += 1;
    this.enterPart();
    this.panel.focus();
  }

  close() {
    this.lesson = null;
    this.render();
  }

  /** Close, and go back to the button that the lesson was started with. */
  leave() {
    const { name } = this.lesson;
    this.close();
    this.bar.querySelector(`[data-lesson="${name}"]`).focus();
  }

  cure() {
    const { lesson } = this;
    this.cured = true;
    if (lesson.restart) this.begin({ setup: { ...lesson.setup, ...lesson.cure }, history: [] });
    else for (const [name, value] of Object.entries(lesson.cure)) this.send("set", { name, value });
    this.send("play", { on: true });
    this.render();
    this.panel.focus();
  }

  /** Close the lesson when the session was left for one with other data. */
  follow(facts) {
    this.connected = true;
    this.startTourIfAsked();
    if (!this.lesson) return;
    if (facts.setup.data === this.lesson.setup.data) this.joined = true;
    else if (this.joined) this.close();
  }

  render() {
    const { lesson } = this;
    for (const button of this.bar.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.lesson === lesson?.name));
    }
    this.panel.hidden = !lesson;
    this.order(lesson?.charts ?? []);
    if (!lesson) {
      this.panel.replaceChildren();
      return;
    }
    const part = lesson.parts[this.part];
    const text = this.cured ? lesson.cure_text : part.text;
    const title = make("h2", { id: "lesson-title" }, this.cured ? lesson.cure_title : part.title);
    this.panel.tabIndex = -1; // it gets the focus, so that a screen reader reads it
    const words = make("div", { class: "lesson-words" }, title, make("p", {}, text));
    this.panel.replaceChildren(words, make("div", { class: "row" }, ...this.makeButtons()));
    say(`${title.textContent}. ${text}`, true);
  }

  makeButtons() {
    const { lesson, part } = this;
    const button = (text, run, facts = {}) => {
      const style = `small ${facts.class ?? ""}`;
      return make("button", { type: "button", ...facts, class: style, onclick: run }, text);
    };
    const last = part === lesson.parts.length - 1;
    const buttons = [];
    if (lesson.parts.length > 1) buttons.push(make("span", { class: "muted small" }, `${part + 1} of ${lesson.parts.length}`));
    if (part > 0) buttons.push(button("From the start", () => this.start(lesson), { class: "quiet" }));
    if (part > 0) buttons.push(button("Back", () => this.start(lesson, part - 1), { id: "back" }));
    if (!last) buttons.push(button("Next", () => this.goOn(), { class: "primary", id: "next" }));
    if (lesson.cure_title && !this.cured) {
      buttons.push(button(`Cure: ${lesson.cure_title}`, () => this.cure(), { class: "primary", id: "cure" }));
    }
    if (this.cured) buttons.push(button("Break it again", () => this.start(lesson), { class: "quiet" }));
    return [...buttons, button("Close", () => this.leave(), { class: "quiet" })];
  }
}
