"""Somebody withdrew: who takes the seat, and could it have been anyone else?

In a round that was declared beforehand, those who stay keep their seats, and the free ones are drawn by a lottery over all
ways to complete the panel under the quotas: leximin among those who remain, with its certificate
(:mod:`klero.sortition.residual`). The lottery is a bundle of its own, in the format of `docs/audit/bundle.md`; it is linked to the one
before by the text of its seed,

    replacement round N after COMMITMENT drawn with SEED: TEXT

which its draw's record holds and its own seed is made from; commitment and seed of the draw before are 64 hexadecimal digits
each, and fix its lottery and its panel. So a replacement can't be taken over to another panel, and each round's draw is new.
`verify_replacement` (:mod:`klero.ledger.succession`) checks that a bundle follows from those before it.

Guaranteed: nobody who stays loses a seat; nobody who left a panel is drawn again; the quotas hold, or the breach is the smallest
there is and was asked for. Not guaranteed: that a withdrawal was real; keep the log (:mod:`klero.ledger.log`).
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING
from unicodedata import normalize

from klero import _native
from klero._files import check_inputs
from klero.errors import BundleError, Fault, InfeasibleError, InputError, quoted
from klero.ledger.bundle import bundle_files, check_output, write_bundle
from klero.ledger.draw import Draw, _read_draw
from klero.ledger.folder import DRAW_FILE, read_bundle
from klero.ledger.load import load_lottery
from klero.ledger.log import StateLog, append_log, check_events, read_log
from klero.ledger.states import MOST_ROUNDS, Event
from klero.ledger.verify import verify_files
from klero.sortition.lottery import Lottery, lottery_for
from klero.sortition.residual import breach, breach_error, residual, widened
from klero.words import percent, words

if TYPE_CHECKING:
    from klero.sortition.lottery import Progress

__all__ = ["Drawn", "Replacement", "replace"]

_LINK = re.compile(
    r"replacement round ([1-9][0-9]{0,5}) after ([0-9a-f]{64}) drawn with ([0-9a-f]{64}): .+", re.DOTALL
)
_SHOWN = 5
Path = str | os.PathLike[str]


@dataclass(frozen=True)
class Drawn:
    """A bundle with its draw, checked.

    Attributes:
        lottery: what was drawn from.
        draw: the draw.
        round: its replacement round; 0 for a first draw.
        previous: (commitment, seed) of the draw it follows from; empty for a first draw.
    """

    lottery: Lottery
    draw: Draw
    round: int
    previous: tuple[str, ...]

    @classmethod
    def read(cls, bundle: Path) -> Drawn:
        """Reads and verifies a bundle.

        Raises:
            BundleError: it is none, fails a check or was not drawn yet.
        """
        lottery = load_lottery(os.fspath(bundle))
        record = read_bundle(bundle).get(DRAW_FILE)
        if record is None:
            raise BundleError(
                f"{os.fspath(bundle)} was not drawn yet, so nobody can be replaced; draw it first"
            )
        draw = _read_draw(record)
        link = _LINK.fullmatch(draw.seed_text)
        return cls(lottery, draw, int(link[1]) if link else 0, link.groups()[1:] if link else ())


@dataclass(frozen=True)
class Replacement:
    """A panel completed after withdrawals.

    Attributes:
        round: the round.
        previous: the commitment of the bundle that it follows from, in hexadecimal.
        lottery: the lottery over completions, with its certificate.
        draw: its draw; `draw.panel` is the whole panel.
        staying: those who kept their seats.
        withdrawn: those who left.
        newcomers: those who were drawn.
        breach: (cell's name, «min» or «max», the quota, the widened quota) where no completion met the quotas.
        retired: alternates who were named and had withdrawn themselves, so that they could not be drawn.
    """

    round: int
    previous: str
    lottery: Lottery
    draw: Draw
    staying: tuple[str, ...]
    withdrawn: tuple[str, ...]
    newcomers: tuple[str, ...]
    breach: tuple[tuple[str, str, int, int], ...]
    retired: tuple[str, ...] = ()

    @property
    def algorithm(self) -> str:
        """The lottery's algorithm and its version."""
        return self.lottery.algorithm

    def explain(self, lang: str = "en") -> str:
        """In words: who left, who came, from how many, with which chances. `lang`: «en» or «fr»."""
        catalogue = words(lang)
        _, ngettext = catalogue.gettext, catalogue.ngettext
        stay, people = set(self.staying), len(self.lottery.instance.ids) - len(self.staying)
        lines = [
            ngettext(
                "Round {round}: {n} person withdrew: {names}.",
                "Round {round}: {n} people withdrew: {names}.",
                len(self.withdrawn),
            ).format(round=self.round, n=len(self.withdrawn), names=", ".join(self.withdrawn)),
            ngettext(
                "Drawn from the {n} person who remains: {names}.",
                "Drawn from the {n} people who remain: {names}.",
                people,
            ).format(n=people, names=", ".join(self.newcomers)),
        ]
        chances = [
            self.lottery.type_probabilities[t]
            for i, t in zip(self.lottery.instance.ids, self.lottery.instance.person_type, strict=True)
            if i not in stay
        ]
        lines.append(
            _("Their chances went from {low} to {high}.").format(
                low=percent(min(chances), lang), high=percent(max(chances), lang)
            )
        )
        for name, side, before, after in self.breach:
            text = (
                _("No completion met all quotas: the minimum of {cell} was {before} and is {after} now.")
                if side == "min"
                else _("No completion met all quotas: the maximum of {cell} was {before} and is {after} now.")
            )
            lines.append(text.format(cell=name, before=before, after=after))
        return "\n".join(lines)


def replace(
    bundle: Path,
    *,
    withdrawn: Sequence[str] | None = None,
    round: int,  # noqa: A002 (the word of the people who use it)
    trial_seed: str,
    output: Path | None = None,
    alternates: Collection[str] | None = None,
    earlier: Sequence[Path] = (),
    without_earlier: bool = False,
    allow_breach: bool = False,
    log: Path | None = None,
    time: str = "",
    reason: str = "withdrawn",
    force: bool = False,
    progress: Progress | None = None,
) -> Replacement:
    """Fills the seats of those who withdrew from a panel.

    Args:
        bundle: the folder of the last draw.
        withdrawn: ids of panel members who left. With a log they may be left out: all whom it holds as withdrawn.
        round: the declared round, above that of `bundle`.
        trial_seed: any text. The draw is marked TRIAL.
        output: a folder for the new bundle; none is written without it.
        alternates: ids of those who may be drawn; everybody who remains without it.
        earlier: folders of the bundles before `bundle`, oldest first. The oldest one's people and quotas are then
            taken, which matters where a later round drew from alternates or under widened quotas. So they must be given, back to
            the first draw, where `bundle` is a replacement itself.
        without_earlier: take the people and quotas of the oldest bundle given, even if it is a replacement. They may be
            narrower or wider than those of the first draw, and the result can't be verified back to it.
        allow_breach: draw under the smallest breach of the quotas where no completion meets them.
        log: a log of states, read for who withdrew; with `output`, what happened is added to it after the bundle is written.
        time: when, in UTC («2026-05-01T09:00:00Z»); needed with a log.
        reason: the reason code for withdrawals that the log does not hold yet.
        force: replace a bundle that is at `output`.
        progress: as for `fair_lottery`.

    Raises:
        BundleError: a bundle fails a check, or was not drawn.
        InputError: somebody named is not on the panel, twice named, or a round is out of order; all faults at once. Or `output` is a
            bundle that is read, whatever `force` says.
        InfeasibleError: no completion meets the quotas and no breach is allowed; it says the smallest one.
        OutputExistsError: there is something at `output`.
        LogError: the log fails a check.
    """
    if output is not None:
        check_inputs(output, (bundle, *earlier, log))
        check_output(output, force=force)
    chain = [Drawn.read(place) for place in (*earlier, bundle)]
    book = read_log(log) if log is not None else None
    gone = _withdrawn(chain[-1], withdrawn, book)
    faults = [
        *_start_faults(chain, without_earlier),
        *_link_faults(chain),
        *_round_faults(round, chain[-1], book),
        *_withdrawn_faults(gone, chain, book),
    ]
    text = normalize("NFC", trial_seed) if isinstance(trial_seed, str) else ""
    if not text or any("\ud800" <= c <= "\udfff" for c in text):
        faults.append(
            Fault(
                "seed-invalid",
                "the text of a trial seed must be Unicode text, not empty",
                "",
                value=str(text),
            )
        )
    if faults:
        raise InputError(faults)
    staying, candidates = _split(chain, gone, alternates, book)
    first = _first_events(gone, staying, candidates, book, (time, reason, round))
    retired = _retired(alternates, candidates)
    _check_alternates(chain, alternates, (gone, staying, candidates, retired))
    instance = residual(chain[0].lottery.instance, staying, candidates)
    repair = breach(instance)
    if repair is not None and not allow_breach:
        raise breach_error(instance, repair)
    used = widened(instance, repair) if repair else instance
    origin = chain[-1].lottery
    lottery = lottery_for(used, origin.objective, origin.denominator, progress=progress)
    files = bundle_files(lottery)
    verify_files(files).raise_if_failed()
    files[DRAW_FILE] = _native.draw_file(files, link_text(chain[-1].draw, round, text))
    drawn = _read_draw(files[DRAW_FILE])
    newcomers = tuple(i for i in drawn.panel if i not in staying)
    events = [*first, *_last_events(newcomers, gone, time, round, drawn.commitment)]
    if book is not None:
        check_events(book, events)
    if output is not None:
        write_bundle(output, files, force=force)
        if log is not None:
            append_log(log, events)
    named = tuple(
        (used.cell_name(c.bound.cell), str(c.bound.side), c.bound.value, c.value)
        for c in (repair.changes if repair else ())
    )
    return Replacement(
        round,
        chain[-1].draw.commitment,
        lottery,
        drawn,
        tuple(sorted(staying)),
        gone,
        newcomers,
        named,
        retired,
    )


def _withdrawn(last: Drawn, withdrawn: Sequence[str] | None, book: StateLog | None) -> tuple[str, ...]:
    if withdrawn is None and book is not None:
        return tuple(i for i in last.draw.panel if book.states.get(i) == "withdrawn")
    given = (withdrawn,) if isinstance(withdrawn, str) else tuple(withdrawn or ())
    return tuple(sorted(str(i) for i in given))


def _start_faults(chain: Sequence[Drawn], without_earlier: bool) -> list[Fault]:
    problem = "" if without_earlier else start_problem(chain[0])
    if not problem:
        return []
    way = (
        "Give the bundles before it with --earlier, oldest first (in Python: earlier). If they are lost, --without-earlier "
        "(without_earlier=True) takes this bundle's people and quotas as the real ones."
    )
    return [Fault("replacement-link", f"{problem}. {way}", "")]


def start_problem(oldest: Drawn) -> str:
    """Why a chain of bundles does not begin with a first draw; '' if it does."""
    if not oldest.previous:
        return ""
    return (
        f"the oldest bundle given, {oldest.draw.commitment[:16]}…, is itself a replacement (round {oldest.round} after "
        f"{oldest.previous[0][:16]}…), so its people and quotas may not be those of the first draw: "
        "alternates alone, or quotas widened in a breach"
    )


def _link_faults(chain: Sequence[Drawn]) -> list[Fault]:
    return [
        Fault("replacement-link", text, "") for text in (link_problem(a, b) for a, b in _pairs(chain)) if text
    ]


def _pairs(chain: Sequence[Drawn]) -> list[tuple[Drawn, Drawn]]:
    return list(pairwise(chain))


def link_text(before: Draw, round_: int, text: str) -> str:
    """The text of the seed of a replacement."""
    return f"replacement round {round_} after {before.commitment} drawn with {before.seed}: {text}"


def link_problem(before: Drawn, after: Drawn) -> str:
    """Why a bundle does not follow from the one before; '' if it does."""
    if after.previous != (before.draw.commitment, before.draw.seed):
        named = (
            f"names {after.previous[0][:16]}… drawn with {after.previous[1][:16]}…"
            if after.previous
            else "names none: it is a first draw"
        )
        return (
            f"the bundle {after.draw.commitment[:16]}… does not follow from {before.draw.commitment[:16]}… drawn with "
            f"{before.draw.seed[:16]}…: its seed {named}. Give the bundles of one process, oldest first."
        )
    if after.round <= before.round:
        return f"round {after.round} follows round {before.round}; rounds must rise"
    return ""


def _round_faults(round_: int, last: Drawn, book: StateLog | None) -> list[Fault]:
    if isinstance(round_, bool) or not isinstance(round_, int) or not 1 <= round_ < MOST_ROUNDS:
        message = f"the round is {round_!r}; replacement rounds are 1, 2, … (the first draw is round 0)"
        return [Fault("round-invalid", message, "", value=str(round_))]
    held = max(last.round, book.round if book else 0)
    if round_ <= last.round or round_ < held:
        message = (
            f"round {round_} is out of order: round {held} was held already. Give the next declared round, "
            f"{held + 1} or later, and the bundle of the last one."
        )
        return [Fault("round-order", message, "", value=str(round_))]
    return []


def _withdrawn_faults(gone: tuple[str, ...], chain: Sequence[Drawn], book: StateLog | None) -> list[Fault]:
    if not gone:
        message = "nobody is named as withdrawn, so there is no seat to fill"
        return [Fault("withdrawal-none", message, "")]
    faults = []
    panel, pool = set(chain[-1].draw.panel), set(chain[-1].lottery.instance.ids)
    left = _left(chain)
    for person, times in sorted(Counter(gone).items()):
        state = book.states.get(person, "") if book else ""
        if times > 1:
            message = f"{quoted(person)} is named {times} times; one person leaves one seat"
            faults.append(Fault("withdrawal-duplicate", message, "", value=person))
        elif person in left or state == "replaced":
            message = f"{quoted(person)} withdrew in an earlier round and was replaced then"
            faults.append(Fault("withdrawal-duplicate", message, "", value=person))
        elif person not in panel:
            where = (
                "was not drawn, so there is no seat to fill"
                if person in pool
                else "is not among the people of this bundle: misspelt, or out since an earlier round"
            )
            message = f"{quoted(person)} {where}. Withdrawals are of members of the last panel."
            faults.append(Fault("withdrawal-unknown", message, "", value=person))
    missed = [
        i for i in sorted(panel - set(gone)) if book and book.states.get(i) in ("withdrawn", "replaced")
    ]
    if missed:
        message = f"the log holds {_names(missed)} as withdrawn, and they are not named. Name all, or none to take the log's."
        faults.append(Fault("state-transition", message, "", value=missed[0]))
    return faults


def _left(chain: Sequence[Drawn]) -> set[str]:
    """Those who were on an earlier panel and not on the next: they withdrew."""
    return {i for a, b in _pairs(chain) for i in set(a.draw.panel) - set(b.draw.panel)}


def _split(
    chain: Sequence[Drawn], gone: tuple[str, ...], alternates: Collection[str] | None, book: StateLog | None
) -> tuple[frozenset[str], frozenset[str]]:
    """(those who stay, those who may be drawn)."""
    staying = frozenset(chain[-1].draw.panel) - frozenset(gone)
    pool = frozenset(chain[0].lottery.instance.ids)
    out = _left(chain) | set(gone)
    if book is not None:
        out |= {i for i, state in book.states.items() if state in ("withdrawn", "replaced")}
    if alternates is None:
        return staying, pool - staying - out
    named = [alternates] if isinstance(alternates, str) else [str(i) for i in alternates]
    faults = []
    for person, times in sorted(Counter(named).items()):
        if times > 1:
            what = f"is named {times} times as an alternate"
        elif person not in pool:
            what = "is named as an alternate and is not in the pool of this process"
        elif person in staying:
            what = "is named as an alternate and sits on the panel"
        else:
            continue
        faults.append(Fault("alternate-invalid", f"{quoted(person)} {what}", "", value=person))
    if faults:
        raise InputError(faults)
    return staying, frozenset(named) - out


def _retired(alternates: Collection[str] | None, candidates: frozenset[str]) -> tuple[str, ...]:
    """The alternates named who have withdrawn: what `_split` left out of those named."""
    if alternates is None:
        return ()
    named = [alternates] if isinstance(alternates, str) else alternates
    return tuple(sorted({str(i) for i in named} - candidates))


def _check_alternates(
    chain: Sequence[Drawn],
    alternates: Collection[str] | None,
    people: tuple[tuple[str, ...], frozenset[str], frozenset[str], tuple[str, ...]],
) -> None:
    """Raises InfeasibleError if alternates alone may be drawn and there are fewer of them than seats."""
    gone, staying, candidates, retired = people
    seats = chain[0].lottery.instance.size - len(staying)
    if alternates is None or len(candidates) >= seats:
        return
    said = f"{seats} {'seat' if seats == 1 else 'seats'} to fill, {len(candidates)} {'alternate' if len(candidates) == 1 else 'alternates'}."
    if retired:
        said += f" {_names(retired)} {'was named as an alternate' if len(retired) == 1 else 'were named as alternates'} and withdrew."
    rest = len(frozenset(chain[0].lottery.instance.ids) - staying - _left(chain) - set(gone)) - len(
        candidates
    )
    ways = (
        "Name more alternates with --from-alternates (in Python: alternates).",
        f"Leave --from-alternates out, to draw from the {rest} others of the pool as well.",
    )
    raise InfeasibleError([said], ways)


def _first_events(
    gone: tuple[str, ...],
    staying: frozenset[str],
    candidates: frozenset[str],
    book: StateLog | None,
    when: tuple[str, str, int],
) -> list[Event]:
    """The withdrawals that the log lacks. Raises InputError, before any work, if the log does not fit the people."""
    if book is None:
        return []
    time, reason, round_ = when
    strangers = sorted(i for i in candidates if book.states.get(i) != "volunteered")
    absent = sorted(i for i in staying if book.states.get(i) not in ("selected", "confirmed"))
    faults = []
    if strangers:
        message = f"the log does not hold {_names(strangers)} as volunteered, and they could be drawn. Log them first (klero log --start BUNDLE)."
        faults.append(Fault("state-transition", message, "", value=strangers[0]))
    if absent:
        message = f"the log does not hold {_names(absent)} as selected or confirmed, and they sit on the panel. Log them first."
        faults.append(Fault("state-transition", message, "", value=absent[0]))
    if faults:
        raise InputError(faults)
    new = [i for i in gone if book.states.get(i) != "withdrawn"]
    events = [Event(person=i, to="withdrawn", time=time, reason=reason, round=round_) for i in new]
    # An empty step of the round itself: the faults of time, round and reason show before the lottery is computed.
    check_events(
        book, events or [Event(person=gone[0], to="replaced", time=time, reason=reason, round=round_)]
    )
    return events


def _last_events(
    newcomers: tuple[str, ...], gone: tuple[str, ...], time: str, round_: int, record: str
) -> list[Event]:
    common = {"time": time, "round": round_, "record": record}
    return [
        *(Event(person=i, to="selected", reason="drawn-as-replacement", **common) for i in newcomers),  # type: ignore[arg-type]
        *(Event(person=i, to="replaced", reason="seat-filled", **common) for i in gone),  # type: ignore[arg-type]
    ]


def _names(people: Sequence[str]) -> str:
    more = f" and {len(people) - _SHOWN} more" if len(people) > _SHOWN else ""
    return ", ".join(map(quoted, people[:_SHOWN])) + more
