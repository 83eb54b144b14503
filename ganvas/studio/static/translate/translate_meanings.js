// What each control of the page does.

import { explainAll } from "../common/explain.js";

const MEANINGS = {
  model: "The runs whose models make a picture of a drawing or of another picture.",
  width: "The width of the brush, of the eraser and of the line, in pixels of the drawing.",
  zoom: "Enlarges the drawing. The tool Move, the wheel and the arrow keys show its other parts.",
  seed: "The number that the noise comes from. Another one gives another picture of the same drawing.",
  strength: "How much of the change is made: at 0 the result is what went in.",
  size: "The longer side of what goes in. A model does best at the size that it was trained with.",
  "out-zoom": "Enlarges what comes out. Drag the picture, or use Shift and the arrow keys, to see its other parts.",
  undo: "Takes back the last stroke.",
  redo: "Makes the last stroke again.",
  clear: "Removes all that was drawn; Undo brings it back.",
  "save-mask": "The hole as a PNG, white where it is filled, which ganvas inpaint and this page open again.",
  "save-map": "The drawing as PNG with a palette, which ganvas paint and this page open again.",
  reuse: "What came out becomes what goes in.",
  camera: "The pictures of the camera stay on this machine.",
  shoot: "Stops the camera, and works on the picture of now.",
  dice: "A seed at random: another picture of the same drawing.",
  save: "The result as PNG, which says what made it; in the view And back, the picture of the way back.",
  copy: "The link holds the model, what goes in, and every setting.",
  hand: "The result goes into another model.",
};

export const explainTranslate = () => explainAll(MEANINGS);
