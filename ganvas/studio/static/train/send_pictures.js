// Pictures on their way to the studio: a zip is sent as it is, a folder is packed first; then the server reads them.

import { ask, readError } from "../common/api.js";
import { acceptDrops, listDroppedFiles } from "../common/drop.js";
import { toast } from "../common/shell.js";
import { packZip } from "./zip.js";

const POLL_MILLISECONDS = 700;

/** Files [{name, file}] -> {blob, name} of a zip: the one that was chosen, or all of them packed. Throws an Error. */
export async function makeZip(files, limit, report) {
  const isZip = files.length === 1 && /\.zip$/i.test(files[0].name);
  if (isZip) return { blob: files[0].file, name: files[0].name };
  const [name] = files[0].name.split("/");
  const tell = (share) => report(`Reading ${name} …`, share);
  tell(0);
  try {
    return { blob: await packZip(files, limit, tell), name };
  } catch (wrong) {
    throw new Error(`${name}: ${wrong.message}`);
  }
}

/** Send a zip; returns the upload's id. Not by fetch, which does not say how much was sent. Throws an Error with one line. */
export function postZip({ blob, name }, report) {
  report(`Sending ${name} …`, 0);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `./api/train/uploads?name=${encodeURIComponent(name)}`);
    request.upload.addEventListener("progress", (event) => {
      report(`Sending ${name} …`, event.loaded / Math.max(1, event.total));
    });
    request.addEventListener("error", () => reject(new Error("the studio does not answer")));
    request.addEventListener("load", async () => {
      const answer = new Response(request.responseText, { status: request.status || 500 });
      if (request.status === 202) resolve((await answer.json()).id);
      else reject(new Error(await readError(answer)));
    });
    request.send(blob);
  });
}

/** Ask until the server has read an upload; null: `isWanted` said no. Throws an Error with the reason of a refusal. */
export async function waitForReport(id, isWanted = () => true) {
  while (isWanted()) {
    const upload = await ask(`train/uploads/${id}`);
    if (upload.state === "refused") throw new Error(upload.words);
    if (upload.state === "ready") return upload;
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
  return null;
}

/** On a page without a form: pictures that are dropped anywhere are sent, and the page Train opens with them. */
export function leadToTraining(limit) {
  const take = async (transfer) => {
    let close = () => {};
    const report = (text) => {
      close();
      close = toast(text, { seconds: 0 });
    };
    let last = "";
    const reportOnce = (text) => {
      if (text !== last) report(text);
      last = text;
    };
    try {
      const files = await listDroppedFiles(transfer);
      if (!files.length) return;
      const id = await postZip(await makeZip(files, limit, reportOnce), reportOnce);
      reportOnce("Reading your pictures …");
      await waitForReport(id);
      location.href = `./train#new&data=upload:${id}`;
    } catch (wrong) {
      close();
      toast(wrong.message, { kind: "error", seconds: 15 });
    }
  };
  acceptDrops(document.body, take);
}
