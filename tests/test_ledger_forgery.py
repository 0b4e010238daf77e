"""A certificate that argues about the wrong people: the arithmetic holds, but the gap can't be hidden."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from klero import _native
from klero.ledger.bundle import bundle_files
from klero.sortition.certificate import (
    Certificate,
    Claim,
    Leaf,
    Level,
    linear_bound,
    mean_bound,
    measured_gap,
)
from klero.sortition.claim import claim_gap, standing
from klero.sortition.instance import read_instance
from klero.sortition.lottery import Lottery, Objective, lottery_for
from klero.sortition.rules import Rules
from klero.verifiers import klero_verify
from ledger_cases import Files, dump, first_failure, golden, outcomes, sealed

EXAMPLES = Path(__file__).resolve().parents[1] / "python" / "klero" / "examples"


def forged() -> Lottery:
    """A maximin lottery dressed up as leximin: one level, huge weights on who is tight, 1 on all others."""
    maximin = lottery_for(read_instance(EXAMPLES / "people.csv", EXAMPLES / "quotas.csv", 30), "maximin")
    instance, level = maximin.instance, maximin.certificate.levels[-1]
    tight = {t: y * 10**12 for t, y in level.types}
    everybody = tuple((t, tight.get(t, 1)) for t in range(len(instance.types)))
    claim = Level(
        Fraction(0), everybody, tuple((c, w * 10**12) for c, w in level.cells), level.seats * 10**12
    )
    claim = replace(claim, value=mean_bound(instance, {}, claim, linear_bound(instance, {}, claim)))
    return replace(maximin, objective="leximin", certificate=Certificate((claim,), Fraction(0)))


def test_a_small_gap_stated_for_it_is_refused_by_both_verifiers() -> None:
    lottery = forged()
    claim = lottery.certificate.levels[0]
    small = max(Fraction(0), *(claim.value - p for p in lottery.type_probabilities))
    assert small < Fraction(1, 10**5)
    lie = replace(lottery, certificate=Certificate((claim,), small))
    library, alone = outcomes(bundle_files(lie))
    assert library == alone
    assert first_failure(library) == "gap"


def test_the_gap_that_both_verifiers_accept_for_it_is_above_one() -> None:
    lottery = forged()
    claim = lottery.certificate.levels[0]
    gap = measured_gap(lottery.instance, [claim], lottery.type_probabilities, last_covers_rest=False)
    assert gap > 1
    truth = replace(lottery, certificate=Certificate((claim,), gap))
    library, alone = outcomes(bundle_files(truth))
    assert library == alone
    assert first_failure(library) is None


def dressed(objective: Objective) -> Lottery:
    """A leximin lottery that says it is another objective's, with that objective's own claim and true gap."""
    instance = read_instance(EXAMPLES / "people.csv", EXAMPLES / "quotas.csv", 30)
    leximin, best = lottery_for(instance), lottery_for(instance, objective)
    claim = best.certificate.claim
    assert claim is not None
    gap = claim_gap(instance, objective, standing(instance, ()), claim, leximin.panels, leximin.denominator)
    return replace(leximin, objective=objective, certificate=Certificate((), gap, claim))


@pytest.mark.parametrize("objective", ["nash", "goldilocks", "minimax"])
def test_a_lottery_of_another_objective_can_only_pass_with_its_large_gap(objective: Objective) -> None:
    lottery = dressed(objective)
    assert lottery.certificate.gap > Fraction(1, 100)
    library, alone = outcomes(bundle_files(lottery))
    assert library == alone
    assert first_failure(library) is None
    lie = replace(lottery.certificate, gap=Fraction(1, 10**6))
    library, alone = outcomes(bundle_files(replace(lottery, certificate=lie)))
    assert library == alone
    assert first_failure(library) == "gap"


def test_nash_weights_of_ones_prove_little_and_say_so() -> None:
    instance = read_instance(EXAMPLES / "people.csv", EXAMPLES / "quotas.csv", 30)
    best = lottery_for(instance, "nash")
    where = standing(instance, ())
    ones = Claim(tuple((t, 1) for t in where.open), Fraction(0), (Leaf(1, (), 1),))
    gap = claim_gap(instance, "nash", where, ones, best.panels, best.denominator)
    assert gap > Fraction(1, 10)
    library, alone = outcomes(bundle_files(replace(best, certificate=Certificate((), gap, ones))))
    assert library == alone
    assert first_failure(library) is None


@pytest.mark.parametrize("objective", ["nash", "goldilocks", "minimax"])
def test_nobody_can_be_declared_out_of_the_question(objective: Objective) -> None:
    """Whoever has the worst chance is left out: as forced (no weight) or as shut out (a level of value 0)."""
    instance = read_instance(EXAMPLES / "people.csv", EXAMPLES / "quotas.csv", 30)
    lottery = lottery_for(instance, objective)
    claim = lottery.certificate.claim
    assert claim is not None
    worst = min(range(len(instance.types)), key=lambda t: lottery.type_probabilities[t])
    level = Level(Fraction(0), ((worst, 1),), (), 0)
    out = replace(claim, weights=tuple((t, w) for t, w in claim.weights if t != worst))
    for certificate in (
        Certificate((level,), Fraction(0), out),
        Certificate((level,), lottery.certificate.gap, claim),
    ):
        library, alone = outcomes(bundle_files(replace(lottery, certificate=certificate)))
        assert library == alone
        assert first_failure(library) == "certificate"


def failure(files: Files) -> str | None:
    """The first check that fails; both verifiers must agree on all of them."""
    library, alone = outcomes(files)
    assert library == alone
    return first_failure(library)


def written(
    features: list[tuple[str, list[tuple[str, int, int]]]],
    types: list[list[int]],
    people: list[tuple[str, int]],
    panels: list[Any],
    certificate: dict[str, Any],
    *,
    objective: str = "leximin",
    household: int = 0,
    households: list[list[int]] | None = None,
    weight: int = 1,
) -> Files:
    """A bundle as a forger writes it, without a draw: features with (value, min, max); no hashes yet."""
    return {
        "declaration.json": dump(
            {
                "algorithm": "klero-lottery/2",
                "denominator": 1000,
                "features": [
                    {"name": name, "values": [{"max": b, "min": a, "value": v} for v, a, b in values]}
                    for name, values in features
                ],
                "format": "klero-bundle/2",
                "household": household,
                "id_column": "id",
                "kind": "trial",
                "objective": objective,
                "people": len(people),
                "protocol": "klero-draw/1",
                "size": 2,
            }
        ),
        "pool.json": dump(
            {
                "households": households or [],
                "people": people,
                "types": types,
                "weights": [weight] * len(types),
            }
        ),
        "lottery.json": dump({"panels": panels}),
        "certificate.json": dump(certificate),
        "commitment.json": b"{}",
    }


def with_hashes(files: Files) -> Files:
    return {**files, "commitment.json": _native.commitment_file(files)}


def level(types: list[Any], value: str, cells: list[Any], seats: str) -> dict[str, Any]:
    return {"cells": cells, "held": [], "proof": [], "seats": seats, "types": types, "value": value}


def test_a_member_with_another_value_than_the_household_is_refused() -> None:
    """a1 and a2 live together. The pool says that a2 is alone and that c, who is, is of their household's value: the totals agree."""
    certificate = {"gap": "0", "level": "L0", "levels": [level([[0, "1"], [1, "1"]], "1/2", [], "1")]}
    files = written(
        [("(household)", [("1", 0, 1), ("alone", 0, 2)]), ("g", [("x", 1, 1), ("y", 1, 1)])],
        [[0, 0], [1, 1]],
        [("a1", 0), ("a2", 1), ("c", 0), ("d", 1)],
        [[1000, [[0, 1], [1, 1]]]],
        certificate,
        household=1,
        households=[[0, 1]],
    )
    assert failure(files) == "pool"


