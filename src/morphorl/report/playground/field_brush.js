// A brush that raises or erases the field's activator.
import { html } from "../templates/elements.js";
import { press } from "./controls.js";
import { onDrag } from "./pointer.js";
import { makeRandom } from "./random.js";

const RADIUS = 2.5; // in sites
const HIGHEST = 20; // to which the brush raises the activator, in units of its state at rest
const MODES = ["raise", "erase"];

/** Raises, or erases, an activator on a periodic square around the site (x, y). */
export function brushAt(activator, size, rest, mode, x, y) {
  const apart = (v, w) => Math.min(Math.abs(v - w), size - Math.abs(v - w));
  for (let i = 0; i < activator.length; i++) {
    const near = Math.exp(-(apart(i % size, x) ** 2 + apart(Math.floor(i / size), y) ** 2) / RADIUS ** 2);
    const raised = Math.max(activator[i], Math.min(HIGHEST * rest, activator[i] + 2 * rest * near));
    activator[i] = mode === "raise" ? raised : activator[i] * (1 - 0.9 * near);
  }
}

/** Lets the pointer brush a canvas, and gives the brushes' buttons; `brush(mode, x, y)` does it at a site. */
export function brushable(canvas, size, brush) {
  let mode = MODES[0];
  onDrag(canvas, (event) => {
    const box = canvas.getBoundingClientRect();
    brush(mode, ((event.clientX - box.left) / box.width) * size, ((event.clientY - box.top) / box.height) * size);
  });
  const modes = MODES.map((name) => press(name, () => take(name)));
  const take = (name) => {
    mode = name;
    modes.forEach((node, i) => node.setAttribute("aria-pressed", MODES[i] === mode));
  };
  take(mode);
  const random = makeRandom(99);
  const somewhere = press("Touch somewhere", () => brush(mode, random.below(size), random.below(size)));
  return html("div", { class: "toggles", role: "group", "aria-label": "Brush" }, html("span", { class: "hint" }, "Brush"), ...modes, somewhere);
}
