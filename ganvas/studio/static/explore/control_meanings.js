// What each control of the page does.

import { explainAll } from "../common/explain.js";

const MEANINGS = {
  model: "The runs whose models generate something.",
  dice: "A seed at random: another noise, and so another picture.",
  keep: "Puts the picture, with all its settings, among the favourites.",
  "frame-it": "Makes the picture a keyframe of the walk.",
  seed: "The first seed on the pad. A seed gives the same noise, and so the same picture, each time.",
  label: "What the picture is to show: a class that the model was trained with.",
  source: "Begins at the code of a training picture in place of noise.",
  resolution: "Pictures of the smaller sizes that the generator has grown from.",
  "right-seed": "The seed whose picture is a quarter turn to the right.",
  "up-seed": "The seed whose picture is a quarter turn up.",
  nearest: "Searches all training pictures, pixel by pixel.",
  towards: "The class to move to.",
  away: "The class to move from.",
  mix: "Some layers take their style from another seed.",
  "mix-seed": "The seed that the ticked layers take their style from.",
  noise: "Draws the noise of the layers anew. Otherwise it is one fixed pattern.",
  "noise-seed": "The seed of the noise of the layers.",
  frames: "The number of pictures in the film.",
  kind: "The file of the film: MP4 needs the extra “video”.",
  closed: "The film goes back to its first keyframe, so that it can run in a loop.",
};

export const explainExplore = () => explainAll(MEANINGS);