@pytest.mark.parametrize(
    ("value", "bound", "other"), [("1", "min", 1), ("alone", "min", 1), ("alone", "max", 1), ("1", "max", 3)]
)
def test_the_quotas_of_the_household_feature_are_those_of_the_rule(
    value: str, bound: str, other: int
) -> None:
    files = golden("household")
    declaration = json.loads(files["declaration.json"])
    cell = next(c for c in declaration["features"][0]["values"] if c["value"] == value)
    cell[bound] = other
    assert failure({**files, "declaration.json": dump(declaration)}) == "pool"


def test_the_draw_itself_is_held_to_the_size_and_the_household_rule() -> None:
    """No bundle whose pool and quotas pass comes here; so the limits are moved under a true draw of two people, one of them of a couple."""
    bundle = klero_verify.Bundle(golden("household"))
    for _, _, check in [*klero_verify.LOTTERY_CHECKS, *klero_verify.DRAW_CHECKS]:
        check(bundle)
    assert bundle.home.keys() & {bundle.ids.index(i) for i in bundle.documents["draw.json"]["panel"]}
    for size, most, ok in ((2, 1, True), (2, 0, False), (3, 1, False), (1, 1, False)):
        bundle.size, bundle.most = size, most
        if ok:
            bundle.check_panel()
        else:
            with pytest.raises(klero_verify.Failed, match="bad_rule"):
                bundle.check_panel()


