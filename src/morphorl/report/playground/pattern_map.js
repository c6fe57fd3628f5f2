// The map over D_h/D_a and γ: the region where linear theory lets patterns form, and the present point.
import { svg } from "../templates/elements.js";
import { brief, path, scale } from "../templates/numbers.js";
import { criticalStrength } from "./field.js";
import { onDrag, pointIn } from "./pointer.js";

const MAP = { width: 300, height: 220, left: 60, right: 290, top: 10, bottom: 180 };
const STRENGTHS = [0, 0.002, 0.004, 0.006, 0.008];
const RATIOS = [10, 20, 40, 80];

/** Draws the map; `move(ratio, strength)` hears where a pointer moves the point, and `show` puts it somewhere. */
export function patternMap(map, ranges, move) {
  const x = scale(ranges.ratio[0], ranges.ratio[1], MAP.left, MAP.right, true);
  const y = scale(0, ranges.field_strength[1], MAP.bottom, MAP.top);
  const [region, edge] = [svg("path", { class: "region" }), svg("path", { class: "line us" })];
  const point = svg("circle", { class: "here", r: 6 });
  const names = [svg("text", { x: MAP.right - 6, y: y(0.0006), "text-anchor": "end" }, "patterns"), svg("text", { x: MAP.left + 8, y: y(0.0062) }, "none")];
  const root = svg("svg", { viewBox: `0 0 ${MAP.width} ${MAP.height}`, class: "chart map", role: "img" }, ...mapAxes(x, y), region, edge, ...names, point);
  onDrag(root, (event) => {
    const place = pointIn(root, event);
    move(onGrid(x.invert(place.x), ranges.ratio), onGrid(y.invert(place.y), ranges.field_strength));
  });
  function show(ratio, saturation, strength) {
    const line = map.ratios.map((one) => [x(one), y(criticalStrength(map, one, saturation))]);
    edge.setAttribute("d", path(line));
    region.setAttribute("d", `${path(line)}L${MAP.right},${MAP.bottom}L${MAP.left},${MAP.bottom}Z`);
    point.setAttribute("cx", x(ratio));
    point.setAttribute("cy", y(strength));
    root.setAttribute("aria-label", `Map: at Dₕ/Dₐ = ${Math.round(ratio)} and κ = ${saturation}, patterns end at γ = ${brief(criticalStrength(map, ratio, saturation))}; γ is ${strength} now`);
  }
  return { root, show };
}

/** The nearest value within a range that its steps come to. */
const onGrid = (value, [from, to, step]) => Number(Math.min(to, Math.max(from, Math.round(value / step) * step)).toFixed(5));

function mapAxes(x, y) {
  const [middle, centre] = [(MAP.left + MAP.right) / 2, (MAP.top + MAP.bottom) / 2];
  return [
    ...STRENGTHS.flatMap((tick) => [svg("path", { class: "grid", d: `M${MAP.left},${y(tick)}H${MAP.right}` }), svg("text", { x: MAP.left - 6, y: y(tick) + 4, "text-anchor": "end" }, `${tick}`)]),
    ...RATIOS.map((tick) => svg("text", { x: x(tick), y: MAP.bottom + 16, "text-anchor": "middle" }, `${tick}`)),
    svg("text", { class: "label", x: middle, y: MAP.height - 6, "text-anchor": "middle" }, "Dₕ/Dₐ"),
    svg("text", { class: "label", transform: `translate(10 ${centre}) rotate(-90)`, "text-anchor": "middle" }, "γ"),
  ];
}
