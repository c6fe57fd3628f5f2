// What happens, in words.
import { brief } from "../templates/numbers.js";

const side = (gap) => (gap > 0 ? "right" : "left");

/** What guidance, the readout and the bound do to an agent now. */
export function aboutCell(agent, knobs, thought, held, entries) {
  const [z, o] = [thought.network[1] - thought.network[0], thought.readout[1] - thought.readout[0]];
  const without = z > 0 ? 1 : 0;
  const share = `The readout leans ${brief(Math.abs(o))} to the ${side(o)}, the network ${brief(Math.abs(z))} to the ${side(z)}; `;
  const effect = thought.action === without ? "the network alone would act the same." : "the cell changes this action.";
  const bound = held ? `${held} of ${entries} entries are held at the bound ±${brief(knobs.cell.bound)}.` : "The bound holds no entry.";
  return `${latch(knobs)} ${share}${effect} ${bound}`;
}

/** Where guidance alone would hold an entry. */
function latch({ strength, cell }) {
  if (!strength) return "γ = 0: nothing holds a pattern, and what you paint fades.";
  const [a, h] = [cell.activator_decay, cell.inhibitor_decay].map((decay) => brief(strength / decay));
  return `γ = ${brief(strength)} latches: guidance alone would hold every entry at γ/μ = ±${a} (activator) and ±${h} (inhibitor), on the side where it is.`;
}

/** What guidance does to a memory now. */
export function aboutMemory(knobs, episode) {
  const off = Math.max(...Array.from(episode.memory.first, (m, i) => Math.abs(m - episode.shown[Math.floor(i / knobs.columns)])));
  const told = knobs.strength
    ? `γ = ${brief(knobs.strength)} pushes both filters away from 0 at every step, whatever was seen.`
    : "γ = 0: the filters follow what is seen.";
  return `${told} The first filter is ${brief(off)} away from the present observation; the pole may lean 0.21.`;
}
