// How a map looks on its canvas: the picture below it, its colours over that, and the ring of the brush.

import { colorMap } from "./map_shapes.js";
import { colour } from "./shell.js";

const FINE = 256; // pixels of a picture below which each pixel is shown as a square

/**
 * Paint the part of layers (each what a canvas can draw) from `corner` on that is `shown`; the last one is a map, with hard
 * edges. Returns whether there is anything to paint on: a hidden canvas has no size.
 */
export function paintLayers(canvas, layers, corner, shown) {
  const scale = Math.min(2, devicePixelRatio || 1);
  const [width, height] = [Math.round(canvas.clientWidth * scale), Math.round(canvas.clientHeight * scale)];
  if (width < 2 || height < 2) return false;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  for (const layer of layers) {
    context.imageSmoothingEnabled = layer !== layers.at(-1) && Math.max(layer.width, layer.height) > FINE;
    context.imageSmoothingQuality = "high";
    context.drawImage(layer, ...corner, ...shown, 0, 0, width, height);
  }
  return true;
}

/** A map with rows of `columns` pixels in its colours, one pixel a pixel: an OffscreenCanvas. */
export function renderMap(map, columns, colors) {
  const canvas = new OffscreenCanvas(columns, map.length / columns);
  canvas.getContext("2d").putImageData(colorMap(map, columns, colors), 0, 0);
  return canvas;
}

/** A ring that is seen on any ground. */
export function drawRing(canvas, [x, y], radius) {
  const context = canvas.getContext("2d");
  for (const [token, lineWidth] of [["--card", 4], ["--ink", 2]]) {
    context.strokeStyle = colour(token);
    context.lineWidth = lineWidth;
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.stroke();
  }
}
