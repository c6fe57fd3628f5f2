// Elements of a page. Text enters by textContent alone, never as markup.

const NAMESPACE = "http://www.w3.org/2000/svg";

/** Gives a node attributes and children (nodes, text, or null for none), and returns it. */
export function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.flat().filter((child) => child !== null));
  return node;
}
/** A new SVG element. */
export const svg = (name, attributes = {}, ...children) => fill(document.createElementNS(NAMESPACE, name), attributes, children);
/** A new HTML element. */
export const html = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);

/** A button that is pressed or not; `label` is its text where no content is given. */
export function button(label, pressed, action, ...content) {
  const node = html("button", { type: "button", "aria-pressed": pressed }, ...(content.length ? content : [label]));
  node.addEventListener("click", action);
  return node;
}

/** A labelled choice among options; `action` gets the place of the chosen one. */
export function select(label, options, value, action) {
  const entries = options.map((text, i) => html("option", { value: i }, text));
  const node = html("select", { "aria-label": label }, ...entries);
  node.value = value;
  node.addEventListener("change", () => action(Number(node.value)));
  return html("label", {}, `${label} `, node);
}
