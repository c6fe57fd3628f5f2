// Elements of a page. Text enters by textContent alone, never as markup.

const NAMESPACE = "http://www.w3.org/2000/svg";

export function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.flat().filter((child) => child !== null));
  return node;
}
export const svg = (name, attributes = {}, ...children) => fill(document.createElementNS(NAMESPACE, name), attributes, children);
export const html = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);

export function button(label, pressed, action, ...content) {
  const node = html("button", { type: "button", "aria-pressed": pressed }, ...(content.length ? content : [label]));
  node.addEventListener("click", action);
  return node;
}

export function select(label, options, value, action) {
  const entries = options.map((text, i) => html("option", { value: i }, text));
  const node = html("select", { "aria-label": label }, ...entries);
  node.value = value;
  node.addEventListener("change", () => action(Number(node.value)));
  return html("label", {}, `${label} `, node);
}
