// A worker of the page: it trains runs, and reports each point of their curves.
import { compileKernels } from "./fast_learner.js";
import { makeTraining, updateTraining } from "./ppo.js";
import { evaluateTraining } from "./rollout.js";

/** A whole run: a point of its curve after every `interval` updates. */
export function* runTraining(task, seed, kernels) {
  const training = makeTraining(task, seed, kernels);
  const batch = task.ppo.num_envs * task.ppo.rollout_steps;
  while (training.updates < task.updates) {
    updateTraining(training);
    if (training.updates % task.interval === 0) yield { steps: training.updates * batch, greedy: evaluateTraining(training) };
  }
}

/** What a worker does: trains the runs that it is sent, a point of each in turn, and reports every point. */
export function serveTraining() {
  self.onmessage = ({ data: { tasks, runs, kernels } }) => {
    const compiled = compileKernels(kernels);
    let open = runs.map(({ arm, seed }) => ({ arm, seed, run: runTraining(tasks[arm], seed, compiled) }));
    while (open.length) {
      open = open.filter(({ arm, seed, run }) => {
        const { value: point, done } = run.next();
        if (!done) self.postMessage({ arm, seed, point });
        return !done;
      });
    }
    self.postMessage({ done: true, fast: compiled !== null });
  };
}
