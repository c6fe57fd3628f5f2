// The controls of one agent that plays: sliders of its settings, boxes to tick, and buttons for its cell.
import { drawCell } from "./cell.js";
import { press, slider, tick } from "./controls.js";
import { ACTIONS } from "./match_view.js";
import { makeRandom } from "./random.js";

const LABELS = {
  strength: "guidance γ", weight: "blending weight β",
  activator_diffusion: "diffusion Dₐ", inhibitor_diffusion: "diffusion Dₕ",
  activator_production: "production ρₐ", inhibitor_production: "production ρₕ",
  activator_decay: "decay μₐ", inhibitor_decay: "decay μₕ",
};
const WRONG = { strength: 0.3, weight: 0.6, activator_diffusion: 0, inhibitor_diffusion: 0 };

/** A slider for each of the settings `names` that the agent has, by name; each sets the agent's knob. */
export function settingSliders({ agent, knobs }, names, { key, address, ranges }, changed) {
  const known = names.filter((name) => agent.cell || (agent.memory && name === "strength"));
  return Object.fromEntries(known.map((name) => {
    const home = name in knobs ? knobs : knobs.cell;
    const range = (agent.memory && ranges[`memory_${name}`]) || ranges[name];
    const one = slider(address, { key: `${key}.${name}`, label: LABELS[name], range, usual: home[name] }, (value) => {
      home[name] = value;
      changed();
    });
    home[name] = one.value;
    return [name, one];
  }));
}

/** Boxes to tick: what is hidden from all competitors, whether the baseline is shown, whether actions are sampled. */
export function choiceBoxes(competitors, baseline, { key, address }, showBaseline) {
  const hide = (value) => { for (const { knobs } of competitors) knobs.hide = value; };
  const box = (name, label, usual, changed) => tick(address, { key: `${key}.${name}`, label, usual }, changed);
  const boxes = {
    ...(competitors[0].agent.environment === "CartPole-v1" ? { hide: box("hide", "hide the velocities", false, hide) } : {}),
    ...(baseline ? { baseline: box("baseline", baseline.caption, true, showBaseline) } : {}),
    sample: box("sample", "sample actions, as in training", false, () => {}),
  };
  hide(boxes.hide?.value ?? false);
  showBaseline(boxes.baseline?.value ?? false);
  return boxes;
}

/** The number of the pattern that an agent's cell starts from, which stands in the address: 0 is its own, others are drawn. */
export function patternChoice(agent, { key, address }) {
  const name = `${key}.pattern`;
  let number = agent.cell ? Math.trunc(Number(address.get(name, 0))) || 0 : 0;
  const values = () => (number ? drawCell(agent.cell, makeRandom(7_000 + number), agent.pattern.activator.length) : agent.pattern);
  const take = (other) => {
    number = other;
    address.set(name, number, 0);
    return values();
  };
  return { values, next: () => take(number + 1), own: () => take(0) };
}

/** Buttons for an agent with a cell; `start(pattern)` starts a match from a pattern, `show` draws what has changed. */
export function cellButtons(match, sliders, pattern, start, show) {
  /** Entries that pull to the left where the right is needed, and settings under which guidance keeps them so. */
  function latchWrong() {
    for (const [name, value] of Object.entries(WRONG)) sliders[name].set(value);
    match.agent.episode.cells.activator.forEach((_, i, entries) => { entries[i] = i % ACTIONS.length ? -3 : 3; });
    show();
  }
  const buttons = [press("New pattern, same learner", () => start(pattern.next())), press("Its own pattern", () => start(pattern.own()))];
  const latches = Object.keys(WRONG).every((name) => name in sliders);
  return latches ? [...buttons, press("Latch the wrong way", latchWrong)] : buttons;
}
