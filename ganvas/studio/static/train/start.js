// The form that starts a training: data (built in, or an upload), recipe, device, how long.

import { ask, formatCount } from "../common/api.js";
import { make, toast } from "../common/shell.js";
import { makeReport } from "./report.js";
import { Uploader } from "./uploads.js";

const $ = (id) => document.getElementById(id);
const makeOption = (value, text = value) => make("option", { value }, text);

export class StartForm {
  /** `schema` is the page's; `begin(id)` is called when a training was started. */
  constructor(schema, begin) {
    Object.assign(this, { schema, begin, recipes: [], uploads: [] });
    this.uploader = new Uploader(schema.max_upload_bytes, (upload) => this.addUpload(upload));
    $("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    $("recipe").addEventListener("change", () => this.describeRecipe());
    $("data").addEventListener("change", () => {
      this.offerRecipes();
      this.showReport();
    });
    $("remove").addEventListener("click", () => this.removeUpload());
    $("device").replaceChildren(...schema.devices.map((name) => makeOption(name)));
  }

  /** Read the lists of recipes and uploads. */
  async load() {
    $("recipe").replaceChildren(make("option", {}, "reading the list of recipes …"));
    try {
      const [recipes, ready] = await Promise.all([ask("train/recipes"), ask("train/uploads")]);
      this.recipes = recipes;
      const isNew = (one) => !ready.some(({ id }) => id === one.id); // it may have come meanwhile
      this.uploads = [...this.uploads.filter(isNew), ...ready];
    } catch (wrong) {
      this.fail(wrong.message);
      return;
    }
    this.offerData($("data").value);
  }

  /** The upload that is chosen; undefined: other data. */
  get upload() {
    return this.uploads.find(({ id }) => `upload:${id}` === $("data").value);
  }

  get recipe() {
    return this.recipes.find(({ name }) => name === $("recipe").value);
  }

  offerData(chosen = "") {
    const own = this.uploads.map(({ id, name, report }) => {
      return makeOption(`upload:${id}`, `${name}: ${formatCount(report.count)} pictures`);
    });
    const builtIn = Object.entries(this.schema.sources).map(([name, { label }]) => makeOption(name, label));
    $("data").replaceChildren(makeOption("", "the recipe's own data"), ...builtIn, ...own);
    $("data").value = chosen;
    this.offerRecipes();
  }

  /** Whether a recipe can be trained on the chosen data. */
  suits(recipe) {
    const { upload } = this;
    if (upload) return recipe.takes_pictures && (!recipe.labels || Object.keys(upload.report.classes).length > 1);
    const data = $("data").value;
    return data ? recipe.sources.includes(data) : recipe.brings_data;
  }

  /** Offer the recipes that suit the data, by game. */
  offerRecipes() {
    const before = $("recipe").value;
    const fits = this.recipes.filter((recipe) => this.suits(recipe));
    const games = [...new Set(fits.map(({ game }) => game))];
    const makeGroup = (game) => {
      const recipes = fits.filter((recipe) => recipe.game === game);
      const text = ({ name, minutes }) => `${name} · ${minutes < 1 ? "under a" : minutes} min`;
      return make("optgroup", { label: game }, ...recipes.map((recipe) => makeOption(recipe.name, text(recipe))));
    };
    $("recipe").replaceChildren(...games.map(makeGroup));
    const forOwn = this.upload && fits.find((recipe) => !recipe.brings_data);
    const keeps = !this.upload && fits.some(({ name }) => name === before);
    $("recipe").value = keeps ? before : (forOwn || fits[0])?.name ?? "";
    this.describeRecipe();
  }

  describeRecipe() {
    const { recipe } = this;
    $("unit").textContent = `or ${recipe?.unit ?? "images"}`;
    if (!recipe) {
      $("about").textContent = "";
      return;
    }
    const size = `${formatCount(recipe.parameters)} weights; ${recipe.minutes} min on two cores.`;
    $("about").textContent = `${recipe.about}. ${recipe.paper}. ${size}`;
  }

  addUpload(upload) {
    this.uploads = [...this.uploads.filter(({ id }) => id !== upload.id), upload];
    this.offerData(`upload:${upload.id}`);
    this.fail("");
    this.showReport();
  }

  /** Show what is in the chosen data. */
  showReport() {
    const { upload } = this;
    $("report").hidden = !upload;
    if (!upload) return;
    $("report-facts").replaceChildren(makeReport(upload.report));
    $("report-preview").src = `./api/train/uploads/${upload.id}/preview`;
    const count = formatCount(upload.report.count);
    $("report-preview").alt = `A sheet of up to 64 of the ${count} pictures, as a network gets them`;
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
    this.offerData();
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
      settings[row.slice(0, cut).trim()] = row.slice(cut + 1).trim();
    }
    return settings;
  }

  readForm() {
    const number = (id) => ($(id).value === "" ? null : Number($(id).value));
    return {
      recipe: $("recipe").value, data: $("data").value, device: $("device").value,
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
