// One binary WebSocket: frames of a JSON header and raw arrays (ganvas/studio/socket.py has the format). It reconnects.

import { readError } from "./api.js";
import { say } from "./shell.js";

const VIEWS = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array };

/** kind, facts {..}, arrays {name: typed array} -> ArrayBuffer */
export function encode(kind, facts = {}, arrays = {}) {
  const entries = [];
  const parts = [];
  let size = 0;
  for (const [name, view] of Object.entries(arrays)) {
    const dtype = Object.keys(VIEWS).find((key) => view instanceof VIEWS[key]);
    entries.push([name, dtype, view.shape ?? [view.length]]);
    parts.push([size, view]);
    size += Math.ceil(view.byteLength / 8) * 8;
  }
  const header = new TextEncoder().encode(JSON.stringify({ ...facts, kind, arrays: entries }));
  const length = Math.ceil((4 + header.length) / 8) * 8 - 4;
  const out = new Uint8Array(4 + length + size).fill(32, 4, 4 + length);
  new DataView(out.buffer).setUint32(0, length, true);
  out.set(header, 4);
  for (const [at, view] of parts) {
    out.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), 4 + length + at);
  }
  return out.buffer;
}

/** ArrayBuffer -> {kind, facts, arrays}; each array carries its `shape`. */
export function decode(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const facts = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const arrays = {};
  let at = 4 + length;
  for (const [name, dtype, shape] of facts.arrays) {
    const count = shape.reduce((product, n) => product * n, 1);
    const view = new VIEWS[dtype](buffer, at, count);
    view.shape = shape;
    arrays[name] = view;
    at += Math.ceil(view.byteLength / 8) * 8;
  }
  return { kind: facts.kind, facts, arrays };
}

const STATES = { open: "connected", lost: "connection lost, trying again", idle: "" };

export class Socket {
  /**
   * `handlers`: kind -> function(facts, arrays); `opened` runs at each (re)connection. A frame of a kind in `pictures` is
   * acknowledged once it is handled: only then the server sends the next one, the newest.
   */
  constructor(page, handlers, { opened = () => {}, pictures = ["frame"] } = {}) {
    Object.assign(this, { page, handlers, opened, pictures: new Set(pictures), delay: 250, closed: false });
    this.open();
    addEventListener("pagehide", () => {
      this.closed = true;
      this.socket.close();
    });
    addEventListener("pageshow", (event) => {
      if (event.persisted) {
        this.closed = false;
        this.open();
      }
    });
  }

  open() {
    const address = new URL(`./api/${this.page}/socket`, location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    address.hash = "";
    address.search = "";
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.delay = 250;
      this.show("open");
      this.opened(this);
    };
    this.socket.onclose = () => {
      if (this.closed) return;
      this.explainLoss();
      setTimeout(() => this.open(), this.delay);
      this.delay = Math.min(8000, this.delay * 2);
    };
    this.socket.onmessage = (event) => {
      const { kind, facts, arrays } = decode(event.data);
      try {
        this.handlers[kind]?.(facts, arrays);
      } finally {
        if (this.pictures.has(kind)) requestAnimationFrame(() => this.send("ack"));
      }
    };
  }

  get isOpen() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  send(kind, facts = {}, arrays = {}) {
    if (!this.isOpen) return false;
    this.socket.send(encode(kind, facts, arrays));
    return true;
  }

  /** Say that there is no connection. A refused socket gets no reason, so a request finds out whether it is the cookie. */
  async explainLoss() {
    if (document.getElementById("link").dataset.state !== "refused") this.show("lost");
    try {
      const answer = await fetch("./api/home/overview");
      if (answer.status === 403) this.show("refused", await readError(answer));
    } catch {
      /* no server answers; the socket tries again */
    }
  }

  show(state, words = STATES[state]) {
    const output = document.getElementById("link");
    if (output.dataset.state === state) return;
    output.dataset.state = state;
    output.textContent = words;
    if (state === "lost" || state === "refused") say(words, true);
  }
}
