// The form that starts a training: data (built in, or an upload), recipe, device, how long.

import { ask, formatCount, formatSeconds, spellCount } from "../common/api.js";
import { make, toast } from "../common/shell.js";
import { checkNumbers } from "./number_fields.js";
import { chooseRecipe, describeTime, getRecipe, showCards, showTimes } from "./recipe_cards.js";
import { describeCount, makeReport } from "./report.js";
import { makeCell, makeHead, makeTable, splitWords } from "./tables.js";
import { labelUpload, Uploader } from "./uploads.js";

const $ = (id) => document.getElementById(id);
const makeOption = (value, text = value) => make("option", { value }, text);
const UPLOAD = "upload:";

export class StartForm {
  /** `schema` is the page's; `begin(id)` is called when a training was started, `show()` when pictures come. */
  constructor(schema, begin, show) {
    Object.assign(this, { schema, begin, recipes: [], models: [], uploads: [], asked: 0, explained: 0, seen: "" });
    const add = (upload) => this.addUpload(upload);
    const describeData = () => $("data").selectedOptions[0]?.textContent ?? "";
    this.uploader = new Uploader($("own"), schema.max_upload_bytes, { begin: show, add, describeData });
    $("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    $("data").addEventListener("change", () => {
      if (!this.uploader.busy) this.uploader.clear(); // it was about the data that were chosen before
      this.offerRecipes();
      this.showReport();
    });
    for (const id of ["minutes", "images", "seed"]) $(id).addEventListener("input", () => this.describe());
    for (const id of ["minutes", "images", "device"]) $(id).addEventListener("change", () => this.explainOffer());
    $("from").addEventListener("change", () => this.describe());
    for (const id of ["minutes", "images"]) Object.assign($(id), schema[id]);
    $("other-box").addEventListener("toggle", () => this.showSettings());
    $("remove").addEventListener("click", () => this.removeUpload());
    $("device").replaceChildren(...schema.devices.map((name) => makeOption(name)));
  }

  /** Read the lists of recipes and uploads, then fill in what the address asks for. */
  async load(wanted) {
    try {
      const lists = ["train/recipes", "train/uploads", "train/models"].map((path) => ask(path));
      const [recipes, ready, models] = await Promise.all(lists);
      Object.assign(this, { recipes, models });
      const isNew = (one) => !ready.some(({ id }) => id === one.id); // it may have come meanwhile
      this.uploads = [...this.uploads.filter(isNew), ...ready];
    } catch (wrong) {
      this.fail(wrong.message);
      return;
    }
    await this.fill(wanted);
    if (this.recipes.every(({ seconds }) => seconds === null)) await this.timeMachine();
  }

  /** Fill in what an address asks for: recipe, data, from, minutes, images, seed, and settings as set.NAME=VALUE. */
  async fill(wanted) {
    for (const id of ["minutes", "images", "seed"]) if (wanted.has(id)) $(id).value = wanted.get(id);
    const settings = [...wanted].filter(([name]) => name.startsWith("set."));
    if (settings.length) {
      $("extra").value = settings.map(([name, value]) => `${name.slice(4)}=${value}`).join("\n");
      $("other-box").open = true;
    }
    const recipe = this.recipes.find(({ name }) => name === wanted.get("recipe"));
    const own = recipe && this.schema.sources[recipe.data] ? recipe.data : "";
    const kept = $("data").value || this.schema.first_source;
    this.offerData(wanted.get("data") ?? (recipe ? own : kept));
    await this.offerRecipes(wanted.get("recipe") ?? "");
    if (wanted.has("recipe") && !recipe) this.fail(`There is no recipe “${wanted.get("recipe")}”; choose one of these.`);
    this.offerModels(wanted.get("from") ?? "");
    this.showReport();
  }

  /** Time the chosen recipe here once, so that the cards say how long each takes on this machine. */
  async timeMachine() {
    $("start-words").textContent = "Timing this machine for some seconds …";
    try {
      await ask(`train/recipes/${encodeURIComponent(getRecipe())}/time`, { method: "POST" });
      this.recipes = await ask("train/recipes");
    } catch {
      /* the times of the reference machine stay */
    }
    showTimes(this.recipes, this.offer);
    this.describe();
  }

  /** The upload that is chosen; undefined: other data. */
  get upload() {
    return this.uploads.find(({ id }) => `${UPLOAD}${id}` === $("data").value);
  }

  get recipe() {
    return this.recipes.find(({ name }) => name === getRecipe());
  }

  offerData(chosen) {
    const own = this.uploads.map((upload) => {
      return makeOption(`${UPLOAD}${upload.id}`, `${labelUpload(upload, this.uploads)}: ${describeCount(upload.report)}`);
    });
    const builtIn = Object.entries(this.schema.sources).map(([name, { label }]) => makeOption(name, label));
    $("data").replaceChildren(...builtIn, makeOption("", "each recipe's own: points, text, solids …"), ...own);
    $("data").value = chosen;
    if ($("data").selectedIndex < 0) $("data").value = ""; // such data are not here
  }

  /** Offer the recipes that suit the data, the best one chosen, or `wanted`. */
  async offerRecipes(wanted = "") {
    const mine = ++this.asked;
    try {
      const offer = await ask(`train/recipes/offer?data=${encodeURIComponent($("data").value)}`);
      if (mine !== this.asked) return;
      this.offer = offer;
      showCards(this.recipes, offer, () => this.describe());
      if (!chooseRecipe(wanted)) chooseRecipe(offer.best);
    } catch (wrong) {
      if (mine === this.asked) this.fail(wrong.message);
    }
    this.describe();
    this.explainOffer();
  }

  /** Say why the best recipe for an upload is suggested, with the length and the device of the form. */
  async explainOffer() {
    const mine = ++this.explained;
    const { minutes, images } = checkNumbers();
    const asked = new URLSearchParams({ data: $("data").value, device: $("device").value });
    for (const id of ["minutes", "images"]) if ($(id).value) asked.set(id, $(id).value);
    const alone = { text: this.upload ? this.offer?.best ?? "" : "" }; // what is wrong with a length stands beside it
    const known = this.upload && !minutes && !images;
    const { text } = known ? await ask(`train/recipes/reason?${asked}`).catch(() => alone) : alone;
    if (mine !== this.explained) return;
    $("reason").textContent = text ? `Suggested: ${text}.` : "";
    $("reason").hidden = !text;
  }

  /** Say what would be started. */
  describe() {
    const { recipe } = this;
    const wrong = checkNumbers();
    $("unit").textContent = `or ${recipe?.unit ?? "images"}`;
    $("about").textContent = recipe ? `${recipe.paper}. ${formatCount(recipe.parameters)} weights.` : "";
    const length = recipe && !wrong.minutes && !wrong.images ? ` · ${this.describeLength(recipe)}` : "";
    $("start-words").textContent = recipe ? recipe.name + length : "";
    this.offerModels();
    this.showSettings();
  }

  /** Offer the models of the recipe to begin with; the one that was chosen stays, if it is one of them. */
  offerModels(wanted = $("from").value) {
    const suited = this.models.filter(({ recipe }) => recipe === this.recipe?.name);
    const options = suited.map(({ id }) => makeOption(id, `the weights of ${id}`));
    $("from-field").hidden = !suited.length;
    $("from").replaceChildren(makeOption("", "what the recipe begins with"), ...options);
    $("from").value = suited.some(({ id }) => id === wanted) ? wanted : "";
  }

  describeLength(recipe) {
    const [minutes, images] = [Number($("minutes").value), Number($("images").value)];
    if (minutes > 0) return `${minutes} min`;
    if (images > 0 && recipe.seconds) return `about ${formatSeconds((recipe.seconds * images) / recipe.images)} here`;
    if (images > 0) return spellCount(images, recipe.unit);
    return $("from").value ? `as long as the training of ${$("from").value}` : describeTime(recipe, this.offer);
  }

  /** Show the settings of the recipe with their meanings, while they are open; a press writes one into the field. */
  async showSettings() {
    const { recipe } = this;
    if (!$("other-box").open || !recipe || recipe.name === this.seen) return;
    this.seen = recipe.name;
    const { settings } = await ask(`train/recipes/${encodeURIComponent(recipe.name)}`);
    if (recipe.name !== this.seen) return;
    const rows = settings.map(([name, value, meaning]) => {
      const text = `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`;
      const facts = { type: "button", class: "plain-text", onclick: () => this.addSetting(text) };
      const change = make("button", facts, ...splitWords(name));
      return make("tr", {}, makeHead(change, meaning), makeCell(text.slice(name.length + 1)));
    });
    $("offered").replaceChildren(makeTable(["press to change", "now"], rows).firstChild);
  }

  addSetting(text) {
    const before = $("extra").value.trimEnd();
    $("extra").value = before ? `${before}\n${text}` : text;
    $("extra").focus();
  }

  addUpload(upload) {
    this.uploads = [...this.uploads.filter(({ id }) => id !== upload.id), upload];
    this.offerData(`${UPLOAD}${upload.id}`);
    this.offerRecipes();
    this.fail("");
    this.showReport();
  }

  /** Show what is in the chosen data. */
  showReport() {
    const { upload } = this;
    $("report").hidden = !upload;
    if (!upload) return;
    $("report-title").textContent = `What is in ${labelUpload(upload, this.uploads)}`;
    $("report-facts").replaceChildren(makeReport(upload.report));
    $("report-preview").src = `./api/train/uploads/${upload.id}/preview`;
    const [count, most] = [describeCount(upload.report), upload.report.clips ? "a row of frames of at most 8" : "at most 64"];
    $("report-preview").alt = `A sheet of what a network gets: ${most} of ${count}`;
  }

  /** Delete the studio's copy of the chosen pictures. */
  async removeUpload() {
    const { upload } = this;
    try {
      await ask(`train/uploads/${upload.id}`, { method: "DELETE" });
    } catch (wrong) {
      toast(wrong.message, { kind: "error" });
      return;
    }
    this.uploads = this.uploads.filter(({ id }) => id !== upload.id);
    this.uploader.clear();
    this.offerData(this.schema.first_source);
    this.offerRecipes();
    this.showReport();
    toast(`The studio's copy of ${upload.name} is deleted; your own pictures are where they were.`);
  }

  /** Show why the training cannot start; "": nothing is wrong. */
  fail(text) {
    $("start-error").hidden = !text;
    $("start-error").textContent = text;
  }

  /** The other settings, one a line as NAME=VALUE. Throws an Error with one line. */
  readSettings() {
    const settings = {};
    for (const row of $("extra").value.split("\n").map((text) => text.trim()).filter(Boolean)) {
      const cut = row.indexOf("=");
      if (cut < 1) throw new Error(`expected NAME=VALUE in “${row}”`);
      const name = row.slice(0, cut).trim();
      if (name in settings) throw new Error(`${name} is in two lines; leave one of them out`);
      settings[name] = row.slice(cut + 1).trim();
    }
    return settings;
  }

  readForm() {
    const number = (id) => ($(id).value === "" ? null : Number($(id).value));
    if (!getRecipe()) throw new Error("choose a recipe");
    for (const [id, wrong] of Object.entries(checkNumbers())) if (wrong) throw new Error(`${id}: ${wrong}`);
    const from = $("from").value;
    return {
      recipe: from ? "" : getRecipe(), from_run: from, data: $("data").value, device: $("device").value,
      images: number("images"), minutes: number("minutes"), seed: number("seed") ?? 0,
      keep_all: $("keep").checked, measure: $("measure").checked, settings: this.readSettings(),
    };
  }

  async submit() {
    if (this.uploader.busy) {
      this.fail("Your pictures are not ready yet; wait until they are, so that it trains on them.");
      return;
    }
    this.fail("");
    $("go").disabled = true;
    try {
      const { id } = await ask("train/runs", { method: "POST", body: this.readForm() });
      toast("The training is getting ready.");
      this.begin(id);
    } catch (wrong) {
      this.fail(wrong.message);
    } finally {
      $("go").disabled = false;
    }
  }
}
