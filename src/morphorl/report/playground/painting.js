// Painting the entries of a matrix with the pointer or with the keys.
import { press } from "./controls.js";
import { html } from "../templates/elements.js";
import { onDrag } from "./pointer.js";

const BRUSHES = { "paint +": 2, "paint −": -2, erase: 0 };

/** Lets the pointer and the keys set the entries of a heat map; `paint(entry, value)` does it. Gives the brushes. */
export function paintable(map, names, bound, paint) {
  let brush = 2;
  map.root.setAttribute("role", "group");
  map.root.classList.add("paintable");
  map.cells.forEach(({ node }, i) => {
    for (const [name, value] of Object.entries({ tabindex: 0, role: "slider", "aria-label": names[i], "aria-valuemin": -bound, "aria-valuemax": bound, "data-entry": i })) node.setAttribute(name, value);
    node.addEventListener("keydown", (event) => {
      const now = Number(node.getAttribute("aria-valuenow"));
      const to = { ArrowUp: now + 0.5, ArrowRight: now + 0.5, ArrowDown: now - 0.5, ArrowLeft: now - 0.5, Delete: 0, Backspace: 0 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      paint(i, to);
    });
  });
  const under = (event) => document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-entry]");
  onDrag(map.root, (event) => {
    const node = under(event);
    if (node && map.root.contains(node)) paint(Number(node.dataset.entry), brush);
  });
  const buttons = Object.entries(BRUSHES).map(([label, value]) => press(label, () => {
    brush = value;
    say();
  }));
  const say = () => buttons.forEach((node, i) => node.setAttribute("aria-pressed", Object.values(BRUSHES)[i] === brush));
  say();
  return html("div", { class: "toggles", role: "group", "aria-label": "Brush for the activator" }, html("span", { class: "hint" }, "Brush"), ...buttons);
}

/** Tells the entries' values to whoever cannot see them. */
export const announceValues = (map, values) => map.cells.forEach(({ node }, i) => node.setAttribute("aria-valuenow", values[i].toFixed(2)));
