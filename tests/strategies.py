"""Hypothesis strategies for small pools with quotas."""

from __future__ import annotations

from hypothesis import strategies as st

from klero.sortition.instance import Instance
from oracle import small_instance


@st.composite
def instances(draw: st.DrawFn, *, feasible: bool = False) -> Instance:
    """2 to 9 people and quotas around a panel of them; unless `feasible`, the quotas may be moved off."""
    value_counts = draw(st.lists(st.integers(2, 3), min_size=1, max_size=3))
    person = st.tuples(*(st.integers(0, count - 1) for count in value_counts))
    people = draw(st.lists(person, min_size=2, max_size=9))
    size = draw(st.integers(1, len(people)))
    minima, maxima = [], []
    for f, count in enumerate(value_counts):
        seats = [sum(person[f] == v for person in people[:size]) for v in range(count)]
        if not feasible and draw(st.booleans()):
            seats = seats[1:] + seats[:1]
        minima.append(tuple(max(0, s - draw(st.integers(0, 2))) for s in seats))
        maxima.append(tuple(s + draw(st.integers(0, 2)) for s in seats))
    return small_instance(size, people, minima, maxima)
