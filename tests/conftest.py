"""Before anything of morphorl is imported: all cores, and every shape annotation checked while the tests run.

Nearly all of the tests' time is compiling, and XLA's optimisations and MLIR's pipelines are most of that. So programs
are compiled without them, except for tests marked `optimised`: those that compare programs bit by bit, which must get
what users get.
"""

import contextlib
import importlib
import os
import shutil
import sys
import tempfile

import jax
import pytest
from jaxtyping import install_import_hook

from helpers.quick_compiling import compile_quickly_where_optimisations_are_off
from morphorl.config.devices import use_all_cores

BYTECODE_OF_THIS_RUN = None
if sys.dont_write_bytecode and not sys.pycache_prefix:  # or each process of this run compiles all sources for itself
    sys.dont_write_bytecode, sys.pycache_prefix = False, tempfile.mkdtemp(prefix="morphorl-bytecode-")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = BYTECODE_OF_THIS_RUN = sys.pycache_prefix
use_all_cores()
os.environ.pop("COLUMNS", None)  # which pytest-xdist sets, and consoles made at import would keep for ever
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_disable_most_optimizations", True)
compile_quickly_where_optimisations_are_off()
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)  # every file needs the same small programs anew
with contextlib.suppress(ImportError):  # Numba compiles the functions themselves, and no checkers around them
    importlib.import_module("morphorl.ppo.fused.xla_call")
install_import_hook("morphorl", "beartype.beartype")
importlib.import_module("morphorl.commands.shared")  # whose console keeps the width that it finds: here, no test's


def pytest_ignore_collect(collection_path, config):
    """PyTorch and its threads stay out of the process of all other tests; `pytest` of that file alone runs its own."""
    asked_for = any("test_stable_baselines3" in word for word in config.args)
    return True if collection_path.name == "test_stable_baselines3.py" and not asked_for else None


def pytest_terminal_summary(terminalreporter):
    """Print what tests measured and assert nothing of: their property `measured`."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "measured":
                terminalreporter.write_line(value)


def pytest_unconfigure(config):
    """The process that made the folder of bytecode, and no worker, which only inherits it, takes it away."""
    if BYTECODE_OF_THIS_RUN:
        shutil.rmtree(BYTECODE_OF_THIS_RUN, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Files whose programs are optimised come first: they take longest, and at the end would leave a core idle."""
    dear = {item.path for item in items if item.get_closest_marker("optimised")}
    items.sort(key=lambda item: item.path not in dear)


def forget_programs():
    """Forget all compiled programs, of JAX and of morphorl."""
    if batch_training := sys.modules.get("morphorl.studies.batch_training"):
        batch_training.compiled_programs.clear()
    jax.clear_caches()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Before a test's fixtures: programs optimised or not, as its mark says."""
    quick = item.get_closest_marker("optimised") is None
    if quick != jax.config.read("jax_disable_most_optimizations"):
        forget_programs()
        jax.config.update("jax_disable_most_optimizations", quick)


@pytest.fixture(scope="module", autouse=True)
def no_programs_of_other_files():
    """Compiled programs go with the file that needed them: thousands in one process exhaust its memory mappings."""
    yield
    forget_programs()
