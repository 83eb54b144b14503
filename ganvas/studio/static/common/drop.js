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
