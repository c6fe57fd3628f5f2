// The part of the page in which agents play: which of them, and how far trained.
import { html, select } from "../templates/elements.js";
import { short } from "../templates/numbers.js";
import { oneOf } from "./controls.js";
import { playing } from "./playing.js";

/**
 * Fills `host` with one of the agents at a time. What is set is kept in the address under `key`.
 *
 * `companion(agent)` gives the agent that is played beside in the same disturbance, its `label`, and whether it is
 * `unguided`; null for none. `knobs` names the sliders.
 */
export function livePart(host, { key, address: told, agents, companion, ...given }) {
  const address = { ...told, follow: () => {} }; // the part is built anew where the address changes, its controls with it
  const labels = [...new Set(agents.map(({ label }) => label))];
  const named = () => Math.min(labels.length - 1, Math.max(0, Math.trunc(Number(address.get(`${key}.agent`, 0))) || 0));
  let stop = () => {};

  function build(chosen) {
    const staged = agents.filter(({ label }) => label === labels[chosen]);
    const options = staged.map(({ stage, steps }) => `${stage} (${short(steps)} steps)`);
    const stages = oneOf(address, { key: `${key}.stage`, label: "How far trained", options, usual: staged.length - 1 }, () => {
      build(chosen);
      host.querySelector(".choices [aria-pressed=true]").focus();
    });
    const choose = select("Agent", labels, chosen, (i) => {
      address.set(`${key}.agent`, i, 0);
      build(i);
      host.querySelector("select").focus();
    });
    stop();
    const agent = staged[stages.value];
    const view = playing(agent, { key, address, other: companion(agent), ...given });
    stop = view.stop;
    host.replaceChildren(html("div", { class: "choices" }, ...(labels.length > 1 ? [choose] : []), stages.root), ...view.nodes);
  }
  build(named());
  told.follow(() => build(named()));
}
