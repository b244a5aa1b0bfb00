"""Which ratings exist: models that never met, not even through others, and models that only win or only lose.

A maximum of the likelihood exists where from every model one can reach every other by steps from a loser to
who beat it (Ford 1957, American Mathematical Monthly 64:28-33); a tie is a step both ways.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .battles import PairCounts

Flags = NDArray[np.bool_]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Connection:
    """What can be compared with what."""

    component: Labels
    """Per model the number of its component; nothing compares two models of different ones."""
    no_ceiling: Flags
    """Models whose rating has no upper end: nobody of the rest ever held them."""
    no_floor: Flags
    """Models whose rating has no lower end."""
    one_sided: Flags
    """Pairs across which no step leads back: every battle there was won by the same side."""

    @property
    def components(self) -> int:
        """How many components there are."""
        return int(self.component.max()) + 1

    @property
    def unbounded(self) -> Flags:
        """Models whose rating the battles alone leave open."""
        return self.no_ceiling | self.no_floor


def connection(counts: PairCounts) -> Connection:
    """The components of the battles, and the models that stand apart inside them."""
    n, pairs = len(counts.models), len(counts.first)
    up = counts.losses + counts.ties > 0  # a step from the first of a pair to the second
    down = counts.wins + counts.ties > 0
    source = np.concatenate([counts.first[up], counts.second[down]])
    target = np.concatenate([counts.second[up], counts.first[down]])
    start = int(counts.first[0])
    whole = _reached(n, start, source, target).all() and _reached(n, start, target, source).all()
    if whole:
        none = np.zeros(n, bool)
        return Connection(np.zeros(n, np.int64), none, none, np.zeros(pairs, bool))
    group = _strong_groups(n, source, target)
    one_sided = group[counts.first] != group[counts.second]
    component = _components(n, counts.first, counts.second)
    ceiling, floor = np.zeros(n, bool), np.zeros(n, bool)
    for number in range(int(component.max()) + 1):
        members = np.flatnonzero(component == number)
        names, sizes = np.unique(group[members], return_counts=True)
        if len(names) == 1:
            continue
        # The largest group is who the others are measured against, if one is the largest.
        largest = names[sizes == sizes.max()]
        core = members[group[members] == largest[0]] if len(largest) == 1 else members[:0]
        rest = np.setdiff1d(members, core)
        if core.size:
            beat_core = _reached(n, int(core[0]), source, target)
            lost_to_core = _reached(n, int(core[0]), target, source)
            ceiling[rest], floor[rest] = ~lost_to_core[rest], ~beat_core[rest]
        else:
            ceiling[rest] = floor[rest] = True
    return Connection(component, ceiling, floor, one_sided)


def _reached(n: int, start: int, source: Labels, target: Labels) -> Flags:
    """What can be reached from a model, itself among it."""
    reached = np.zeros(n, bool)
    reached[start] = True
    while True:
        new = target[reached[source] & ~reached[target]]
        if not new.size:
            return reached
        reached[new] = True


def _components(n: int, first: Labels, second: Labels) -> Labels:
    """Components in the order of their first models: the smallest label spreads, ever faster."""
    label = np.arange(n)
    while True:
        least = np.minimum(label[first], label[second])
        before = label.copy()
        np.minimum.at(label, first, least)
        np.minimum.at(label, second, least)
        label = label[label]
        if (label == before).all():
            return np.unique(label, return_inverse=True)[1]


def _strong_groups(n: int, source: Labels, target: Labels) -> Labels:
    """A label per model, shared by models that can be reached from each other (Kosaraju, without recursion)."""
    forward, backward = _neighbours(n, source, target), _neighbours(n, target, source)
    seen, ended = [False] * n, list[int]()
    for root in range(n):
        if seen[root]:
            continue
        seen[root] = True
        trail = [(root, iter(forward[root]))]
        while trail:
            model, others = trail[-1]
            step = next((other for other in others if not seen[other]), None)
            if step is None:
                ended.append(model)
                trail.pop()
            else:
                seen[step] = True
                trail.append((step, iter(forward[step])))
    group = [-1] * n
    for root in reversed(ended):
        if group[root] >= 0:
            continue
        group[root], waiting = root, [root]
        while waiting:
            for other in backward[waiting.pop()]:
                if group[other] < 0:
                    group[other] = root
                    waiting.append(other)
    return np.asarray(group)


def _neighbours(n: int, source: Labels, target: Labels) -> list[list[int]]:
    order = np.argsort(source, kind="stable")
    ends = np.cumsum(np.bincount(source, minlength=n))[:-1]
    return [part.tolist() for part in np.split(target[order], ends)]
