// A walk: keyframes, and the film between them.

import { readError } from "../common/api.js";
import { make, say } from "../common/shell.js";
import { completeLook, schema, shortenLook } from "./look.js";
import { goTo } from "./seeds.js";
import { $, address, focusNear, makeThumb, state } from "./state.js";

const MAX_NAMED = 6; // seeds in the name of a film
let frames = []; // looks

/** Begin a walk without keyframes. */
export function clearWalk() {
  frames = [];
  $("movie").hidden = true;
  showFrames();
}

export function addFrame() {
  frames.push(structuredClone(state.look));
  showFrames();
  say(`Keyframe ${frames.length}`, true);
}

function showFrames() {
  $("keys").replaceChildren(...frames.map(makeFrame));
  const count = `${frames.length} keyframe${frames.length === 1 ? "" : "s"}`;
  $("steps").textContent = frames.length ? count : "add pictures to walk between";
  $("film").disabled = frames.length < 2;
}

function makeFrame(frame, i) {
  const go = () => {
    state.history.add(state.look, "");
    goTo(completeLook(frame));
  };
  const makeButton = (mark, label, press, disabled = false) => {
    return make("button", { type: "button", class: "remove", "aria-label": label, disabled, onclick: press }, mark);
  };
  const earlier = makeButton("‹", `Move keyframe ${i + 1} earlier`, () => moveEarlier(i), i === 0);
  const remove = makeButton("×", `Remove keyframe ${i + 1}`, () => removeFrame(i));
  const thumb = makeThumb(frame, `Keyframe ${i + 1}: seed ${frame.seed}; go there`, go);
  return make("li", {}, thumb, make("span", { class: "row" }, earlier, remove));
}

function moveEarlier(i) {
  frames.splice(i - 1, 0, ...frames.splice(i, 1));
  showFrames();
  focusNear("keys", i - 1, "[aria-label$=earlier]", "frame-it");
}

function removeFrame(i) {
  frames.splice(i, 1);
  showFrames();
  focusNear("keys", i, "[aria-label^=Remove]", "frame-it");
}

async function makeFilm() {
  $("film").disabled = true;
  $("film-said").textContent = "Making the film …";
  const kind = $("kind").value;
  const body = { looks: frames.map(shortenLook), frames: Number($("frames").value), closed: $("closed").checked, kind };
  try {
    const response = await fetch(address("walk"), { method: "POST", body: JSON.stringify(body) });
    if (!response.ok) throw new Error(await readError(response));
    showFilm(URL.createObjectURL(await response.blob()), kind);
  } catch (wrong) {
    $("film-said").textContent = wrong.message;
  }
  $("film").disabled = frames.length < 2;
}

function showFilm(url, kind) {
  if ($("movie").src) URL.revokeObjectURL($("movie").src);
  const [, ending] = schema.films[kind];
  const seeds = frames.slice(0, MAX_NAMED).map(({ seed }) => seed).join("-");
  const name = `${state.model}-walk-seeds-${seeds}.${ending}`;
  $("film-said").replaceChildren(make("a", { href: url, download: name }, "Save the film"));
  $("movie").hidden = kind === "mp4"; // an image element cannot show it
  if (kind === "mp4") return;
  $("movie").src = url;
  $("movie").alt = `A walk through ${frames.length} pictures`;
}

/** Connect the walk to the page. */
export function connectWalk() {
  const kinds = Object.entries(schema.films).map(([value, [label]]) => make("option", { value }, label));
  $("kind").replaceChildren(...kinds);
  [$("frames").min, $("frames").max] = schema.frames;
  $("frame-it").addEventListener("click", addFrame);
  $("film").addEventListener("click", makeFilm);
}
