// Files that are dropped anywhere on a page.

const takers = [];

/**
 * Call `take(dataTransfer)` with a drop of files while `isWanted(event)`; `target` has the class "over" while one is near. Of
 * several on a page that want it the one that was added last takes a drop.
 */
export function acceptDrops(target, take, isWanted = () => true) {
  if (!takers.length) for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) addEventListener(kind, handle);
  takers.push({ target, take, isWanted });
}

function handle(event) {
  if (!event.dataTransfer?.types.includes("Files")) return; // text is left to the browser
  event.preventDefault(); // or the browser would leave the page and open the file
  const taker = takers.findLast(({ isWanted }) => isWanted(event));
  const gone = event.type === "drop" || (event.type === "dragleave" && !event.relatedTarget);
  if (!taker) event.dataTransfer.dropEffect = "none";
  for (const each of takers) each.target.classList.toggle("over", each === taker && !gone);
  if (taker && event.type === "drop") taker.take(event.dataTransfer);
}

/** The files of a drop, also those in folders: [{name, file}], names with "/". */
export async function listDroppedFiles(transfer) {
  const roots = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!roots.length) return [...transfer.files].map((file) => ({ name: file.name, file }));
  const files = [];
  for (const root of roots) await walk(root, "", files);
  return files;
}

async function walk(entry, prefix, files) {
  const name = prefix + entry.name;
  if (entry.isFile) {
    files.push({ name, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // some entries at a time
    if (!batch.length) return;
    for (const child of batch) await walk(child, `${name}/`, files);
  }
}
