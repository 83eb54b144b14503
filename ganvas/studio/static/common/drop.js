// Files that are dropped anywhere on a page.

/** Call `take(dataTransfer)` with a drop of files while `isWanted()`; `target` has the class "over" while one is near. */
export function acceptDrops(target, take, isWanted = () => true) {
  const handle = (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return; // text is left to the browser
    event.preventDefault(); // or the browser would leave the page and open the file
    const wanted = isWanted();
    const gone = event.type === "drop" || (event.type === "dragleave" && !event.relatedTarget);
    if (!wanted) event.dataTransfer.dropEffect = "none";
    target.classList.toggle("over", wanted && !gone);
    if (wanted && event.type === "drop") take(event.dataTransfer);
  };
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) addEventListener(kind, handle);
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
