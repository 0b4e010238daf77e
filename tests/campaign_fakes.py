"""Stand-ins for the parts that `klero.campaigns.find` calls: slow, obvious, and with a record of what they were asked.

They find groups as a child would (texts with the same first four words by five people), and call a group for review if twenty or more people are in it or if
its texts came within two hours. So a test of how parts are put together does not depend on how good the parts are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest

from klero.campaigns.model import Candidate, Channel, Consultation, Interval, Null
from klero.campaigns.result import Campaigns, DetectionLimit, Sensitivity

Progress = Callable[[str, int], None] | None
LEAST = 5


@dataclass(frozen=True)
class FakeDecision:
    """As `klero.campaigns.decision.Decision`."""

    p_text: float | None
    p_action: float | None
    p: float
    adjusted: float
    for_review: bool
    rule: str
    short: bool


@dataclass(frozen=True, eq=False)
class FakeWeighing:
    """As `klero.campaigns.effective.Weighing`."""

    weights: np.ndarray
    n_eff: Interval
    groups: tuple[Interval, ...]
    dependence: tuple[np.ndarray, ...]


class Engine:
    """The stand-ins, put in the place of the modules; `asked` says which functions were called, in order, and with how many threads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.threads: set[int] = set()
        self.interrupts = ""
        parts = {
            "candidates": ("text_candidates", "forget_texts"),
            "template": ("template_channel",),
            "paraphrase": (
                "ground_of",
                "paraphrase_candidates",
                "paraphrase_channel",
                "burst_time_channel",
                "refined",
            ),
            "timing": ("time_channel",),
            "coaction": ("coaction_channel",),
            "votes": ("vote_candidates", "votes_channel"),
            "metadata": ("metadata_channel",),
            "decision": ("decide",),
            "effective": ("weigh",),
            "diversity": ("diversity",),
            "sensitivity": ("sensitivity",),
            "limits": ("detection_limits",),
        }
        for module, functions in parts.items():
            fake = ModuleType(f"klero.campaigns.{module}")
            for name in functions:
                setattr(fake, name, self._heard(name))
            monkeypatch.setitem(sys.modules, fake.__name__, fake)

    def _heard(self, name: str) -> Callable[..., object]:
        def called(*args: object, **options: object) -> object:
            self.asked.append(name)
            if self.interrupts == name:
                raise KeyboardInterrupt
            threads = options.pop("threads", None)
            progress: Progress = options.pop("progress", None)  # type: ignore[assignment]
            if threads is not None:
                self.threads.add(threads)  # type: ignore[arg-type]
            if progress is not None:
                progress(name, 1)
            return globals()[name](*args, **options)

        return called


def text_candidates(c: Consultation) -> list[Candidate]:
    """Texts that begin with the same four words, by five people."""
    found: dict[tuple[str, ...], list[int]] = {}
    for row, text in enumerate(c.texts):
        found.setdefault(tuple(text.split()[:4]), []).append(row)
    groups = [np.array(rows, np.int64) for rows in found.values()]
    return [
        Candidate(rows, len(set(c.author[rows].tolist())), int(rows[0]), "template")
        for rows in groups
        if len(set(c.author[rows].tolist())) >= LEAST
    ]


@dataclass(frozen=True)
class FakeGround:
    """As `klero.campaigns.paraphrase.Ground`, as far as it is looked at."""

    strata: tuple[str, ...] = ("here", "there", "elsewhere")


def ground_of(c: Consultation, apart: np.ndarray) -> FakeGround:
    """What the others of its module are given again."""
    assert c.vectors is not None and len(c.vectors) == len(c) and apart.dtype == np.int64
    return FakeGround()


def paraphrase_candidates(c: Consultation, ground: FakeGround) -> list[Candidate]:
    """A burst, wherever a text says «burst»."""
    assert ground == FakeGround()
    rows = np.array([row for row, text in enumerate(c.texts) if "burst" in text], np.int64)
    return [Candidate(rows, len(rows), int(rows[0]), "paraphrase", found_by="time")] if len(rows) else []


def forget_texts(c: Consultation) -> None:
    """Nothing was kept."""


def vote_candidates(c: Consultation) -> list[Candidate]:
    """Accounts with the same votes on the same three or more things."""
    assert c.votes is not None
    rows: dict[int, list[tuple[int, int]]] = {}
    for voter, item, value in zip(c.votes.voter, c.votes.item, c.votes.value, strict=True):
        rows.setdefault(int(voter), []).append((int(item), int(value)))
    found: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for voter, cast in sorted(rows.items()):
        if len(cast) >= 3:
            found.setdefault(tuple(sorted(cast)), []).append(voter)
    return [
        Candidate(np.zeros(0, np.int64), len(voters), -1, "votes", np.array(voters, np.int64))
        for voters in found.values()
        if len(voters) >= LEAST
    ]


def template_channel(c: Consultation, candidates: list[Candidate]) -> list[Channel]:
    """The larger, the rarer."""
    assert all(len(one.rows) and one.found_by != "time" for one in candidates)
    return [_channel("template", 10.0**-one.voices, float(one.voices)) for one in candidates]


def paraphrase_channel(c: Consultation, candidates: list[Candidate], ground: FakeGround) -> list[Channel]:
    """Nothing."""
    assert ground == FakeGround()
    return [Channel("paraphrase", None, why_not="too-few") for _ in candidates]


