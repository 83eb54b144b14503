// One run, as it goes: pictures, gauges, curves, interventions. Follows the run's files; never touches the training.

import { ask, count, span } from "./api.js";
import { Chart } from "./chart.js";
import { calm, make, say } from "./shell.js";

const $ = (id) => document.getElementById(id);
const TOKENS = [["--accent", "solid"], ["--fake", "dashed"], ["--warn", "dotted"], ["--real", "long"], ["--bad", "dashed"], ["--ink", "dotted"]];
const SIDES = [["verdict_real", "UNIT of the data", "●", "--real", "solid"], ["verdict_held_out", "data it never trained on", "○", "--warn", "dotted"], ["verdict_fake", "the artist's", "▲", "--fake", "dashed"]];
const MOST = 600;  // places on a curve

export class Watch {
  /** `changed(details, before)` is called with what is known of the run, `missing()` where there is no such run. */
  constructor(id, changed, missing) {
    Object.assign(this, { id, changed, missing, path: `train/runs/${encodeURIComponent(id)}`, place: "", rows: [], measures: [], events: [], details: null });
    Object.assign(this, { following: true, timer: null, film: null, busy: false, over: false, charts: {} });
    for (const name of ["losses", "verdicts", "curve", "players", "gauges", "balance", "events"]) $(name).replaceChildren();
    $("picture").removeAttribute("src");
    $("newest").setAttribute("aria-pressed", "true");
  }

  /** Fetch what is new, draw it, and come back: soon while it trains, later when it rests, not at all when nobody looks. */
  async tick() {
    clearTimeout(this.timer);
    if (this.over || this.busy) return;
    this.busy = true;
    let pause = 1000;
    try {
      const before = this.details?.state;
      const [details] = await Promise.all([ask(this.path), this.read()]);
      if (this.over) return;
      this.details = details;
      $("run").hidden = false;
      this.draw();
      this.changed(details, before);
      pause = ["running", "starting", "saving"].includes(details.state) ? 1000 : 5000;
      $("link").dataset.state = "open";
    } catch (wrong) {
      if (this.over) return;
      if ([404, 405].includes(wrong.status)) {
        $("link").dataset.state = "open";
        this.missing();
        return;
      }
      $("link").dataset.state = "lost";
      $("link").textContent = wrong instanceof TypeError ? "the studio does not answer; trainings go on" : wrong.message;
      pause = 3000;
    } finally { this.busy = false; }
    if (!this.over) this.timer = setTimeout(() => document.hidden ? this.later() : this.tick(), pause);
  }

  later() {
    document.addEventListener("visibilitychange", () => this.tick(), { once: true });
  }

  async read() {
    for (;;) {
      const log = await ask(`${this.path}/log?place=${this.place}`);
      if (log.fresh) Object.assign(this, { rows: [], measures: [], events: [] });
      this.place = log.place;
      this.rows.push(...log.rows);
      this.measures.push(...log.measures);
      this.events.push(...log.events);
      if (!log.more) return;
    }
  }

  close() {
    this.over = true;
    clearTimeout(this.timer);
    this.stopFilm();
  }

  draw() {
    this.drawHead();
    this.drawPictures();
    this.drawGauges();
    this.drawEvents();
    this.drawCharts();
  }

  drawHead() {
    const { details } = this;
    $("progress").max = Math.max(1, details.total);
    $("progress").value = details.items;
    const parts = details.total ? [`${count(details.items)} of ${count(details.total)} ${details.unit}`] : [];
    if (details.rate) parts.push(`${count(Math.round(details.rate))} a second`, `${span(details.left)} left`);
    const seconds = details.result.seconds ?? details.seconds;
    if (seconds) parts.push(`${span(seconds)} trained`);
    $("pace").textContent = parts.join(" · ");
    $("progress").textContent = parts[0] ?? "";
  }

  drawPictures() {
    const { snapshots } = this.details;
    const scrub = $("scrub");
    scrub.max = Math.max(0, snapshots.length - 1);
    if (this.following) scrub.value = scrub.max;
    for (const part of [scrub.parentElement, $("same-noise")]) part.hidden = !this.details.draws && !snapshots.length;
    $("same-noise").textContent = `The same noise at every moment: ${this.details.unit} come out of it as the game goes on.`;
    this.show();
  }

