// What each control of the page does.

import { explainAll } from "../common/explain.js";

const MEANINGS = {
  model: "The runs whose models let a picture move.",
  record: "Takes 24 pictures of the camera, in two seconds, as the clip. They stay on this machine.",
  absolute: "Takes the poses of the clip as they are. Otherwise it moves as the clip does from the frame that fits best.",
  play: "Stops at a frame, or goes on.",
  frame: "The frame that is shown.",
};

export const explainAnimate = () => explainAll(MEANINGS);
