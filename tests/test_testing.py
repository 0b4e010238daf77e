"""What `klero.testing` ships: strategies that keep their word, and a list of panels that misses none."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

import klero.testing
from klero.errors import MissingExtraError
from klero.sortition.feasibility import feasible_panel
from klero.sortition.instance import Instance
from oracle import all_panels, random_instances


def test_all_panels_are_listed() -> None:
    for instance in random_instances(51, 60):
        assert klero.testing.enumerate_panels(instance) == all_panels(instance)


@settings(max_examples=60, deadline=None)
@given(klero.testing.instances())
def test_quotas_that_are_said_to_be_feasible_are(instance: Instance) -> None:
    panels = klero.testing.enumerate_panels(instance)
    assert feasible_panel(instance) in panels


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(klero.testing.instances(weights=True, households=True))
def test_weights_and_households_are_put_to_use(instance: Instance) -> None:
    panels = klero.testing.enumerate_panels(instance)
    assert feasible_panel(instance) in panels
    assert instance.per_household == 1
    assert set(instance.weights) <= {1, 2, 3, 4, 5}


@given(st.data())
def test_quotas_fit_the_pool_that_they_are_for(data: st.DataObject) -> None:
    pool = data.draw(klero.testing.pools(min_people=3))
    quotas, size = data.draw(klero.testing.quotas_for(pool, features=["f0"]))
    assert quotas.features == ("f0",)
    assert set(quotas.values("f0")) == set(pool.column("f0"))
    assert 1 <= size <= len(pool)


def test_quotas_that_can_not_be_met_come_up_where_they_may() -> None:
    found = find(klero.testing.instances(feasible=False), lambda i: not klero.testing.enumerate_panels(i))
    assert feasible_panel(found) is None


def test_shared_households_come_up() -> None:
    assert find(klero.testing.instances(households=True), lambda i: bool(i.households)).households


@pytest.mark.parametrize("name", ["testing.md", "whatif.md"])
def test_the_examples_of_the_how_to_run(name: str) -> None:
    page = Path(__file__).resolve().parents[1] / "docs" / "how-to" / name
    result = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert result.attempted > 2
    assert result.failed == 0


def test_too_many_choices_are_refused() -> None:
    people = [{"id": str(i), **{f"f{b}": str(i >> b & 1) for b in range(5)}} for i in range(32)]
    quotas = [{"feature": f"f{b}", "value": v, "min": 0, "max": 16} for b in range(5) for v in ("0", "1")]
    from klero.sortition.instance import build_instance

    instance = build_instance(klero.Pool.read(people), klero.Quotas.read(quotas), 16)
    with pytest.raises(ValueError, match="too many to list"):
        klero.testing.enumerate_panels(instance)


def test_without_hypothesis_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(MissingExtraError, match=r"klero\[testing\]"):
        klero.testing.pools()


def test_importing_it_does_not_bring_hypothesis() -> None:
    code = "import klero.testing, sys; sys.exit('hypothesis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
