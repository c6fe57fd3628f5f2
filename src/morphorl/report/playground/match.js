// An agent and a baseline in the same disturbance: both start alike, are pushed alike, and draw the same chances.
import { startCart } from "./cartpole.js";
import { beginEpisode, stepEpisode } from "./player.js";

const LIES = 50; // steps for which a fallen pole lies

/**
 * The match of two competitors, each an agent and its knobs; `theirs` is null for nobody. `pattern` is what the cell of
 * our agent starts from. `agent` and `baseline` are where they are: an episode, the last thought, and for how many steps
 * a fallen pole still lies.
 */
export function makeMatch(constants, random, ours, theirs, pattern) {
  const match = { pattern, agent: null, baseline: null, falls: 0, restart, push, step };
  let pushes = [0, 0];

  function begin(who, cart, thought = null) {
    const from = who.agent === ours.agent ? match.pattern : who.agent.pattern;
    return { episode: beginEpisode(who.agent, who.knobs, cart, from), thought, lies: 0 };
  }
  function restart() {
    const cart = startCart(random);
    match.agent = begin(ours, cart, match.agent?.thought);
    match.baseline = theirs && begin(theirs, cart, match.baseline?.thought);
  }
  /** Changes of the cart's and the pole's velocity, in m/s and rad/s, which the next step meets. */
  function push(cart, pole) {
    pushes = [pushes[0] + cart, pushes[1] + pole];
  }
  function next(who, now, uniform, pushed) {
    if (now.lies === 1) return begin(who, startCart(random), now.thought);
    if (now.lies > 1) return { ...now, lies: now.lies - 1 };
    const { thought, episode } = stepEpisode(who.agent, who.knobs, constants, now.episode, uniform, pushed);
    return { episode, thought, lies: episode.fallen ? LIES : 0 };
  }
  /** One step of both; tells whether our agent's pole has just fallen. `uniform` samples the action, null takes the best. */
  function step(uniform) {
    const pushed = [0, pushes[0], 0, pushes[1]];
    pushes = [0, 0];
    match.agent = next(ours, match.agent, uniform, pushed);
    match.baseline = theirs && next(theirs, match.baseline, uniform, pushed);
    const fell = match.agent.lies === LIES;
    match.falls += fell ? 1 : 0;
    return fell;
  }
  restart();
  return match;
}
