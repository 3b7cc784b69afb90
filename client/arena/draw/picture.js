// Canvases that are painted once and copied often.
//
// A browser may lose what is on a canvas (its graphics process died, a phone needed the memory) and gives it back empty.
// What is drawn each frame is there again with the next one; what was painted once is painted anew.

/**
 * @param {number} width pixels
 * @param {number} height
 * @param {(ctx: CanvasRenderingContext2D) => void} paint in pixels, on a transparent ground
 * @returns {HTMLCanvasElement}
 */
export function picture(width, height, paint) {
  const image = document.createElement('canvas');
  image.width = width;
  image.height = height;
  const ctx = /** @type {CanvasRenderingContext2D} */ (image.getContext('2d'));
  paint(ctx);
  image.addEventListener('contextrestored', () => paint(ctx));
  return image;
}

/**
 * Gives its memory back at once: a browser that counts canvases only looks at them when it collects garbage.
 * @param {HTMLCanvasElement} image nobody draws it any more
 */
export function dropPicture(image) {
  image.width = 0;
  image.height = 0;
}