def heavy(weight: int, gap: Fraction) -> Files:
    """Minimax: two of ten people are drawn 998 times in 1,000. The claim is the mean, 2 seats for 10 people."""
    claim = {
        "proof": [{"cells": [], "scale": "1", "seats": "-1"}],
        "tangent": "0",
        "weights": [[0, "1"], [1, "1"]],
    }
    return with_hashes(
        written(
            [("g", [("x", 0, 2), ("y", 0, 2)])],
            [[0], [1]],
            [(f"p{i}", int(i > 1)) for i in range(10)],
            [[998, [[0, 2]]], [2, [[1, 2]]]],
            {"claim": claim, "gap": str(gap), "level": "L0", "levels": []},
            objective="minimax",
            weight=weight,
        )
    )


@pytest.mark.parametrize("weight", [1, 10**12])
def test_minimax_gap_is_counted_in_even_shares_whatever_unit_weights_are_in(weight: int) -> None:
    # 998/1000 against 2/10, and the even share is 2/10.
    assert failure(heavy(weight, Fraction(399, 100))) is None
    assert failure(heavy(weight, Fraction(399, 500 * weight))) == "gap"


def test_a_claim_without_a_seat_for_open_types_is_refused_and_breaks_nothing() -> None:
    """p0 and p1 must be there by a minimum of 2, so no seat is left for others, whom no level shuts out."""
    claim = {
        "proof": [{"cells": [], "scale": "1", "seats": "-1"}],
        "tangent": "0",
        "weights": [[1, "1"]],
    }
    files = with_hashes(
        written(
            [("g", [("x", 2, 2), ("y", 0, 2)])],
            [[0], [1]],
            [("p0", 0), ("p1", 0), ("p2", 1), ("p3", 1)],
            [[1000, [[0, 2]]]],
            {"claim": claim, "gap": "0", "level": "L0", "levels": []},
            objective="minimax",
        )
    )
    assert failure(files) == "certificate"


def must_sit(values: list[tuple[str, int, int]], must: int) -> Files:
    """Four people, of whom the first has the last of these values. They sit, or others do, as `must` says."""
    never = level([[1, "1"]], "0", [[1, "1"]], "0")
    others = level([[0, "1"]], "2/3", [], "1")
    surely = level([[1, "1"]], "1", [], "0")
    third = level([[0, "1"]], "1/3", [[1, "-1"]], "1")
    levels, panel = ([third, surely], [[0, 1], [1, 1]]) if must else ([never, others], [[0, 2]])
    return written(
        [("(must sit)", values)],
        [[0], [1]],
        [("p0", 1), ("p1", 0), ("p2", 0), ("p3", 0)],
        [[1000, panel]],
        {"gap": "0", "level": "L0", "levels": levels},
    )


@pytest.mark.parametrize(
    ("values", "must"),
    [
        ([("no", 0, 2), ("yes", 0, 0)], 0),
        ([("no", 0, 2), ("yes", 0, 1)], 1),
        ([("no", 0, 2), ("yes", 1, 2)], 1),
        ([("No", 0, 2), ("yes", 1, 1)], 1),
        ([("maybe", 0, 2), ("no", 1, 1)], 1),
    ],
)
def test_who_must_sit_has_a_seat_on_every_panel(values: list[tuple[str, int, int]], must: int) -> None:
    assert failure(must_sit(values, must)) == "pool"


