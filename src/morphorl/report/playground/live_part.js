// An agent in its CartPole beside what it thinks, at 50 steps a second, with everything that can be done to it.
import { LOGITS, cartAndPole, heatMap, logitBars } from "../templates/drawing.js";
import { html, select } from "../templates/elements.js";
import { short } from "../templates/numbers.js";
import { startCart } from "./cartpole.js";
import { atBound, drawCell } from "./cell.js";
import { oneOf, press, slider, tick } from "./controls.js";
import { paintable, tellValues } from "./painting.js";
import { beginEpisode, knobsOf, stepEpisode } from "./player.js";
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
const LASTS = 300; // steps of the strip chart
const LIES = 50; // steps for which a fallen pole lies
const degrees = (radians) => (radians * 180) / Math.PI;

/**
 * The part of the page that plays agents.
 *
 * `companion(agent, stage)` gives the agent that is played beside, in the same disturbance, and whether it is the same one
 * without guidance (`unguided`); null for none.
 */
export function livePart(host, { key, address, agents, constants, ranges, knobs: sliders, companion, beside }) {
  const random = makeRandom(20_250_329);
  const labels = [...new Set(agents.map(({ label }) => label))];
  const chosen = { label: Math.min(labels.length - 1, Math.max(0, Math.trunc(Number(address.get(`${key}.agent`, 0))) || 0)), stage: null };
  const own = html("div", { class: "live" });
  let stop = null;

  function build() {
    const staged = agents.filter(({ label }) => label === labels[chosen.label]);
    const stages = oneOf(address, { key: `${key}.stage`, label: "How far trained", options: staged.map(({ stage, steps }) => `${stage} (${short(steps)} steps)`), usual: staged.length - 1 }, () => build());
    const agent = staged[stages.value];
    const choose = select("Agent", labels, chosen.label, (i) => {
      chosen.label = i;
      address.set(`${key}.agent`, i, 0);
      build();
      own.querySelector("select").focus();
    });
    stop?.();
    const view = playing(agent, { key, address, constants, ranges, sliders, other: companion(agent), beside, random });
    stop = view.stop;
    own.replaceChildren(html("div", { class: "choices" }, ...(labels.length > 1 ? [choose] : []), stages.root), ...view.nodes);
  }
  build();
  address.follow(() => {
    chosen.label = Math.min(labels.length - 1, Math.max(0, Math.trunc(Number(address.get(`${key}.agent`, 0))) || 0));
    build();
  });
  host.replaceChildren(own);
}

