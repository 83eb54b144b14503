// The heat map of D: how real it takes each place to be.

import { rgb } from "./canvas.js";

const STRENGTH = 0.62; // of the colour where D is sure, so that points stay visible on it

/** Realness [rows, columns], row 0 at the bottom -> a small canvas, one pixel a cell. */
export function makeHeatMap(surface) {
  const [rows, columns] = surface.shape;
  const [real, fake, middle] = [rgb("--real"), rgb("--fake"), rgb("--neutral")];
  const image = new ImageData(columns, rows);
  for (let i = 0; i < surface.length; i++) {
    const end = surface[i] > 0.5 ? real : fake;
    const share = Math.pow(Math.abs(surface[i] - 0.5) * 2, 0.8) * STRENGTH;
    const at = 4 * ((rows - 1 - Math.floor(i / columns)) * columns + (i % columns));
    for (let k = 0; k < 3; k++) image.data[at + k] = middle[k] + share * (end[k] - middle[k]);
    image.data[at + 3] = 255;
  }
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [columns, rows];
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
