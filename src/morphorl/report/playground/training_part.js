// PPO with and without the cell, trained in the page's workers while its reader looks on.
import { html, svg } from "../templates/elements.js";
import { band, path, percent, scale, short } from "../templates/numbers.js";
import { oneOf, press, slider } from "./controls.js";
import { estimate, fewSeeds } from "./statistics.js";

const SEEDS = 8;
const FEW = [1, 2, 3, 5];
const ARMS = [{ label: "plain PPO", kind: "them" }, { label: "with the cell", kind: "us" }];
const MARGIN = { top: 10, right: 12, bottom: 38, left: 44 };
const HEIGHT = 280;

/** The part of the page that trains; `source` is the program of a worker. */
export function trainingPart(host, { address, training, constants, ranges, source }) {
  let [workers, url, runs, began, trained] = [[], null, [], 0, 0];
  const chart = html("figure", { class: "part" });
  const told = html("p", { role: "status", class: "says" }, "Nothing is trained yet.");
  const few = html("div", { class: "few" });
  const knob = slider(address, { key: "train.strength", label: "guidance γ of the cell", range: ranges.strength, usual: 0.1 }, () => {});
  const batch = training.ppo.num_envs * training.ppo.rollout_steps;
  const lengths = training.lengths.map((updates) => `${short(updates * batch)} steps`);
  const length = oneOf(address, { key: "train.length", label: "Length of the training", options: lengths }, () => {});
  let along = []; // the estimates of each arm at the points that all its seeds have
  let total = training.lengths[length.value] * batch;

  function start() {
    stop();
    const task = { ...training, constants, updates: training.lengths[length.value] };
    [total, trained] = [task.updates * batch, knob.value];
    const tasks = [{ ...task, cell: null, blend: "none", strength: 0 }, { ...task, strength: trained }];
    runs = ARMS.map((_, arm) => Array.from({ length: SEEDS }, (_, seed) => ({ arm, seed, points: [] })));
    along = ARMS.map(() => []);
    const all = runs[0].flatMap((_, seed) => [runs[0][seed], runs[1][seed]]);
    const count = Math.max(1, Math.min(all.length, navigator.hardwareConcurrency || 2));
    url = URL.createObjectURL(new Blob([source, "\nserveTraining();"], { type: "text/javascript" }));
    began = performance.now();
    let open = count;
    workers = Array.from({ length: count }, (_, w) => {
      const worker = new Worker(url);
      worker.onmessage = ({ data }) => {
        if (data.done) open -= 1;
        else runs[data.arm][data.seed].points.push(data.point);
        if (!waiting) waiting = requestAnimationFrame(() => show(open === 0));
      };
      worker.onerror = () => {
        stop();
        told.textContent = "A worker of the page has failed, and the training has stopped. Train again, or for fewer steps.";
      };
      worker.postMessage({ tasks, runs: all.filter((_, i) => i % count === w).map(({ arm, seed }) => ({ arm, seed })) });
      return worker;
    });
    setRunning(true);
    told.textContent = "Training…";
    few.replaceChildren();
  }
  function stop() {
    for (const worker of workers) worker.terminate();
    workers = [];
    if (url) URL.revokeObjectURL(url);
    if (waiting) cancelAnimationFrame(waiting);
    [url, waiting] = [null, null];
    setRunning(false);
  }
  let waiting = null;
  const button = press("▶ Train 8 + 8 seeds", () => (workers.length ? giveUp() : start()), "play");
  const setRunning = (yes) => { button.textContent = yes ? "■ Stop" : "▶ Train 8 + 8 seeds"; };

  function giveUp() {
    stop();
    draw();
    told.textContent = "Stopped.";
  }
  const draw = () => drawCurves(chart, runs, along, total, constants.threshold);
  function show(finished) {
    waiting = null;
    draw();
    if (!finished) return;
    const seconds = Math.round((performance.now() - began) / 1000);
    told.textContent = `${ARMS.map(({ label }, arm) => `${label}: ${solved(runs[arm], constants.threshold)}`).join(". ")}. Trained here in ${seconds} s, γ = ${trained}.`;
    few.replaceChildren(...misled(runs));
    stop();
  }
  draw();
  new ResizeObserver(draw).observe(chart);
  host.replaceChildren(html("div", { class: "switches" }, button, length.root), html("div", { class: "knobs" }, knob.root), chart, told, few);
  return { start, finished: () => runs.length > 0 && runs.flat().every(({ points }) => points.at(-1)?.steps === total), runs: () => runs };
}

/** Steps to the second of two evaluations in a row at or above the threshold; infinite if there are none. */
export function stepsTo(points, threshold) {
  const at = points.findIndex(({ greedy }, i) => i > 0 && greedy >= threshold && points[i - 1].greedy >= threshold);
  return at < 0 ? Infinity : points[at].steps;
}

