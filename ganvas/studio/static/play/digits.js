// The same game on digits, beside the points: it trains with the settings of the session until it is stopped.

import { formatCount } from "../common/api.js";
import { say } from "../common/shell.js";
import { CancelledError, Tasks } from "../common/tasks.js";

const $ = (id) => document.getElementById(id);
const SCALE = 2; // of the sheet, in pixels of the canvas for each of a digit
const OF_POINTS = new Set(["data", "beside", "width", "depth", "critic_width", "critic_depth", "latent_dim", "coins"]);

export class Digits {
  /** `getFacts()` gives the facts of the session's last picture, or null; `fail(text)` shows what went wrong. */
  constructor(socket, getFacts, fail) {
    Object.assign(this, { tasks: new Tasks(socket), getFacts, fail, task: null, begun: "" });
    $("bridge").addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
    $("digits-start").addEventListener("click", () => (this.task ? this.task.cancel() : this.start()));
    $("digits-close").addEventListener("click", () => this.close());
  }

  get isOpen() {
    return !$("digits-box").hidden;
  }

  get setup() {
    return this.getFacts()?.setup ?? null;
  }

  open() {
    $("digits-box").hidden = false;
    $("bridge").setAttribute("aria-pressed", "true");
    $("digits-box").scrollIntoView({ block: "nearest" });
    $("digits-box").focus();
    this.start();
  }

  close() {
    this.task?.cancel();
    $("digits-box").hidden = true;
    $("bridge").setAttribute("aria-pressed", "false");
    $("bridge").focus();
  }

  /** Start the game with the settings of now; one that runs is stopped by this. */
  async start() {
    const { setup } = this;
    if (!setup) return;
    this.begun = describe(setup);
    const task = this.tasks.start("digits", { setup }, {
      progress: ({ text }) => { $("digits-words").textContent = text; },
      picture: (facts, { sheet }) => this.show(facts, sheet),
    });
    this.task = task;
    this.showState();
    try {
      await task.done;
    } catch (wrong) {
      if (!(wrong instanceof CancelledError)) this.fail(`The game on digits: ${wrong.message}`);
    }
    if (this.task === task) this.task = null;
    this.showState();
  }

  /** Show whether it trains, and whether the session has other settings by now. */
  showState() {
    $("digits-start").textContent = this.task ? "Stop" : "Start";
    const { setup } = this;
    const differs = this.begun && setup && describe(setup) !== this.begun;
    $("digits-note").textContent = differs ? "The settings have changed: stop, and start again to use them." : "";
    const { address, lacks } = this.getFacts()?.training ?? { address: "new", lacks: [] };
    $("digits-train").href = `./train#${address}`;
    $("digits-lacks").textContent = lacks.length ? `A training of the page Train goes without ${lacks.join(", and ")}.` : "";
  }

  show({ step, mean_real: real, mean_fake: fake, D, G }, sheet) {
    drawSheet($("digits"), sheet);
    const means = real === undefined ? "" : ` · D gives digits ${real.toFixed(2)}, fakes ${fake.toFixed(2)}`;
    const losses = D === undefined ? "" : ` · losses: D ${D.toFixed(2)}, G ${G?.toFixed(2) ?? "–"}`;
    const text = `Step ${formatCount(step)}${means}${losses}`;
    $("digits-words").textContent = text;
    $("digits").setAttribute("aria-label", `Digits that G makes of 32 noises. ${text}`);
    say(text);
  }
}

/** What of the settings the game on digits has too. */
function describe(setup) {
  return JSON.stringify(Object.entries(setup).filter(([name]) => !OF_POINTS.has(name)));
}

/** A sheet of gray values [rows, columns] on a canvas; white on black, as the data are. */
function drawSheet(canvas, sheet) {
  const [rows, columns] = sheet.shape;
  const image = new ImageData(columns, rows);
  sheet.forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
  [canvas.width, canvas.height] = [columns * SCALE, rows * SCALE];
  const context = canvas.getContext("2d");
  const small = new OffscreenCanvas(columns, rows);
  small.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
}
