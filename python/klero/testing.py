"""Pools and quotas for property tests of what you build with klero, and a count of all panels to compare with.

The strategies are for Hypothesis (`pip install 'klero[testing]'`), which is imported when one is first asked for. They
make small cases on purpose: few enough people for all panels to be listed, tight enough for quotas to bind.

>>> import klero, klero.testing
>>> people = [{"id": str(i), "gender": g} for i, g in enumerate(("woman", "woman", "man"))]
>>> quotas = [{"feature": "gender", "value": v, "min": 1, "max": 1} for v in ("woman", "man")]
>>> instance = klero.sortition.instance.build_instance(klero.Pool.read(people), klero.Quotas.read(quotas), 2)
>>> instance.types, instance.counts
(((0,), (1,)), (1, 2))
>>> klero.testing.enumerate_panels(instance)
((1, 1),)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from klero.errors import MissingExtraError
from klero.sortition.instance import Instance, build_instance
from klero.sortition.pool import Pool
from klero.sortition.quotas import Cell, Quotas
from klero.sortition.rules import Rules

if TYPE_CHECKING:
    from types import ModuleType

    from hypothesis.strategies import DrawFn, SearchStrategy

__all__ = ["enumerate_panels", "instances", "pools", "quotas_for"]

# Columns of the generated people that are no features.
WEIGHT = "weight"
HOUSEHOLD = "street"
_MOST_PANELS = 1_000_000


def _strategies() -> ModuleType:
    try:
        from hypothesis import strategies
    except ImportError:
        raise MissingExtraError("testing", "make pools and quotas for tests") from None
    return strategies


def pools(
    *,
    min_people: int = 2,
    max_people: int = 9,
    max_features: int = 3,
    weights: bool = False,
    households: bool = False,
) -> SearchStrategy[Pool]:
    """Pools of a few people with ids and one to `max_features` features of two or three values each.

    Args:
        min_people: the fewest people, 1 or more.
        max_people: the most people.
        max_features: the most features.
        weights: add a column «weight» of whole numbers from 1 to 5.
        households: add a column «street» that some people share.
    """
    st = _strategies()

    def make(draw: DrawFn) -> Pool:
        counts = draw(st.lists(st.integers(2, 3), min_size=1, max_size=max_features))
        person = st.tuples(*(st.integers(0, count - 1) for count in counts))
        people = draw(st.lists(person, min_size=min_people, max_size=max_people))
        rows: list[dict[str, object]] = []
        for i, values in enumerate(people):
            row: dict[str, object] = {"id": f"p{i:02}", **{f"f{f}": f"v{v}" for f, v in enumerate(values)}}
            if weights:
                row[WEIGHT] = draw(st.integers(1, 5))
            if households:
                row[HOUSEHOLD] = f"{draw(st.integers(1, max(2, len(people) * 2 // 3)))} Example Street"
            rows.append(row)
        return Pool.read(rows)

    made: SearchStrategy[Pool] = st.composite(make)()
    return made


def quotas_for(
    pool: Pool, *, features: Sequence[str] | None = None, feasible: bool = True
) -> SearchStrategy[tuple[Quotas, int]]:
    """Quotas and a size for a pool, around the composition of some of its people.

    Args:
        pool: the people, one or more.
        features: the columns to give quotas to; None for all but the id, «weight» and «street».
        feasible: whether a panel surely exists; it then also keeps to one person of each «street», if there is that
            column. Otherwise some seats may be moved from one value to another.
    """
    st = _strategies()
    names = _features(pool) if features is None else tuple(features)

    def make(draw: DrawFn) -> tuple[Quotas, int]:
        order = draw(st.permutations(range(len(pool))))
        homes = pool.column(HOUSEHOLD) if HOUSEHOLD in pool.columns else [str(i) for i in range(len(pool))]
        seen: set[str] = set()
        apart = [i for i in order if not (homes[i] in seen or seen.add(homes[i]))]  # type: ignore[func-returns-value]
        panel = apart[: draw(st.integers(1, len(apart)))]
        cells = []
        for name in names:
            column = pool.column(name)
            values = sorted(set(column))
            seats = [sum(column[i] == value for i in panel) for value in values]
            if not feasible and draw(st.booleans()):
                seats = seats[1:] + seats[:1]
            for value, s in zip(values, seats, strict=True):
                low, high = max(0, s - draw(st.integers(0, 2))), s + draw(st.integers(0, 2))
                cells.append(Cell(name, value, low, high))
        return Quotas(tuple(cells)), len(panel)

    made: SearchStrategy[tuple[Quotas, int]] = st.composite(make)()
    return made


def instances(
    *,
    max_people: int = 9,
    max_features: int = 3,
    feasible: bool = True,
    weights: bool = False,
    households: bool = False,
) -> SearchStrategy[Instance]:
    """Pools with quotas that fit them, matched; `weights` and `households` are put to use as rules.

    Args: as in `pools` and `quotas_for`.
    """
    st = _strategies()
    rules = Rules(weight=WEIGHT if weights else None, household=(HOUSEHOLD,) if households else ())

    def make(draw: DrawFn) -> Instance:
        pool = draw(
            pools(max_people=max_people, max_features=max_features, weights=weights, households=households)
        )
        quotas, size = draw(quotas_for(pool, feasible=feasible))
        return build_instance(pool, quotas, size, rules)

    made: SearchStrategy[Instance] = st.composite(make)()
    return made


def enumerate_panels(instance: Instance) -> tuple[tuple[int, ...], ...]:
    """Every panel that keeps quotas and rules, as seats of each type, in rising order: the slow, obvious way.

    Raises:
        ValueError: there would be more than a million choices of seats to look at.
    """
    choices = 1
    for n in instance.counts:
        choices *= min(n, instance.size) + 1
        if choices > _MOST_PANELS:
            raise ValueError(
                f"more than {_MOST_PANELS} choices of seats among {len(instance.types)} types are too many to list; "
                "use fewer people"
            )
    return tuple(panel for panel in _filled(instance, 0, instance.size) if _keeps(instance, panel))


def _features(pool: Pool) -> tuple[str, ...]:
    return tuple(c for c in pool.columns if c not in (pool.id_column, WEIGHT, HOUSEHOLD))


def _filled(instance: Instance, first: int, seats: int) -> Iterator[tuple[int, ...]]:
    """All seats for the types from `first` on that add up to `seats`."""
    if first == len(instance.types):
        if seats == 0:
            yield ()
        return
    for here in range(min(instance.counts[first], seats) + 1):
        for rest in _filled(instance, first + 1, seats - here):
            yield (here, *rest)


def _keeps(instance: Instance, panel: Sequence[int]) -> bool:
    totals = [0] * len(instance.cells)
    for t, seats in enumerate(panel):
        for c in instance.type_cells(t):
            totals[c] += seats
    return all(lo <= s <= hi for s, (lo, hi) in zip(totals, instance.cell_bounds, strict=True))
