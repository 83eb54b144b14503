// The settings form: native controls, made from the schema that the server sends. Changes are sent as they are made.

import { explain } from "../common/explain.js";
import { FileIntake } from "../common/file_intake.js";
import { make, say } from "../common/shell.js";

const makeOptions = (choices) => choices.map(([value, text]) => make("option", { value }, text));

export class Settings {
  /** `set(name, value)`, `chooseData(name)`, `openFiles(files)` are called with what a person does. */
  constructor(root, schema, { set, chooseData, openFiles }) {
    Object.assign(this, { controls: new Map(), set, chooseData, openFiles });
    root.form.addEventListener("submit", (event) => event.preventDefault());
    root.append(this.makeDataField(schema.data, schema.data_about));
    for (const { title, open, controls } of schema.groups) {
      const fields = controls.map((control) => this.makeControl(control));
      if (title) root.append(make("details", { open }, make("summary", {}, title), make("div", {}, ...fields)));
      else root.append(...fields);
    }
  }

  makeDataField(data, about) {
    const groups = Object.entries(data).map(([label, choices]) =>
      make("optgroup", { label }, ...makeOptions(Object.entries(choices))));
    this.data = make("select", { id: "set-data", onchange: () => this.chooseData(this.data.value) }, ...groups);
    const quiet = { type: "button", class: "quiet small" };
    const draw = make("button", { ...quiet, onclick: () => this.chooseData("brush") }, "Draw your own");
    const label = make("label", { for: "set-data" }, "Data");
    const own = make("div", { class: "row own" }, draw);
    this.files = new FileIntake(own, {
      choices: [{ text: "Open CSV", id: "file", accept: ".csv,.tsv,.txt", style: "quiet small" }], label: "CSV file of points",
      take: this.openFiles, over: document.querySelector(".stage"),
    });
    this.files.root.classList.add("plain");
    const field = make("div", { class: "field" }, label, this.data, own);
    explain(field, about, this.data);
    return field;
  }

  /** The field of a control, with its explanation. */
  makeControl(control) {
    const makers = { check: this.makeCheck, choice: this.makeChoice, range: this.makeRange, number: this.makeNumber };
    const field = makers[control.kind].call(this, control);
    explain(field, control.about, this.controls.get(control.name).input);
    return field;
  }

  makeCheck({ name, label }) {
    const id = `set-${name}`;
    const input = make("input", { type: "checkbox", id, onchange: () => this.set(name, input.checked) });
    this.controls.set(name, { input, show: (value) => { input.checked = value; } });
    return make("label", { class: "check field" }, input, label);
  }

  makeChoice({ name, label, choices }) {
    const id = `set-${name}`;
    const input = make("select", { id, onchange: () => this.set(name, input.value) }, ...makeOptions(choices));
    this.controls.set(name, { input, show: (value) => { input.value = value; } });
    return make("div", { class: "field" }, make("label", { for: id }, label), input);
  }

  makeRange({ name, label, low, high }) {
    const id = `set-${name}`;
    const out = make("output", { for: id });
    const input = make("input", {
      id, type: "range", min: low, max: high,
      oninput: () => { out.textContent = input.value; }, onchange: () => this.set(name, Number(input.value)),
    });
    const show = (value) => { input.value = out.textContent = value; };
    this.controls.set(name, { input, show });
    return make("div", { class: "field" }, make("label", { for: id }, label, out), input);
  }

  /** A number field. A value out of range is restored, with a line that says why. */
  makeNumber({ name, label, low, high, whole }) {
    const id = `set-${name}`;
    const why = make("p", { id: `${id}-why`, class: "small", hidden: true });
    const entry = { value: "", show: (value) => { input.value = value; } };
    const complain = (text) => {
      why.hidden = !text;
      why.textContent = text;
      if (text) say(text, true);
    };
    const change = () => {
      if (input.value !== "" && input.checkValidity()) return this.set(name, Number(input.value));
      const given = input.value === "" ? "" : `, not ${input.value}`;
      const kind = whole ? "whole number" : "number";
      input.value = entry.value;
      return complain(`Expected a ${kind} from ${low} to ${high}${given}: it stays ${entry.value}.`);
    };
    const bounds = { min: low, max: high, step: whole ? 1 : "any" };
    const facts = { id, type: "number", ...bounds, "aria-describedby": why.id };
    const input = make("input", { ...facts, onchange: change, oninput: () => complain("") });
    this.controls.set(name, Object.assign(entry, { input }));
    return make("div", { class: "field" }, make("label", { for: id }, label), input, why);
  }

  /** Show the settings of a session. The control that is in use stays as it is, unless `all`. */
  show(facts, all = false) {
    for (const [name, entry] of this.controls) {
      entry.value = facts.setup[name];
      const inUse = document.activeElement === entry.input && entry.input.tagName !== "SELECT";
      if (all || !inUse) entry.show(entry.value);
    }
    if (all || document.activeElement !== this.data || !facts.restoring) this.data.value = facts.setup.data;
  }
}
