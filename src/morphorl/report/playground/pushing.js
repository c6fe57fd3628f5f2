// Pushing cart and pole with the pointer or with buttons.
import { html } from "../templates/elements.js";
import { press } from "./controls.js";
import { pointIn } from "./pointer.js";

const CART = 0.6; // m/s for one press of a button
const POLE = 0.6; // rad/s
const DRAG = 1.5; // m/s or rad/s per metre that the pointer is dragged
const FURTHER = 0.02; // metres that the pointer must have moved
const TOP_OF_CART = -0.14; // metres; above it a pointer touches the pole

/** Lets the pointer push what `tracks` draw; `push(cart, pole)` takes changes of velocity in m/s and rad/s. */
export function pushable(tracks, push) {
  for (const track of tracks) pushableTrack(track, push);
  const buttons = [
    press("← cart", () => push(-CART, 0)), press("cart →", () => push(CART, 0)),
    press("← pole", () => push(0, -POLE)), press("pole →", () => push(0, POLE)),
  ];
  return html("div", { class: "toggles", role: "group", "aria-label": "Push" }, html("span", { class: "hint" }, "Push"), ...buttons);
}

/** A drag pushes the cart or the pole along, and a touch pushes it away. */
function pushableTrack({ root, place }, push) {
  let held = null;
  const give = (amount) => (held.pole ? push(0, amount) : push(amount, 0));
  root.classList.add("pushable");
  root.addEventListener("pointerdown", (event) => {
    const { x, y } = pointIn(root, event);
    held = { pole: y < TOP_OF_CART, x, moved: false, away: Math.sign(place() - x) || 1 };
    root.setPointerCapture(event.pointerId);
  });
  root.addEventListener("pointermove", (event) => {
    const { x } = held ? pointIn(root, event) : { x: 0 };
    if (!held || Math.abs(x - held.x) < FURTHER) return;
    give(DRAG * (x - held.x));
    held = { ...held, x, moved: true };
  });
  root.addEventListener("pointerup", () => {
    if (held && !held.moved) give(held.away * (held.pole ? POLE : CART));
    held = null;
  });
  root.addEventListener("pointercancel", () => { held = null; });
}
