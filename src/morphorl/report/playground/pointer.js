// Where a pointer is, and what it drags.

/** The place of a pointer in the coordinates of an SVG. */
export const pointIn = (root, event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(root.getScreenCTM().inverse());

/** Calls `act(event)` where a pointer is put down on a node, and wherever it is dragged from there until it is lifted. */
export function onDrag(node, act) {
  let held = false;
  node.addEventListener("pointerdown", (event) => {
    held = true;
    node.setPointerCapture(event.pointerId);
    act(event);
  });
  node.addEventListener("pointermove", (event) => { if (held) act(event); });
  for (const end of ["pointerup", "pointercancel"]) node.addEventListener(end, () => { held = false; });
}
