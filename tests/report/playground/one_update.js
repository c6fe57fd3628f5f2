// One update of the page's PPO, and all that it came from; `fast` trains with the kernels.
([task, fast]) => {
    const training = makeTraining(task, 3, fast ? compileKernels(data.kernels) : null), rows = task.ppo.num_envs * task.ppo.rollout_steps;
    const weights = () => training.learner.weights().map((network) => network.map((u) => Array.from(u)));
    const before = weights();
    for (const env of training.envs) env.total = 490; // some episodes come to their time limit
    const rollout = collect(training), estimates = estimateAdvantages(training, rollout);
    const finals = Array.from(rollout.raw);
    for (const { row, cart } of rollout.cutOff) finals.splice(row * 4, 4, ...cart);
    const places = shuffled(training.random, rows), size = rows / task.ppo.minibatches;
    const minibatches = [0, 1, 2, 3].map((m) => Array.from(places.subarray(m * size, (m + 1) * size)));
    for (const chosen of minibatches) learnFrom(training, rollout, estimates, Int32Array.from(chosen), 1e-2);
    const last = training.envs.flatMap(({ cart }) => Array.from(cart));
    const plain = Object.fromEntries(["raw", "readout", "action", "terminated", "truncated"].map((name) => [name, Array.from(rollout[name])]));
    return { ...plain, before, last, finals, minibatches, advantages: Array.from(estimates.advantages), after: weights() };
}
