// Pictures between canvases and the arrays of frames.

/** A copy on white, `side` pixels on its longer side but never larger than the picture; 0: as it is. An OffscreenCanvas. */
export function fitPicture(picture, side = 0) {
  const scale = side ? Math.min(1, side / Math.max(picture.width, picture.height)) : 1;
  const canvas = new OffscreenCanvas(
    Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale)),
  );
  const context = canvas.getContext("2d");
  context.fillStyle = "#ffffff"; // as training shows what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** Whether a canvas has pixels that are not opaque. */
export function hasClearPixels(canvas) {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 3; at < data.length; at += 4) if (data[at] < 255) return true;
  return false;
}

/** The pixels of a canvas as uint8 [H, W, 3]. */
export function readPixels(canvas) {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const pixels = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4) {
    pixels[to++] = data[from];
    pixels[to++] = data[from + 1];
    pixels[to++] = data[from + 2];
  }
  pixels.shape = [height, width, 3];
  return pixels;
}

/** uint8 [H, W, C] of one or three channels as an OffscreenCanvas. */
export function drawPixels(pixels) {
  const [height, width, channels] = pixels.shape;
  const image = new ImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    for (let k = 0; k < 3; k++) image.data[4 * at + k] = pixels[channels * at + Math.min(k, channels - 1)];
    image.data[4 * at + 3] = 255;
  }
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** A picture at an address of this server. Throws an Error with one line. */
export async function fetchPicture(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error("this picture is not here any more; choose it again");
  return fitPicture(await createImageBitmap(await response.blob()));
}
