// One run as it goes on: snapshots, gauges, charts, interventions. It reads the run's files and never changes the training.

import { ask, formatCount, formatSeconds, spellCount } from "../common/api.js";
import { make, say } from "../common/shell.js";
import { makeBalanceGauges, makeVerdictGauges } from "./gauges.js";
import { RunCharts } from "./run_charts.js";
import { Snapshots } from "./snapshots.js";

const $ = (id) => document.getElementById(id);
const LIVE_MILLISECONDS = 1000; // between two requests while it trains
const RESTING_MILLISECONDS = 5000;
const ERROR_MILLISECONDS = 3000;
const MAX_EVENTS = 200; // on the page

export class Monitor {
  /** `update(details, before)` is called with each answer and the state before it; `lose()` if there is no such run. */
  constructor(id, update, lose) {
    Object.assign(this, { id, update, lose, path: `train/runs/${encodeURIComponent(id)}`, details: null });
    Object.assign(this, { place: "", rows: [], measures: [], events: [], lastEvent: undefined });
    Object.assign(this, { timer: null, busy: false, closed: false });
    for (const name of ["gauges", "balance", "events"]) $(name).replaceChildren();
    this.snapshots = new Snapshots(this.path);
    this.charts = new RunCharts();
  }

  /** Read what is new, draw it, and come back: soon while it trains, later when it rests, not while the tab is hidden. */
  async tick() {
    clearTimeout(this.timer);
    if (this.closed || this.busy) return;
    this.busy = true;
    let pause = RESTING_MILLISECONDS;
    try {
      await this.readAndDraw();
      if (this.details?.live) pause = LIVE_MILLISECONDS;
    } catch (wrong) {
      pause = ERROR_MILLISECONDS;
      if (!this.closed) this.explain(wrong);
    } finally {
      this.busy = false;
    }
    if (!this.closed) this.timer = setTimeout(() => (document.hidden ? this.tickWhenShown() : this.tick()), pause);
  }

  tickWhenShown() {
    document.addEventListener("visibilitychange", () => this.tick(), { once: true });
  }

  async readAndDraw() {
    const before = this.details?.state;
    const [details] = await Promise.all([ask(this.path), this.readLog()]);
    if (this.closed) return;
    this.details = details;
    $("run").hidden = false;
    this.draw();
    this.update(details, before);
    $("link").dataset.state = "open";
  }

  explain(wrong) {
    if ([404, 405].includes(wrong.status)) {
      $("link").dataset.state = "open";
      this.lose();
      return;
    }
    $("link").dataset.state = "lost";
    const noAnswer = wrong instanceof TypeError; // what fetch throws without a connection
    $("link").textContent = noAnswer ? "the studio does not answer; trainings go on" : wrong.message;
  }

  async readLog() {
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
    this.closed = true;
    clearTimeout(this.timer);
    this.snapshots.stop();
  }

  /** Draw again what the page shows now: a chart that was hidden has no size. */
  redraw() {
    if (this.details) this.draw();
  }

  draw() {
    this.drawProgress();
    this.snapshots.draw(this.details);
    this.drawGauges();
    this.drawEvents();
    this.charts.draw(this.details, this.rows, this.measures);
  }

  drawProgress() {
    const { items, total, unit, rate, left, result, seconds, distance } = this.details;
    $("progress").max = Math.max(1, total);
    $("progress").value = items;
    const parts = total ? [`${formatCount(items)} of ${formatCount(total)} ${unit}`] : [];
    $("progress").textContent = parts[0] ?? "";
    if (rate) parts.push(`${formatCount(Math.round(rate))} a second`, `${formatSeconds(left)} left`);
    const spent = result.seconds ?? seconds;
    if (spent) parts.push(`${formatSeconds(spent)} trained`);
    if (distance) parts.push(distance);
    $("pace").textContent = parts.join(" · ");
  }

  drawGauges() {
    const last = this.rows[this.rows.length - 1];
    if (!last) {
      $("gauges").replaceChildren(make("p", { class: "muted small" }, this.details.missing.numbers));
      $("balance").replaceChildren();
      return;
    }
    $("gauges").replaceChildren(...makeVerdictGauges(last, this.details.unit, this.details.discriminators));
    $("balance").replaceChildren(...makeBalanceGauges(last, this.details.balance, this.details.discriminators));
  }

  drawEvents() {
    const makeItem = (row) => {
      const when = make("span", { class: "when num" }, `${spellCount(row.items ?? 0, this.details.unit)}: `);
      return make("li", {}, when, String(row.event));
    };
    const items = [...this.events].reverse().slice(0, MAX_EVENTS).map(makeItem);
    const none = make("li", { class: "muted" }, this.details.missing.events);
    $("events").replaceChildren(...(items.length ? items : [none]));
    const latest = this.events[this.events.length - 1] ?? null;
    if (latest && this.lastEvent !== undefined && latest !== this.lastEvent) say(String(latest.event));
    this.lastEvent = latest;
  }
}
