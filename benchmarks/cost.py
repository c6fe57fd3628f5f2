"""What a cell, each guidance, a memory and learned parameters cost: the time of training, divided by plain PPO's.

    uv run python benchmarks/cost.py                          # everything, under both presets
    uv run python benchmarks/cost.py learned three_factor     # some of it

32 agents on CartPole-v1, 6 interleaved rounds, medians of the ratios within a round. Time of the processors is given
beside the wall time, since it suffers less from what else a machine does.
"""

import dataclasses
import sys
import time

from morphorl.config.devices import use_all_cores
from morphorl.ppo.settings import stack

use_all_cores()

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from morphorl.config import kinds  # noqa: E402
from morphorl.dynamics.blending import Blend  # noqa: E402
from morphorl.dynamics.guidance.adaptive import Adaptive  # noqa: E402
from morphorl.dynamics.guidance.blind import Blind  # noqa: E402
from morphorl.dynamics.guidance.modulated import Modulated  # noqa: E402
from morphorl.dynamics.guidance.three_factor import ThreeFactor  # noqa: E402
from morphorl.dynamics.guidance.win_stay import WinStay  # noqa: E402
from morphorl.dynamics.leaky_integrators import LeakyIntegrators  # noqa: E402
from morphorl.dynamics.learned_parameters import Learned  # noqa: E402
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion  # noqa: E402
from morphorl.ppo.settings import PRESETS, Settings  # noqa: E402
from morphorl.studies import batch_training  # noqa: E402

AGENTS, ROUNDS, UPDATES = 32, 6, 8
FIVE = (
    "dynamics.activator_diffusion",
    "dynamics.activator_decay",
    "dynamics.inhibitor_decay",
    "dynamics.drive",
    "guidance.strength",
)


def arms(preset: str) -> dict[str, Settings]:
    """What is compared, plain PPO first."""
    cell = Settings(
        evaluate_every=0, ppo=PRESETS[preset], dynamics=ReactionDiffusion(drive=0.1), guidance=Blind(strength=0.1)
    )
    plain = dataclasses.replace(cell, blend=Blend("none"))
    redrawn = dataclasses.replace(cell, dynamics=ReactionDiffusion(drive=0.1, reset="redraw"))  # which win_stay needs
    aware = (Modulated, WinStay, ThreeFactor, Adaptive)
    return {
        "plain": plain,
        "blind": cell,
        **{kinds.name_of(rule): dataclasses.replace(redrawn, guidance=rule(strength=0.1)) for rule in aware},
        "memory": dataclasses.replace(plain, memory=LeakyIntegrators()),
        "learned": dataclasses.replace(cell, learned=Learned(FIVE)),
    }


def main() -> None:
    """Measure and print."""
    for preset in PRESETS:
        wanted = {arm: one for arm, one in arms(preset).items() if arm in ("plain", *(sys.argv[1:] or arms(preset)))}
        started = {arm: _start(settings) for arm, settings in wanted.items()}
        wall, cpu = ({arm: [] for arm in wanted} for _ in range(2))
        for number in range(ROUNDS):
            for arm, (program, settings, state) in started.items():
                first, before, of_cpu = 1 + number * UPDATES, time.perf_counter(), time.process_time()
                state = program.advance(settings, state, jnp.array(first), jnp.array(first + UPDATES))
                started[arm] = program, settings, jax.block_until_ready(state)
                wall[arm].append(time.perf_counter() - before)
                cpu[arm].append(time.process_time() - of_cpu)
        for arm in wanted:
            ratios = (np.median(np.array(times[arm]) / times["plain"]) for times in (wall, cpu))
            print("{}, {}: {:.2f} times plain PPO, {:.2f} by processor time".format(preset, arm, *ratios), flush=True)


def _start(settings: Settings) -> tuple:
    """A compiled program, its settings, and the state after the first update."""
    stacked, seeds = stack([settings] * AGENTS), jnp.arange(AGENTS, dtype=jnp.int32)
    program = batch_training.compile_program(jax.tree.structure(stacked), settings.environment, AGENTS)
    state = program.advance(stacked, program.init(stacked, seeds, seeds), jnp.array(0), jnp.array(1))
    return program, stacked, jax.block_until_ready(state)


if __name__ == "__main__":
    main()
