"""The work that every row of the benchmark does, and how a worker talks with `speed.py`.

Standard library only: the peers import it in environments of their own.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable

NUM_ENVS = 8
ROLLOUT_STEPS = 128
EPOCHS = 4
MINIBATCHES = 4
HIDDEN = (64, 64)
LEARNING_RATE = 1e-3
DISCOUNT = 0.99
GAE_LAMBDA = 0.95
CLIP = 0.2
VALUE_COEFFICIENT = 0.5
ENTROPY_COEFFICIENT = 0.01
MAX_GRADIENT_NORM = 0.5
BATCH = NUM_ENVS * ROLLOUT_STEPS
"""Environment steps of one agent between two updates."""
MINIBATCH = BATCH // MINIBATCHES


def serve(repeat: Callable[[], float]) -> None:
    """Do one repeat to warm up (compilation included), then one for every line that comes in, until there is no more.

    Each repeat, the first too, is answered by one line of JSON: `amount` (what `repeat` returned: environment steps, or
    floating-point operations), `seconds`, `processor_seconds` of all threads, which other work on the machine hardly
    changes, and `peak_bytes`, the largest memory that the process has held so far.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a library that prints must not disturb the answers
    _answer(answers, repeat)
    for _ in sys.stdin:
        _answer(answers, repeat)


def _answer(answers, repeat: Callable[[], float]) -> None:
    started, used = time.perf_counter(), time.process_time()
    amount = repeat()
    answer = {
        "amount": amount,
        "seconds": time.perf_counter() - started,
        "processor_seconds": time.process_time() - used,
    }
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB
    print(json.dumps(answer | {"peak_bytes": peak_bytes}), file=answers, flush=True)
