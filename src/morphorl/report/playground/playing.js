// One agent in its CartPole beside what it thinks, at 50 steps a second, with everything that can be done to it.
import { html } from "../templates/elements.js";
import { cellButtons, choiceBoxes, patternChoice, settingSliders } from "./agent_controls.js";
import { press } from "./controls.js";
import { makeMatch } from "./match.js";
import { ACTIONS, featuresOf, matchView } from "./match_view.js";
import { paintable } from "./painting.js";
import { knobsOf } from "./player.js";
import { pushable } from "./pushing.js";
import { makeRandom } from "./random.js";
import { animate, everyHalfSecond } from "./ticker.js";
import { aboutAgent } from "./words.js";

const SEED = 20_250_329;

/**
 * The nodes that show and control one agent, and `stop`.
 *
 * `baseline` is an agent in the same disturbance (or null), with its `label`, the `caption` of its box, and whether it is
 * `unguided`. `settings` names the sliders, whose values are kept in the address under `place.key`.
 */
export function playing(agent, { place, constants, settings, baseline }) {
  const own = { agent, knobs: knobsOf(agent) };
  const other = baseline && { agent: baseline.agent, knobs: { ...knobsOf(baseline.agent), ...(baseline.unguided ? { strength: 0 } : {}) } };
  const random = makeRandom(SEED);
  const pattern = patternChoice(agent, place);
  const match = makeMatch(constants, random, own, other, pattern.values());
  const view = matchView(agent, baseline);
  const [says, falls] = [html("p", { class: "detail says" }), html("p", { class: "falls", role: "status" })];

  const describe = () => {
    says.textContent = aboutAgent(agent, own.knobs, match.agent);
    view.announce(match);
  };
  const show = () => {
    view.show(match);
    describe();
  };
  const start = (from) => {
    match.pattern = from;
    match.restart();
    show();
  };
  const step = () => {
    const fell = match.step(boxes.sample.value ? random.uniform() : null);
    if (fell) falls.textContent = `It fell after ${match.agent.episode.time} steps.`;
    view.note(match);
  };
  const sliders = settingSliders(own, settings, place, describe);
  const boxes = choiceBoxes([own, other].filter(Boolean), baseline, place, view.showBaseline);
  const { button, stop } = animateSteps(view.stage, constants.seconds, step, () => view.show(match), describe);
  match.restart(); // with what is hidden
  step();
  show();

  const tools = [pushable(view.tracks, match.push), ...(agent.cell ? [entryBrush(view, match, own)] : [])];
  const again = press("Start again", () => start(match.pattern));
  const asTrained = press("Settings as trained", () => Object.values(sliders).forEach((one) => one.reset()));
  const forCell = agent.cell ? cellButtons(match, sliders, pattern, start, show) : [];
  const known = Object.values(sliders);
  return {
    stop,
    nodes: [
      html("div", { class: "switches" }, button, ...tools), view.stage, says, falls, view.strip,
      html("div", { class: "knobs" }, ...known.map(({ root }) => root)),
      html("div", { class: "switches" }, again, ...forCell, ...(known.length ? [asTrained] : []), ...Object.values(boxes).map(({ root }) => root)),
    ],
  };
}

/** Takes steps of so many seconds as time passes; after each frame `show`, and each half second `describe`. */
function animateSteps(stage, length, step, show, describe) {
  const describeSometimes = everyHalfSecond(describe);
  let spare = 0;
  return animate(stage, (seconds) => {
    spare += seconds / length;
    for (; spare >= 1; spare -= 1) step();
    show();
    describeSometimes(seconds);
  });
}

/** Lets the pointer and the keys paint the activator's entries. */
function entryBrush(view, match, { agent, knobs }) {
  const { bound } = knobs.cell;
  const names = featuresOf(agent).flatMap((feature) => ACTIONS.map((action) => `activator, ${feature}, ${action}`));
  return paintable(view.activator, names, bound, (i, value) => {
    match.agent.episode.cells.activator[i] = Math.min(bound, Math.max(-bound, value));
    view.show(match);
    view.announce(match);
  });
}
