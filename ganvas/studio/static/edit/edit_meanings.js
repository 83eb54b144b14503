// What each control of the page does.

import { explainAll } from "../common/explain.js";

const MEANINGS = {
  model: "The runs whose models make pictures from noise.",
  seed: "Begins with the sample of this seed, from 0 to 4,294,967,295. A seed gives the same picture each time.",
  dice: "Begins with a sample at random.",
  label: "What the sample shows: a class of the training. Your own picture is searched for again, as this class.",
  tune: "Trains a copy of the model, never the model itself, until it makes your picture exactly.",
  "measure-floor": "Searches for samples of the model, and for pictures of its data, to compare the error with; takes minutes.",
  filler: "Opens your picture on the page Translate, with a model that fills holes in photographs.",
  fill: "Paint over what the model should make anew in your picture. It finds what is nearest to the rest.",
  paint: "Paint on the picture; then Apply looks for the nearest picture that the model can make.",
  color: "The color of the brush.",
  "pick-ground": "Takes the color of the picture's corner, to remove something.",
  drag: "Press a point of the picture, and let go where you want it; the model draws the rest so that it fits.",
  "add-points": "A point by numbers, for the keyboard.",
  "paint-mask": "Paint what may move; all else stays. Without it everything may move.",
  "drag-go": "Moves the points; it may take some seconds.",
  apply: "Takes what was painted.",
  discard: "Leaves the picture as it was; so does Escape.",
  morph: "A class that the picture turns into.",
  "add-morph": "Adds a step towards this class.",
  away: "The class to move away from.",
  towards: "The class to move to.",
  "add-between": "Adds a step from the one class to the other.",
  "mix-seed": "The seed whose styles are taken.",
  "mix-first": "The first layer that takes them, from 1: early layers decide shapes, late ones colors and texture.",
  "mix-last": "The last layer that takes them; the same as the first for a single one.",
  "add-mix": "Adds a step to the styles of this seed.",
  "sum-plus": "Seeds whose mean is added, such as 1-3; with classes also 8:1-3.",
  "sum-minus": "Seeds whose mean is subtracted.",
  "add-sum": "Adds the difference as a step: the picture plus the one mean, minus the other.",
  undo: "Takes back the last change, of any kind.",
  redo: "Makes the change again.",
  stop: "Ends the search; the best code so far is kept.",
  save: "The result as PNG. It holds its beginning and its steps: open it here again to go on.",
};

export const explainEdit = () => explainAll(MEANINGS);
