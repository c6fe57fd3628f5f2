// PPO with and without the cell, trained in the page's workers while its reader looks on.
import { html } from "../templates/elements.js";
import { short } from "../templates/numbers.js";
import { oneOf, press, slider } from "./controls.js";
import { drawCurves } from "./learning_curves.js";
import { startPool } from "./training_pool.js";
import { solved, verdictOf } from "./training_verdict.js";

const SEEDS = 8;
const ARMS = [{ label: "plain PPO", kind: "them" }, { label: "with the cell", kind: "us" }];
const [START, STOP] = [`▶ Train ${SEEDS} + ${SEEDS} seeds`, "■ Stop"];

/** The part of the page that trains; `source` is the program of a worker, `kernels` what it computes with, in base64. */
export function trainingPart(host, { address, training, kernels, constants, ranges, source }) {
  const batch = training.ppo.num_envs * training.ppo.rollout_steps;
  const knob = slider(address, { key: "train.strength", label: "guidance γ of the cell", range: ranges.strength, usual: 0.1 }, () => {});
  const options = training.lengths.map((updates) => `${short(updates * batch)} steps`);
  const length = oneOf(address, { key: "train.length", label: "Length of the training", options, usual: 1 }, () => {});
  const button = press(START, () => (stop ? giveUp() : start()), "play");
  const [chart, says, verdict] = [html("figure", { class: "part" }), html("p", { role: "status", class: "says" }, "Nothing is trained yet."), html("div", { class: "few" })];
  let [stop, now] = [null, noTraining(training.lengths[length.value], knob.value)];
  const draw = () => drawCurves(chart, now.arms, now.updates * batch, constants.threshold);
  const drawSoon = oncePerFrame(draw);

  function setStop(action) {
    stop = action;
    button.textContent = stop ? STOP : START;
  }
  function start() {
    now = newTraining(training.lengths[length.value], knob.value);
    says.textContent = "Training…";
    verdict.replaceChildren();
    draw();
    setStop(startPool(source, { kernels, ...jobOf(training, constants, now) }, { point, finished, failed }));
  }
  function point({ arm, seed, point: one }) {
    now.arms[arm].seeds[seed].push(one);
    drawSoon();
  }
  function finished(fast) {
    setStop(null);
    draw();
    const seconds = Math.round((performance.now() - now.began) / 1000);
    const how = fast ? "" : ", slowly, without WebAssembly";
    says.textContent = `${now.arms.map((arm) => solved(arm, constants.threshold)).join("; ")}. Trained here in ${seconds} s${how}, γ = ${now.strength}.`;
    verdict.replaceChildren(...verdictOf(now.arms));
  }
  function failed() {
    setStop(null);
    says.textContent = "A worker of the page has failed, and the training has stopped. Train again, or for fewer steps.";
  }
  function giveUp() {
    stop();
    setStop(null);
    draw();
    says.textContent = "Stopped.";
  }
  draw();
  new ResizeObserver(drawSoon).observe(chart);
  host.replaceChildren(html("div", { class: "switches" }, button, length.root), html("div", { class: "knobs" }, knob.root), chart, says, verdict);
}

const noTraining = (updates, strength) => ({ updates, strength, began: 0, arms: ARMS.map((arm) => ({ ...arm, seeds: [], estimates: [] })) });

function newTraining(updates, strength) {
  const arms = ARMS.map((arm) => ({ ...arm, seeds: Array.from({ length: SEEDS }, () => []), estimates: [] }));
  return { updates, strength, began: performance.now(), arms };
}

/** The tasks of both arms, and their runs in turn, so that both are seen to grow. */
function jobOf(training, constants, { updates, strength }) {
  const task = { ...training, constants, updates };
  const runs = Array.from({ length: SEEDS }, (_, seed) => ARMS.map((_, arm) => ({ arm, seed }))).flat();
  return { tasks: [{ ...task, cell: null, blend: "none", strength: 0 }, { ...task, strength }], runs };
}

/** An action that is taken at the next frame, however often it is asked for until then. */
function oncePerFrame(action) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      action();
    });
  };
}
