// The settings form: native controls, made from one list; changes are sent as they are made.

import { make, say } from "./shell.js";

const DATA = [["On a line", [["normal1d", "One bell curve"], ["mixture1d", "Two bell curves"]]],
  ["In the plane", [["line", "A line"], ["gaussians", "Two Gaussians"], ["ring", "A ring of eight"], ["grid", "A grid of 25"], ["moons", "Two moons"], ["spiral", "A spiral"]]],
  ["Your own", [["brush", "Draw it…"], ["csv", "A CSV file…"]]]];
const LOSSES = [["minimax", "Minimax (the lectures')"], ["nonsaturating", "Non-saturating"], ["leastsquares", "Least squares"], ["wasserstein", "Wasserstein, clipped"],
  ["wasserstein-gp", "Wasserstein, gradient penalty"], ["hinge", "Hinge"], ["relativistic", "Relativistic"]];

// [name, label, kind, options]; whatever is under "Networks" begins the game anew.
const GROUPS = [
  ["The loss", true, [
    ["objective", "Loss", "choice", LOSSES],
    ["d_moves", "D moves per step", "range", [0, 10]], ["g_moves", "G moves per step", "range", [0, 10]],
    ["d_rate", "D learning rate", "number", [0, 1, "any"]], ["g_rate", "G learning rate", "number", [0, 1, "any"]],
    ["balance", "Balance", "choice", [["auto", "Automatic"], ["fixed", "Fixed, only watched"], ["rest", "D rests above 80 %"], ["off", "Off"]]],
  ]],
  ["Penalties and noise", false, [
    ["r1", "R1", "number", [0, 100, "any"]], ["r2", "R2", "number", [0, 100, "any"]], ["penalty", "Gradient penalty", "number", [0, 100, "any"]],
    ["clip", "Clip D's weights at", "number", [0, 100, "any"]], ["d_noise", "Noise on what D sees", "number", [0, 5, "any"]],
  ]],
  ["Optimiser", false, [
    ["optimiser", "Optimiser", "choice", [["adam", "Adam"], ["sgd", "Gradient descent"]]], ["momentum", "Momentum", "number", [0, 0.99, "any"]],
    ["batch", "Batch", "number", [8, 1024, 1]], ["length", "Steps of the run", "number", [1, 1000000, 1]], ["end", "Rate at its end", "number", [0, 1, "any"]],
  ]],
  ["Networks (begin anew)", false, [
    ["noise", "Noise", "choice", [["normal", "Normal"], ["uniform", "Uniform"]]], ["latent_dim", "Noise dimensions", "range", [1, 16]],
    ["width", "G width", "number", [1, 256, 1]], ["depth", "G depth", "range", [1, 6]], ["critic_width", "D width", "number", [1, 256, 1]], ["critic_depth", "D depth", "range", [1, 6]],
    ["coins", "Noise in pieces for G", "check"], ["frequencies", "Waves that D sees", "range", [0, 8]],
  ]],
];
const controls = new Map();
let dataControl = null;

function control(name, label, kind, options, send) {
  const id = `set-${name}`;
  if (kind === "check") {
    const box = make("input", { type: "checkbox", id, onchange: () => send(name, box.checked) });
    controls.set(name, { input: box, show: (value) => { box.checked = value; } });
    return make("label", { class: "check field" }, box, label);
  }
  let input;
  const out = make("output", { for: id });
  if (kind === "choice") input = make("select", { id }, ...options.map(([value, text]) => make("option", { value }, text)));
  else if (kind === "range") input = make("input", { id, type: "range", min: options[0], max: options[1] });
  else input = make("input", { id, type: "number", min: options[0], max: options[1], step: options[2] });
  const entry = { input, value: "", show: (value) => { input.value = value; if (kind === "range") out.textContent = value; } };
  const why = kind === "number" ? make("p", { id: `${id}-why`, class: "small", hidden: true }) : null;
  const explain = (text) => {
    why.hidden = !text;
    why.textContent = text;
    if (text) { input.setAttribute("aria-describedby", why.id); say(text, true); } else input.removeAttribute("aria-describedby");
  };
  input.addEventListener("change", () => {
    if (input.value !== "" && input.checkValidity()) { send(name, kind === "choice" ? input.value : Number(input.value)); return; }
    const kept = entry.value;
    explain(`Expected a ${options[2] === 1 ? "whole " : ""}number from ${options[0]} to ${options[1]}${input.value === "" ? "" : `, not ${input.value}`}: it stays ${kept}.`);
    input.value = kept;
  });
  if (why) input.addEventListener("input", () => explain(""));
  if (kind === "range") input.addEventListener("input", () => { out.textContent = input.value; });
  controls.set(name, entry);
  return make("div", { class: "field" }, make("label", { for: id }, label, kind === "range" ? out : null), input, why);
}

/** Fill the form. `set(name, value)`, `data(name)`, `file(file)` are called with what a person does. */
export function build(form, { set, data, file }) {
  form.addEventListener("submit", (event) => event.preventDefault());
  dataControl = make("select", { id: "set-data" }, ...DATA.map(([label, options]) => make("optgroup", { label }, ...options.map(([value, text]) => make("option", { value }, text)))));
  dataControl.addEventListener("change", () => data(dataControl.value));
  const redraw = make("button", { type: "button", class: "quiet small", onclick: () => data("brush") }, "Draw your own");
  const upload = make("input", { type: "file", id: "file", accept: ".csv,.tsv,.txt", class: "unseen", "aria-label": "CSV file of points", tabindex: "-1" });
  upload.addEventListener("change", () => { if (upload.files[0]) file(upload.files[0]); upload.value = ""; });
  const choose = make("button", { type: "button", class: "quiet small", onclick: () => upload.click() }, "Open CSV");
  form.append(make("div", { class: "field" }, make("label", { for: "set-data" }, "Data"), dataControl, make("div", { class: "row own" }, redraw, choose, upload)));
  form.append(control("seed", "Seed", "number", [0, 9007199254740991, 1], set));
  for (const [title, open, list] of GROUPS) {
    form.append(make("details", { open }, make("summary", {}, title), make("div", {}, ...list.map(([name, label, kind, options]) => control(name, label, kind, options, set)))));
  }
  form.append(control("beside", "Beside the GAN", "choice", [["nothing", "Nothing"], ["vae", "A VAE"], ["classifier", "A classifier"], ["both", "Both"]], set));
}

/** Show the session's settings, but leave the control alone that is in use, unless `all`. */
export function show(facts, all = false) {
  for (const [name, entry] of controls) {
    entry.value = facts.setup[name];
    if (all || document.activeElement !== entry.input || entry.input.tagName === "SELECT") entry.show(entry.value);
  }
  if (all || document.activeElement !== dataControl || !facts.restoring) dataControl.value = facts.setup.data;
}
