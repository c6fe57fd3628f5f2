// The drawing of a match: carts, what the agent's cell or memory holds, logits, and the last seconds of both.
import { LOGITS, cartAndPole, framed, heatMap, logitBars } from "../templates/drawing.js";
import { html } from "../templates/elements.js";
import { announceValues } from "./painting.js";
import { stripChart } from "./strip.js";

export const ACTIONS = ["← left", "right →"];
const FEATURES = { "CartPole-v1": ["x", "ẋ", "θ", "θ̇"], "StatelessCartPole-v1": ["x", "θ"], "CartPoleNoVel-v1": ["x", "0", "θ", "0"] };
const LASTS = 300; // steps of the strip chart

/**
 * The drawing of an agent beside a baseline (null for none): `show` draws a match as it is, `note` adds it to the strip
 * chart, `announce` tells the activator's entries to whoever cannot see them.
 */
export function matchView(agent, baseline) {
  const [ours, theirs] = [cartView(agent.label, "us"), baseline && cartView(baseline.label, "them")];
  const inside = insideView(agent);
  const strip = agentStrip(agent, baseline);
  const carts = [ours, theirs].filter(Boolean);
  const stage = html("div", { class: "stage" }, html("div", { class: "scenes" }, ...carts.map(({ root }) => root)), html("div", { class: "parts" }, ...inside.parts));
  function show(match) {
    ours.show(match.agent, match.falls);
    theirs?.show(match.baseline, 0);
    inside.show(match.agent);
    strip.draw();
  }
  function note(match) {
    const angles = [match.agent, match.baseline].filter(Boolean).map(angleOf);
    const { network, readout } = match.agent.thought ?? {};
    const leads = [network, ...(agent.cell ? [readout] : [])].map((logits) => (match.agent.lies || !logits ? null : logits[1] - logits[0]));
    strip.add([angles, leads]);
  }
  return {
    stage, show, note, strip: strip.host, activator: inside.maps[0], tracks: carts.map(({ track }) => track),
    announce: (match) => { if (agent.cell) announceValues(inside.maps[0], match.agent.episode.cells.activator); },
    showBaseline: (yes) => { if (theirs) theirs.root.hidden = !yes; },
  };
}

const angleOf = ({ lies, episode }) => (lies ? null : (episode.cart[2] * 180) / Math.PI);

/** A cart and its pole, and how long it has been up. */
function cartView(label, kind) {
  const track = cartAndPole(`Cart and pole: ${label}`);
  const caption = html("figcaption", {});
  function show({ episode, thought, lies }, falls) {
    track.show(episode.cart[0], episode.cart[2], thought?.action ?? 0);
    track.root.classList.toggle("fallen", lies > 0);
    caption.textContent = `${label}: up for ${episode.time} ${episode.time === 1 ? "step" : "steps"}${falls ? `, fell ${falls} ×` : ""}`;
  }
  return { root: html("figure", { class: `part scene ${kind}` }, caption, track.root), track, show };
}

/** What goes on inside an agent: heat maps of its cell or memory, and bars of its logits. */
function insideView(agent) {
  const maps = mapsOf(agent);
  const bars = Object.entries(LOGITS).filter(([name]) => agent.cell || name === "network").map(([name, title]) => ({ of: name, ...logitBars(title, ACTIONS) }));
  const alone = bars.length > 1 ? "of-logits" : "of-cell alone";
  let most = 0.5; // the value of the strongest colour, which falls slowly where the values do
  function show({ episode, thought }) {
    const values = Object.values(episode.cells ?? episode.memory ?? {});
    most = Math.max(0.1, 0.995 * most, ...values.flatMap((u) => Array.from(u, Math.abs)));
    maps.forEach((map, i) => map.show(values[i], most));
    if (!thought) return;
    const largest = Math.max(1, ...bars.flatMap(({ of }) => Array.from(thought[of], Math.abs)));
    for (const { of, show: showBars } of bars) showBars(thought[of], largest);
  }
  return { maps, show, parts: [...maps.map(({ name, root }) => framed("of-cell", name, root)), ...bars.map(({ name, root }) => framed(alone, name, root))] };
}

/** The strip chart of the angle, and of by how much the logit of the right leads. */
function agentStrip(agent, baseline) {
  const theirs = baseline ? [{ label: baseline.label, kind: "them" }] : [];
  const cell = agent.cell ? [{ label: "cell", kind: "us" }] : [];
  return stripChart("The last six seconds", LASTS, [
    { title: "angle", most: 12, unit: "°", lines: [{ label: agent.label, kind: "us" }, ...theirs] },
    { title: "logits, right less left", most: 6, unit: "", lines: [{ label: "network", kind: "r0" }, ...cell] },
  ]);
}

/** What an agent sees, a name for each number: the environment's features, and the differences that a memory shows. */
export function featuresOf({ environment, memory }) {
  const features = FEATURES[environment];
  if (!memory) return features;
  const differences = (filter) => features.flatMap((feature) => columnsOf(memory).map((column) => `${feature}${filter}${column}`));
  return [...features, ...differences("′"), ...differences("″")];
}

const columnsOf = (memory) => Array.from({ length: memory.columns }, (_, k) => `${k + 1}`);

/** The heat maps of a cell, or of a memory. */
function mapsOf(agent) {
  if (agent.cell) return ["activator", "inhibitor"].map((name) => heatMap(name, featuresOf(agent), ACTIONS));
  if (!agent.memory) return [];
  const scales = columnsOf(agent.memory).map((column, k, { length }) => (k === 0 ? "fast" : k === length - 1 ? "slow" : column));
  return ["first filter", "second filter"].map((name) => heatMap(name, FEATURES[agent.environment], scales));
}