def time_channel(c: Consultation, candidates: list[Candidate]) -> list[Channel]:
    """Rare if all came within two hours."""
    spans = [float(np.nanmax(c.time[one.rows]) - np.nanmin(c.time[one.rows])) for one in candidates]
    return [_channel("time", 0.001 if span <= 7200 else 0.5, span) for span in spans]


def burst_time_channel(
    candidates: list[Candidate], ground: FakeGround, channels: list[Channel]
) -> list[Channel]:
    """As they are: there are no bursts."""
    assert ground == FakeGround() and len(candidates) == len(channels)
    return channels


def refined(ground: FakeGround, one: Candidate) -> Candidate:
    """A burst without its first text; another group as it is."""
    assert ground == FakeGround()
    if one.found_by != "time":
        return one
    return Candidate(one.rows[1:], one.voices - 1, int(one.rows[1]), one.kind, found_by="time")


def coaction_channel(c: Consultation, candidates: list[Candidate]) -> list[Channel]:
    """Nothing."""
    return [Channel("coaction", None, why_not="too-few") for _ in candidates]


def votes_channel(c: Consultation, candidates: list[Candidate]) -> list[Channel]:
    """Rare for those who were found by their votes."""
    return [
        _channel("votes", 0.0001, 1.0)
        if one.voters is not None
        else Channel("votes", None, why_not="too-few")
        for one in candidates
    ]


def metadata_channel(c: Consultation, candidates: list[Candidate]) -> list[Channel]:
    """Rare if all share one value of the first column."""
    values = next(iter(c.metadata.values()))
    return [_channel("metadata", 0.01 if len(set(values[one.rows])) == 1 else 0.9, 1.0) for one in candidates]


def _channel(name: str, p: float, observed: float) -> Channel:
    null = Null("fake", observed, (0.0, observed / 2, observed), 99, round(p * 100))
    return Channel(
        name, p, {"fake_effect": observed, "endless": float("inf")}, (null,), details={"rare": ["x"]}
    )  # type: ignore[arg-type]


def decide(
    c: Consultation,
    candidates: list[Candidate],
    channels: list[tuple[Channel, ...]],
    q: float,
    *,
    strata: int,
) -> list[FakeDecision]:
    """See the head."""
    assert len(candidates) == len(channels)
    told = []
    for one, said in zip(candidates, channels, strict=True):
        assert [channel.name for channel in said] == [
            "template",
            "paraphrase",
            "time",
            "coaction",
            "votes",
            "metadata",
        ]
        by_name = {channel.name: channel.p for channel in said}
        text = by_name["template"]
        action = min(
            (p for name, p in by_name.items() if name in ("time", "votes") and p is not None), default=None
        )
        review = one.voices >= 20 or (action is not None and action <= q / 10)
        p = min(x for x in (text, action) if x is not None)
        rule = ("votes" if one.voters is not None else "two-strands") if review else "not-enough"
        told.append(FakeDecision(text, action, p, min(1.0, 10 * p), review, rule, False))
    return told


def weigh(c: Consultation, tested: list[tuple[Candidate, tuple[Channel, ...], FakeDecision]]) -> FakeWeighing:
    """Each group for review is two voices."""
    weights = np.ones(len(c))
    raw = len(set(c.author.tolist()))
    groups, dependence = [], []
    for one, _said, decision in tested:
        review = decision.for_review
        groups.append(Interval(1.0, 2.0, float(one.voices)) if review else Interval(*[float(one.voices)] * 3))
        dependence.append(np.linspace(0.5, 1.0, len(one.rows)) if review else np.zeros(len(one.rows)))
        if review and len(one.rows):
            weights[one.rows] = 2.0 / len(one.rows)
    return FakeWeighing(
        weights, Interval(1.0, float(weights.sum()), float(raw)), tuple(groups), tuple(dependence)
    )


def diversity(c: Consultation, weights: np.ndarray) -> dict[str, dict[str, float]]:
    """Made up."""
    assert len(weights) == len(c)
    return {name: {"0": 3.0, "1": 2.5, "2": 2.0} for name in ("raw", "weighted")}


def sensitivity(
    c: Consultation, weights: np.ndarray, tested: list[object], *, themes: list[str | None] | None
) -> tuple[Sensitivity, ...]:
    """Voices by theme."""
    rows = []
    for name in sorted({theme for theme in themes or () if theme is not None}):
        mine = [row for row, theme in enumerate(themes or ()) if theme == name]
        rows.append(
            Sensitivity(
                "theme", name, len(mine), float(weights[mine].sum()), float(len(mine)), 1, 1, 1, False
            )
        )
    return tuple(rows)


def detection_limits(
    c: Consultation, *found: object, q: float, channels: tuple[str, ...]
) -> tuple[DetectionLimit, ...]:
    """Made up, for the channels that are on."""
    return tuple(
        DetectionLimit(name, 7 if name == "template" else None, 40, {5: 0.25, 7: 0.5, 40: 1.0}, 20)
        for name in channels
        if name in ("template", "paraphrase")
    )


def page(result: Campaigns, lang: str = "en", **about: object) -> str:
    """A page of one line."""
    return f"<!doctype html><html lang={lang}><p>{len(result.groups)} of {sorted(about)}</p>"
