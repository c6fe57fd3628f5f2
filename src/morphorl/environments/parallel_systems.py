"""Systems beside environments that no compiled program holds: told where episodes start, stepped with NumPy arrays."""

import functools
import hashlib
from collections.abc import Callable, Sequence

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree

from morphorl.config.devices import refuse_after_fork
from morphorl.config.errors import SettingError
from morphorl.environments.appended import Appended

Some = Bool[np.ndarray, " envs"]
"""Some of the environments."""


class ParallelSystems:
    """Parallel systems outside any compiled program, one for each environment: stepped with NumPy arrays.

    Making them computes nothing, and what they hold are arrays and numbers. So they can be made in a process that was
    forked, and pickled at any time; after that they go on exactly as they would have.
    """

    def __init__(self, appended: Appended, envs: int, seed: int):
        self.appended, self.envs, self.seed = appended, envs, seed
        self.words: tuple[int, ...] = ()
        """What the seed of the last reset adds to `seed`."""
        self.drawn = 0
        """Initial states drawn, the first of them from `seed` alone."""
        state, added = _shapes(appended)
        self.features, self.size, self.reset = appended.shape[0], added.size, appended.reset
        """How many numbers are observed and appended; when systems start afresh."""
        self.constants: PyTree = None
        self.initial: list[Array] = []
        """The arrays of what each system starts from."""
        self.state = jax.tree.map(lambda u: np.zeros((envs, *u.shape), u.dtype), state)
        """Of no meaning before the first episode."""
        self.latest = np.zeros((envs, self.features + self.size), np.float32)
        """What was given back last."""
        self.none: Some = np.zeros(envs, bool)
        self.running = False
        """Whether all environments were reset."""
        self.started: Some = np.zeros(envs, bool)
        """Which have seen an observation."""
        self.starting: Some = np.zeros(envs, bool)
        """Which start with the next observation that they see."""
        self.has_starting = False
        """Whether any do."""
        self.time = np.zeros(envs, int)
        """Of each environment's latest observation, in steps since its episode's first."""

    def reseed(self, seed: int | Sequence[int | None]) -> None:
        """Decide the initial states that are yet to be drawn (`dynamics.reset = "redraw"`); any two seeds, or lists of
        some, draw others."""
        seeds = [None if one is None else int(one) for one in np.atleast_1d(np.array(seed, object))]
        digest = hashlib.sha256(repr(seeds).encode()).digest()
        self._draw_first()
        self.words, self.drawn = tuple(int(word) for word in np.frombuffer(digest[:16], "<u4")), 1

    def see(
        self,
        observation: Float[np.ndarray, "envs features"],
        starts: Some | None = None,
        final: Float[np.ndarray, "envs features"] | None = None,
    ) -> Float[np.ndarray, "envs appended_to"]:
        """Advance all systems, afresh where an episode `starts`, and append what they say to their observations.

        Args:
            starts: nowhere if not given.
            final: observations that no system sees but that a learner is given too (`peek`).

        Raises:
            SettingError: for observations that are not finite. No system has seen any then, and each is as it was; one
                whose episode starts with this observation starts with the next one.
            gymnasium.error.ResetNeeded: before the first episode.
        """
        refuse_after_fork()
        self.time += 1
        time = self.time if final is None else self.time.copy()
        if starts is not None or not self.running:
            self._note(self.none if starts is None else starts)
        if final is not None:
            self._check(final, time)
        flat = self._check(observation, self.time)
        begin = self.none
        if self.has_starting:
            begin, self.has_starting, self.starting = self._begins(self.starting), False, self.none
        self.state, self.latest = self._advanced(flat, begin)
        return self.latest.copy()

    def restart(
        self, observation: Float[np.ndarray, "envs features"], which: Some
    ) -> Float[np.ndarray, "envs appended_to"]:
        """Start some systems afresh. The others stay as they are, and so does what was given back of them last.

        Raises: as `see` does.
        """
        refuse_after_fork()
        self._note(which)
        mixed = np.where(which[:, None], observation, self.latest[:, : self.features])
        state, latest = self._advanced(self._check(mixed, self.time), self._begins(which))
        self.starting = self.starting & ~which
        self.has_starting = bool(self.starting.any())
        choose = functools.partial(_choose, which)
        self.state, self.latest = jax.tree.map(choose, (state, latest), (self.state, self.latest))
        return self.latest.copy()

    def peek(self, observation: Float[np.ndarray, "envs features"]) -> Float[np.ndarray, "envs appended_to"]:
        """What `see` would give in the midst of episodes, without any system's seeing it."""
        self._draw_first()
        return self._advanced(np.asarray(observation, np.float32), self.none)[1]

    def _note(self, starts: Some) -> None:
        """That episodes start: their systems have to, as soon as they see an observation."""
        self.starting = self.starting | starts
        self.has_starting = bool(self.starting.any())
        self.time[starts] = 0
        self._draw_first()
        if not self.running:
            self.running = bool((self.started | self.starting).all())
        if not self.running:
            raise gymnasium.error.ResetNeeded("Cannot call `step` before all environments were `reset`.")

    def _check(self, observation: np.ndarray, time: np.ndarray) -> Float[np.ndarray, "envs features"]:
        """Observations as the systems see them; raises `SettingError` for one that none must see."""
        flat = np.asarray(observation, np.float32)
        finite = np.isfinite(flat)
        if not finite.all():
            env, feature = np.argwhere(~finite)[0]
            where = f"environment {env}, step {time[env]}" if self.envs > 1 else f"step {time[env]}"
            raise SettingError(
                f"observation[{feature}] = {observation[env][feature]}: must be a finite number ({where} of its "
                "episode). No system has seen this step, and all are as they were before it."
            )
        return flat

    def start_from(self, initial: PyTree) -> None:
        """Let each system start from what is given here, and not from what the seed decides.

        Args:
            initial: what `Appended.initial` gives, with a leading axis of environments.
        """
        self._draw_first()
        self.initial = [jnp.asarray(u) for u in jax.tree.leaves(initial)]

    def __getstate__(self) -> dict[str, object]:
        """Everything but the compiled programs, which are made anew when they are needed."""
        kind = type(self)
        made = {name for name in vars(self) if isinstance(getattr(kind, name, None), functools.cached_property)}
        return {name: value for name, value in vars(self).items() if name not in made}

    @functools.cached_property
    def _step(self) -> Callable[..., tuple[PyTree, Array]]:
        structure = jax.tree.structure(jax.eval_shape(self.appended.initial, self._key((), 0)))
        return jax.jit(functools.partial(_advance, self.appended, self.constants, structure))

    @functools.cached_property
    def _draw(self) -> Callable[[PRNGKeyArray], list[Array]]:
        return jax.jit(functools.partial(_leaves, self.appended))

    def _draw_first(self) -> None:
        """What the seed alone decides, when it is first needed."""
        if not self.drawn:
            refuse_after_fork()
            self.constants = self.appended.constants(jax.random.key(self.seed))
            first = self._draw(self._key((), 0))
            self.initial = [jnp.repeat(u[None], self.envs, axis=0) for u in first]
            self.drawn = 1

    def _begins(self, starts: Some) -> Some:
        """Which systems start afresh, of those whose episode starts; from what, is drawn if it has to be."""
        begin = starts & ~self.started if self.reset == "never" else starts
        self.started = self.started | starts
        if self.reset == "redraw":
            rows = [np.array(u) for u in self.initial]
            for i in np.flatnonzero(starts):
                for u, fresh in zip(rows, self._draw(self._key(self.words, self.drawn)), strict=True):
                    u[i] = fresh
                self.drawn += 1
            self.initial = [jnp.asarray(u) for u in rows]
        return begin

    def _advanced(
        self, observation: Float[np.ndarray, "envs features"], begin: Some
    ) -> tuple[PyTree, Float[np.ndarray, "envs appended_to"]]:
        state, added = self._step(self.initial, self.state, begin, observation)
        return state, np.concatenate([observation, np.asarray(added)], axis=1)

    def _key(self, words: tuple[int, ...], drawn: int) -> PRNGKeyArray:
        key = jax.random.key(self.seed)
        for word in (*words, drawn):
            key = jax.random.fold_in(key, word)
        return key


