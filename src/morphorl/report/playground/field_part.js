// The Gierer-Meinhardt field on a square, with a brush, and the map of where linear theory lets patterns form.
import { html, svg } from "../templates/elements.js";
import { brief, path, scale } from "../templates/numbers.js";
import { press, slider } from "./controls.js";
import { contrastOf, criticalStrength, makeField } from "./field.js";
import { makeRandom } from "./random.js";
import { animate } from "./ticker.js";

const COLOURS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]]; // viridis
const STEPS = 6; // of the field, in a frame
const NOISE = 0.01;
const RADIUS = 2.5; // of the brush, in sites
const HIGHEST = 20; // to which the brush raises the activator, in units of its state at rest
const MAP = { width: 300, height: 220, left: 60, right: 290, top: 10, bottom: 180 };

/** The part of the page with the field. */
export function fieldPart(host, { address, settings, ranges }) {
  const { grid, dt, rest, map } = settings;
  const equation = { ...settings.equation };
  const usual = { ratio: equation.inhibitor_diffusion / equation.activator_diffusion, saturation: equation.saturation, strength: equation.activator_guidance };
  let [field, seed, time, top, raising] = [null, 1, 0, 1, true];
  const canvas = html("canvas", { width: grid.size, height: grid.size, role: "img", "aria-label": "Activator of the field, bright where it is high", class: "field" });
  const context = canvas.getContext("2d");
  const picture = context.createImageData(grid.size, grid.size);

  function begin() {
    const random = makeRandom(seed++);
    const noisy = (u) => Float64Array.from({ length: grid.size ** 2 }, () => u * (1 + NOISE * random.normal()));
    field = makeField(grid, dt, noisy(rest[0]), noisy(rest[1]));
    [time, top] = [0, 1];
  }
  const tune = () => {
    equation.inhibitor_diffusion = knobs.ratio.value * equation.activator_diffusion;
    equation.saturation = knobs.saturation.value;
    equation.activator_guidance = equation.inhibitor_guidance = knobs.strength.value;
    field.retune();
    atlas.show(knobs.ratio.value, knobs.saturation.value, knobs.strength.value);
    say();
  };
  const knob = (name, label, range) => slider(address, { key: `field.${name}`, label, range, usual: usual[name] }, () => tune());
  const knobs = {
    strength: knob("strength", "guidance γ", ranges.field_strength),
    ratio: knob("ratio", "Dₕ/Dₐ", ranges.ratio),
    saturation: knob("saturation", "saturation κ", ranges.saturation),
  };
  const atlas = drawMap(map, ranges, (ratio, strength) => {
    knobs.ratio.set(ratio);
    knobs.strength.set(strength);
  });

  function paint(event) {
    const box = canvas.getBoundingClientRect();
    touch(((event.clientX - box.left) / box.width) * grid.size, ((event.clientY - box.top) / box.height) * grid.size);
  }
  function touch(x, y) {
    const { activator } = field.field;
    for (let i = 0; i < activator.length; i++) {
      const apart = (v, w) => Math.min(Math.abs(v - w), grid.size - Math.abs(v - w));
      const near = Math.exp(-(apart(i % grid.size, x) ** 2 + apart(Math.floor(i / grid.size), y) ** 2) / RADIUS ** 2);
      const raised = Math.max(activator[i], Math.min(HIGHEST * rest[0], activator[i] + 2 * rest[0] * near));
      activator[i] = raising ? raised : activator[i] * (1 - 0.9 * near);
    }
    draw();
  }
  let held = false;
  canvas.addEventListener("pointerdown", (event) => {
    held = true;
    canvas.setPointerCapture(event.pointerId);
    paint(event);
  });
  canvas.addEventListener("pointermove", (event) => { if (held) paint(event); });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { held = false; });

  function draw() {
    const { activator } = field.field;
    const largest = activator.reduce((most, v) => Math.max(most, v), 0);
    top = Math.max(0.98 * top, largest, 1.5 * rest[0]);
    activator.forEach((v, i) => {
      const colour = colourOf(v / top);
      for (let c = 0; c < 3; c++) picture.data[4 * i + c] = colour[c];
      picture.data[4 * i + 3] = 255;
    });
    context.putImageData(picture, 0, 0);
  }
  const says = html("p", { class: "detail says" });
  function say() {
    const end = criticalStrength(map, knobs.ratio.value, knobs.saturation.value);
    const [strength, contrast] = [knobs.strength.value, contrastOf(field.field.activator)];
    const where = end === 0 ? "At this Dₕ/Dₐ no pattern forms even without guidance"
      : strength > end ? `γ = ${brief(strength)} is past the boundary at ${brief(end)}: by linear theory every pattern dies` : `γ = ${brief(strength)} is below the boundary at ${brief(end)}: by linear theory noise grows into a pattern`;
    says.textContent = `${where}. The activator's spread is ${brief(contrast)} of its mean, after ${Math.round(time).toLocaleString("en")} units of time.`;
  }
  let since = 0;
  const stage = html("div", { class: "stage even" }, html("figure", { class: "part" }, html("figcaption", {}, "activator"), canvas), html("figure", { class: "part" }, html("figcaption", {}, "where patterns form"), atlas.root));
  const { button } = animate(stage, (seconds) => {
    field.advance(equation, STEPS);
    time += STEPS * dt;
    draw();
    since += seconds;
    if (since < 0.5) return;
    since = 0;
    say();
  });
  const brushes = [["raise", true], ["erase", false]].map(([label, value]) => press(label, () => {
    raising = value;
    sayBrush();
  }));
  const sayBrush = () => brushes.forEach((node, i) => node.setAttribute("aria-pressed", (i === 0) === raising));
  sayBrush();
  const random = makeRandom(99);
  const somewhere = press("Touch somewhere", () => touch(random.below(grid.size), random.below(grid.size)));
  begin();
  tune();
  draw();
  host.replaceChildren(
    html("div", { class: "switches" }, button, html("div", { class: "toggles", role: "group", "aria-label": "Brush" }, html("span", { class: "hint" }, "Brush"), ...brushes, somewhere), press("Fresh noise", () => { begin(); draw(); say(); }), press("As published", () => Object.values(knobs).forEach((one) => one.reset()))),
    stage, says, html("div", { class: "knobs" }, ...Object.values(knobs).map(({ root }) => root))
  );
}

