"""Weights, households and people who must sit, against a count of all panels person by person."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction
from typing import Any

import pytest

from klero.errors import InfeasibleError, InputError
from klero.ledger.bundle import bundle_files
from klero.ledger.verify import verify_files
from klero.sortition.lottery import Lottery, fair_lottery
from klero.verifiers import klero_verify
from oracle import leximin

Person = dict[str, Any]


def random_case(draw: random.Random) -> tuple[list[Person], list[dict[str, Any]], int, dict[str, Any]]:
    """People with features, weights and addresses, quotas around a panel of them, a size, and rules."""
    n = draw.randint(4, 9)
    features = ["a", "b"][: draw.choice((1, 2, 2))]
    homes = draw.randint(2, n)
    people = [
        {
            "id": f"p{i}",
            **{f: f"{f}{draw.randrange(2)}" for f in features},
            "weight": draw.choice(("1", "2", "0.5", "3")),
            "street": f"{draw.randrange(homes)} rue X" if draw.random() < 0.8 else "",
        }
        for i in range(n)
    ]
    size = draw.randint(1, min(4, n - 1))
    panel = draw.sample(people, size)
    quotas = []
    for f in features:
        for value in sorted({person[f] for person in people}):
            seats = sum(person[f] == value for person in panel)
            quotas.append(
                {
                    "feature": f,
                    "value": value,
                    "min": max(0, seats - draw.randint(0, 1)),
                    "max": seats + draw.randint(0, 1),
                }
            )
    rules: dict[str, Any] = {}
    if draw.random() < 0.6:
        rules["weight"] = "weight"
    if draw.random() < 0.7:
        rules |= {"household": "street", "per_household": draw.choice((1, 1, 2))}
    if draw.random() < 0.3:
        rules["must_sit"] = [panel[0]["id"]]
    return people, quotas, size, rules


def panels(
    people: list[Person], quotas: list[dict[str, Any]], size: int, rules: dict[str, Any]
) -> list[list[int]]:
    """Every panel, as a 0 or 1 for each person."""
    found = []
    for chosen in itertools.combinations(range(len(people)), size):
        seated = [people[i] for i in chosen]
        counts = [sum(p[q["feature"]] == q["value"] for p in seated) for q in quotas]
        if not all(q["min"] <= c <= q["max"] for q, c in zip(quotas, counts, strict=True)):
            continue
        if "household" in rules:
            homes = [p["street"] for p in seated if p["street"]]
            if any(homes.count(home) > rules["per_household"] for home in homes):
                continue
        if not set(rules.get("must_sit", ())) <= {p["id"] for p in seated}:
            continue
        found.append([int(i in chosen) for i in range(len(people))])
    return found


def weights(people: list[Person], rules: dict[str, Any]) -> list[int]:
    return [int(2 * Fraction(p["weight"])) if "weight" in rules else 1 for p in people]


def level_of(lottery: Lottery, person: str) -> Fraction:
    """The level of a person's type, as a probability."""
    instance = lottery.instance
    t = instance.person_type[lottery.position(person)]
    value = next(level.value for level in lottery.certificate.levels if any(t == u for u, _ in level.types))
    return value * instance.weights[t]


@pytest.mark.parametrize("seed", range(8))
def test_leximin_with_rules_is_that_of_all_panels_person_by_person(seed: int) -> None:
    draw = random.Random(seed)
    met = 0
    for _ in range(40):
        people, quotas, size, rules = random_case(draw)
        every = panels(people, quotas, size, rules)
        streets = {person["street"] for person in people}
        # One address for all says that its columns are wrong, unless a household may fill the panel.
        if len(streets) == 1 and "" not in streets and size > rules.get("per_household", size):
            with pytest.raises(InputError, match="household-everyone"):
                fair_lottery(people, quotas, size=size, **rules)
            continue
        if not every:
            with pytest.raises(InfeasibleError):
                fair_lottery(people, quotas, size=size, **rules)
            continue
        met += 1
        lottery = fair_lottery(people, quotas, size=size, **rules)
        w = weights(people, rules)
        true = leximin(every, [1] * len(people), w)
        found = [level_of(lottery, p["id"]) for p in people]
        assert found == [v * x for v, x in zip(true, w, strict=True)]
        files = bundle_files(lottery)
        assert verify_files(files).ok
        assert all(check.ok for check in klero_verify.verify(files))
    assert met > 10
