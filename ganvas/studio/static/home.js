import { make } from "./shell.js";

const overview = await (await fetch("./api/home/overview")).json();
document.getElementById("cards").replaceChildren(...overview.pages.map((page) =>
  make("a", { class: "card", href: `./${page.name}` }, make("h2", {}, page.title), make("p", {}, page.about))));
const runs = document.getElementById("runs");
runs.replaceChildren(...overview.runs.map((run) =>
  make("li", {}, run.opens ? make("a", { href: `./train#run=${encodeURIComponent(run.name)}` }, run.name) : make("strong", {}, run.name), ` ${run.recipe} · ${run.finished ? "finished" : "not finished"}`)));
document.getElementById("no-runs").hidden = overview.runs.length > 0;
const { machine } = overview;
document.getElementById("machine").textContent =
  `ganvas ${overview.version} · ${machine.cores} cores · ${machine.processor} · ${machine.gpu ?? "no GPU"}`;