@pytest.mark.parametrize("idle", [False, True])
def test_no_stands_beside_yes_only_if_somebody_has_it(idle: bool) -> None:
    """Both people of a panel of two must sit."""
    values = [("no", 0, 0), ("yes", 2, 2)] if idle else [("yes", 2, 2)]
    certificate = {"gap": "0", "level": "L0", "levels": [level([[0, "1"]], "1", [], "1")]}
    files = written(
        [("(must sit)", values)], [[int(idle)]], [("p0", 0), ("p1", 0)], [[1000, [[0, 2]]]], certificate
    )
    assert failure(files if idle else with_hashes(files)) == ("pool" if idle else None)


@pytest.mark.parametrize("must", [["p1"], ["p0", "p1", "p2", "p3"]])
def test_must_sit_and_household_of_a_true_lottery_pass(must: list[str]) -> None:
    people = [{"id": f"p{i}", "g": "xy"[i % 2], "a": f"h{i // 2}" if i > 3 else f"s{i}"} for i in range(8)]
    people = people[: 4 if len(must) == 4 else 8]
    quotas = [{"feature": "g", "value": v, "min": 1, "max": 3} for v in "xy"]
    rules = Rules(must_sit=tuple(must), household=("a",), per_household=1)
    files = bundle_files(lottery_for(read_instance(people, quotas, 4, rules=rules), "leximin", 1000))
    files["draw.json"] = _native.draw_file(files, "seed")
    assert failure(files) is None
    values = json.loads(files["declaration.json"])["features"][1]
    assert values["name"] == "(must sit)"
    assert [c["value"] for c in values["values"]] == (["yes"] if len(must) == 4 else ["no", "yes"])


def test_a_certificate_that_would_take_hours_is_refused_before_the_work() -> None:
    """32,000 types and a chain of 31,251 leaves, in a few megabytes."""
    types, splits = 32_000, 31_250
    nodes: list[dict[str, Any]] = []
    for i in range(splits):
        nodes.append({"above": 2 * i + 2, "at_most": i, "below": 2 * i + 1, "type": types - 1})
        nodes.append({"cells": [], "scale": "1", "seats": "0"})
    nodes.append({"cells": [], "scale": "1", "seats": "0"})
    claim = {"proof": nodes, "tangent": "0", "weights": [[0, "1"]]}
    files = written(
        [("g", [(f"{i:06}", 0, types) for i in range(types)])],
        [[i] for i in range(types)],
        [(f"{i:06}", min(i, types - 1)) for i in range(types + splits)],
        [[1000, [[0, 1], [1, 1]]]],
        {"claim": claim, "gap": "0", "level": "L1", "levels": []},
        objective="minimax",
    )
    assert failure(with_hashes(files)) == "certificate"
    library = {name: said for name, _, said in _native.verify(files)}
    alone = {check.name: check.detail for check in klero_verify.verify(files)}
    assert "1000000000" in library["certificate"]
    assert "1000000000" in alone["certificate"]


@pytest.mark.parametrize(("name", "work"), [("leximin", 16), ("maximin", 6), ("nash", 15)])
def test_leaves_of_levels_and_claim_and_levels_count(
    name: str, work: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit, ok in ((work, True), (work - 1, False)):
        monkeypatch.setattr(klero_verify, "WORK_LIMIT", limit)
        checks = {check.name: check.ok for check in klero_verify.verify(golden(name))}
        assert checks["certificate"] is ok


def test_a_leaf_rounded_down_over_its_scale_is_called_l1() -> None:
    files = golden("minimax")
    certificate = json.loads(files["certificate.json"])
    (leaf,) = certificate["claim"]["proof"]
    assert (leaf["scale"], certificate["level"]) == ("1", "L0")
    leaf |= {"cells": [[c, str(2 * int(w))] for c, w in leaf["cells"]], "scale": "2"}
    assert failure(sealed({**files, "certificate.json": dump(certificate)})) == "gap"
    certificate["level"] = "L1"
    assert failure(sealed({**files, "certificate.json": dump(certificate)})) is None
    for scale, said in ((1, "L0"), (2, "L1")):
        claim = Claim(((0, 1),), Fraction(0), (Leaf(scale, (), -scale),))
        assert Certificate((), Fraction(0), claim).level == said
