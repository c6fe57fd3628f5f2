// The curves of the page's training: each seed, and for each arm the interquartile mean with its interval.
import { html, svg } from "../templates/elements.js";
import { band, path, scale, short } from "../templates/numbers.js";
import { estimate } from "./statistics.js";

const MARGIN = { top: 10, right: 12, bottom: 38, left: 44 };
const HEIGHT = 280;
const TICKS = [0, 100, 200, 300, 400, 500];

/** Draws the `arms`, each its `label`, `kind`, the points of its `seeds` and its `estimates` so far, which are carried on. */
export function drawCurves(host, arms, total, threshold) {
  const width = Math.max(260, host.clientWidth - 24);
  const [right, bottom] = [width - MARGIN.right, HEIGHT - MARGIN.bottom];
  const [x, y] = [scale(0, total, MARGIN.left, right), scale(0, 510, bottom, MARGIN.top)];
  const root = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, class: "chart", role: "img" }, ...axes(x, y, right, bottom));
  root.append(svg("path", { class: "mark", d: `M${MARGIN.left},${y(threshold)}H${right}` }));
  for (const arm of arms) {
    carryOn(arm);
    root.append(armCurves(arm, x, y));
  }
  const begun = arms.some(({ seeds }) => seeds.length);
  root.setAttribute("aria-label", begun ? `Greedy return over training. ${arms.map(latestOf).join("; ")}` : "Greedy return over training; nothing is trained yet");
  const keys = arms.map(({ label, kind }) => html("span", { class: `key ${kind}` }, `━ ${label} `));
  host.replaceChildren(html("figcaption", {}, "Return of the most probable actions: IQM, 95% interval, and each seed ", ...keys), root);
}

function axes(x, y, right, bottom) {
  return [
    ...TICKS.flatMap((tick) => [svg("path", { class: "grid", d: `M${MARGIN.left},${y(tick)}H${right}` }), svg("text", { x: MARGIN.left - 6, y: y(tick) + 4, "text-anchor": "end" }, `${tick}`)]),
    ...x.ticks.map((tick) => svg("text", { x: x(tick), y: bottom + 16, "text-anchor": "middle" }, short(tick))),
    svg("text", { class: "label", x: (MARGIN.left + right) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, "environment steps"),
  ];
}

/** Estimates an arm at the points that all its seeds have come to since. */
function carryOn({ seeds, estimates }) {
  const known = seeds.length ? Math.min(...seeds.map((points) => points.length)) : 0;
  for (let i = estimates.length; i < known; i++) estimates.push({ steps: seeds[0][i].steps, ...estimate(seeds.map((points) => points[i].greedy)) });
}

function armCurves({ kind, seeds, estimates }, x, y) {
  const group = svg("g", { class: kind });
  for (const points of seeds) group.append(svg("path", { class: `seed ${kind}`, d: path(points.map(({ steps, greedy }) => [x(steps), y(greedy)])) }));
  if (!estimates.length) return group;
  const along = (name) => estimates.map((one) => [x(one.steps), y(one[name])]);
  group.append(svg("path", { class: "band", d: band(along("high"), along("low")) }), svg("path", { class: `line ${kind}`, d: path(along("value")) }));
  return group;
}

function latestOf({ label, estimates }) {
  const last = estimates.at(-1);
  return last ? `${label}: ${short(last.value)} after ${short(last.steps)} steps` : `${label}: just begun`;
}
