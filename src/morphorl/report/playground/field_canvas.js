// The field's activator as a picture, a pixel for each site.
import { html } from "../templates/elements.js";

const COLOURS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]]; // viridis

/** A canvas of so many sites in each direction, and `draw`, which takes the activator, whose value at rest is `rest`; `forget` before another field. */
export function fieldCanvas(size, rest) {
  const canvas = html("canvas", { width: size, height: size, role: "img", "aria-label": "Activator of the field, bright where it is high", class: "field" });
  const context = canvas.getContext("2d");
  const picture = context.createImageData(size, size);
  let top = 0; // the value of the brightest colour, which falls slowly where the field does

  function draw(activator) {
    const largest = activator.reduce((most, v) => Math.max(most, v), 0);
    top = Math.max(0.98 * top, largest, 1.5 * rest);
    activator.forEach((v, i) => picture.data.set([...colourOf(v / top), 255], 4 * i));
    context.putImageData(picture, 0, 0);
  }
  return { canvas, draw, forget: () => { top = 0; } };
}

/** The colour of a share of the highest value; what is not a number has that of 0. */
function colourOf(share) {
  const at = Math.min(0.9999, Math.max(0, share || 0)) * (COLOURS.length - 1);
  const [below, part] = [Math.floor(at), at % 1];
  return COLOURS[below].map((c, i) => c + part * (COLOURS[below + 1][i] - c));
}
