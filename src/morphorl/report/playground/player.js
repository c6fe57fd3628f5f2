// An agent in its CartPole, step by step, as ppo/rollout.py plays it: the system advances under the observation, its
// readout joins the logits, and the action moves the cart.
import { OBSERVE, hasFallen, moveCart, withoutVelocities } from "./cartpole.js";
import { readCell, stepCell } from "./cell.js";
import { showMemory, startMemory, stepMemory } from "./integrators.js";
import { BLEND, chooseAction, forwardOne, standardise } from "./network.js";

/** Single precision numbers that Python wrote as base64. */
export function floats(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

/** An agent as Python wrote it, ready to act. */
export function readAgent(written) {
  const layers = written.layers.map(({ weight, bias }) => ({ weight: floats(weight), bias: floats(bias) }));
  const state = (one) => one && Object.fromEntries(Object.entries(one).map(([name, text]) => [name, floats(text)]));
  return { ...written, layers, skip: written.skip && floats(written.skip), pattern: state(written.pattern) };
}

/** What the agent may be told to do otherwise; the settings that it was trained with are the start. */
export const knobsOf = (agent) => ({ cell: { ...agent.cell }, weight: agent.weight, strength: agent.strength, hide: false });

const copy = ({ activator, inhibitor }) => ({ activator: activator.slice(), inhibitor: inhibitor.slice() });

function observe(agent, knobs, cart) {
  return knobs.hide ? withoutVelocities(cart) : OBSERVE[agent.environment](cart);
}

/** An episode of an agent before its first step; `pattern` in place of the agent's own. */
export function beginEpisode(agent, knobs, cart, pattern = agent.pattern) {
  const observation = observe(agent, knobs, cart);
  const memory = agent.memory ? startMemory(agent.memory, observation) : null;
  const shown = memory ? showMemory(agent.memory, memory, observation) : observation;
  return { cart, memory, shown, cells: agent.cell ? copy(pattern) : null, time: 0, fallen: false };
}

/** One step: what was thought and done, and the episode after it. `push` is added to the cart's state. */
export function stepEpisode(agent, knobs, constants, episode, uniform = null, push = [0, 0, 0, 0]) {
  const network = forwardOne(agent, standardise(agent.statistics, episode.shown));
  const seen = agent.cellScale ? Float32Array.from(episode.shown, (v, i) => v / agent.cellScale[i]) : episode.shown;
  const cells = agent.cell ? stepCell(knobs.cell, episode.cells, seen, knobs.strength) : null;
  const readout = cells ? readCell(knobs.cell, cells, seen) : new Float32Array(network.length);
  const blended = BLEND[agent.blend](network, readout, knobs.weight);
  const action = chooseAction(blended, uniform);
  const cart = moveCart(constants, Float32Array.from(episode.cart, (v, i) => v + push[i]), action);
  const observation = observe(agent, knobs, cart);
  const shown = agent.memory ? showMemory(agent.memory, episode.memory, observation) : observation;
  const memory = agent.memory ? stepMemory(agent.memory, episode.memory, observation, knobs.strength) : null;
  return {
    thought: { seen: episode.shown, network, readout, blended, action },
    episode: { cart, memory, shown, cells, time: episode.time + 1, fallen: hasFallen(constants, cart) },
  };
}
