// PPO with or without the cell, as ppo/{losses,learning,training}.py train it, for the page's workers.
import { startCart } from "./cartpole.js";
import { drawCell } from "./cell.js";
import { makeFastLearner } from "./fast_learner.js";
import { firstLayers, makePlainLearner } from "./learner.js";
import { makeRandom, shuffled } from "./random.js";
import { CHOICES, INPUTS, collect, logProbability, oddsOf, shareOfNetwork, sigmoid } from "./rollout.js";

/**
 * An agent before its first update. `task` holds PPO's settings, the cell's (or null), blend and strength; without
 * `kernels` (`compileKernels`) plain JavaScript trains it.
 */
export function makeTraining(task, seed, kernels) {
  const { ppo } = task;
  const random = makeRandom(seed + 1);
  const networks = [[CHOICES, 0.01], [1, 1]].map(([outputs, head]) => firstLayers(random, [INPUTS, ...ppo.hidden, outputs], head));
  const rows = (ppo.rollout_steps + 1) * ppo.num_envs;
  const learner = kernels ? makeFastLearner(kernels, networks, rows) : makePlainLearner(networks, rows);
  const pattern = task.cell ? drawCell(task.cell, makeRandom(seed + 100_001), INPUTS * CHOICES) : null;
  const fresh = () => ({ cart: startCart(random), cells: pattern, total: 0 });
  const [actor, critic] = learner.passes;
  return {
    task, random, learner, actor, critic, fresh, updates: 0,
    statistics: { size: 0, mean: new Float64Array(INPUTS), deviations: new Float64Array(INPUTS) },
    envs: Array.from({ length: ppo.num_envs }, fresh),
  };
}

/** Values, and generalised advantages: A_t = δ_t + γλ·A_{t+1}, cut where an episode ended. */
export function estimateAdvantages({ task, critic }, rollout) {
  const { ppo } = task;
  const { rollout_steps: time, num_envs: width } = ppo;
  const values = critic.forward(rollout.seen, (time + 1) * width).slice(0, (time + 1) * width);
  const following = values.slice(width);
  for (const { row, seen } of rollout.cutOff) [following[row]] = critic.forward(seen, 1);
  const advantages = new Float64Array(time * width);
  for (let row = time * width - 1; row >= 0; row--) {
    const ended = rollout.terminated[row] || rollout.truncated[row];
    const error = 1 + (rollout.terminated[row] ? 0 : ppo.discount * following[row]) - values[row];
    const later = ended || row + width >= time * width ? 0 : advantages[row + width];
    advantages[row] = error + ppo.discount * ppo.gae_lambda * later;
  }
  return { values, advantages };
}

/** Advantages of a minibatch with mean 0 and deviation 1. */
function normalised(advantages, chosen) {
  const picked = Float64Array.from(chosen, (row) => advantages[row]);
  const mean = picked.reduce((a, b) => a + b, 0) / picked.length;
  const deviation = Math.sqrt(picked.reduce((sum, v) => sum + (v - mean) ** 2, 0) / picked.length);
  return picked.map((v) => (v - mean) / (deviation + 1e-8));
}

/** Gradients of the policy's loss, −min(r A, clip(r) A) − c·H, with respect to the network's logits. */
function policySlopes(task, rollout, chosen, advantages, logits) {
  const { clip, entropy_coefficient: entropy } = task.ppo;
  const slopes = new Float64Array(chosen.length * CHOICES);
  for (let r = 0; r < chosen.length; r++) {
    const [row, advantage] = [chosen[r], advantages[r]];
    const odds = oddsOf(task, logits, r, rollout.readout, row);
    const [right, action] = [sigmoid(odds), rollout.action[row]];
    const ratio = Math.exp(logProbability(odds, action) - rollout.logProbability[row]);
    const clipped = Math.min(1 + clip, Math.max(1 - clip, ratio));
    const pull = ratio * advantage <= clipped * advantage ? -advantage * ratio : 0;
    const slope = (shareOfNetwork(task) * (pull * (action - right) + entropy * odds * right * (1 - right))) / chosen.length;
    slopes[r * CHOICES] = -slope;
    slopes[r * CHOICES + 1] = slope;
  }
  return slopes;
}

/** Gradients of the (clipped) value loss with respect to the values. */
function valueSlopes({ ppo }, chosen, { values: old, advantages }, values) {
  const most = ppo.value_clip ?? Infinity;
  return Float64Array.from(chosen, (row, r) => {
    const [target, moved] = [advantages[row] + old[row], values[r] - old[row]];
    const clipped = old[row] + Math.min(most, Math.max(-most, moved));
    const free = (values[r] - target) ** 2 >= (clipped - target) ** 2;
    const slope = free ? values[r] - target : (clipped - target) * (Math.abs(moved) < most ? 1 : 0);
    return (ppo.value_coefficient * slope) / chosen.length;
  });
}

/** Descends along the gradient on one minibatch, whose rows of the rollout are `chosen`. */
export function learnFrom({ task, learner, actor, critic }, rollout, estimates, chosen, rate) {
  const rows = chosen.length;
  const seen = new Float64Array(rows * INPUTS);
  for (let r = 0; r < rows; r++) for (let i = 0; i < INPUTS; i++) seen[r * INPUTS + i] = rollout.seen[chosen[r] * INPUTS + i];
  const advantages = normalised(estimates.advantages, chosen);
  actor.backward(policySlopes(task, rollout, chosen, advantages, actor.forward(seen, rows)), rows);
  critic.backward(valueSlopes(task, chosen, estimates, critic.forward(seen, rows)), rows);
  learner.descend(rate, task.ppo.max_gradient_norm ?? Infinity);
}

/** Adds the rollout's observations to the running moments (Chan, Golub and LeVeque). */
function follow(statistics, raw) {
  const rows = raw.length / INPUTS;
  const size = statistics.size + rows;
  for (let i = 0; i < INPUTS; i++) {
    let [mean, deviations] = [0, 0];
    for (let r = 0; r < rows; r++) mean += raw[r * INPUTS + i] / rows;
    for (let r = 0; r < rows; r++) deviations += (raw[r * INPUTS + i] - mean) ** 2;
    const delta = mean - statistics.mean[i];
    statistics.mean[i] += (delta * rows) / size;
    statistics.deviations[i] += deviations + (delta * delta * statistics.size * rows) / size;
  }
  statistics.size = size;
}

/** One update: a rollout, and epochs of minibatches. */
export function updateTraining(training) {
  const { ppo, annealingUpdates } = training.task;
  const rollout = collect(training);
  const estimates = estimateAdvantages(training, rollout);
  const batch = rollout.action.length;
  const size = batch / ppo.minibatches;
  const rate = ppo.learning_rate * (ppo.anneal ? 1 - training.updates / annealingUpdates : 1);
  for (let epoch = 0; epoch < ppo.epochs; epoch++) {
    const places = shuffled(training.random, batch);
    for (let at = 0; at < batch; at += size) learnFrom(training, rollout, estimates, places.subarray(at, at + size), rate);
  }
  follow(training.statistics, rollout.raw);
  training.updates += 1;
}
