"""The result of a register draw: who gets a letter, with which chance, and what is needed to redo it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from klero._tables_cells import folded

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Invitation", "StratumDraw"]


SHOWN_UNMATCHED = 5


@dataclass(frozen=True)
class StratumDraw:
    """One stratum (or municipality) of a register draw.

    Attributes:
        label: its values, in the order of the strata's columns.
        people: who could be drawn (rows without those excluded).
        units: what was drawn from: people, or addresses where one person at most of an address is drawn.
        weight: the sum of the people's weights; their number where there are no weights.
        asked: letters by the rule, before letters that could not be used went elsewhere.
        letters: letters given.
        certain: letters that went to units with certainty, because their weight is more than one letter's share.
        factor: probability of a letter for a person of weight 1 who is not certain; the probability is `factor` times the weight. None where nobody
            is left to chance.
        largest: weight of the heaviest unit: where addresses are drawn, without weights, the people at the largest one.
        lowest: the lowest probability of a person; `factor` is that of all but those at addresses that are certain. None with weights, where
            it depends on each one's weight, and where nobody can be drawn.
        chance: probability that the stratum is in the draw at all: 1, or a municipality's in the first stage.
        expected: expected answers, where rates were given.
    """

    label: tuple[str, ...]
    people: int
    units: int
    weight: Fraction
    asked: int
    letters: int
    certain: int
    factor: Fraction | None
    largest: Fraction
    lowest: Fraction | None
    chance: Fraction
    expected: Fraction | None


@dataclass(frozen=True)
class Invitation:
    """Who gets a letter.

    Attributes:
        ids: of those drawn, by code points.
        strata: the stratum of each.
        probabilities: the exact probability of each to be drawn (see `conditional`).
        id_column, strata_columns: names in the register.
        table: all strata, by code points.
        equal: whether all people of a stratum have the same probability (no weights, no addresses).
        conditional: whether addresses with people of several strata make the probabilities conditional on who stands for each address;
            they are then the π* of two-phase sampling, and 1/π* are unbiased weights.
        weighted, households, stages: what the draw used.
        people: rows of the register; `excluded` of them were on the list of exclusions, which had `exclusions` ids.
        unmatched: ids on the list of exclusions that are not on the register.
        without_address: rows without an address, or with words that say so; each counts as living alone.
        mixed_addresses: addresses with people of several strata.
        register_digest: SHA-256 of the register's ids, strata, weights and addresses, in hexadecimal; the same in any order of rows.
        commitment: of the design and the register, in hexadecimal; the seed follows from it and the text.
        seed, seed_text, seed_kind, mark: «trial» and «TRIAL»: whoever picks a seed can try many.
        algorithm: name and version.
        design: what was asked, as it is sealed by the commitment.
    """

    ids: tuple[str, ...]
    strata: tuple[tuple[str, ...], ...]
    probabilities: tuple[Fraction, ...]
    id_column: str
    strata_columns: tuple[str, ...]
    table: tuple[StratumDraw, ...]
    equal: bool
    conditional: bool
    weighted: bool
    households: bool
    stages: int
    people: int
    excluded: int
    exclusions: int
    unmatched: tuple[str, ...]
    without_address: int
    mixed_addresses: int
    register_digest: str
    commitment: str
    seed: str
    seed_text: str
    seed_kind: str
    mark: str
    algorithm: str
    design: Mapping[str, object]

    @property
    def expected_answers(self) -> Fraction | None:
        """Expected answers in all, where rates were given."""
        if any(row.expected is None for row in self.table):
            return None
        return sum((row.expected or Fraction(0) for row in self.table), Fraction(0))

    @property
    def similar_strata(self) -> tuple[tuple[tuple[str, ...], ...], ...]:
        """Labels of strata that differ only in case, accents, dashes, apostrophes or spaces: very likely one stratum, written in two ways."""
        alike: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for row in self.table:
            alike.setdefault(tuple(map(folded, row.label)), []).append(row.label)
        return tuple(tuple(labels) for labels in alike.values() if len(labels) > 1)

    def columns(self) -> dict[str, list[str]]:
        """A cell for each person drawn: id, strata, probability (a fraction, as text), mark."""
        columns: dict[str, list[str]] = {self.id_column: list(self.ids)}
        for i, name in enumerate(self.strata_columns):
            columns[name] = [label[i] for label in self.strata]
        shown = {p: str(p) for p in set(self.probabilities)}
        columns[_free("probability", columns)] = [shown[p] for p in self.probabilities]
        columns[_free("mark", columns)] = [self.mark] * len(self.ids)
        return columns

    def to_arrow(self) -> pa.Table:
        """The `columns` as a table of text."""
        import pyarrow as pa

        return pa.table({name: pa.array(values, pa.string()) for name, values in self.columns().items()})

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table of `to_arrow` as an Arrow stream."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def explain(self, lang: str = "en") -> str:
        """The draw in words, «en» or «fr»."""
        from klero.sortition.register.explain import explain_invitation

        return explain_invitation(self, lang)

    def record(self) -> dict[str, object]:
        """All that is needed to redo the draw from the register, and the table of strata, as data."""
        expected = self.expected_answers
        return {
            "schema": "klero-invitation/1",
            "algorithm": self.algorithm,
            "mark": self.mark,
            "seed_kind": self.seed_kind,
            "seed_text": self.seed_text,
            "seed": self.seed,
            "commitment": self.commitment,
            "register_digest": self.register_digest,
            "design": dict(self.design),
            "people": self.people,
            "excluded": self.excluded,
            "exclusions": self.exclusions,
            "unmatched_exclusions": list(self.unmatched[:SHOWN_UNMATCHED]),
            "letters": len(self.ids),
            "equal": self.equal,
            "conditional": self.conditional,
            "without_address": self.without_address,
            "mixed_addresses": self.mixed_addresses,
            "similar_strata": [[list(label) for label in labels] for labels in self.similar_strata],
            "expected_answers": None if expected is None else str(expected),
            "strata": [
                {
                    "label": list(row.label),
                    "people": row.people,
                    "units": row.units,
                    "weight": str(row.weight),
                    "asked": row.asked,
                    "letters": row.letters,
                    "certain": row.certain,
                    "factor": None if row.factor is None else str(row.factor),
                    "largest": str(row.largest),
                    "lowest": None if row.lowest is None else str(row.lowest),
                    "chance": str(row.chance),
                    "expected": None if row.expected is None else str(row.expected),
                }
                for row in self.table
            ],
        }


def _free(name: str, taken: Mapping[str, object]) -> str:
    while name in taken:
        name += "_"
    return name
