"""Replacements: those who stay stay, the rest is a fair lottery over completions, and each bundle follows from the one before."""

from __future__ import annotations

import json
import random
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import klero
from klero.errors import BundleError, InfeasibleError, InputError, OutputExistsError
from klero.ledger.folder import add_file, read_bundle
from klero.ledger.replacement import Drawn, link_text
from klero.ledger.states import Event
from klero.sortition.feasibility import feasible_panel
from klero.sortition.instance import Instance
from klero.sortition.lottery import lottery_for
from klero.sortition.residual import breach, plain, residual, widened
from oracle import leximin
from strategies import instances

TIME = "2026-05-01T09:00:00Z"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with its draw: 120 people, 12 seats; read only."""
    bundle = tmp_path_factory.mktemp("replacement") / "bundle"
    klero.write_lottery(klero.fair_lottery(people(120), quotas(12), size=12), bundle)
    klero.draw(bundle, trial_seed="first")
    return bundle


def people(count: int) -> list[dict[str, object]]:
    chance = random.Random(5)
    return [{"id": f"P{i:03}", "g": chance.choice("wm"), "age": chance.choice("abc")} for i in range(count)]


def quotas(size: int) -> list[dict[str, object]]:
    half, third = size // 2, size // 3
    rows = [("g", "w", half, half), ("g", "m", half, half)]
    rows += [("age", v, third - 1, third + 1) for v in "abc"]
    return [{"feature": f, "value": v, "min": lo, "max": hi} for f, v, lo, hi in rows]


def panel_of(bundle: Path) -> list[str]:
    return list(json.loads((bundle / "draw.json").read_bytes())["panel"])


def codes(caught: pytest.ExceptionInfo[InputError]) -> list[str]:
    return [fault.code for fault in caught.value.faults]


def completions(instance: Instance, stay: set[str], candidates: set[str]) -> list[frozenset[str]]:
    """Every completion of those who stay that keeps the quotas, person by person."""
    free = instance.size - len(stay)
    return [
        frozenset(stay) | set(more)
        for more in combinations(sorted(candidates), free)
        if not broken_by(instance, stay | set(more))
    ]


def broken_by(instance: Instance, panel: set[str] | frozenset[str]) -> int:
    """By how many people a panel is outside the quotas, summed over cells."""
    kind = dict(zip(instance.ids, instance.person_type, strict=True))
    total = 0
    for c, (lo, hi) in enumerate(instance.cell_bounds):
        held = sum(c in instance.type_cells(kind[i]) for i in panel)
        total += max(0, lo - held, held - hi)
    return total


@st.composite
def cases(draw: st.DrawFn) -> tuple[Instance, set[str], set[str]]:
    """An instance with a feasible panel, some of whom stay, and those who may be drawn."""
    instance = draw(instances(feasible=True))
    panel = feasible_panel(instance)
    assert panel is not None
    left = list(panel)
    members = []
    for i, t in zip(instance.ids, instance.person_type, strict=True):
        if left[t]:
            left[t] -= 1
            members.append(i)
    gone = draw(st.sets(st.sampled_from(members), min_size=1))
    others = sorted(set(instance.ids) - set(members))
    out = draw(st.sets(st.sampled_from(others))) if others else set()
    return instance, set(members) - gone, set(others) - out


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(case=cases())
def test_probabilities_are_leximin_over_all_completions(case: tuple[Instance, set[str], set[str]]) -> None:
    instance, stay, candidates = case
    assume(len(candidates) >= instance.size - len(stay))
    panels = completions(instance, stay, candidates)
    assume(panels)
    everybody = sorted(stay | candidates)
    truth = leximin([[int(i in panel) for i in everybody] for panel in panels], [1] * len(everybody))
    lottery = lottery_for(residual(instance, stay, candidates))
    assert list(lottery.instance.ids) == everybody
    for i, p in zip(everybody, truth, strict=True):
        assert abs(lottery.probability(i) - p) <= 3e-6, i
        if i in stay:
            assert lottery.probability(i) == 1


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(case=cases())
def test_smallest_breach_is_the_smallest_of_all_completions(
    case: tuple[Instance, set[str], set[str]],
) -> None:
    instance, stay, candidates = case
    free = instance.size - len(stay)
    left = residual(instance, stay, candidates)
    if len(candidates) < free:
        with pytest.raises(InfeasibleError, match="seats"):
            breach(left)
        return
    least = min(broken_by(instance, stay | set(more)) for more in combinations(sorted(candidates), free))
    repair = breach(left)
    assert (repair.total if repair else 0) == least
    if repair:
        panel = feasible_panel(widened(left, repair))
        assert panel is not None
        assert left.must_sit == stay


def test_the_residual_of_everybody_is_the_instance_without_rules(drawn: Path) -> None:
    instance = klero.load_lottery(drawn).instance
    assert residual(instance, [], instance.ids) == plain(instance) == instance


def test_residual_is_what_a_lottery_from_tables_with_must_sit_would_be() -> None:
    from klero.sortition.instance import build_instance
    from klero.sortition.rules import Rules

    table = [p | {"home": f"h{i // 3}", "w": 1 + i % 2} for i, p in enumerate(people(40))]
    rules = {"weight": "w", "household": ("home",), "per_household": 1}
    pool, wanted = klero.Pool.read(table), klero.Quotas.read(quotas(12))
    whole = build_instance(pool, wanted, 12, Rules(**rules))  # type: ignore[arg-type]
    stay, out = {"P000", "P003", "P007"}, {"P001", "P030"}
    left = residual(whole, stay, set(whole.ids) - stay - out)
    rest = klero.Pool.read([p for p in table if p["id"] not in out])
    fresh = build_instance(rest, wanted, 12, Rules(must_sit=tuple(sorted(stay)), **rules))  # type: ignore[arg-type]
    # A household that has become small is no longer told apart; all else is the same to the byte.
    assert left == fresh
    assert left.digest() == fresh.digest()


def test_staying_members_sit_and_the_bundle_verifies_and_follows(drawn: Path, tmp_path: Path) -> None:
    panel = panel_of(drawn)
    result = klero.replace(drawn, withdrawn=panel[:3], round=1, trial_seed="one", output=tmp_path / "r1")
    assert set(panel[3:]) <= set(result.draw.panel)
    assert len(result.newcomers) == 3
    assert not set(result.newcomers) & set(panel)
    assert broken_by(klero.load_lottery(drawn).instance, set(result.draw.panel)) == 0
    assert klero.verify(tmp_path / "r1").ok
    assert klero.verify_replacement(tmp_path / "r1", [drawn]).ok
    assert result.previous == json.loads((drawn / "commitment.json").read_bytes())["commitment"]
    assert result.previous in result.draw.seed_text


def test_same_input_and_seed_give_the_same_bytes(drawn: Path, tmp_path: Path) -> None:
    panel = panel_of(drawn)
    klero.replace(drawn, withdrawn=panel[:2], round=1, trial_seed="é", output=tmp_path / "a")
    klero.replace(drawn, withdrawn=[panel[1], panel[0]], round=1, trial_seed="e\u0301", output=tmp_path / "b")
    assert read_bundle(tmp_path / "a") == read_bundle(tmp_path / "b")
    other = klero.replace(drawn, withdrawn=panel[:2], round=2, trial_seed="é")
    assert other.draw.seed != json.loads((tmp_path / "a" / "draw.json").read_bytes())["seed"]


def test_alternates_alone_are_drawn_and_the_whole_pool_comes_back_with_earlier_bundles(
    drawn: Path, tmp_path: Path
) -> None:
    panel, instance = panel_of(drawn), klero.load_lottery(drawn).instance
    kind = dict(zip(instance.ids, instance.person_type, strict=True))
    same = [i for i in instance.ids if kind[i] == kind[panel[0]] and i not in panel][:2]
    first = klero.replace(
        drawn, withdrawn=panel[:1], round=1, trial_seed="x", output=tmp_path / "r1", alternates=same
    )
    assert first.newcomers[0] in same
    assert len(first.lottery.instance.ids) == 11 + len(same)
    gone = first.newcomers[0]
    second = klero.replace(
        tmp_path / "r1", withdrawn=[gone], round=2, trial_seed="x", output=tmp_path / "r2", earlier=[drawn]
    )
    assert set(second.lottery.instance.ids) == set(instance.ids) - {panel[0], gone}
    assert klero.verify_replacement(tmp_path / "r2", [drawn, tmp_path / "r1"]).ok
    assert not klero.verify_replacement(tmp_path / "r2", [drawn]).ok


def test_a_breach_is_refused_said_and_drawn_only_when_allowed(drawn: Path, tmp_path: Path) -> None:
    panel, instance = panel_of(drawn), klero.load_lottery(drawn).instance
    value = {i: instance.type_name(t) for i, t in zip(instance.ids, instance.person_type, strict=True)}
    women = [i for i in panel if "g: w" in value[i]]
    men = [i for i in instance.ids if "g: m" in value[i] and i not in panel]
    arguments = {"withdrawn": women[:2], "round": 1, "trial_seed": "x", "alternates": men}
    with pytest.raises(InfeasibleError, match="smallest breach") as caught:
        klero.replace(drawn, output=tmp_path / "r1", **arguments)  # type: ignore[arg-type]
    assert "--allow-breach" in str(caught.value)
    assert not (tmp_path / "r1").exists()
    result = klero.replace(drawn, output=tmp_path / "r1", allow_breach=True, **arguments)  # type: ignore[arg-type]
    left = residual(instance, set(panel) - set(women[:2]), men)
    least = min(broken_by(instance, set(panel) - set(women[:2]) | set(two)) for two in combinations(men, 2))
    assert sum(abs(after - before) for _, _, before, after in result.breach) == least == breach(left).total  # type: ignore[union-attr]
    assert ("g: w", "min", 6, 4) in result.breach
    assert "the minimum of g: w was 6 and is 4 now" in result.explain()
    assert "le minimum de g: w était 6 et devient 4" in result.explain("fr")
    found = {c.name: c.detail for c in klero.verify_replacement(tmp_path / "r1", [drawn])}
    assert found["quotas"] == f"widened by {least} in all, the least that any completion needs"


@pytest.mark.parametrize(
    ("gone", "round_", "code"),
    [
        ([], 1, "withdrawal-none"),
        (["twice"], 1, "withdrawal-duplicate"),
        (["undrawn"], 1, "withdrawal-unknown"),
        (["P999"], 1, "withdrawal-unknown"),
        (["member"], 0, "round-invalid"),
        (["member"], -1, "round-invalid"),
        (["member"], True, "round-invalid"),
    ],
)
def test_bad_withdrawals_and_rounds_are_refused(
    drawn: Path, tmp_path: Path, gone: list[str], round_: int, code: str
) -> None:
    panel = panel_of(drawn)
    undrawn = next(i for i in klero.load_lottery(drawn).instance.ids if i not in panel)
    names = {"twice": [panel[0], panel[0]], "undrawn": [undrawn], "member": [panel[0]]}
    withdrawn = [i for g in gone for i in names.get(g, [g])]
    with pytest.raises(InputError) as caught:
        klero.replace(drawn, withdrawn=withdrawn, round=round_, trial_seed="x", output=tmp_path / "r")
    assert codes(caught) == [code]
    assert list(tmp_path.iterdir()) == []


def test_all_faults_are_told_at_once(drawn: Path) -> None:
    panel = panel_of(drawn)
    with pytest.raises(InputError) as caught:
        klero.replace(drawn, withdrawn=[panel[0], panel[0], "nobody"], round=0, trial_seed="")
    assert codes(caught) == ["round-invalid", "withdrawal-duplicate", "withdrawal-unknown", "seed-invalid"]


def test_who_withdrew_before_can_not_withdraw_again_and_rounds_rise(drawn: Path, tmp_path: Path) -> None:
    panel = panel_of(drawn)
    klero.replace(drawn, withdrawn=panel[:1], round=2, trial_seed="x", output=tmp_path / "r2")
    with pytest.raises(InputError) as caught:
        klero.replace(tmp_path / "r2", withdrawn=panel[:1], round=2, trial_seed="x", earlier=[drawn])
    assert codes(caught) == ["round-order", "withdrawal-duplicate"]
    with pytest.raises(InputError) as caught:
        klero.replace(drawn, withdrawn=panel[1:2], round=3, trial_seed="x", earlier=[tmp_path / "r2"])
    assert "replacement-link" in codes(caught)


def test_alternates_must_be_in_the_pool_and_off_the_panel(drawn: Path) -> None:
    panel = panel_of(drawn)
    undrawn = next(i for i in klero.load_lottery(drawn).instance.ids if i not in panel)
    with pytest.raises(InputError) as caught:
        klero.replace(
            drawn,
            withdrawn=panel[:1],
            round=1,
            trial_seed="x",
            alternates=[panel[1], "P999", undrawn, undrawn],
        )
    assert codes(caught) == ["alternate-invalid"] * 3


def test_too_few_alternates_are_told_with_the_numbers(drawn: Path) -> None:
    panel = panel_of(drawn)
    undrawn = next(i for i in klero.load_lottery(drawn).instance.ids if i not in panel)
    for named in ([], [undrawn]):
        with pytest.raises(InfeasibleError) as caught:
            klero.replace(
                drawn, withdrawn=panel[:2], round=1, trial_seed="x", alternates=named, allow_breach=True
            )
        count = "1 alternate." if named else "0 alternates."
        assert caught.value.conflict == (f"2 seats to fill, {count}",)
        assert f"the {108 - len(named)} others of the pool" in caught.value.repairs[1]
        assert "panel" not in str(caught.value)


def test_an_alternate_who_withdrew_is_told(drawn: Path, tmp_path: Path) -> None:
    panel = panel_of(drawn)
    undrawn = [i for i in klero.load_lottery(drawn).instance.ids if i not in panel]
    arguments = {"round": 1, "trial_seed": "x", "allow_breach": True, "withdrawn": panel[:1]}
    result = klero.replace(drawn, alternates=undrawn[:4], **arguments)  # type: ignore[arg-type]
    assert result.retired == ()
    result = klero.replace(drawn, alternates=[*undrawn[:4], panel[0]], **arguments)  # type: ignore[arg-type]
    assert result.retired == (panel[0],)
    log = tmp_path / "log"
    start_log(log, drawn)
    klero.append_log(
        log, [Event(person=i, to="withdrawn", time=TIME, reason="moved", round=1) for i in undrawn[:2]]
    )
    more = {"log": log, "time": "2026-05-02T09:00:00Z"}
    with pytest.raises(InfeasibleError, match="1 seat to fill, 0 alternates") as caught:
        klero.replace(drawn, alternates=undrawn[:2], **arguments, **more)  # type: ignore[arg-type]
    assert f"'{undrawn[0]}', '{undrawn[1]}' were named as alternates and withdrew" in str(caught.value)


def test_a_bundle_that_was_not_drawn_or_is_damaged_is_refused(drawn: Path, tmp_path: Path) -> None:
    klero.write_lottery(klero.fair_lottery(people(120), quotas(12), size=12), tmp_path / "fresh")
    with pytest.raises(BundleError, match="not drawn yet"):
        klero.replace(tmp_path / "fresh", withdrawn=["P001"], round=1, trial_seed="x")
    add_file(tmp_path / "fresh", "draw.json", (drawn / "draw.json").read_bytes().replace(b"first", b"other"))
    with pytest.raises(BundleError, match=r"draw\.seed"):
        klero.replace(tmp_path / "fresh", withdrawn=["P001"], round=1, trial_seed="x")


def test_nothing_is_overwritten_without_force(drawn: Path, tmp_path: Path) -> None:
    arguments = {"withdrawn": panel_of(drawn)[:1], "round": 1, "output": tmp_path / "r"}
    klero.replace(drawn, trial_seed="a", **arguments)  # type: ignore[arg-type]
    old = read_bundle(tmp_path / "r")
    with pytest.raises(OutputExistsError):
        klero.replace(drawn, trial_seed="b", **arguments)  # type: ignore[arg-type]
    assert read_bundle(tmp_path / "r") == old
    klero.replace(drawn, trial_seed="b", force=True, **arguments)  # type: ignore[arg-type]
    assert read_bundle(tmp_path / "r") != old


def start_log(path: Path, bundle: Path) -> None:
    ids, panel = klero.load_lottery(bundle).instance.ids, panel_of(bundle)
    events = [Event(person=i, to="volunteered", time=TIME, reason="in-pool") for i in ids]
    klero.append_log(
        path, [*events, *(Event(person=i, to="selected", time=TIME, reason="drawn") for i in panel)]
    )


def test_the_log_gets_withdrawals_newcomers_and_seats_filled(drawn: Path, tmp_path: Path) -> None:
    panel, log = panel_of(drawn), tmp_path / "log"
    start_log(log, drawn)
    klero.append_log(log, [Event(person=panel[0], to="withdrawn", time=TIME, reason="illness", round=1)])
    result = klero.replace(
        drawn, round=1, trial_seed="x", output=tmp_path / "r1", log=log, time="2026-05-02T09:00:00Z"
    )
    assert result.withdrawn == (panel[0],)
    book = klero.read_log(log)
    assert book.states[panel[0]] == "replaced"
    assert book.states[result.newcomers[0]] == "selected"
    assert book.history(result.newcomers[0])[-1].record == result.draw.commitment
    assert klero.verify_log(log).ok


def test_the_log_keeps_out_who_withdrew_as_a_volunteer(drawn: Path, tmp_path: Path) -> None:
    panel, log = panel_of(drawn), tmp_path / "log"
    start_log(log, drawn)
    others = [i for i in klero.load_lottery(drawn).instance.ids if i not in panel]
    klero.append_log(log, [Event(person=others[0], to="withdrawn", time=TIME, reason="moved")])
    old = log.read_bytes()
    result = klero.replace(drawn, withdrawn=panel[:1], round=1, trial_seed="x", log=log, time=TIME)
    assert log.read_bytes() == old  # no bundle was written, so nothing happened yet
    assert others[0] not in result.lottery.instance.ids


def test_a_log_that_does_not_fit_is_refused_before_anything_is_written(drawn: Path, tmp_path: Path) -> None:
    panel, log = panel_of(drawn), tmp_path / "log"
    arguments = {"withdrawn": panel[:1], "trial_seed": "x", "output": tmp_path / "r", "log": log}
    klero.append_log(log, [])
    with pytest.raises(InputError) as caught:
        klero.replace(drawn, round=1, time=TIME, **arguments)  # type: ignore[arg-type]
    assert codes(caught) == ["state-transition", "state-transition"]
    log.unlink()
    start_log(log, drawn)
    old = log.read_bytes()
    for wrong, code in (({"time": ""}, "time-invalid"), ({"time": "2026-01-01T00:00:00Z"}, "time-order")):
        with pytest.raises(InputError) as caught:
            klero.replace(drawn, round=1, **wrong, **arguments)  # type: ignore[arg-type]
        assert codes(caught) == [code]
    with pytest.raises(InputError, match="reason-invalid"):
        klero.replace(drawn, round=1, time=TIME, reason="He is ill", **arguments)  # type: ignore[arg-type]
    klero.append_log(log, [Event(person=panel[1], to="withdrawn", time=TIME, reason="illness", round=3)])
    with pytest.raises(InputError) as caught:
        klero.replace(drawn, round=2, time=TIME, **arguments)  # type: ignore[arg-type]
    assert codes(caught) == ["round-order", "state-transition"]
    assert log.read_bytes().startswith(old)
    assert not (tmp_path / "r").exists()


def test_a_replacement_moved_to_another_panel_or_with_a_returned_member_fails(
    drawn: Path, tmp_path: Path
) -> None:
    panel = panel_of(drawn)
    klero.replace(drawn, withdrawn=panel[:2], round=1, trial_seed="x", output=tmp_path / "r1")
    klero.write_lottery(klero.fair_lottery(people(120), quotas(12), size=12), tmp_path / "other")
    klero.draw(tmp_path / "other", trial_seed="second")
    other = klero.verify_replacement(tmp_path / "r1", [tmp_path / "other"])
    assert (drawn / "commitment.json").read_bytes() == (tmp_path / "other" / "commitment.json").read_bytes()
    assert not other.checks[1].ok
    assert "does not follow" in other.checks[1].detail
    # A draw in the words of a replacement over a pool in which somebody who left is back.
    instance, before = klero.load_lottery(drawn).instance, Drawn.read(drawn).draw
    back = residual(instance, panel[2:], set(instance.ids) - set(panel[1:]))
    klero.write_lottery(lottery_for(back), tmp_path / "back")
    klero.draw(tmp_path / "back", trial_seed=link_text(before, 1, "x"))
    found = {c.name: (c.ok, c.detail) for c in klero.verify_replacement(tmp_path / "back", [drawn])}
    assert found["people"] == (False, f"'{panel[0]}' had left the panel and is in the pool in round 1")
    unlinked = tmp_path / "unlinked"
    klero.write_lottery(lottery_for(residual(instance, panel[2:], set(instance.ids) - set(panel))), unlinked)
    klero.draw(unlinked, trial_seed="x")
    assert not klero.verify_replacement(unlinked, [drawn]).checks[1].ok


def test_widened_quotas_are_not_taken_for_the_real_ones(drawn: Path, tmp_path: Path) -> None:
    panel, instance = panel_of(drawn), klero.load_lottery(drawn).instance
    value = {i: instance.type_name(t) for i, t in zip(instance.ids, instance.person_type, strict=True)}
    women = [i for i in panel if "g: w" in value[i]]
    men = [i for i in instance.ids if "g: m" in value[i] and i not in panel]
    first = klero.replace(
        drawn,
        withdrawn=women[:2],
        round=1,
        trial_seed="x",
        alternates=men,
        allow_breach=True,
        output=tmp_path / "r1",
    )
    arguments = {"withdrawn": first.newcomers[:1], "round": 2, "trial_seed": "x"}
    with pytest.raises(InputError, match="--earlier") as caught:
        klero.replace(tmp_path / "r1", output=tmp_path / "r2", **arguments)  # type: ignore[arg-type]
    assert codes(caught) == ["replacement-link"]
    assert not (tmp_path / "r2").exists()
    # Who says so gets the widened quotas; who verifies is told that the chain begins in its middle.
    klero.replace(tmp_path / "r1", output=tmp_path / "r2", without_earlier=True, **arguments)  # type: ignore[arg-type]
    found = {c.name: (c.ok, c.detail) for c in klero.verify_replacement(tmp_path / "r2", [tmp_path / "r1"])}
    assert not found["link"][0]
    assert "is itself a replacement (round 1 after" in found["link"][1]
    # With the first bundle the real quotas hold again (one man too many stays, so a woman is missing), and the chain verifies.
    third = klero.replace(
        tmp_path / "r1",
        output=tmp_path / "r3",
        earlier=[drawn],
        allow_breach=True,
        **arguments,  # type: ignore[arg-type]
    )
    assert ("g: w", "min", 6, 5) in third.breach
    assert klero.verify_replacement(tmp_path / "r3", [drawn, tmp_path / "r1"]).ok


def test_quotas_widened_without_need_fail(drawn: Path, tmp_path: Path) -> None:
    from dataclasses import replace as changed

    panel, instance = panel_of(drawn), klero.load_lottery(drawn).instance
    left = residual(instance, panel[1:], set(instance.ids) - set(panel))
    at = left.features.index("g")
    minima = tuple(tuple(max(0, n - 1) for n in row) if f == at else row for f, row in enumerate(left.minima))
    maxima = tuple(tuple(n + 1 for n in row) if f == at else row for f, row in enumerate(left.maxima))
    klero.write_lottery(lottery_for(changed(left, minima=minima, maxima=maxima)), tmp_path / "wide")
    before = Drawn.read(drawn).draw
    klero.draw(tmp_path / "wide", trial_seed=link_text(before, 1, "x"))
    found = {c.name: (c.ok, c.detail) for c in klero.verify_replacement(tmp_path / "wide", [drawn])}
    assert found["quotas"] == (False, "the quotas are widened by 4 in all, and 0 would be enough")
