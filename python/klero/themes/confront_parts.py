"""What is told of a person's codes beside the machine's groups, piece by piece; see :mod:`klero.themes.confront`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from klero.voices.ids import Id

__all__ = ["Cell", "Found", "Lost", "Merge", "Part", "Split", "TextToDiscuss"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A code within a group that is not called after it.

    Attributes:
        code, label, name: the code, the group and its name.
        majority: the code that the group is called after; None if none.
        observed: contributions of the code in the group.
        expected: how many chance would put there.
    """

    code: str
    label: int
    name: str
    majority: str | None
    observed: int
    expected: Fraction

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "code": self.code,
            "label": self.label,
            "name": self.name,
            "majority": self.majority,
            "observed": self.observed,
            "expected": round(float(self.expected), 4),
        }


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a code's contributions, in one group: `count` of them; `majority` is what the group is called after."""

    label: int
    name: str
    count: int
    majority: str | None

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"label": self.label, "name": self.name, "count": self.count, "majority": self.majority}


@dataclass(frozen=True)
class Lost:
    """A code without a theme of its own, and where its contributions are, most first."""

    code: str
    size: int
    parts: tuple[Part, ...]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"code": self.code, "size": self.size, "parts": [part.to_dict() for part in self.parts]}


@dataclass(frozen=True)
class Split:
    """A code after which several groups of two coded contributions or more are called, most of it first."""

    code: str
    size: int
    parts: tuple[Part, ...]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"code": self.code, "size": self.size, "parts": [part.to_dict() for part in self.parts]}


@dataclass(frozen=True)
class Merge:
    """A group in which several codes have two contributions or more and a fifth of the coded ones each: (code, count), most first."""

    label: int
    name: str
    size: int
    codes: tuple[tuple[str, int], ...]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "label": self.label,
            "name": self.name,
            "size": self.size,
            "codes": [list(code) for code in self.codes],
        }


@dataclass(frozen=True, slots=True)
class Found:
    """A group of two contributions or more that answers to no code of the person's.

    Attributes:
        label, name, size, coded: the group, its contributions, and those of them that carry a code.
        why: «uncoded» (fewer than half carry a code), «across» (no code has half of the coded ones) or «within» (at least half are of `code`, to which
            another group answers).
        code: the most frequent code; None if there is none.
        count: its contributions in the group.
    """

    label: int
    name: str
    size: int
    coded: int
    why: str
    code: str | None
    count: int

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "label": self.label,
            "name": self.name,
            "size": self.size,
            "coded": self.coded,
            "why": self.why,
            "code": self.code,
            "count": self.count,
        }


@dataclass(frozen=True, slots=True)
class TextToDiscuss:
    """A contribution whose code is not that of its group.

    Attributes:
        row, id: which.
        text, cut: as in a `Quote`; None where no texts were given.
        code: the person's.
        label, name, majority: its group, and the code after which it is called.
        similarity: cosine to its group's centre, how sure the machine is; None where only labels were given.
        split: whether several groups are called after its code.
        merged: whether its group holds several codes.
        lost: whether its code has no theme of its own.
    """

    row: int
    id: Id
    text: str | None
    cut: bool
    code: str
    label: int
    name: str
    majority: str | None
    similarity: float | None
    split: bool
    merged: bool
    lost: bool

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {slot: getattr(self, slot) for slot in self.__slots__}
