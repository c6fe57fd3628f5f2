// One agent in its CartPole beside what it thinks, at 50 steps a second, with everything that can be done to it.
import { LOGITS, cartAndPole, heatMap, logitBars } from "../templates/drawing.js";
import { html } from "../templates/elements.js";
import { atBound, drawCell } from "./cell.js";
import { press, slider, tick } from "./controls.js";
import { makeMatch } from "./match.js";
import { paintable, tellValues } from "./painting.js";
import { knobsOf } from "./player.js";
import { pushable } from "./pushing.js";
import { makeRandom } from "./random.js";
import { stripChart } from "./strip.js";
import { animate } from "./ticker.js";
import { aboutCell, aboutMemory } from "./words.js";

const ACTIONS = ["← left", "right →"];
const FEATURES = { "CartPole-v1": ["x", "ẋ", "θ", "θ̇"], "StatelessCartPole-v1": ["x", "θ"], "CartPoleNoVel-v1": ["x", "0", "θ", "0"] };
const KNOBS = {
  strength: "guidance γ", weight: "blending weight β",
  activator_diffusion: "diffusion Dₐ", inhibitor_diffusion: "diffusion Dₕ",
  activator_production: "production ρₐ", inhibitor_production: "production ρₕ",
  activator_decay: "decay μₐ", inhibitor_decay: "decay μₕ",
};
const WRONG = { strength: 0.3, weight: 0.6, activator_diffusion: 0, inhibitor_diffusion: 0 };
const LASTS = 300; // steps of the strip chart
const SEED = 20_250_329;

/** The nodes that show and control one agent and its companion, and `stop`. */
export function playing(agent, { key, address, constants, ranges, knobs: sliders, other, beside }) {
  const [knobs, random] = [knobsOf(agent), makeRandom(SEED)];
  const theirs = other && { ...knobsOf(other.agent), ...(other.unguided ? { strength: 0 } : {}) };
  const pattern = (number) => (number ? drawCell(agent.cell, makeRandom(7_000 + number), agent.pattern.activator.length) : agent.pattern);
  let drawn = agent.cell ? Math.trunc(Number(address.get(`${key}.pattern`, 0))) || 0 : 0;
  const match = makeMatch(constants, random, { agent, knobs }, other && { agent: other.agent, knobs: theirs }, pattern(drawn));
  const view = picture(agent, other);
  const says = html("p", { class: "detail says" });
  const heard = html("p", { class: "heard", role: "status" });
  const show = () => {
    view.show(match);
    says.textContent = inWords(agent, knobs, match.us);
  };

  const set = (name, value) => {
    (name === "strength" || name === "weight" ? knobs : knobs.cell)[name] = value;
    says.textContent = inWords(agent, knobs, match.us);
  };
  const known = sliders.filter((name) => agent.cell || (agent.memory && name === "strength"));
  const rows = Object.fromEntries(known.map((name) => {
    const range = (agent.memory && ranges[`memory_${name}`]) || ranges[name];
    const usual = name === "strength" || name === "weight" ? knobs[name] : knobs.cell[name];
    return [name, slider(address, { key: `${key}.${name}`, label: KNOBS[name], range, usual }, (value) => set(name, value))];
  }));
  const hideAll = (value) => { for (const one of [knobs, theirs]) if (one) one.hide = value; };
  const boxes = {
    hide: agent.environment === "CartPole-v1" && tick(address, { key: `${key}.hide`, label: "hide the velocities" }, hideAll),
    beside: other && tick(address, { key: `${key}.beside`, label: beside, usual: true }, view.showCompanion),
    sample: tick(address, { key: `${key}.sample`, label: "sample actions, as in training" }, () => {}),
  };
  const take = (number) => {
    drawn = number;
    match.pattern = pattern(number);
    address.set(`${key}.pattern`, number, 0);
    match.restart();
    show();
  };
  const paint = (i, value) => {
    match.us.episode.cells.activator[i] = Math.min(knobs.cell.bound, Math.max(-knobs.cell.bound, value));
    view.show(match);
    tellValues(view.maps[0], match.us.episode.cells.activator);
  };
  /** Entries that pull to the left where the right is needed, and settings under which guidance keeps them so. */
  const latchWrong = () => {
    for (const [name, value] of Object.entries(WRONG)) rows[name].set(value);
    match.us.episode.cells.activator.forEach((_, i, entries) => { entries[i] = i % ACTIONS.length ? -3 : 3; });
    show();
  };
  const push = pushable(view.tracks, match.push);
  const names = seenBy(agent).flatMap((feature) => ACTIONS.map((action) => `activator, ${feature}, ${action}`));
  const brushes = agent.cell ? [paintable(view.maps[0], names, agent.cell.bound, paint)] : [];
  const again = press("Start again", () => { match.restart(); show(); });
  const reset = press("Settings as trained", () => Object.values(rows).forEach((row) => row.reset()));
  const forCells = agent.cell ? [press("New pattern, same learner", () => take(drawn + 1)), press("Its own pattern", () => take(0))] : [];
  if (agent.cell && Object.keys(WRONG).every((name) => name in rows)) forCells.push(press("Latch the wrong way", latchWrong));

  const step = () => {
    if (match.step(boxes.sample.value ? random.uniform() : null)) heard.textContent = `It fell after ${match.us.episode.time} steps.`;
    view.note(match);
  };
  let [spare, since] = [0, 0];
  const pause = animate(view.stage, (seconds) => {
    spare += seconds / constants.seconds;
    since += seconds;
    for (; spare >= 1; spare -= 1) step();
    view.show(match);
    if (since < 0.5) return;
    since = 0;
    says.textContent = inWords(agent, knobs, match.us);
    if (agent.cell) tellValues(view.maps[0], match.us.episode.cells.activator);
  });
  for (const [name, row] of Object.entries(rows)) set(name, row.value);
  if (boxes.hide) hideAll(boxes.hide.value);
  view.showCompanion(Boolean(boxes.beside?.value));
  match.restart(); // with what is hidden
  step();
  show();
  if (agent.cell) tellValues(view.maps[0], match.us.episode.cells.activator);
  return {
    stop: pause.stop,
    nodes: [
      html("div", { class: "switches" }, pause.button, push, ...brushes), view.stage, says, heard, view.strip.host,
      html("div", { class: "knobs" }, ...Object.values(rows).map(({ root }) => root)),
      html("div", { class: "switches" }, again, ...forCells, ...(known.length ? [reset] : []), ...Object.values(boxes).filter(Boolean).map(({ root }) => root)),
    ],
  };
}