  /** The picture at the scrubber. */
  show() {
    const { snapshots, total, unit } = this.details;
    const at = Math.min(Number($("scrub").value), snapshots.length - 1);
    const items = snapshots[at];
    $("picture").hidden = items === undefined;
    if (items === undefined) { $("caption").textContent = this.details.absent.picture; return; }
    const text = `${count(items)} ${unit}${items === 0 ? ": before the first move" : ""}`;
    const source = `./api/${this.path}/samples/${items}`;
    if ($("picture").getAttribute("src") !== source) $("picture").src = source;
    $("picture").alt = `What the artist draws from one noise after ${count(items)} of ${count(total)} ${unit}`;
    $("caption").textContent = `${text} · picture ${at + 1} of ${snapshots.length}`;
    $("scrub").setAttribute("aria-valuetext", text);
  }

  /** Look at one picture, or follow the newest. */
  follow(on) {
    this.following = on;
    $("newest").setAttribute("aria-pressed", String(on));
    if (on && this.details) this.drawPictures();
  }

  /** Play all pictures like a film; with reduced motion, one step each time. */
  play() {
    if (!this.details) return;
    const scrub = $("scrub");
    this.follow(false);
    if (calm.matches) { scrub.value = Number(scrub.value) >= Number(scrub.max) ? 0 : Number(scrub.value) + 1; this.show(); return; }
    if (this.film) { this.stopFilm(); return; }
    if (Number(scrub.value) >= Number(scrub.max)) scrub.value = 0;
    $("film").textContent = "Ⅱ";
    $("film").setAttribute("aria-label", "Stop the film");
    this.film = setInterval(() => {
      if (Number(scrub.value) >= Number(scrub.max)) { this.stopFilm(); return; }
      scrub.value = Number(scrub.value) + 1;
      this.show();
    }, 220);
  }

  stopFilm() {
    clearInterval(this.film);
    this.film = null;
    $("film").textContent = "▶";
    $("film").setAttribute("aria-label", "Play the pictures from the first");
  }

  /** What the run says in place of something that it has not. */
  word(what) {
    return make("p", { class: "muted small" }, this.details.absent[what]);
  }

  drawGauges() {
    const last = this.rows[this.rows.length - 1];
    if (!last) { $("gauges").replaceChildren(this.word("numbers")); $("balance").replaceChildren(); return; }
    const gauges = this.sides(last).map(([key, name, mark, token]) => gauge(`takes ${name} for real`, last[key], mark, token, "at one half it cannot tell"));
    if ("accuracy" in last) gauges.push(gauge("right answers", last.accuracy, "✓", "--accent"));
    $("gauges").replaceChildren(...(gauges.length ? gauges : [make("p", { class: "muted small" }, "This game has no critic.")]));
    const balance = [];
    if ("skill" in last) {
      balance.push(gauge("the critic's skill", last.skill, "◆", "--warn", "left of the mark it guesses"));
      balance.push(make("p", { class: "small" }, this.details.balance || judged(last)));
    } else balance.push(make("p", { class: "muted small" }, "lead" in last ? "Nobody has looked at the balance yet." : "Nothing to balance in this game."));
    $("balance").replaceChildren(...balance);
  }

  /** What the critic judges in these rows. */
  sides(...rows) {
    const { unit } = this.details;
    return SIDES.filter(([key]) => rows.some((row) => key in row)).map(([key, name, ...rest]) => [key, name.replace("UNIT", unit), ...rest]);
  }

  drawEvents() {
    const list = [...this.events].reverse().slice(0, 200).map((row) => make("li", {}, make("span", { class: "when num" }, `${count(row.items ?? 0)} ${this.details.unit}: `), String(row.event)));
    const latest = this.events[this.events.length - 1];
    if (latest && latest !== this.told) { if (this.told !== undefined) say(String(latest.event)); }
    this.told = latest ?? null;
    $("events").replaceChildren(...(list.length ? list : [make("li", { class: "muted" }, this.details.absent.events)]));
  }

