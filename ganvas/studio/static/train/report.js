// What is in an upload, as a table.

import { formatCount, spellCount } from "../common/api.js";
import { makeFacts } from "./tables.js";

const MAX_CLASSES = 20;
const MAX_SKIPPED = 8;

/** What is in an upload: "12 pictures", "3 clips". */
export const describeCount = ({ clips, count }) => (clips ? spellCount(clips, "clips") : spellCount(count, "pictures"));

/** The report of an upload as a table. */
export function makeReport(report) {
  const rows = report.clips ? listClips(report) : [["Pictures", formatCount(report.count)], ["Layout", report.layout]];
  const { pairs, translation } = report.sides ?? {};
  if (pairs || translation) rows.push(...listSides(report.sides)); // other two folders may be two classes
  if (report.images) rows.push(...listImageRows(report.images));
  const mark = report.clips ? "Noted" : "Doubtful"; // of clips it is mostly where they were cut
  for (const text of report.warnings ?? []) rows.push([mark, text]); // the report of an older upload has none
  const classes = Object.entries(report.classes);
  if (classes.length) rows.push(["Classes", listClasses(classes)]);
  for (const { name, reason } of report.skipped.slice(0, MAX_SKIPPED)) rows.push(["Left out", `${name}: ${reason}`]);
  const more = report.skipped.length - MAX_SKIPPED;
  if (more > 0) rows.push(["Left out", `and ${more} more`]);
  return makeFacts(rows);
}

function listClips({ clips, frames, lengths: [least, most] }) {
  const each = least === most ? formatCount(least) : `${formatCount(least)} to ${formatCount(most)}`;
  return [["Clips", `${formatCount(clips)}, of ${each} frames`], ["Frames", formatCount(frames)]];
}

/** Two sides: what is translated into what; or two domains. */
function listSides({ names, counts, pairs, maps, classes }) {
  if (!pairs) return [["Two domains", names.map((name, k) => `${name} (${formatCount(counts[k])})`).join(", ")]];
  const rows = [["Pairs", `${formatCount(pairs)}, ${names.join(" to ")}`]];
  if (maps) rows.push(["Classes of the maps", listShares(Object.entries(classes))]);
  return rows;
}

function listShares(classes) {
  const text = classes.slice(0, MAX_CLASSES).map(([name, share]) => `${name} (${Math.round(100 * share)} %)`).join(", ");
  return classes.length > MAX_CLASSES ? `${text}, …` : text;
}

function listImageRows({ sizes, channels, resolution, duplicates, blank }) {
  const size = ([width, height]) => `${width} × ${height}`;
  const rows = [
    ["Sizes", `${size(sizes.min)} to ${size(sizes.max)}, mostly ${size(sizes.common)}`],
    ["Colors", channels === 1 ? "grey" : "color"],
    ["Suggested resolution", String(resolution)],
  ];
  if (duplicates) rows.push(["Exact duplicates", formatCount(duplicates)]);
  if (blank.length) rows.push(["Nearly blank", formatCount(blank.length)]);
  return rows;
}

function listClasses(classes) {
  const text = classes.slice(0, MAX_CLASSES).map(([name, n]) => `${name} (${formatCount(n)})`).join(", ");
  return classes.length > MAX_CLASSES ? `${text}, …` : text;
}
