// Episodes that were recorded, played step by step: the report's and watch's panel.
import { LOGITS, cartAndPole, fieldLines, framed, heatMap, logitBars } from "./drawing.js";
import { button, html, select } from "./elements.js";
import { short } from "./numbers.js";

/** An array packed as whole numbers of 16 bits and their unit. */
export function unpack({ unit, data }) {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / 2 }, (_, i) => view.getInt16(2 * i, true) * unit);
}

/** The panel that plays `episodes`; `label` names an arm by its number. */
export function startReplay(host, episodes, label) {
  if (!host) return;
  const place = (one) => (one.preset ? `${one.environment}, ${one.preset}` : one.environment);
  const places = [...new Set(episodes.map(place))];
  const chosen = { place: 0, arm: Infinity, stage: "final", time: 0, playing: null };
  const here = () => episodes.filter((one) => place(one) === places[chosen.place]);
  const arms = () => [...new Set(here().map((one) => one.arm))];
  let scene = null;

  const slider = html("input", { type: "range", min: 0, value: 0, "aria-label": "Step of the episode" });
  const play = html("button", { type: "button", class: "play" }, "▶ Play");
  const clock = html("output", {});
  const stages = html("div", { class: "toggles", role: "group", "aria-label": "Agent" });
  const choices = html("div", { class: "choices" });
  const stageView = html("div", { class: "stage" });
  const caption = html("p", { class: "detail" });

  function pause() {
    if (chosen.playing) cancelAnimationFrame(chosen.playing);
    chosen.playing = null;
    play.textContent = "▶ Play";
    play.setAttribute("aria-pressed", "false");
  }

  function tick(began, from) {
    chosen.playing = requestAnimationFrame((now) => {
      // Half of real time, which is 50 steps a second. A frame's time may lie before the click that it answers.
      const time = from + Math.max(0, Math.floor((now - began) / 40));
      if (time >= scene.length - 1) {
        seek(scene.length - 1);
        return pause();
      }
      seek(time);
      tick(began, from);
    });
  }

  play.addEventListener("click", () => {
    if (chosen.playing) return pause();
    const from = chosen.time >= scene.length - 1 ? 0 : chosen.time;
    play.textContent = "❚❚ Pause";
    play.setAttribute("aria-pressed", "true");
    tick(performance.now(), from);
  });
  slider.addEventListener("input", () => {
    pause();
    seek(Number(slider.value));
  });

  function seek(time) {
    chosen.time = time;
    slider.value = time;
    clock.textContent = `step ${time + 1} of ${scene.length}`;
    slider.setAttribute("aria-valuetext", clock.textContent);
    scene.show(time);
  }

  function choose() {
    pause();
    chosen.arm = Math.min(chosen.arm, arms().length - 1);
    const arm = arms()[chosen.arm];
    const options = here().filter((one) => one.arm === arm);
    const episode = options.find((one) => one.stage === chosen.stage) || options[0];
    choices.replaceChildren(
      select("Environment", places, chosen.place, (i) => { chosen.place = i; choose(); }),
      select("Arm", arms().map(label), chosen.arm, (i) => { chosen.arm = i; choose(); })
    );
    stages.replaceChildren(...options.map((one) => button(one.stage, one === episode, () => {
      chosen.stage = one.stage;
      choose();
      stages.querySelector('[aria-pressed="true"]').focus();
    }, `${one.stage} (${short(one.steps)} steps)`)));
    scene = makeScene(episode, stageView);
    slider.max = scene.length - 1;
    const deaf = episode.heard ? "" : " In this arm the cell's readout does not reach the logits.";
    const outcome = episode.outcome || `the pole is up for ${episode.length} steps.`;
    caption.textContent = `Seed ${episode.seed}, after ${episode.steps.toLocaleString("en")} environment steps: ${outcome} Colours are relative to the largest value of the episode.${deaf}`;
    seek(0);
  }

  host.replaceChildren(choices, stages, stageView, html("div", { class: "transport" }, play, slider, clock), caption);
  choose();
}

/** The drawing of one episode, and the function that sets it to a step. */
export function makeScene(replay, host) {
  const data = Object.fromEntries(Object.entries(replay.episode).map(([name, packed]) => [name, unpack(packed)]));
  const { length, features } = replay;
  const actions = replay.actions || ["← left", "right →"];
  const pictures = replay.pictures || [];
  const track = cartAndPole();
  const picture = html("img", { alt: "The environment's own picture of this step", class: "picture" });
  const states = replay.states.map((packed) => stateOf(packed, features, actions));
  const largest = Math.max(...Object.keys(LOGITS).map((name) => largestOf(data[name]))) || 1;
  const bars = Object.entries(LOGITS).map(([name, title]) => ({ values: data[name], ...logitBars(title, actions) }));

  host.replaceChildren(
    html("figure", { class: "part scene" }, pictures.length ? picture : track.root),
    html("div", { class: "parts" }, ...states.map(({ name, root }) => framed(states.length > 1 ? "of-cell" : "of-cell alone", name, root)), ...bars.map(({ name, root }) => framed("of-logits", name, root)))
  );

  function show(time) {
    if (pictures.length) picture.src = pictures[Math.min(time, pictures.length - 1)];
    const [x, angle] = data.position ? [data.position[2 * time], data.position[2 * time + 1]] : [0, 0];
    track.show(x, angle, data.action[time]);
    for (const one of states) one.at(time);
    for (const { values, show } of bars) show(values.subarray(time * actions.length, (time + 1) * actions.length), largest);
  }
  return { length, show };
}

const largestOf = (values) => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

/** The drawing of one recorded state of the dynamics; colours are relative to the largest value of the episode. */
function stateOf(packed, features, actions) {
  const values = unpack(packed);
  const size = packed.rows * packed.columns;
  const now = (time) => values.subarray(time * size, (time + 1) * size);
  if (packed.name === "field") {
    const [least, most] = [Math.min, Math.max].map((pick) => values.reduce((one, v) => pick(one, v)));
    const drawn = fieldLines(packed.rows, packed.columns, features, actions);
    return { ...drawn, at: (time) => drawn.show(now(time), least, most) };
  }
  const named = packed.name === "activator" || packed.name === "inhibitor";
  const rows = Array.from({ length: packed.rows }, (_, i) => (named ? features[i] : ""));
  const columns = Array.from({ length: packed.columns }, (_, k) => (named ? actions[k] : ""));
  const drawn = heatMap(packed.name, rows, columns);
  const most = largestOf(values) || 1;
  return { ...drawn, at: (time) => drawn.show(now(time), most) };
}
