"""The numbers of docs/elsewhere.md that follow from docs/results, and from settings of the code and of its scripts."""

from collections.abc import Iterator

from places import Phrase
from result_files import Results, number_in
from styles import Shown, decimal, whole

WRAPPER, EXAMPLE = "benchmarks/wrapper.py", "examples/sb3_memory.py"


def numbers(results: Results) -> Iterator[Phrase]:
    """Phrases of the page, in its order."""
    sites = number_in("src/morphorl/dynamics/gierer_meinhardt.py", r"sites: int = setting\((\d+)")
    yield Phrase("with its {} sites", whole.value(sites))
    rounds, steps = (
        whole.value(number_in(WRAPPER, pattern))
        for pattern in (r"ROUNDS, STEPS, WARM_UP = (\d+)", r"ROUNDS, STEPS, WARM_UP = \d+, (\d+)")
    )
    yield Phrase("medians of {} interleaved rounds of {} steps", rounds, steps)
    trained, episodes, agents = (
        number_in(EXAMPLE, rf"    {name}: int = ([\d_]+)") for name in ("steps", "episodes", "seeds")
    )
    yield Phrase(
        "{} steps, mean of {} greedy episodes, seeds 0 to {}:",
        Shown(f"{trained.value:,.0f}", trained.file),
        whole.value(episodes),
        Shown(f"{agents.value - 1:.0f}", agents.file),
    )
    played = number_in("src/morphorl/integrations/onnx_export.py", r"CHECKED_STEPS = ([\d_]+)")
    yield Phrase("played beside JAX for {} steps", Shown(f"{played.value:,.0f}", played.file))
    kernel = results.at("speed/speed.json", "ratios", "16 agents: fused / xla")
    yield Phrase("which trains {} times as fast on processors", decimal.value(kernel))