def _advance(
    appended: Appended,
    constants: PyTree,
    structure: jax.tree_util.PyTreeDef,  # pyright: ignore[reportInvalidTypeForm]
    initial: list[Array],
    state: PyTree,
    begin: Bool[Array, " envs"],
    observation: Float[Array, "envs features"],
) -> tuple[PyTree, Float[Array, "envs appended"]]:
    """All systems one observation further, and what is appended to it.

    Args:
        structure: of what an episode starts from; `initial` are its arrays. (To take it apart at every step is slow.)
    """
    whole = jax.tree.unflatten(structure, initial)
    begun = jax.vmap(appended.begin, (None, 0, 0))(constants, whole, observation)
    after = jax.vmap(appended.advance, (None, 0, 0, 0))(constants, whole, state, observation)
    return jax.tree.map(lambda x, y: jnp.where(begin.reshape(-1, *(1,) * (y.ndim - 1)), x, y), begun, after)


def _leaves(appended: Appended, key: PRNGKeyArray) -> list[Array]:
    return jax.tree.leaves(appended.initial(key))


def _choose(which: Some, new: Array | np.ndarray, old: Array | np.ndarray) -> np.ndarray:
    return np.where(which.reshape(-1, *(1,) * (np.ndim(old) - 1)), new, old)


def _shapes(appended: Appended) -> tuple[PyTree, jax.ShapeDtypeStruct]:
    """Shapes of one system's state and of what it appends, from which nothing is computed."""

    def first(observation):
        key = jax.random.key(0)
        return appended.begin(appended.constants(key), appended.initial(key), observation)

    return jax.eval_shape(first, jax.ShapeDtypeStruct((appended.shape[0],), jnp.float32))
