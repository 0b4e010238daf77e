"""Where do a person's codes and the machine's themes differ, and which texts should be talked about first?

A person gives each contribution one code, or none. Themes and codes are put side by side: how far they agree beyond chance, with each theme answering to
one code at most and with several answering to one; which codes have no theme of their own; which themes no code has; where they differ most,
expected against observed; and texts of those places, the most central of its theme first.

Figures: adjusted Rand index, Cohen's kappa under the best matching and under that of each theme to its majority code, adjusted mutual
information (:mod:`klero.themes.agreement`, :mod:`klero.themes._assignment`).

- A theme's *majority code* is that of most of its coded contributions; of equals the one of which they are the larger share, then the first by name.
- A group with one coded contribution answers to no code, under either matching, unless the code is that contribution's alone: it would always agree with
  itself.
- A code has a *theme of its own* if some group holds two of its contributions or more, and they are half of the coded ones in it; the code of one
  contribution, if that stands alone.
- The *expected* number of contributions of code i in group j is r_i c_j / n, what chance would put there.

Neither side is right because of a figure. A low agreement can mean a coarser question, another question, or an error on either side; that is what the
texts are for.

Guaranteed: whole numbers and fractions, the same for any order of rows if ids are given (without ids, texts, then rows, break ties). Contributions
without a code are counted and left out of the figures. Nothing is changed on either side.
Cost: linear, and the matching (a fraction of a second for hundreds of codes). Nothing random.

>>> codes = ["bus", "bus", "bus", "bike", "bike", "bike", "park", None]
>>> told = confront([0, 0, 0, 0, 1, 1, 1, 1], codes)
>>> told.coded, told.missing, told.rand, told.kappa
(7, 1, Fraction(20, 69), Fraction(1, 2))
>>> [(lost.code, lost.size) for lost in told.lost], [(text.row, text.code, text.majority) for text in told.texts]
([('park', 1)], [(6, 'park', 'bike'), (3, 'bike', 'bus')])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from klero.errors import Fault
from klero.themes._assignment import best_matching
from klero.themes._inputs import Column, Ints, PartitionLike, raise_all
from klero.themes.agreement import (
    CONFIDENCE,
    Information,
    Interval,
    Table,
    information,
    jackknife_kappa,
    jackknife_rand,
    kappa,
)
from klero.themes.confront_parts import Cell, Found, Lost, Merge, Part, Split, TextToDiscuss
from klero.themes.confront_sides import Sides, alike, read_given
from klero.themes.measures import adjusted_rand
from klero.themes.quotes import LONGEST
from klero.voices.settings import read_whole

if TYPE_CHECKING:
    import pyarrow as pa

    from klero.voices.texts import TextSource

__all__ = ["Cell", "Confrontation", "Found", "Lost", "Merge", "Part", "Split", "TextToDiscuss", "confront"]

ALGORITHM = "klero-confrontation/1"
SCHEMA = 1
_MOST = 10_000


@dataclass(frozen=True, eq=False)
class Confrontation:
    """A person's codes beside the machine's groups.

    Attributes:
        total, coded, missing: contributions, those that carry a code, and those that carry none: total = coded + missing.
        codes, code_sizes: the codes, the most frequent first, and their contributions.
        names, sizes, coded_sizes: of each group its name («T1», «W1», «L1»), its contributions, and those that carry a code.
        cells: each code in each group that holds it: code, group, count, as positions in the above; int64[cells, 3].
        rand, rand_interval: adjusted Rand index, and where it may lie with 95 %; None for fewer than ten contributions.
        matched: code to group, each to one at most, so that most agree.
        kappa, kappa_interval, agree: Cohen's kappa so, and how many contributions agree.
        majority: for each group the code it is called after, or None.
        kappa_majority, kappa_majority_interval, agree_majority: the same with several groups to one code.
        information: adjusted mutual information, homogeneity, completeness.
        differ: the cells where they differ most, by how many contributions are there beyond what is expected.
        lost, split, merged, found: see the classes; the largest first.
        texts: those to discuss first: the most central one of each place where they differ, then the next of each.
        disagree: contributions whose code is not that of their group, all of them.
        alike: codes that differ in case, accents or spaces alone: perhaps one.
    """

    total: int
    coded: int
    missing: int
    codes: tuple[str, ...]
    code_sizes: tuple[int, ...]
    names: tuple[str, ...]
    sizes: tuple[int, ...]
    coded_sizes: tuple[int, ...]
    cells: Ints = field(repr=False)
    rand: Fraction
    rand_interval: Interval | None
    matched: Mapping[str, int]
    kappa: Fraction
    kappa_interval: Interval | None
    agree: int
    majority: tuple[str | None, ...] = field(repr=False)
    kappa_majority: Fraction
    kappa_majority_interval: Interval | None
    agree_majority: int
    information: Information
    differ: tuple[Cell, ...] = field(repr=False)
    lost: tuple[Lost, ...] = field(repr=False)
    split: tuple[Split, ...] = field(repr=False)
    merged: tuple[Merge, ...] = field(repr=False)
    found: tuple[Found, ...] = field(repr=False)
    texts: tuple[TextToDiscuss, ...] = field(repr=False)
    disagree: int
    alike: tuple[tuple[str, ...], ...]
    algorithm: str = ALGORITHM
    _rows: pa.Table | None = field(default=None, repr=False)

    def table(self) -> npt.NDArray[np.int64]:
        """The contingency table: a row for each code, a column for each group."""
        table = np.zeros((len(self.codes), len(self.names)), np.int64)
        table[self.cells[:, 0], self.cells[:, 1]] = self.cells[:, 2]
        return table

    def explain(self, lang: str = "en") -> str:
        """In plain words, «en» or «fr».

        Raises:
            InputError: there are no words in this language.
        """
        from klero.themes.confront_words import confront_words

        return confront_words(self, lang)

    def to_dict(self) -> dict[str, object]:
        """For JSON, fractions as floats; with the texts to discuss and no others."""
        return {
            "schema": SCHEMA,
            "algorithm": self.algorithm,
            "total": self.total,
            "coded": self.coded,
            "missing": self.missing,
            "confidence": CONFIDENCE,
            "rand": float(self.rand),
            "rand_interval": self.rand_interval,
            "kappa": float(self.kappa),
            "kappa_interval": self.kappa_interval,
            "agree": self.agree,
            "kappa_majority": float(self.kappa_majority),
            "kappa_majority_interval": self.kappa_majority_interval,
            "agree_majority": self.agree_majority,
            "adjusted_mutual_information": self.information.adjusted,
            "homogeneity": self.information.homogeneity,
            "completeness": self.information.completeness,
            "codes": [
                {"code": code, "size": size} for code, size in zip(self.codes, self.code_sizes, strict=True)
            ],
            "groups": [
                {"label": label, "name": name, "size": size, "coded": coded, "majority": majority}
                for label, (name, size, coded, majority) in enumerate(
                    zip(self.names, self.sizes, self.coded_sizes, self.majority, strict=True)
                )
            ],
            "cells": self.cells.tolist(),
            "matched": dict(self.matched),
            "differ": [cell.to_dict() for cell in self.differ],
            "lost": [lost.to_dict() for lost in self.lost],
            "split": [split.to_dict() for split in self.split],
            "merged": [merge.to_dict() for merge in self.merged],
            "found": [found.to_dict() for found in self.found],
            "disagree": self.disagree,
            "texts": [text.to_dict() for text in self.texts],
            "alike": [list(codes) for codes in self.alike],
        }

    def to_arrow(self) -> pa.Table:
        """A row for each contribution, in their order: id, label, name, code, majority, agrees (null without a code), similarity where it is known."""
        if self._rows is None:
            raise AssertionError
        return self._rows


def confront(
    partition: PartitionLike | Sequence[int] | Ints,
    codes: Column,
    *,
    texts: TextSource | None = None,
    ids: Column | None = None,
    most: int = 30,
    longest: int = LONGEST,
) -> Confrontation:
    """A person's codes beside the machine's groups.

    Args:
        partition: which contribution is in which group: a `Partition`, or whole numbers from 0 on.
        codes: one code for each contribution, text or whole numbers; empty where the person gave none. Spaces around a code do not count.
        texts: what was written, to be shown beside the differences.
        ids: of the contributions; None: rows are numbered from 0.
        most: so many texts and so many cells are told at most, 0 to 10,000.
        longest: code points of a text that are shown, at least 20.

    Raises:
        InputError: the columns are not equally long, no contribution has a code, or something is of the wrong type; all faults together.
    """
    faults: list[Fault] = []
    read_whole(faults, "most", most, 0, _MOST, "the texts and cells that are told")
    read_whole(faults, "longest", longest, 20, 1_000_000, "the code points of a text that are shown")
    given = read_given(partition, codes, texts, ids, faults)
    raise_all(faults)
    if given is None:
        raise AssertionError
    return _confrontation(Sides(given), most, longest)


def _confrontation(sides: Sides, most: int, longest: int) -> Confrontation:
    given, table = sides.given, sides.table
    cells = np.flatnonzero(sides.answers())
    matched = best_matching(
        table.row[cells], table.column[cells], table.count[cells], table.row_sizes, table.column_sizes
    )
    called = np.full(len(table.column_sizes), -1, np.int64)
    for row, column in matched:
        called[column] = row
    one, agree = kappa(table, called)
    many, agree_many = kappa(table, sides.majority)
    lost, split, merged = sides.lost(), sides.split(), sides.merged()
    differ = sides.differ()
    known = given.code >= 0
    texts = sides.texts(
        differ, most, longest, {x.code for x in lost}, {x.code for x in split}, {x.label for x in merged}
    )
    return Confrontation(
        total=len(given.code),
        coded=table.total,
        missing=len(given.code) - table.total,
        codes=given.codes,
        code_sizes=tuple(table.row_sizes.tolist()),
        names=sides.names,
        sizes=tuple(given.groups.sizes.tolist()),
        coded_sizes=tuple(table.column_sizes.tolist()),
        cells=np.stack([table.row, table.column, table.count], axis=1),
        rand=adjusted_rand(given.code[known], given.groups.labels[known]),
        rand_interval=jackknife_rand(table),
        matched={given.codes[row]: column for row, column in matched},
        kappa=one,
        kappa_interval=jackknife_kappa(table, called),
        agree=agree,
        majority=tuple(map(sides.code, sides.majority.tolist())),
        kappa_majority=many,
        kappa_majority_interval=jackknife_kappa(table, sides.majority),
        agree_majority=agree_many,
        information=information(
            Table(
                table.row,
                table.column,
                table.count,
                table.row_sizes,
                table.column_sizes[table.column_sizes > 0],
            )
        ),
        differ=tuple(sides.cell(cell) for cell in differ[:most].tolist()),
        lost=lost,
        split=split,
        merged=merged,
        found=sides.found(called),
        texts=texts,
        disagree=table.total - agree_many,
        alike=alike(given.codes),
        _rows=sides.arrow(),
    )
