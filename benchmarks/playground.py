"""Whether PPO in the playground's page learns as ours does: steps to a greedy return of 475, over many seeds.

    python benchmarks/playground.py --seeds 32

opens the page in Chromium, trains plain PPO in it (preset `tuned`, an evaluation of eight episodes every 2,048 steps,
as the studies have it), and prints the median steps to two evaluations in a row at or above 475, with its interval.

32 seeds: 10,240 steps (7,168 to 12,288), all of them got there. Ours, 128 seeds of the study `blind_dynamics` under
`tuned` (docs/results/claims): 10,240 steps (8,192 to 12,288).
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from morphorl.analysis.bootstrap import bootstrap
from morphorl.report.playground import playground_page

EVERY = 2_048
MOST = 102_400
"""Environment steps of a run: all of the 100,000 over which the learning rate falls."""
RUN = """([seed, every, most, cell, strength]) => {
    const { ppo, ...training } = data.training, batch = ppo.num_envs * ppo.rollout_steps;
    const arm = cell ? { strength } : { cell: null, blend: "none", strength: 0 };
    const lengths = { interval: every / batch, updates: Math.floor(most / batch) };
    const task = { ...training, ppo, constants: data.constants, ...arm, ...lengths, annealingUpdates: 390 };
    const points = [];
    for (const point of runTraining(task, seed)) {
        points.push(point);
        const steps = stepsTo(points, data.constants.threshold);
        if (Number.isFinite(steps)) return steps;
    }
    return null;
}"""


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=32)
    parser.add_argument("--cell", action="store_true", help="with the cell, guided by 0.1, in place of plain PPO")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "playground.html"
        path.write_text(playground_page.page([], "morphorl play"), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(reduced_motion="reduce")
        page.goto(path.as_uri())
        began, found = time.time(), []
        for seed in range(options.seeds):
            steps = page.evaluate(RUN, [seed, EVERY, min(MOST, 390 * 256), options.cell, 0.1])
            found.append(np.inf if steps is None else steps)
            print(f"seed {seed}: {steps}", flush=True)
        browser.close()
    value, low, high = bootstrap(np.median, np.array(found, float))
    reached = int(np.isfinite(found).sum())
    seconds = time.time() - began
    print(f"median {value:.0f} steps ({low:.0f} to {high:.0f}); {reached} of {len(found)} got there; {seconds:.0f} s")


if __name__ == "__main__":
    main()
