// Pushing cart and pole with the pointer or with buttons.
import { html } from "../templates/elements.js";
import { press } from "./controls.js";

const CART = 0.6; // m/s for one press of a button
const POLE = 0.6; // rad/s
const DRAG = { cart: 1.5, pole: 1.5 }; // per metre that the pointer is dragged

/** Lets the pointer push what `tracks` draw; `push(cart, pole)` takes changes of velocity in m/s and rad/s. */
export function pushable(tracks, push) {
  for (const { root, cart } of tracks) {
    root.classList.add("pushable");
    let held = null;
    const place = (event) => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(root.getScreenCTM().inverse());
      return { x: point.x, y: point.y };
    };
    const give = (what, amount) => (what === "pole" ? push(0, amount) : push(amount, 0));
    root.addEventListener("pointerdown", (event) => {
      const { x, y } = place(event);
      const at = Number(/translate\((\S+)/.exec(cart.getAttribute("transform"))?.[1] ?? 0);
      held = { what: y < -0.14 ? "pole" : "cart", x, moved: false, side: Math.sign(at - x) || 1 };
      root.setPointerCapture(event.pointerId);
    });
    root.addEventListener("pointermove", (event) => {
      if (!held) return;
      const { x } = place(event);
      if (Math.abs(x - held.x) < 0.02) return;
      give(held.what, DRAG[held.what] * (x - held.x));
      held = { ...held, x, moved: true };
    });
    const release = () => {
      if (held && !held.moved) give(held.what, held.side * (held.what === "pole" ? POLE : CART)); // a touch pushes away
      held = null;
    };
    root.addEventListener("pointerup", release);
    root.addEventListener("pointercancel", () => { held = null; });
  }
  const buttons = [
    press("← cart", () => push(-CART, 0)), press("cart →", () => push(CART, 0)),
    press("← pole", () => push(0, -POLE)), press("pole →", () => push(0, POLE)),
  ];
  return html("div", { class: "toggles", role: "group", "aria-label": "Push" }, html("span", { class: "hint" }, "Push"), ...buttons);
}
