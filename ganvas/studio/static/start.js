// The form that starts a training: data (built in, or sent), recipe, how long.

import { ask, count, line } from "./api.js";
import { make, toast } from "./shell.js";
import { dropped, pack } from "./zip.js";

const $ = (id) => document.getElementById(id);
const NAMES = { mnist: "digits (MNIST)", fashion: "clothes (Fashion-MNIST)", stacked: "three digits in colours (stacked MNIST)" };
let recipes = [];
let built = {};  // built-in pictures: their number of classes, by name
let uploads = [];
let reading = 0;
let coming = 0;  // pictures that are being packed, sent or looked through

/** Fill the form; `began(id)` is called when a training was started. */
export async function prepare(began) {
  $("form").addEventListener("submit", (event) => { event.preventDefault(); begin(began); });
  $("recipe").addEventListener("change", described);
  $("data").addEventListener("change", () => { offer(); report(); });
  $("zip").addEventListener("change", () => { for (const file of chosen("zip")) send(file, file.name); });
  $("folder").addEventListener("change", () => sendFolder(chosen("folder").map((file) => ({ name: file.webkitRelativePath || file.name, file }))));
  $("remove").addEventListener("click", remove);
  $("recipe").replaceChildren(make("option", {}, "reading the list of recipes …"));
  try {
    const [listed, ready] = await Promise.all([ask("train/recipes"), ask("train/uploads")]);
    recipes = listed.recipes;
    built = listed.classes;
    uploads = [...uploads.filter((one) => !ready.some(({ id }) => id === one.id)), ...ready];  // one may have come meanwhile
  } catch (wrong) { fail(wrong.message); return; }
  sources($("data").value);
}

/** The files that were chosen; the same can be chosen again, mended meanwhile. */
function chosen(id) {
  const files = [...$(id).files];
  $(id).value = "";
  return files;
}

/** Files may be dropped anywhere on the page while the form is shown; at other times nothing comes of it: the page is not left. */
function carried(event) {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  const wanted = !$("start").hidden, gone = event.type === "drop" || (event.type === "dragleave" && !event.relatedTarget);
  if (!wanted) event.dataTransfer.dropEffect = "none";
  $("drop").classList.toggle("over", wanted && !gone);
  if (wanted && event.type === "drop") take(event.dataTransfer);
}

for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) addEventListener(kind, carried);

async function take(transfer) {
  coming++;
  try {
    const found = await dropped(transfer);
    if (found.length === 1 && /\.zip$/i.test(found[0].name)) send(found[0].file, found[0].name);
    else sendFolder(found);
  } catch (wrong) { refused(wrong.message); } finally { coming--; }
}

function sources(chosen = "") {
  const mine = uploads.map((one) => make("option", { value: `upload:${one.id}` }, `${one.name}: ${count(one.report.count)} pictures`));
  const plain = Object.keys(built).map((name) => make("option", { value: name }, NAMES[name] ?? name));
  $("data").replaceChildren(make("option", { value: "" }, "the recipe's own data"), ...plain, ...mine);
  $("data").value = chosen;
  offer();
}

/** Whether a recipe can be trained on the chosen data. */
function suits(one) {
  const data = $("data").value, mine = upload();
  if (!data) return one.data !== "your own";
  const classes = mine ? Object.keys(mine.report.classes).length : built[data];
  return (one.data in built || (mine && one.data === "your own")) && (classes > 1 || !one.labels);
}

/** The recipes that suit the data, by game. */
function offer() {
  const mine = upload();
  const before = $("recipe").value;
  const fits = recipes.filter(suits);
  const groups = new Map();
  for (const one of fits) groups.set(one.game, [...(groups.get(one.game) ?? []), one]);
  $("recipe").replaceChildren(...[...groups].map(([game, list]) => make("optgroup", { label: game },
    ...list.map((one) => make("option", { value: one.name }, `${one.name} · ${one.minutes < 1 ? "under a" : one.minutes} min`)))));
  const first = (mine && fits.find((one) => one.data === "your own")) || fits[0];
  $("recipe").value = fits.some((one) => one.name === before) && !mine ? before : first?.name ?? "";
  described();
}

const upload = () => uploads.find((one) => `upload:${one.id}` === $("data").value);

function described() {
  const one = recipes.find(({ name }) => name === $("recipe").value);
  $("unit").textContent = `or ${one?.unit ?? "images"}`;
  $("about").textContent = one ? `${one.about}. ${one.paper}. ${count(one.parameters)} weights; ${one.minutes} min on two cores.` : "";
}

async function sendFolder(entries) {
  if (!entries.length) return;
  coming++;
  try {
    progress("Reading the folder …", 0);
    send(await pack(entries, (done) => progress("Reading the folder …", done)), entries[0].name.split("/")[0]);
  } catch (wrong) { refused(wrong.message); } finally { coming--; }
}

function progress(text, share) {
  $("upload").className = "small";
  $("upload").textContent = text;
  $("sent").hidden = share === null;
  if (share !== null) $("sent").value = share;
}

function refused(text) {
  progress("", null);
  $("upload").className = "problem";
  $("upload").textContent = text;
}

