"""Seats of a public panel are free: which lottery fills them?

The lottery over all ways to complete the panel, for the next replacement round of a record (`docs/audit/protocol.md`, «Succession»): those who
stay keep their seats; everybody who has not withdrawn can be drawn for the others (:mod:`klero.sortition.residual`). It is written as a bundle whose
people go by their leaves, so that no salt is needed, and is committed with `commit_round` (`klero commit DIR --record RECORD`).

Guaranteed: nobody who stays loses a seat; declared quotas hold, or are loosened by the smallest breach there is, and only where that is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from klero._files import check_inputs
from klero.errors import InputError
from klero.ledger.bundle import bundle_files, check_output, write_bundle
from klero.ledger.commit import round_faults
from klero.ledger.load import read_lottery
from klero.ledger.record import Place, Record
from klero.ledger.verify import verify_files
from klero.sortition.lottery import Lottery, lottery_for
from klero.sortition.residual import breach, breach_error, residual, widened
from klero.words import percent, words

if TYPE_CHECKING:
    from klero.sortition.instance import Instance
    from klero.sortition.lottery import Progress

__all__ = ["Completion", "record_lottery", "replace_round"]

LEAF = "leaf"


@dataclass(frozen=True)
class Completion:
    """The lottery of a replacement round, not drawn.

    Attributes:
        lottery: the lottery; its ids are leaves.
        staying: the leaves that keep their seats.
        withdrawn: the leaves that left the panel before.
        breach: (cell's name, «min» or «max», the quota, the loosened quota) where no completion met the quotas.
    """

    lottery: Lottery
    staying: tuple[str, ...]
    withdrawn: tuple[str, ...]
    breach: tuple[tuple[str, str, int, int], ...]

    @property
    def algorithm(self) -> str:
        """The lottery's algorithm and its version."""
        return self.lottery.algorithm

    @property
    def seats(self) -> int:
        """The seats to be drawn."""
        return self.lottery.instance.size - len(self.staying)

    def explain(self, lang: str = "en") -> str:
        """In words: how many left, from how many their seats are drawn, with which chances. `lang`: «en» or «fr»."""
        catalogue = words(lang)
        _, ngettext = catalogue.gettext, catalogue.ngettext
        stay, instance = set(self.staying), self.lottery.instance
        people = len(instance.ids) - len(stay)
        chances = [
            self.lottery.type_probabilities[t]
            for i, t in zip(instance.ids, instance.person_type, strict=True)
            if i not in stay
        ]
        lines = [
            ngettext(
                "{n} seat is free, and is drawn from {people} people.",
                "{n} seats are free, and are drawn from {people} people.",
                self.seats,
            ).format(n=self.seats, people=people),
            _("Their chances went from {low} to {high}.").format(
                low=percent(min(chances), lang), high=percent(max(chances), lang)
            ),
        ]
        for name, side, before, after in self.breach:
            text = (
                _("No completion met all quotas: the minimum of {cell} was {before} and is {after} now.")
                if side == "min"
                else _("No completion met all quotas: the maximum of {cell} was {before} and is {after} now.")
            )
            lines.append(text.format(cell=name, before=before, after=after))
        return "\n".join(lines)


def replace_round(
    record: Place,
    output: Place,
    *,
    allow_breach: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> Completion:
    """Computes the lottery of the next replacement round of a record and writes it as a bundle.

    Args:
        record: the record, with the auditor tier; who withdrew is in it.
        output: a folder for the bundle.
        allow_breach: loosen the quotas by the smallest breach where no completion meets them.
        force: replace a bundle that is at `output`.
        progress: as for `fair_lottery`.

    Raises:
        BundleError: the record fails a check.
        InputError: no round can be held now: nothing is drawn yet, nobody withdrew, or the calendar is used up.
        InfeasibleError: no completion meets the quotas and no breach is allowed; it says the smallest one.
        OutputExistsError: there is something at `output`.
    """
    check_inputs(output, (record,))
    check_output(output, force=force)
    before = Record.read(record)
    if faults := round_faults(before):
        raise InputError(faults)
    origin = record_lottery(before, 0)
    staying = frozenset(before.panel)
    candidates = frozenset(before.leaves) - frozenset(before.withdrawn) - staying
    instance = _weighed(residual(origin.instance, staying, candidates), origin.instance)
    repair = breach(instance)
    if repair is not None and not allow_breach:
        raise breach_error(instance, repair)
    used = widened(instance, repair) if repair else instance
    lottery = lottery_for(used, origin.objective, origin.denominator, progress=progress)
    files = bundle_files(lottery)
    verify_files(files).raise_if_failed()
    write_bundle(output, files, force=force)
    changes = tuple(
        (used.cell_name(c.bound.cell), str(c.bound.side), c.bound.value, c.value)
        for c in (repair.changes if repair else ())
    )
    left = tuple(leaf for leaf in before.draws[-1].body["panel"] if leaf not in staying)
    return Completion(lottery, tuple(sorted(staying)), left, changes)


def record_lottery(record: Record, round_: int, names: Mapping[str, str] | None = None) -> Lottery:
    """The lottery of a round of a record, read back. Needs the auditor tier.

    Args:
        record: the record.
        round_: the round.
        names: the id to use in the place of each leaf; a leaf that has none stays.
    """
    rules = record.auditor("instance", round_)
    pool = record.auditor("pool", round_)
    called = names or {}
    leaves = [record.leaves[number] for number, _type in pool["people"]]
    ids = [called.get(leaf, leaf) for leaf in leaves]
    order = sorted(range(len(ids)), key=ids.__getitem__)
    place = {i: at for at, i in enumerate(order)}
    people = [[ids[i], pool["people"][i][1]] for i in order]
    homes = sorted(sorted(place[i] for i in members) for members in pool["households"])
    documents: dict[str, Any] = {
        "declaration.json": {**rules, "id_column": LEAF},
        "pool.json": {**pool, "households": homes, "people": people},
        "lottery.json": record.auditor("lottery", round_),
        "certificate.json": record.auditor("certificate", round_),
    }
    return read_lottery(documents)


def _weighed(instance: Instance, origin: Instance) -> Instance:
    """The instance with the weights of the first round: what is left of them may have a common factor, which a record keeps."""
    person = instance.ids[0]
    real = origin.weights[origin.person_type[origin.position(person)]]
    factor = real // instance.weights[instance.person_type[0]]
    return replace(instance, weights=tuple(weight * factor for weight in instance.weights))
