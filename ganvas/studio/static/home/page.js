// The home page: where to begin, the latest runs with their newest pictures, the other pages, this machine.

import { ask, formatSeconds } from "../common/api.js";
import { make } from "../common/shell.js";
import { leadToTraining } from "../train/send_pictures.js";

const $ = (id) => document.getElementById(id);

/** What one click begins. */
function makeStart({ title, about, href, picture, seconds }) {
  const image = make("img", { src: `./static/${picture}`, alt: "", width: 96, height: 96 });
  const time = seconds ? make("p", { class: "num small" }, `about ${formatSeconds(Math.max(60, seconds))} here`) : null;
  return make("a", { class: "card", href }, image, make("div", {}, make("h3", {}, title), make("p", {}, about), time));
}

/** A run with its newest picture, and the pages that open it. */
function makeRun({ name, recipe, finished, opens, snapshot, explores, translates, damage }) {
  const id = encodeURIComponent(name);
  const hasPicture = opens && snapshot !== null;
  const source = `./api/train/runs/${id}/samples/${snapshot}`;
  const none = make("span", { class: "none" }, "no picture");
  const image = hasPicture ? make("img", { src: source, alt: "", loading: "lazy" }) : none;
  const title = opens ? make("a", { href: `./train#run=${id}` }, name) : make("strong", {}, name);
  const state = damage ? make("span", { class: "problem" }, damage) : `${recipe} · ${finished ? "finished" : "not finished"}`;
  const whose = () => make("span", { class: "unseen" }, ` the model of ${name}`);
  const use = (page, label) => make("a", { href: `./${page}#model=${id}` }, label, whose());
  const explore = opens && explores ? use("explore", "Explore") : null;
  const translate = opens && translates ? use("translate", "Translate") : null;
  const words = make("div", { class: "words" }, title, make("p", { class: "muted small" }, state), explore, translate);
  return make("li", { class: "run" }, make("div", { class: "frame" }, image), words);
}

function makePage({ name, title, about }) {
  return make("li", {}, make("a", { href: `./${name}` }, title), ` ${about}`);
}

const { version, machine, runs, pages, starts, max_upload_bytes: limit } = await ask("home/overview");
$("starts").replaceChildren(...starts.map(makeStart));
$("runs").replaceChildren(...runs.map(makeRun));
$("no-runs").hidden = runs.length > 0;
$("pages").replaceChildren(...pages.map(makePage));
$("machine").textContent = `ganvas ${version} · ${machine.cores} cores · ${machine.processor} · ${machine.gpu ?? "no GPU"}`;
leadToTraining(limit);
