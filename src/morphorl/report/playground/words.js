// What happens, in words.
import { brief } from "../templates/numbers.js";
import { atBound } from "./cell.js";

/** What an agent does now: its settings, and where it is. */
export function aboutAgent(agent, knobs, { thought, episode }) {
  if (!thought) return "";
  if (agent.cell) return aboutCell(knobs, thought, atBound(knobs.cell, episode.cells), 2 * episode.cells.activator.length);
  if (agent.memory) return aboutMemory(knobs, agent.memory.columns, episode);
  return "No cell and no memory: the network answers what it sees.";
}

const side = (gap) => (gap > 0 ? "right" : "left");

/** What guidance, the readout and the bound do to an agent now. */
function aboutCell(knobs, thought, held, entries) {
  const [z, o] = [thought.network[1] - thought.network[0], thought.readout[1] - thought.readout[0]];
  const lean = Math.abs(o) < 0.005 ? "The readout says the same for both actions" : `The readout leans ${brief(Math.abs(o))} to the ${side(o)}`;
  const changed = thought.action !== (z > 0 ? 1 : 0);
  const effect = changed ? `and the cell changes this action: the network alone would push to the ${side(z)}` : `and the network ${brief(Math.abs(z))} to the ${side(z)}`;
  const bound = held ? ` The bound ±${brief(knobs.cell.bound)} acts on ${held} of ${entries} entries.` : "";
  return `${latch(knobs)} ${lean}, ${effect}.${bound}`;
}

/** Where guidance alone would hold an entry. */
function latch({ strength, cell }) {
  if (!strength) return "γ = 0: without guidance nothing tells one side of zero from the other for long.";
  const [a, h] = [cell.activator_decay, cell.inhibitor_decay].map((decay) => brief(strength / decay));
  const mixed = cell.activator_diffusion > 0 ? " Diffusion pulls them together, to one side; at Dₐ = 0 each keeps its own." : "";
  return `γ = ${brief(strength)} is a latch: with decay alone it would hold entries at γ/μ = ±${a} (activator) and ±${h} (inhibitor), on the side of zero where they are.${mixed}`;
}

/** What guidance does to a memory now. */
function aboutMemory(knobs, columns, episode) {
  const off = Math.max(...Array.from(episode.memory.first, (m, i) => Math.abs(m - episode.shown[Math.floor(i / columns)])));
  const effect = knobs.strength
    ? `γ = ${brief(knobs.strength)} pushes both filters away from 0 at every step, whatever was seen.`
    : "γ = 0: the filters follow what is seen.";
  return `${effect} The first filter is up to ${brief(off)} from what is seen (metres or radians); at 0.21 rad the pole has fallen.`;
}