  drawCharts() {
    const rows = thinned(this.rows, MOST);
    const steps = rows.map((row) => row.items);
    const column = (name) => rows.map((row) => Number.isFinite(row[name]) ? row[name] : NaN);
    const terms = this.details.terms.filter((name) => rows.some((row) => name in row));
    const { equilibrium: even, unit } = this.details;
    this.chart("losses", terms.join(), () => ({ title: "Losses", about: "each term of the players' aims", axis: unit,
      series: terms.map((name, i) => ({ key: name, name, token: TOKENS[i % 6][0], dash: TOKENS[i % 6][1] })),
      lines: even.value ? [{ y: even.value, text: `D at ${even.text}: nobody can tell` }] : [] }), steps, Object.fromEntries(terms.map((name) => [name, filled(column(name))])));
    const sides = this.sides(...rows);
    this.chart("verdicts", sides.map(([key]) => key).join(), () => ({ title: "Taken for real", about: "by the critic", axis: unit, low: 0, high: 1,
      series: sides.map(([key, name, , token, dash]) => ({ key, name, token, dash })), lines: [{ y: 0.5, text: "one half" }] }), steps, Object.fromEntries(sides.map(([key]) => [key, filled(column(key))])));
    const players = ["skill", "lead", "augment"].filter((name) => rows.some((row) => name in row));
    const named = { skill: "the critic's skill", lead: "how far it is held back", augment: "augmentation" };
    this.chart("players", players.join(), () => ({ title: "Balance", about: "skill, and what was done about it", axis: unit, low: 0,
      series: players.map((key, i) => ({ key, name: named[key], token: TOKENS[[2, 0, 1][i]][0], dash: TOKENS[[0, 1, 2][i]][1] })), lines: [{ y: 0.5, text: "a guess" }] }), steps, Object.fromEntries(players.map((key) => [key, column(key)])));
    this.drawCurve();
  }

  drawCurve() {
    const { unit } = this.details;
    const metric = Object.keys(this.measures[this.measures.length - 1] ?? {}).find((name) => !["step", "items", "floor"].includes(name));
    if (!metric) { this.blank("curve", "measure"); return; }
    // The first distances, of noise, are so large that all later ones would lie on the axis: they leave the chart at the top.
    const values = this.measures.map((row) => row[metric]);
    if (this.charts.curve && values.length > 5) this.charts.curve.chart.high = 1.6 * Math.max(...values.slice(Math.floor(values.length / 3)));
    const floor = this.measures.find((row) => Number.isFinite(row.floor))?.floor;
    this.chart("curve", metric, () => ({ title: `Distance ${metric}`, about: "to held-out data; lower is better", axis: unit, low: 0,
      series: [{ key: metric, name: "the model", token: "--accent", dash: "solid" }] }), this.measures.map((row) => row.items), { [metric]: values },
      floor === undefined ? [] : [{ y: floor, text: `floor ${floor.toPrecision(3)}: other real data` }]);
  }

  blank(name, what) {
    delete this.charts[name];
    $(name).replaceChildren(this.word(what));
  }

  /** The chart `name`, made anew when its series change. */
  chart(name, identity, options, steps, values, lines = undefined) {
    if (!identity) { this.blank(name, "chart"); return; }
    if (this.charts[name]?.identity !== identity) {
      $(name).replaceChildren();
      this.charts[name] = { identity, chart: new Chart($(name), options()) };
    }
    this.charts[name].chart.draw(steps, values, lines ?? this.charts[name].chart.lines);
  }
}

/** A share of 1 as a bar with its number; the mark is told apart by shape and place, not only by colour. */
function gauge(name, value, mark, token, hint = "") {
  const percent = `${Math.round(100 * value)} %`;
  const fill = make("i");
  fill.style.setProperty("--v", String(Math.min(1, Math.max(0, value))));
  fill.style.setProperty("--c", `var(${token})`);
  return make("div", { class: "gauge" }, make("div", { class: "label" }, make("span", {}, make("span", { class: "mark", "aria-hidden": "true" }, mark), name), make("b", { class: "num" }, percent)),
    make("div", { class: "track", role: "meter", "aria-label": `${name}${hint ? `; ${hint}` : ""}`, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(100 * value), "aria-valuetext": percent }, fill));
}

const judged = (row) => row.skill < 0.55 ? "The critic guesses." : row.skill <= 0.95 ? "The players are level." : "The critic is far ahead.";

/** At most `most` rows, evenly, always with the last. */
function thinned(rows, most) {
  if (rows.length <= most) return rows;
  return Array.from({ length: most }, (_, i) => rows[Math.round(i * (rows.length - 1) / (most - 1))]);
}

/** A lazy penalty is not in every row: its line goes on at its last value. */
function filled(values) {
  let last = NaN;
  return values.map((value) => { if (Number.isFinite(value)) last = value; return last; });
}