/** What an agent does now, in words. */
function inWords(agent, knobs, { thought, episode }) {
  if (!thought) return "";
  if (agent.cell) return aboutCell(knobs, thought, atBound(knobs.cell, episode.cells), 2 * episode.cells.activator.length);
  if (agent.memory) return aboutMemory(knobs, agent.memory.columns, episode);
  return "No cell and no memory: the network answers what it sees.";
}

/** The drawing of an agent and its companion: `show` draws a match as it is, `note` adds it to the strip chart. */
function picture(agent, other) {
  const [track, ghost] = [agent, other].map((one) => one && cartAndPole(`Cart and pole: ${one.label}`));
  const maps = mapsOf(agent);
  const bars = Object.entries(LOGITS).filter(([name]) => agent.cell || name === "network").map(([name, title]) => ({ of: name, ...logitBars(title, ACTIONS) }));
  const them = other ? [{ label: other.label, kind: "them" }] : [];
  const cell = agent.cell ? [{ label: "cell", kind: "us" }] : [];
  const strip = stripChart("The last six seconds", LASTS, [
    { title: "angle", most: 12, unit: "°", lines: [{ label: agent.label, kind: "us" }, ...them] },
    { title: "logits, right less left", most: 6, unit: "", lines: [{ label: "network", kind: "r0" }, ...cell] },
  ]);
  const [ours, theirs] = [html("figcaption", {}), html("figcaption", {})];
  const companion = html("figure", { class: "part scene them" }, theirs, ...(ghost ? [ghost.root] : []));
  const figure = (kind, title, node) => html("figure", { class: `part ${kind}` }, html("figcaption", {}, title), node);
  const parts = [...maps.map(({ name, root }) => figure("of-cell", name, root)), ...bars.map(({ name, root }) => figure(bars.length > 1 ? "of-logits" : "of-cell alone", name, root))];
  const stage = html("div", { class: "stage" }, html("div", { class: "scenes" }, html("figure", { class: "part scene us" }, ours, track.root), companion), html("div", { class: "parts" }, ...parts));
  let most = 0.5;

  function showCart({ root, show }, live) {
    show(live.episode.cart[0], live.episode.cart[2], live.thought?.action ?? 0);
    root.classList.toggle("fallen", live.lies > 0);
  }
  function show({ us, them, falls }) {
    showCart(track, us);
    ours.textContent = `${agent.label}: up for ${us.episode.time} steps${falls ? `, fell ${falls} ×` : ""}`;
    if (them) {
      showCart(ghost, them);
      theirs.textContent = `${other.label}: up for ${them.episode.time} steps`;
    }
    const values = Object.values(us.episode.cells ?? us.episode.memory ?? {});
    most = Math.max(0.1, 0.995 * most, ...values.flatMap((u) => Array.from(u, Math.abs)));
    maps.forEach((map, i) => map.show(values[i], most));
    if (us.thought) {
      const largest = Math.max(1, ...bars.flatMap(({ of }) => Array.from(us.thought[of], Math.abs)));
      bars.forEach(({ of, show }) => show(us.thought[of], largest));
    }
    strip.draw();
  }
  function note({ us, them }) {
    const angle = (live) => (live.lies ? null : (live.episode.cart[2] * 180) / Math.PI);
    const gap = (logits) => (us.lies || !logits ? null : logits[1] - logits[0]);
    strip.add([[angle(us), ...(them ? [angle(them)] : [])], [gap(us.thought?.network), ...(agent.cell ? [gap(us.thought?.readout)] : [])]]);
  }
  const showCompanion = (yes) => { companion.hidden = !yes; };
  return { stage, strip, maps, tracks: [track, ghost].filter(Boolean), show, note, showCompanion };
}

/** What an agent sees, a name for each number: the environment's features, and the differences that a memory shows. */
function seenBy({ environment, memory }) {
  const features = FEATURES[environment];
  if (!memory) return features;
  const differences = (filter) => features.flatMap((feature) => columnsOf(memory).map((column) => `${feature}${filter}${column}`));
  return [...features, ...differences("′"), ...differences("″")];
}

const columnsOf = (memory) => Array.from({ length: memory.columns }, (_, k) => `${k + 1}`);

/** The heat maps of a cell, or of a memory. */
function mapsOf(agent) {
  const features = FEATURES[agent.environment];
  if (agent.cell) return ["activator", "inhibitor"].map((name) => heatMap(name, seenBy(agent), ACTIONS));
  if (!agent.memory) return [];
  const columns = columnsOf(agent.memory);
  return ["first filter", "second filter"].map((name) => heatMap(name, features, columns));
}
