// A strip chart: the last seconds of a few numbers, in lanes below each other.
import { html, svg } from "../templates/elements.js";
import { path } from "../templates/numbers.js";

const LANE = 64;
const GAP = 20;

/**
 * Lanes of lines over the last `length` steps.
 *
 * Each lane has a title, the largest absolute value that it shows, and lines with a name and a class.
 */
export function stripChart(name, length, lanes) {
  const kept = lanes.map((lane) => lane.lines.map(() => []));
  const host = html("figure", { class: "part strip" });
  let [width, drawn] = [0, []];
  function build() {
    const wanted = Math.max(260, host.clientWidth - 24);
    if (wanted === width) return;
    width = wanted;
    const root = svg("svg", { viewBox: `0 0 ${width} ${lanes.length * (LANE + GAP)}`, class: "chart", role: "img", "aria-label": name });
    drawn = lanes.map((lane, l) => {
      const top = l * (LANE + GAP) + GAP - 4;
      root.append(svg("path", { class: "grid", d: `M0,${top + LANE / 2}H${width}M0,${top}H${width}M0,${top + LANE}H${width}` }));
      const text = svg("text", { x: 0, y: top - 5 }, lane.title);
      lane.lines.forEach(({ label, kind }, i) => text.append(svg("tspan", { class: `key ${kind}`, dx: i ? 10 : 14 }, `━ ${label}`)));
      root.append(text, svg("text", { x: 2, y: top + 12 }, `${lane.most}${lane.unit}`), svg("text", { x: 2, y: top + LANE - 3 }, `−${lane.most}${lane.unit}`));
      return lane.lines.map(({ kind }) => root.appendChild(svg("path", { class: `line ${kind}` })));
    });
    host.replaceChildren(html("figcaption", {}, name), root);
    draw();
  }
  function draw() {
    drawn.forEach((lines, l) => lines.forEach((line, i) => {
      const [values, top, half] = [kept[l][i], l * (LANE + GAP) + GAP - 4, LANE / 2];
      const y = (v) => top + half - half * Math.min(1, Math.max(-1, v / lanes[l].most));
      line.setAttribute("d", path(values.map((v, t) => [(width * (length - values.length + t)) / length, v === null ? null : y(v)]).filter(([, v]) => v !== null)));
    }));
  }
  const add = (values) => values.forEach((lane, l) => lane.forEach((v, i) => {
    kept[l][i].push(v);
    if (kept[l][i].length > length) kept[l][i].shift();
  }));
  new ResizeObserver(build).observe(host);
  return { host, add, draw };
}