/** How many seeds of an arm balance, and when, in words. */
function solved(arm, threshold) {
  const steps = arm.map(({ points }) => stepsTo(points, threshold)).sort((a, b) => a - b);
  const reached = steps.filter(Number.isFinite).length;
  const median = (steps[SEEDS / 2 - 1] + steps[SEEDS / 2]) / 2;
  const when = Number.isFinite(median) ? `, the median after ${short(median)} steps` : "";
  return `${reached} of ${SEEDS} seeds balance for ${threshold} steps, twice in a row${when}`;
}

/** How often fewer seeds would have pointed elsewhere than all of them do. */
function misled(runs) {
  const scores = runs.map((arm) => arm.map(({ points }) => points.reduce((sum, { greedy }) => sum + greedy, 0) / points.length));
  const [plain, cell] = scores.map(estimate);
  const all = fewSeeds(scores[0], scores[1], SEEDS).share;
  const ahead = all === 0.5 ? "neither" : all > 0.5 ? "the cell" : "plain PPO";
  const apart = cell.low > plain.high || plain.low > cell.high;
  const verdict = `Mean return over the whole training, IQM of ${SEEDS} seeds: with the cell ${short(cell.value)} (${short(cell.low)} to ${short(cell.high)}), plain PPO ${short(plain.value)} (${short(plain.low)} to ${short(plain.high)}). By their means ${ahead} is ahead${apart ? "" : ", and the intervals overlap"}.`;
  const rows = FEW.map((k) => {
    const { share, ways } = fewSeeds(scores[0], scores[1], k);
    const wrong = all === 0.5 ? null : all > 0.5 ? 1 - share : share;
    return html("tr", {}, html("th", { scope: "row" }, `${k} + ${k}`), html("td", { class: "number" }, ways.toLocaleString("en")), html("td", { class: "number" }, percent(wrong)));
  });
  const head = html("tr", {}, ...["seeds", "ways to choose them", "would have pointed the other way"].map((text, i) => html("th", { scope: "col", class: i ? "number" : "" }, text)));
  const table = html("table", {}, html("caption", {}, "Had only this few seeds been run, out of these"), html("thead", {}, head), html("tbody", {}, ...rows));
  return [html("p", {}, verdict), html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "How often few seeds would have misled" }, table), html("p", { class: "detail" }, "And eight seeds are few, too: run it again at another γ, and compare the intervals.")];
}

/** Axes, and the curves of both arms. */
function drawCurves(host, runs, along, total, threshold) {
  const width = Math.max(260, host.clientWidth - 24);
  const [right, bottom] = [width - MARGIN.right, HEIGHT - MARGIN.bottom];
  const [x, y] = [scale(0, total, MARGIN.left, right), scale(0, 510, bottom, MARGIN.top)];
  const root = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, class: "chart", role: "img" });
  for (const tick of [0, 100, 200, 300, 400, 500]) root.append(svg("path", { class: "grid", d: `M${MARGIN.left},${y(tick)}H${right}` }), svg("text", { x: MARGIN.left - 6, y: y(tick) + 4, "text-anchor": "end" }, `${tick}`));
  for (const tick of x.ticks) root.append(svg("text", { x: x(tick), y: bottom + 16, "text-anchor": "middle" }, short(tick)));
  root.append(svg("text", { class: "label", x: (MARGIN.left + right) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, "environment steps"));
  root.append(svg("path", { class: "mark", d: `M${MARGIN.left},${y(threshold)}H${right}` }));
  const ends = runs.map((arm, i) => drawArm(root, arm, along[i], ARMS[i], x, y));
  root.setAttribute("aria-label", runs.length ? `Greedy return over training. ${ends.join("; ")}` : "Greedy return over training; nothing is trained yet");
  const keys = ARMS.map(({ label, kind }) => html("span", { class: `key ${kind}` }, `━ ${label} `));
  host.replaceChildren(html("figcaption", {}, "Return of the most probable actions: IQM, 95% interval, and each seed ", ...keys), root);
}

/** The curves of an arm; `along` holds its estimates so far, and is carried on. */
function drawArm(root, arm, along, { label, kind }, x, y) {
  const group = svg("g", { class: kind });
  for (const { points } of arm) group.append(svg("path", { class: `seed ${kind}`, d: path(points.map(({ steps, greedy }) => [x(steps), y(greedy)])) }));
  const known = Math.min(...arm.map(({ points }) => points.length));
  for (let i = along.length; i < known; i++) along.push({ steps: arm[0].points[i].steps, ...estimate(arm.map(({ points }) => points[i].greedy)) });
  if (known) {
    group.append(svg("path", { class: "band", d: band(along.map(({ steps, high }) => [x(steps), y(high)]), along.map(({ steps, low }) => [x(steps), y(low)])) }));
    group.append(svg("path", { class: `line ${kind}`, d: path(along.map(({ steps, value }) => [x(steps), y(value)])) }));
  }
  root.append(group);
  return known ? `${label}: ${short(along[known - 1].value)} after ${short(along[known - 1].steps)} steps` : `${label}: just begun`;
}
