"""A study on a cluster, event by event: `studies/ray_engine.py`, or the local engine, with times in place of training.

One driver sends batches, one more than there are places. A worker starts (it compiles the program, or loads it if its
machine has it) and trains. Results come back over one network, one after the other; the driver writes each into a shard
with two flushes before it sends the next batch. `morphorl status` reads all shards once a minute.
"""

import dataclasses
import heapq
import math
from collections.abc import Callable
from itertools import count
from typing import Literal

import numpy as np

Engine = Literal["local", "ray"]
STATUS_EVERY = 60.0
PER_CORE = 16
"""Runs of a batch for each core (`devices.batch_sizes`)."""


@dataclasses.dataclass(frozen=True)
class Cluster:
    """Machines of so many cores, and how many cores a batch takes, which decides its size."""

    machines: int
    cores: int
    devices: int = 2
    kernel: Literal["xla", "fused"] = "fused"
    engine: Engine = "ray"

    @property
    def places(self) -> int:
        """Batches that train at once."""
        return self.machines * (self.cores // self.devices)

    @property
    def size(self) -> int:
        """Runs of a batch."""
        return PER_CORE * self.devices


@dataclasses.dataclass(frozen=True)
class Costs:
    """What a batch costs, in seconds."""

    training: float
    spread: float
    """Standard deviation of the logarithm of the training time."""
    compiling: float
    """From the start of a worker to its first batch where its machine has not cached the program."""
    loading: float
    """The same where it has."""
    transfer: float
    """Of the network."""
    sending: float
    """Of the driver, before a batch."""
    storing: float
    """Of the driver, after one: receiving, shard, two flushes, and asking Ray."""
    status: float
    """Of a core of the driver's machine, for each shard that `morphorl status` reads."""


@dataclasses.dataclass
class Outcome:
    """What came out; shares are of all cores' time, the driver's is of its own."""

    wall: float = 0.0
    training: float = 0.0
    starting: float = 0.0
    waiting: float = 0.0
    nothing_left: float = 0.0
    driver: float = 0.0
    network: float = 0.0
    backlog: int = 0
    """Most results that were done and not stored."""


def simulate(agents: int, cluster: Cluster, costs: Costs, seed: int = 0) -> Outcome:
    """Play a study: a batch is sent, trained, brought back, stored.

    A batch waits for the slowest of its pairs of cores, whose speeds are log-normal.
    """
    generator = np.random.default_rng(seed)
    pairs = (math.ceil(agents / cluster.size), max(1, cluster.devices // 2))
    slowest = generator.normal(size=pairs).max(axis=1)
    return _Play(cluster, costs, (costs.training * np.exp(costs.spread * slowest)).tolist()).outcome()


class _Play:
    """The state of a simulated study. What happens is a method, called with its time and place."""

    def __init__(self, cluster: Cluster, costs: Costs, durations: list[float]) -> None:
        self.cluster, self.costs, self.durations = cluster, costs, durations
        self.order, self.events = count(), []
        self.idle = list(range(cluster.places))
        self.since = [0.0] * cluster.places
        self.gaps: list[tuple[float, float]] = []
        self.cached: dict[int, float] = {}
        self.started: set[int] = set()
        self.sent = self.trained = self.stored = self.reserve = self.backlog = 0
        self.driver_free = self.network_free = self.last_sent = self.last_trained = 0.0
        self.sums = Outcome()
        self.lent = 0.0
        """Seconds that driver and status took of a core of the only machine, and that no batch has paid for yet."""

    def outcome(self) -> Outcome:
        """Play to the end."""
        for _ in range(min(len(self.durations), self.cluster.places + (self.cluster.engine == "ray"))):
            self.send()
        self.push(STATUS_EVERY, self.status)
        while self.stored < len(self.durations):
            now, _, happen, place = heapq.heappop(self.events)
            happen(now, place)
        self.gaps += [(self.since[place], self.driver_free) for place in self.idle]
        return self.shares()

    def push(self, time: float, happen: Callable[[float, int], None], place: int = 0) -> None:
        heapq.heappush(self.events, (time, next(self.order), happen, place))

    def send(self) -> None:
        """The driver sends the next batch."""
        self.sent += 1
        self.sums.driver += self.costs.sending
        self.driver_free += self.costs.sending
        self.last_sent = self.driver_free
        self.push(self.driver_free, self.arrives)

    def arrives(self, now: float, _: int) -> None:
        """A batch is there for whoever has room."""
        if self.idle:
            self.begin(now, heapq.heappop(self.idle))
        else:
            self.reserve += 1

    def begin(self, now: float, place: int) -> None:
        """A batch begins at an idle place, after the start of its worker."""
        machine, ready = place // (self.cluster.cores // self.cluster.devices), now
        self.gaps.append((self.since[place], now))
        if place not in self.started:
            self.started.add(place)
            known = self.cached.get(machine, math.inf)
            ready += self.costs.loading if known <= now else self.costs.compiling
            self.cached[machine] = min(ready, known)
        self.sums.starting += ready - now
        self.sums.training += self.durations[self.trained]
        late, self.lent = self.lent / self.cluster.devices, 0.0
        self.push(ready + self.durations[self.trained] + late, self.ends, place)
        self.trained += 1

    def ends(self, now: float, place: int) -> None:
        """A batch is trained; its result goes on the network, and the place takes the one in reserve."""
        self.last_trained = self.since[place] = now
        self.backlog += 1
        self.sums.backlog = max(self.sums.backlog, self.backlog)
        self.sums.network += self.costs.transfer
        self.network_free = max(now, self.network_free) + self.costs.transfer
        self.push(self.network_free, self.back)
        if self.reserve:
            self.reserve -= 1
            self.begin(now, place)
        else:
            heapq.heappush(self.idle, place)

    def back(self, now: float, _: int) -> None:
        """A result is at the driver, which stores it when it is free, and sends another batch."""
        self.sums.driver += self.costs.storing
        self.driver_free = max(now, self.driver_free) + self.costs.storing
        self.push(self.driver_free, self.stores)
        if self.cluster.machines == 1 and self.cluster.engine == "ray":
            self.lent += self.costs.storing
        if self.sent < len(self.durations):
            self.send()

    def stores(self, now: float, _: int) -> None:
        """A shard is written."""
        self.stored += 1
        self.backlog -= 1

    def status(self, now: float, _: int) -> None:
        """Someone asks how the study stands, on the driver's machine, which trains only if there is no other."""
        self.lent += self.costs.status * self.stored if self.cluster.machines == 1 else 0.0
        self.push(now + STATUS_EVERY, self.status)

    def shares(self) -> Outcome:
        """Seconds become shares of all cores' time.

        A core has nothing to do between the last batch sent and the last one trained; what it is idle before and after,
        it waits for the driver.
        """
        wall = self.driver_free
        taken = self.cluster.devices / (wall * self.cluster.machines * self.cluster.cores)
        tail = [min(until, self.last_trained) - max(since, self.last_sent) for since, until in self.gaps]
        nothing_left = sum(max(0.0, seconds) for seconds in tail)
        return Outcome(
            wall=wall,
            training=self.sums.training * taken,
            starting=self.sums.starting * taken,
            waiting=(sum(until - since for since, until in self.gaps) - nothing_left) * taken,
            nothing_left=nothing_left * taken,
            driver=self.sums.driver / wall,
            network=self.sums.network / wall,
            backlog=self.sums.backlog,
        )


def limit(outcome: Outcome) -> str:
    """What holds a study up: its cores while they train most of the time, else what they do instead most."""
    if outcome.training >= 0.8:
        return "cores"
    others = {"starting": "start of workers", "waiting": "driver", "nothing_left": "too few batches"}
    return others[max(others, key=lambda name: getattr(outcome, name))]
