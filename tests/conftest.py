"""Before anything of morphorl is imported: all cores, and every shape annotation checked while the tests run."""

import jax
from jaxtyping import install_import_hook

from morphorl.devices import use_all_cores

use_all_cores()
jax.config.update("jax_numpy_rank_promotion", "raise")
install_import_hook("morphorl", "beartype.beartype")
