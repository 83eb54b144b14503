// What each control below and beside the picture does.

import { explainAll } from "../common/explain.js";

const MEANINGS = {
  play: "Steps by itself, at the speed that is set. Pressed again, it pauses.",
  both: "One step: D moves, then G. In slow motion: the next stage of a step.",
  d: "The discriminator moves once; the generator does not.",
  g: "The generator moves once; the discriminator does not.",
  reset: "Step 0 of the same settings and seed.",
  undo: "Takes back the last change of a setting, or goes back to the game before.",
  morph: "Shows in two seconds how the noise becomes the fakes.",
  slow: "Shows a step in ten stages, each with its words.",
  bridge: "Trains a small GAN on handwritten digits beside the points, with the same loss, rates and balance.",
  "digits-train": "Opens the form of the page Train, filled in with the loss, rates, moves and balance of now.",
  time: "Goes back to an earlier state of this game, bit for bit, and forward again.",
  speed: "The pace of the game while it plays.",
  copy: "The link holds everything: settings, seed and each move.",
  png: "The picture as PNG, which carries its link.",
  run: "All numbers of the picture and the charts as JSON.",
};

export const explainControls = () => explainAll(MEANINGS);
