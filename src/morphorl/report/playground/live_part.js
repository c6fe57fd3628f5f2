// The part of the page in which agents play: which of them, and how far trained.
import { html, select } from "../templates/elements.js";
import { short } from "../templates/numbers.js";
import { oneOf } from "./controls.js";
import { playing } from "./playing.js";

/**
 * Fills `host` with one of the agents at a time. What is set is kept in the page's address under `key`.
 *
 * `baselineOf(agent)` gives the agent that plays in the same disturbance, and `settings` names the sliders, as `playing`
 * takes both.
 */
export function livePart(host, { key, address: pageAddress, ranges, constants, agents, settings, baselineOf }) {
  const address = { ...pageAddress, follow: () => {} }; // the part is built anew where the address changes, its controls with it
  const labels = [...new Set(agents.map(({ label }) => label))];
  const named = () => Math.min(labels.length - 1, Math.max(0, Math.trunc(Number(address.get(`${key}.agent`, 0))) || 0));
  let stop = () => {};

  function build(chosen) {
    const stages = agents.filter(({ label }) => label === labels[chosen]);
    const options = stages.map(({ stage, steps }) => `${stage} (${short(steps)} steps)`);
    const stage = oneOf(address, { key: `${key}.stage`, label: "How far trained", options, usual: stages.length - 1 }, () => {
      build(chosen);
      host.querySelector(".choices [aria-pressed=true]").focus();
    });
    const choose = select("Agent", labels, chosen, (i) => {
      address.set(`${key}.agent`, i, 0);
      build(i);
      host.querySelector("select").focus();
    });
    stop();
    const agent = stages[stage.value];
    const view = playing(agent, { place: { key, address, ranges }, constants, settings, baseline: baselineOf(agent) });
    stop = view.stop;
    host.replaceChildren(html("div", { class: "choices" }, ...(labels.length > 1 ? [choose] : []), stage.root), ...view.nodes);
  }
  build(named());
  pageAddress.follow(() => build(named()));
}