/** One agent, its companion, and their controls. */
function playing(agent, { key, address, constants, ranges, sliders, other, beside, random }) {
  const [knobs, features, bound] = [knobsOf(agent), FEATURES[agent.environment], agent.cell?.bound ?? 0];
  const theirs = other && knobsOf(other.agent);
  if (other?.unguided) theirs.strength = 0;
  const now = { pattern: agent.pattern, push: [0, 0], us: null, them: null, thought: null, spare: 0, longest: 0, falls: 0, most: 0.5, said: 0 };
  const begin = (who, cart) => ({ episode: beginEpisode(who.agent, who.knobs, cart, who.agent === agent ? now.pattern : undefined), lies: 0 });
  const [me, you] = [{ agent, knobs }, other && { agent: other.agent, knobs: theirs }];
  const restart = () => {
    const cart = startCart(random);
    now.us = begin(me, cart);
    now.them = you && begin(you, cart);
  };

  // --- What is drawn ---
  const track = cartAndPole(`Cart and pole of ${agent.label}`);
  const ghost = other && cartAndPole(`Cart and pole of ${other.label}`);
  const maps = mapsOf(agent, features);
  const bars = Object.entries(LOGITS).filter(([name]) => agent.cell || name === "network").map(([name, title]) => ({ of: name, ...logitBars(title, ACTIONS) }));
  const strip = stripChart("The last six seconds", LASTS, [
    { title: "angle", most: 12, unit: "°", lines: [{ label: agent.label, kind: "us" }, ...(other ? [{ label: other.label, kind: "them" }] : [])] },
    { title: "logits, right less left", most: 6, unit: "", lines: [{ label: "network", kind: "r0" }, ...(agent.cell ? [{ label: "cell", kind: "us" }] : [])] },
  ]);
  const counts = html("figcaption", {}, agent.label);
  const says = html("p", { class: "detail says" });
  const heard = html("p", { class: "heard", role: "status" });

  // --- What can be done ---
  const push = pushable([track, ...(ghost ? [ghost] : [])], (cart, pole) => {
    now.push[0] += cart;
    now.push[1] += pole;
  });
  const knobRows = sliders.filter((name) => agent.cell || name === "strength").map((name) => {
    const place = name === "strength" || name === "weight" ? knobs : knobs.cell;
    const range = (key === "memory" && ranges[`memory_${name}`]) || ranges[name];
    const row = slider(address, { key: `${key}.${name}`, label: KNOBS[name], range, usual: place[name] }, (value) => {
      place[name] = value;
      heard.textContent = "";
    });
    place[name] = row.value;
    return row;
  });
  const hide = agent.environment === "CartPole-v1" ? tick(address, { key: `${key}.hide`, label: "hide the velocities" }, (value) => { setHidden(value); }) : null;
  const setHidden = (value) => {
    knobs.hide = value;
    if (theirs) theirs.hide = value;
  };
  setHidden(hide?.value ?? false);
  const sample = tick(address, { key: `${key}.sample`, label: "sample actions, as in training" }, () => {});
  const besideBox = other ? tick(address, { key: `${key}.beside`, label: beside, usual: true }, (value) => { besideFigure.hidden = !value; }) : null;
  const patterns = Number(address.get(`${key}.pattern`, 0)) || 0;
  const setPattern = (number) => {
    now.pattern = number ? drawCell(agent.cell, makeRandom(7_000 + number), agent.pattern.activator.length) : agent.pattern;
    address.set(`${key}.pattern`, number, 0);
    restart();
  };
  let drawn = patterns;
  const actions = [
    press("Start again", restart),
    ...(agent.cell ? [press("New pattern, same learner", () => setPattern(++drawn)), press("Its own pattern", () => setPattern((drawn = 0)))] : []),
    press("Settings as trained", () => knobRows.forEach((row) => row.reset())),
  ];
  const brushes = agent.cell ? paintable(maps[0], features.flatMap((f) => ACTIONS.map((a) => `activator, ${f}, ${a}`)), bound, (i, value) => {
    now.us.episode.cells.activator[i] = Math.min(bound, Math.max(-bound, value));
    draw();
  }) : null;
  if (agent.cell && patterns) setPattern(patterns);
  else restart();

  // --- Time ---
  function stepOne(who, live, uniform, pushed) {
    if (live.lies > 0) return live.lies === 1 ? begin(who, startCart(random)) : { ...live, lies: live.lies - 1 };
    const { thought, episode } = stepEpisode(who.agent, who.knobs, constants, live.episode, uniform, pushed);
    if (who === me) now.thought = thought;
    return { episode, lies: episode.fallen ? LIES : 0, action: thought.action };
  }
  function step() {
    const uniform = sample.value ? random.uniform() : null;
    const pushed = [0, now.push[0], 0, now.push[1]];
    now.push = [0, 0];
    const before = now.us.lies;
    now.us = stepOne(me, now.us, uniform, pushed);
    if (now.us.lies === LIES && !before) fell();
    if (you) now.them = stepOne(you, now.them, uniform, pushed);
    now.longest = Math.max(now.longest, now.us.episode.time);
    const gap = (logits) => (logits && !now.us.lies ? logits[1] - logits[0] : null);
    const angle = (live) => (live.lies ? null : degrees(live.episode.cart[2]));
    strip.add([[angle(now.us), ...(you ? [angle(now.them)] : [])], [gap(now.thought?.network), ...(agent.cell ? [gap(now.thought?.readout)] : [])]]);
  }
  function fell() {
    now.falls += 1;
    heard.textContent = `It fell after ${now.us.episode.time} steps.`;
  }
  function draw() {
    const { cart, time } = now.us.episode;
    track.show(cart[0], cart[2], now.thought?.action ?? 0);
    track.root.classList.toggle("fallen", now.us.lies > 0);
    counts.textContent = `${agent.label}: up for ${time} steps${now.falls ? `, fell ${now.falls} ×` : ""}`;
    if (you) {
      ghost.show(now.them.episode.cart[0], now.them.episode.cart[2], now.them.action ?? 0);
      ghost.root.classList.toggle("fallen", now.them.lies > 0);
      ghostCounts.textContent = `${other.label}: up for ${now.them.episode.time} steps`;
    }
    const values = agent.cell ? Object.values(now.us.episode.cells) : Object.values(now.us.episode.memory ?? {});
    now.most = Math.max(0.1, 0.995 * now.most, ...values.map((u) => u.reduce((most, v) => Math.max(most, Math.abs(v)), 0)));
    maps.forEach((map, i) => map.show(values[i], now.most));
    if (now.thought) {
      const largest = Math.max(1, ...bars.flatMap(({ of }) => Array.from(now.thought[of], Math.abs)));
      bars.forEach(({ of, show }) => show(now.thought[of], largest));
    }
    strip.draw();
  }
  function say() {
    if (!now.thought) return;
    if (agent.cell) {
      const cells = now.us.episode.cells;
      says.textContent = aboutCell(agent, knobs, now.thought, atBound(knobs.cell, cells), 2 * cells.activator.length);
      tellValues(maps[0], cells.activator);
    } else if (agent.memory) says.textContent = aboutMemory({ ...knobs, columns: agent.memory.columns }, now.us.episode);
    else says.textContent = "No cell and no memory: the network answers what it sees.";
  }
  const ghostCounts = html("figcaption", {}, other?.label ?? "");
  const besideFigure = html("figure", { class: "part scene them" }, ghostCounts, ...(ghost ? [ghost.root] : []));
  besideFigure.hidden = !(besideBox?.value ?? false);
  const figure = (kind, title, node) => html("figure", { class: `part ${kind}` }, html("figcaption", {}, title), node);
  const stage = html("div", { class: "stage" },
    html("div", { class: "scenes" }, html("figure", { class: "part scene us" }, counts, track.root), besideFigure),
    html("div", { class: "parts" }, ...maps.map(({ name, root }) => figure("of-cell", name, root)), ...bars.map(({ name, root }) => figure(bars.length > 1 ? "of-logits" : "of-cell alone", name, root))));
  const pause = animate(stage, (seconds) => {
    now.spare += seconds / constants.seconds;
    for (; now.spare >= 1; now.spare -= 1) step();
    draw();
    now.said += seconds;
    if (now.said > 0.5) {
      now.said = 0;
      say();
    }
  });
  step();
  draw();
  say();
  const boxes = [hide, besideBox, sample].filter(Boolean).map(({ root }) => root);
  return {
    nodes: [
      html("div", { class: "switches" }, pause.button, push, ...(brushes ? [brushes] : [])),
      stage, says, heard, strip.host,
      html("div", { class: "knobs" }, ...knobRows.map(({ root }) => root)),
      html("div", { class: "switches" }, ...actions, ...boxes),
    ],
    stop: pause.stop,
  };
}

/** The heat maps of a cell, or of a memory. */
function mapsOf(agent, features) {
  if (agent.cell) return ["activator", "inhibitor"].map((name) => heatMap(name, features, ACTIONS));
  if (!agent.memory) return [];
  const columns = Array.from({ length: agent.memory.columns }, (_, k) => `${k + 1}`);
  return ["first filter", "second filter"].map((name) => heatMap(name, features, columns));
}
