// The Gierer-Meinhardt field on a square, with a brush, and the map of where linear theory lets patterns form.
import { framed } from "../templates/drawing.js";
import { html } from "../templates/elements.js";
import { brief } from "../templates/numbers.js";
import { press, slider } from "./controls.js";
import { contrastOf, criticalStrength, makeField } from "./field.js";
import { brushAt, brushable } from "./field_brush.js";
import { fieldCanvas } from "./field_canvas.js";
import { patternMap } from "./pattern_map.js";
import { makeRandom } from "./random.js";
import { animate, everyHalfSecond } from "./ticker.js";

const STEPS = 6; // of the field, in a frame
const NOISE = 0.01;

/** The part of the page with the field. */
export function fieldPart(host, { address, settings, ranges }) {
  const { grid, map } = settings;
  const square = makeSquare(settings);
  const view = fieldCanvas(grid.size, settings.rest[0]);
  const says = html("p", { class: "detail says" });
  const knobs = fieldKnobs(address, settings.equation, ranges, () => tune());
  const atlas = patternMap(map, ranges, (ratio, strength) => {
    knobs.ratio.set(ratio);
    knobs.strength.set(strength);
  });
  const show = () => {
    view.draw(square.activator());
    says.textContent = aboutField(map, knobs, square);
  };
  function tune() {
    square.tune(knobs.ratio.value, knobs.saturation.value, knobs.strength.value);
    atlas.show(knobs.ratio.value, knobs.saturation.value, knobs.strength.value);
    says.textContent = aboutField(map, knobs, square);
  }
  const brushes = brushable(view.canvas, grid.size, (mode, x, y) => {
    brushAt(square.activator(), grid.size, settings.rest[0], mode, x, y);
    view.draw(square.activator());
  });
  const stage = html("div", { class: "stage even" }, framed("", "activator", view.canvas), framed("", "where patterns form", atlas.root));
  const saySometimes = everyHalfSecond(() => { says.textContent = aboutField(map, knobs, square); });
  const { button } = animate(stage, (seconds) => {
    square.advance(STEPS);
    view.draw(square.activator());
    saySometimes(seconds);
  });
  const afresh = press("Fresh noise", () => {
    square.begin();
    view.forget();
    show();
  });
  const published = press("As published", () => Object.values(knobs).forEach((one) => one.reset()));
  tune();
  show();
  host.replaceChildren(
    html("div", { class: "switches" }, button, brushes, afresh, published),
    stage, says, html("div", { class: "knobs" }, ...Object.values(knobs).map(({ root }) => root))
  );
}

/** The field from noise around its state at rest: `begin` starts it afresh, `tune` gives it another equation. */
function makeSquare({ grid, dt, rest, equation: published }) {
  const equation = { ...published };
  let [seed, steps, state] = [1, 0, null];
  function begin() {
    const random = makeRandom(seed);
    const noisy = (u) => Float64Array.from({ length: grid.size ** 2 }, () => u * (1 + NOISE * random.normal()));
    state = makeField(grid, dt, noisy(rest[0]), noisy(rest[1]));
    [seed, steps] = [seed + 1, 0];
  }
  function tune(ratio, saturation, strength) {
    const guidance = { activator_guidance: strength, inhibitor_guidance: strength };
    Object.assign(equation, { inhibitor_diffusion: ratio * equation.activator_diffusion, saturation, ...guidance });
    state.retune();
  }
  function advance(count) {
    state.advance(equation, count);
    steps += count;
  }
  begin();
  return { begin, tune, advance, activator: () => state.field.activator, time: () => steps * dt };
}

/** The sliders of the field's equation. */
function fieldKnobs(address, equation, ranges, changed) {
  const knob = (name, label, range, usual) => slider(address, { key: `field.${name}`, label, range, usual }, changed);
  return {
    strength: knob("strength", "guidance γ", ranges.field_strength, equation.activator_guidance),
    ratio: knob("ratio", "Dₕ/Dₐ", ranges.ratio, equation.inhibitor_diffusion / equation.activator_diffusion),
    saturation: knob("saturation", "saturation κ", ranges.saturation, equation.saturation),
  };
}

/** On which side of the boundary the field is, and what has become of its pattern, in words. */
function aboutField(map, { ratio, saturation, strength: { value: strength } }, square) {
  const end = criticalStrength(map, ratio.value, saturation.value);
  const past = `γ = ${brief(strength)} is past the boundary at ${brief(end)}: by linear theory every pattern dies`;
  const below = `γ = ${brief(strength)} is below the boundary at ${brief(end)}: by linear theory noise grows into a pattern`;
  const where = end === 0 ? "At this Dₕ/Dₐ no pattern forms even without guidance" : strength > end ? past : below;
  return `${where}. The activator's spread is ${brief(contrastOf(square.activator()))} of its mean, after ${Math.round(square.time()).toLocaleString("en")} units of time.`;
}