function send(blob, name) {
  const request = new XMLHttpRequest();  // fetch does not tell how much was sent
  request.open("POST", `./api/train/uploads?name=${encodeURIComponent(name)}`);
  request.upload.addEventListener("progress", (event) => progress(`Sending ${name} …`, event.loaded / Math.max(1, event.total)));
  request.addEventListener("error", () => refused("the studio does not answer"));
  request.addEventListener("load", async () => {
    if (request.status !== 202) return refused(await line(new Response(request.responseText, { status: request.status || 500 })));
    wait(JSON.parse(request.responseText).id, name);
  });
  request.addEventListener("loadend", () => { coming--; });  // after wait() has begun
  coming++;
  progress(`Sending ${name} …`, 0);
  request.send(blob);
}

async function wait(id, name) {
  const mine = ++reading;
  coming++;
  try { await looked(id, name, () => mine === reading); } finally { coming--; }
}

async function looked(id, name, wanted) {
  progress(`Looking through ${name} …`, null);
  while (wanted()) {
    try {
      const found = await ask(`train/uploads/${id}`);
      if (found.state === "refused") return refused(found.words);
      if (found.state === "ready") {
        uploads = [...uploads.filter((one) => one.id !== id), found];
        progress(`${count(found.report.count)} pictures are ready.`, null);
        sources(`upload:${id}`);
        fail("");
        return report();
      }
    } catch (wrong) { return refused(wrong.message); }
    await new Promise((done) => setTimeout(done, 700));
  }
}

/** What is in the chosen data. */
function report() {
  const one = upload();
  $("report").hidden = !one;
  if (!one) return;
  const { report: facts } = one;
  const rows = [["Pictures", count(facts.count)], ["Layout", facts.layout]];
  if (facts.images) {
    const size = ([width, height]) => `${width} × ${height}`;
    rows.push(["Sizes", `${size(facts.images.sizes.min)} to ${size(facts.images.sizes.max)}, mostly ${size(facts.images.sizes.common)}`]);
    rows.push(["Colours", facts.images.channels === 1 ? "grey" : "colour"], ["Suggested resolution", String(facts.images.resolution)]);
    if (facts.images.duplicates) rows.push(["Exact duplicates", count(facts.images.duplicates)]);
    if (facts.images.blank.length) rows.push(["Nearly blank", count(facts.images.blank.length)]);
  }
  const classes = Object.entries(facts.classes);
  if (classes.length) rows.push(["Classes", classes.slice(0, 20).map(([name, n]) => `${name} (${count(n)})`).join(", ") + (classes.length > 20 ? ", …" : "")]);
  for (const skipped of facts.skipped.slice(0, 8)) rows.push(["Left out", `${skipped.name}: ${skipped.reason}`]);
  if (facts.skipped.length > 8) rows.push(["Left out", `and ${facts.skipped.length - 8} more`]);
  $("report-facts").replaceChildren(make("table", { class: "facts" }, make("tbody", {}, ...rows.map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value))))));
  $("report-preview").src = `./api/train/uploads/${one.id}/preview`;
  $("report-preview").alt = `A sheet of up to 64 of the ${count(facts.count)} pictures, as a network will see them`;
}

/** Delete the studio's copy of the chosen pictures. */
async function remove() {
  const one = upload();
  try {
    await ask(`train/uploads/${one.id}`, { method: "DELETE" });
    uploads = uploads.filter(({ id }) => id !== one.id);
    progress("", null);
    sources();
    report();
    toast(`The studio's copy of ${one.name} is gone; your own pictures are where they were.`);
  } catch (wrong) { toast(wrong.message, { kind: "error" }); }
}

function fail(text) {
  $("start-error").hidden = !text;
  $("start-error").textContent = text;
}

async function begin(began) {
  if (coming) return fail("Your pictures are not ready yet; wait until they are, so that it trains on them.");
  fail("");
  const settings = {};
  for (const row of $("extra").value.split("\n").map((text) => text.trim()).filter(Boolean)) {
    const cut = row.indexOf("=");
    if (cut < 1) return fail(`expected NAME=VALUE in “${row}”`);
    settings[row.slice(0, cut).trim()] = row.slice(cut + 1).trim();
  }
  const number = (id) => $(id).value === "" ? null : Number($(id).value);
  const images = number("images");
  if ($("keep").checked) settings["train.keep_all"] ??= "true";
  if ($("measure").checked) settings["train.eval_every"] ??= String(images ? Math.max(1, Math.round(images / 16)) : 8000);
  const data = $("data").value;
  const facts = upload()?.report.images;
  const one = recipes.find(({ name }) => name === $("recipe").value);
  if (facts && one?.data === "your own" && facts.resolution === 32) settings["config.resolution"] ??= "32";
  $("go").disabled = true;
  try {
    const { id } = await ask("train/runs", { method: "POST", body: { recipe: $("recipe").value, data, images, minutes: number("minutes"), seed: number("seed") ?? 0, settings } });
    toast("The training is getting ready.");
    began(id);
  } catch (wrong) { fail(wrong.message); } finally { $("go").disabled = false; }
}
