// What an agent does, drawn: the cart and its pole, the states of the dynamics, and logits. Report, watch and playground
// share this. Colours are CSS classes, so that themes and print need no drawing again.
import { fill, html, svg } from "./elements.js";
import { fixed } from "./numbers.js";

export const SYMBOLS = { activator: "activator a", inhibitor: "inhibitor h" };
export const LOGITS = { network: "network", readout: "cell", blended: "blended" };
const RIGHT = "M0.42,0h0.3m-0.1,-0.08l0.1,0.08l-0.1,0.08";
const LEFT = "M-0.42,0h-0.3m0.1,-0.08l-0.1,0.08l0.1,0.08";

/** A titled frame around a drawing. */
export const framed = (kind, title, node) => html("figure", { class: `part ${kind}` }, html("figcaption", {}, title), node);

/** Cart and pole on their track, in metres; `show` takes the position, the angle in radians, and the action; `place` is the position. */
export function cartAndPole(name = "Cart and pole") {
  const cart = svg("g", { class: "cart" }, svg("rect", { x: -0.35, y: -0.12, width: 0.7, height: 0.24, rx: 0.05 }));
  const pole = svg("path", { class: "pole", d: "M0,0V-1" });
  const push = svg("path", { class: "push", d: "" });
  cart.append(pole, svg("circle", { class: "axle", r: 0.05 }), push);
  const root = svg("svg", { viewBox: "-2.8 -1.35 5.6 1.85", class: "track", role: "img", "aria-label": name },
    svg("path", { class: "rail", d: "M-2.4,0.14H2.4" }), svg("path", { class: "limit", d: "M-2.4,0V0.28M2.4,0V0.28" }), cart);
  let at = 0;
  const show = (x, angle, action) => {
    at = x;
    cart.setAttribute("transform", `translate(${x.toFixed(3)} 0)`);
    pole.setAttribute("transform", `rotate(${((angle * 180) / Math.PI).toFixed(2)})`);
    push.setAttribute("d", action > 0.5 ? RIGHT : LEFT);
  };
  return { root, show, place: () => at };
}

/** A matrix as coloured numbers, orange above 0 and blue below; `show` takes its values row by row, and the largest. */
export function heatMap(name, rows, columns) {
  const known = name in SYMBOLS;
  const title = SYMBOLS[name] || name;
  const says = known ? `${title}, a row for each feature, a column for each action` : `State of the control: ${title}`;
  const root = svg("svg", { viewBox: `0 0 ${30 + 49 * columns.length} ${20 + 27 * rows.length}`, class: "heat", role: "img", "aria-label": says });
  columns.forEach((text, k) => root.append(svg("text", { x: 53 + 49 * k, y: 12, "text-anchor": "middle" }, text)));
  const cells = rows.flatMap((row, i) => {
    root.append(svg("text", { x: 14, y: 37 + 27 * i, "text-anchor": "middle" }, row));
    return columns.map((_, k) => {
      const box = svg("rect", { x: 30 + 49 * k, y: 20 + 27 * i, width: 46, height: 24, rx: 3 });
      const text = svg("text", { x: 53 + 49 * k, y: 36 + 27 * i, "text-anchor": "middle" });
      const node = svg("g", { class: "entry" }, box, text);
      root.append(node);
      return { node, box, text };
    });
  });
  const show = (values, most) => cells.forEach(({ box, text }, j) => {
    const value = values[j];
    box.setAttribute("class", value < 0 ? "minus" : "plus");
    box.setAttribute("fill-opacity", (0.04 + 0.5 * Math.min(1, Math.abs(value) / most)).toFixed(3));
    text.textContent = fixed(value, most < 0.1 ? 3 : 2);
  });
  return { name: title, root, cells, show };
}

/** A bar for each action; `show` takes the logits, and the largest absolute one. */
export function logitBars(name, actions) {
  const root = svg("svg", { viewBox: `0 0 160 ${8 + 30 * actions.length}`, class: "logits", role: "img", "aria-label": `Logits: ${name}` });
  root.append(svg("path", { class: "axis", d: `M102,4V${4 + 30 * actions.length}` }));
  const rows = actions.map((text, k) => {
    const box = svg("rect", { y: 8 + 30 * k, height: 22, rx: 2 });
    const value = svg("text", { x: 102, y: 23 + 30 * k });
    root.append(svg("text", { x: 0, y: 23 + 30 * k }, text), box, value);
    return { box, value };
  });
  const show = (values, largest) => rows.forEach(({ box, value }, k) => {
    const amount = values[k];
    const size = Math.min(52, (52 * Math.abs(amount)) / largest);
    fill(box, { x: amount < 0 ? 102 - size : 102, width: size, class: amount < 0 ? "minus" : "plus" }, []);
    value.textContent = fixed(amount, 2);
    value.setAttribute("text-anchor", amount < 0 ? "start" : "end");
    value.setAttribute("dx", amount < 0 ? 3 : -3);
  });
  return { name: `logits: ${name}`, root, show };
}

/** A field's activator, a line for each feature and action; `show` takes its values, and the least and most of all. */
export function fieldLines(rows, columns, features, actions) {
  const width = 224 / columns;
  const root = svg("svg", { viewBox: `0 0 256 ${17 * rows + 2}`, class: "heat", role: "img", "aria-label": "Activator of the field, a line for each feature and action" });
  const boxes = Array.from({ length: rows }, (_, i) => {
    const [feature, action] = [Math.floor(i / actions.length), i % actions.length];
    root.append(svg("text", { x: 14, y: 13 + 17 * i, "text-anchor": "middle" }, `${features[feature]} ${actions[action][0] === "←" ? "←" : "→"}`));
    return Array.from({ length: columns }, (_, s) => {
      const box = svg("rect", { x: (30 + s * width).toFixed(2), y: 2 + 17 * i, width: width.toFixed(2), height: 13, class: "plus" });
      root.append(box);
      return box;
    });
  }).flat();
  const show = (values, least, most) => boxes.forEach((box, j) => {
    box.setAttribute("fill-opacity", ((values[j] - least) / (most - least || 1)).toFixed(3));
  });
  return { name: "activator of the field", root, show };
}
