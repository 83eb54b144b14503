// The model: unpacked, run by onnxruntime-web on one thread of the CPU. Everything comes from this page.

const BYTE_TYPES = { class: "int64", map: "int64" };

// The bytes that a script element of this page holds as base64.
function readBytes(id) {
  const element = document.getElementById(id);
  const bytes = Uint8Array.from(atob(element.textContent), (letter) => letter.charCodeAt(0));
  element.remove(); // megabytes of text
  return bytes;
}

async function unpack(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  try {
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new Error("This page is damaged: a part of it cannot be unpacked. Get the file once more.");
  }
}

class Session {
  static async open() {
    if (typeof WebAssembly !== "object") throw new Error("This browser has no WebAssembly. Open the page in a newer one.");
    if (typeof DecompressionStream !== "function") throw new Error("This browser is too old for this page. Use one of 2023 or later.");
    ort.env.logLevel = "error";
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.proxy = false;
    ort.env.wasm.wasmBinary = (await unpack(readBytes("program"))).buffer;
    const session = new Session();
    const options = { executionProviders: ["wasm"], logSeverityLevel: 3 };
    session.inner = await ort.InferenceSession.create(await unpack(readBytes("model")), options);
    return session;
  }

  // inputs: [{ name, kind, shape, values }] with the values of `count` samples -> { dims, data } of the output.
  async run(inputs, count) {
    const feeds = {};
    for (const each of inputs) {
      const type = BYTE_TYPES[each.kind] ?? "float32";
      const values = type === "int64" ? BigInt64Array.from(each.values, (value) => BigInt(value)) : each.values;
      feeds[each.name] = new ort.Tensor(type, values, [count, ...each.shape]);
    }
    const found = await this.inner.run(feeds);
    return Object.values(found)[0];
  }
}
