"""What makes vectors of texts in live themes when no model is given?

Hashed words and runs of letters (`rust/core/src/vectors/live/words.rs`), weighed by how rare they are among the texts so far.
How rare is learnt at consolidations, each time there are half as many texts again, and all texts are then embedded anew: so a text's vector never
depends on what other texts came in the same second.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from klero import _native
from klero.themes.live_input import Matrix

__all__ = ["HashedWords"]


class HashedWords:
    """Hashed words, and what was learnt of them."""

    name: str = _native.LIVE_EMBEDDER

    def __init__(self) -> None:
        self._words = _native.LiveWords()
        self.learnt = 0  # contributions whose words were counted
        self.used = False

    def embed(self, texts: Sequence[str]) -> Matrix:
        """A vector for each text; zeros for one without words."""
        self.used = self.used or bool(texts)
        return np.frombuffer(self._words.embed(list(texts)), np.float32).reshape(len(texts), -1)

    def taught(self, texts: Sequence[str], learnt: int) -> HashedWords:
        """Another that has learnt these texts, too; `learnt` is how many it then knows."""
        other = HashedWords()
        other._words = self._words.copy()
        other._words.learn(list(texts))
        other.learnt, other.used = learnt, self.used
        return other

    def wants(self, contributions: int) -> bool:
        """Whether so many contributions are enough more to learn from them."""
        return contributions >= 8 and contributions * 2 >= self.learnt * 3
