// Workers that share out runs of training, as many as the machine has cores.

/**
 * Starts them, and gives what stops them. `source` is a worker's program, and `job` what it gets: `kernels`, the `tasks` of
 * the arms, and the `runs`, each an arm and a seed. `on.point` hears every point of a curve, `on.finished` that all are
 * done and whether the kernels did it, `on.failed` that a worker has failed, which stops all.
 */
export function startPool(source, job, on) {
  const count = Math.max(1, Math.min(job.runs.length, navigator.hardwareConcurrency || 2));
  const url = URL.createObjectURL(new Blob([source, "\nserveTraining();"], { type: "text/javascript" }));
  const workers = Array.from({ length: count }, () => new Worker(url));
  let busy = count;
  function stop() {
    for (const worker of workers) worker.terminate();
    URL.revokeObjectURL(url);
  }
  function hear(message) {
    if (!message.done) { on.point(message); return; }
    busy -= 1;
    if (busy) return;
    stop();
    on.finished(message.fast);
  }
  workers.forEach((worker, w) => {
    worker.onmessage = ({ data }) => hear(data);
    worker.onerror = () => { stop(); on.failed(); };
    worker.postMessage({ ...job, runs: job.runs.filter((_, i) => i % count === w) });
  });
  return stop;
}
