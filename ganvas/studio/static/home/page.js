// The home page: cards of the other pages, the latest runs, this machine.

import { ask } from "../common/api.js";
import { make } from "../common/shell.js";

const $ = (id) => document.getElementById(id);

function makeCard({ name, title, about }) {
  return make("a", { class: "card", href: `./${name}` }, make("h2", {}, title), make("p", {}, about));
}

function makeRun({ name, recipe, finished, opens }) {
  const link = `./train#run=${encodeURIComponent(name)}`;
  const title = opens ? make("a", { href: link }, name) : make("strong", {}, name);
  return make("li", {}, title, ` ${recipe} · ${finished ? "finished" : "not finished"}`);
}

const { version, machine, runs, pages } = await ask("home/overview");
$("cards").replaceChildren(...pages.map(makeCard));
$("runs").replaceChildren(...runs.map(makeRun));
$("no-runs").hidden = runs.length > 0;
$("machine").textContent = `ganvas ${version} · ${machine.cores} cores · ${machine.processor} · ${machine.gpu ?? "no GPU"}`;
