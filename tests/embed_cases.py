"""Embedders for tests: tiny ones, wrong ones, and stand-ins for packages that may be absent."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

Matrix = NDArray[np.float32]


def vector_of(text: str, dimension: int = 8) -> list[float]:
    """Numbers that depend on the text alone."""
    return [byte / 255 - 0.5 for byte in hashlib.sha256(text.encode()).digest()[:dimension]]


class Tiny:
    """Gives `vector_of` each text, and remembers what it was asked."""

    def __init__(self, name: str = "tiny 1", change: Callable[[Matrix], object] | None = None) -> None:
        self.name = name
        self.batches: list[list[str]] = []
        self._change = change

    def embed(self, texts: Sequence[str]) -> Matrix:
        """Their vectors, or what `change` makes of them."""
        self.batches.append(list(texts))
        vectors = np.array([vector_of(text) for text in texts], np.float32)
        return vectors if self._change is None else cast("Matrix", self._change(vectors))

    @property
    def seen(self) -> list[str]:
        """All texts, in the order in which they came."""
        return [text for batch in self.batches for text in batch]


def stand_in(monkeypatch: pytest.MonkeyPatch, name: str, **contents: object) -> ModuleType:
    """A module of this name, for as long as the test runs."""
    module = ModuleType(name)
    vars(module).update(contents)
    monkeypatch.setitem(sys.modules, name, module)
    return module


def absent(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """As if no module of this name were installed."""
    monkeypatch.setitem(sys.modules, name, None)