/** The colour of a share of the highest value; what is not a number has that of 0. */
function colourOf(share) {
  const at = Math.min(0.9999, Math.max(0, share || 0)) * (COLOURS.length - 1);
  const [below, part] = [Math.floor(at), at % 1];
  return COLOURS[below].map((c, i) => c + part * (COLOURS[below + 1][i] - c));
}

/** The map over D_h/D_a and γ: the region where patterns form, and the present point; a pointer moves it. */
function drawMap(map, ranges, move) {
  const x = scale(ranges.ratio[0], ranges.ratio[1], MAP.left, MAP.right, true);
  const y = scale(0, ranges.field_strength[1], MAP.bottom, MAP.top);
  const region = svg("path", { class: "region" });
  const edge = svg("path", { class: "line us" });
  const point = svg("circle", { class: "here", r: 6 });
  const root = svg("svg", { viewBox: `0 0 ${MAP.width} ${MAP.height}`, class: "chart map", role: "img" });
  for (const tick of [0, 0.002, 0.004, 0.006, 0.008]) root.append(svg("path", { class: "grid", d: `M${MAP.left},${y(tick)}H${MAP.right}` }), svg("text", { x: MAP.left - 6, y: y(tick) + 4, "text-anchor": "end" }, `${tick}`));
  for (const tick of [10, 20, 40, 80]) root.append(svg("text", { x: x(tick), y: MAP.bottom + 16, "text-anchor": "middle" }, `${tick}`));
  root.append(svg("text", { class: "label", x: (MAP.left + MAP.right) / 2, y: MAP.height - 6, "text-anchor": "middle" }, "Dₕ/Dₐ"), svg("text", { class: "label", transform: `translate(10 ${(MAP.top + MAP.bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, "γ"));
  root.append(region, edge, svg("text", { x: MAP.right - 6, y: y(0.0006), "text-anchor": "end" }, "patterns"), svg("text", { x: MAP.left + 8, y: y(0.0062) }, "none"), point);
  let held = false;
  const go = (event) => {
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(root.getScreenCTM().inverse());
    const inside = (v, [from, to, step]) => Math.min(to, Math.max(from, Math.round(v / step) * step));
    move(inside(x.invert(place.x), ranges.ratio), Number(inside(y.invert(place.y), ranges.field_strength).toFixed(5)));
  };
  root.addEventListener("pointerdown", (event) => {
    held = true;
    root.setPointerCapture(event.pointerId);
    go(event);
  });
  root.addEventListener("pointermove", (event) => { if (held) go(event); });
  for (const end of ["pointerup", "pointercancel"]) root.addEventListener(end, () => { held = false; });
  const show = (ratio, saturation, strength) => {
    const line = map.ratios.map((one) => [x(one), y(criticalStrength(map, one, saturation))]);
    edge.setAttribute("d", path(line));
    region.setAttribute("d", `${path(line)}L${MAP.right},${MAP.bottom}L${MAP.left},${MAP.bottom}Z`);
    point.setAttribute("cx", x(ratio));
    point.setAttribute("cy", y(strength));
    root.setAttribute("aria-label", `Map: at Dₕ/Dₐ = ${Math.round(ratio)} and κ = ${saturation}, patterns end at γ = ${brief(criticalStrength(map, ratio, saturation))}; γ is ${strength} now`);
  };
  return { root, show };
}
