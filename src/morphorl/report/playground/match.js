// An agent and a companion in the same disturbance: both start alike, are pushed alike, and draw the same chances.
import { startCart } from "./cartpole.js";
import { beginEpisode, stepEpisode } from "./player.js";

const LIES = 50; // steps for which a fallen pole lies

/** The match of `me` and `you` (null for nobody), each an agent and its knobs; `pattern` is what my agent's cell starts from. */
export function makeMatch(constants, random, me, you, pattern) {
  const match = { pattern, us: null, them: null, falls: 0, restart, push, step };
  let pushes = [0, 0];

  function begin(who, cart, thought = null) {
    const from = who.agent === me.agent ? match.pattern : who.agent.pattern;
    return { episode: beginEpisode(who.agent, who.knobs, cart, from), thought, lies: 0 };
  }
  function restart() {
    const cart = startCart(random);
    match.us = begin(me, cart, match.us?.thought);
    match.them = you && begin(you, cart, match.them?.thought);
  }
  /** Changes of the cart's and the pole's velocity, in m/s and rad/s, which the next step meets. */
  function push(cart, pole) {
    pushes = [pushes[0] + cart, pushes[1] + pole];
  }
  function next(who, live, uniform, pushed) {
    if (live.lies === 1) return begin(who, startCart(random), live.thought);
    if (live.lies > 1) return { ...live, lies: live.lies - 1 };
    const { thought, episode } = stepEpisode(who.agent, who.knobs, constants, live.episode, uniform, pushed);
    return { episode, thought, lies: episode.fallen ? LIES : 0 };
  }
  /** One step of both; tells whether my agent's pole has just fallen. `uniform` samples the action, null takes the best. */
  function step(uniform) {
    const pushed = [0, pushes[0], 0, pushes[1]];
    pushes = [0, 0];
    match.us = next(me, match.us, uniform, pushed);
    match.them = you && next(you, match.them, uniform, pushed);
    const fell = match.us.lies === LIES;
    match.falls += fell ? 1 : 0;
    return fell;
  }
  restart();
  return match;
}
