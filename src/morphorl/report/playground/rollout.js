// An agent that is trained, acting in its environments: ppo/rollout.py. There are two actions, so that one number says all
// of a policy: the log-odds of pushing to the right, which is the logit of the right less that of the left.
import { hasFallen, moveCart } from "./cartpole.js";
import { readCell, stepCell } from "./cell.js";

export const INPUTS = 4;
export const CHOICES = 2;

/** The probability of the right at given log-odds. */
export const sigmoid = (odds) => 1 / (1 + Math.exp(-odds));
/** The log-probability of an action. */
export const logProbability = (odds, action) => -Math.log1p(Math.exp(action ? -odds : odds));

/** How much of the network's log-odds a blend lets through. */
export const shareOfNetwork = ({ blend, weight }) => (blend === "average" ? 1 - weight : 1);

/** The policy's log-odds, from a row of the network's logits and one of readouts. */
export function oddsOf(task, logits, r, readouts, row) {
  const [network, readout] = [logits[r * CHOICES + 1] - logits[r * CHOICES], readouts[row * CHOICES + 1] - readouts[row * CHOICES]];
  return shareOfNetwork(task) * network + (task.blend === "none" ? 0 : task.weight * readout);
}

/** The observation as the networks see it, into `rows` from `at` on. */
function view({ task, statistics }, cart, rows, at) {
  for (let i = 0; i < INPUTS; i++) {
    if (!task.ppo.normalise_observations) { rows[at + i] = cart[i]; continue; }
    const variance = statistics.size ? statistics.deviations[i] / statistics.size : 1;
    rows[at + i] = Math.min(10, Math.max(-10, (cart[i] - statistics.mean[i]) / Math.sqrt(variance + 1e-8)));
  }
}

/** The cells of an environment after a step, and their readout. */
function respond(task, cells, cart) {
  if (!task.cell) return { cells, readout: [0, 0] };
  const after = stepCell(task.cell, cells, cart, task.strength);
  return { cells: after, readout: readCell(task.cell, after, cart) };
}

/** The environments one step later; `choose` gives the action at given log-odds. */
function act(training, envs, choose) {
  const { task, actor } = training;
  const seen = new Float64Array(envs.length * INPUTS);
  envs.forEach(({ cart }, e) => view(training, cart, seen, e * INPUTS));
  const logits = actor.forward(seen, envs.length);
  return envs.map((env, e) => {
    const { cells, readout } = respond(task, env.cells, env.cart);
    const odds = oddsOf(task, logits, e, readout, 0);
    const action = choose(odds);
    const cart = moveCart(task.constants, env.cart, action);
    return { cart, cells, total: env.total + 1, fallen: hasFallen(task.constants, cart), thought: { readout, odds, action } };
  });
}

/** Acts for one rollout in all environments: what was seen and done, row by row, each row a time and an environment. */
export function collect(training) {
  const { task, random } = training;
  const { rollout_steps: time, num_envs: width } = task.ppo;
  const rows = time * width;
  const rollout = {
    raw: new Float64Array(rows * INPUTS), seen: new Float64Array((rows + width) * INPUTS), readout: new Float64Array(rows * CHOICES), action: new Int8Array(rows),
    logProbability: new Float64Array(rows), terminated: new Uint8Array(rows), truncated: new Uint8Array(rows), cutOff: [],
  };
  const sample = (odds) => (random.uniform() < sigmoid(-odds) ? 0 : 1);
  for (let t = 0; t < time; t++) {
    const after = act(training, training.envs, sample);
    training.envs = after.map((env, e) => note(training, rollout, t * width + e, training.envs[e], env));
  }
  training.envs.forEach(({ cart }, e) => view(training, cart, rollout.seen, (rows + e) * INPUTS));
  return rollout;
}

/** Notes a step from `before` to `after` in a row of the rollout, and gives what the environment goes on with. */
function note(training, rollout, row, before, after) {
  const { readout, odds, action } = after.thought;
  view(training, before.cart, rollout.seen, row * INPUTS);
  rollout.raw.set(before.cart, row * INPUTS);
  rollout.readout.set(readout, row * CHOICES);
  rollout.action[row] = action;
  rollout.logProbability[row] = logProbability(odds, action);
  rollout.terminated[row] = after.fallen;
  rollout.truncated[row] = after.total >= training.task.constants.timeLimit;
  if (rollout.truncated[row]) {
    const seen = new Float64Array(INPUTS);
    view(training, after.cart, seen, 0);
    rollout.cutOff.push({ row, cart: after.cart, seen });
  }
  return rollout.terminated[row] || rollout.truncated[row] ? training.fresh() : after;
}

/** The mean return of greedy episodes, each from a start of its own; as many as there are environments. */
export function evaluateTraining(training) {
  const { ppo, constants } = training.task;
  const ended = ({ fallen, total }) => fallen || total >= constants.timeLimit;
  let [open, sum] = [Array.from({ length: ppo.num_envs }, training.fresh), 0];
  while (open.length) {
    const after = act(training, open, (odds) => (odds > 0 ? 1 : 0));
    for (const env of after) if (ended(env)) sum += env.total;
    open = after.filter((env) => !ended(env));
  }
  return sum / ppo.num_envs;
}
