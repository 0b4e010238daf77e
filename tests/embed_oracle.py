"""The offline embedder's weights and space again, in numpy, from the words of its documentation: slow and obvious."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
WORDS = 0.7


def features(text: str) -> tuple[Counter[str], Counter[str]]:
    """Words, and runs of three and four letters of each with a space on both sides."""
    bare = "".join(
        c for c in unicodedata.normalize("NFKD", text.casefold()) if unicodedata.category(c) != "Mn"
    )
    words: Counter[str] = Counter(re.findall(r"\w+", bare))
    runs: Counter[str] = Counter()
    for word, count in words.items():
        padded = f" {word} "
        for length in (3, 4):
            for start in range(len(padded) - length + 1):
                runs[padded[start : start + length]] += count
    return words, runs


def weights(texts: Sequence[str]) -> Matrix:
    """A row for each text, a column for each feature that two different texts have. What only one has counts for the length of a row and has no column."""
    different = sorted(set(texts))
    kinds = []
    for kind, share in ((0, WORDS), (1, 1.0)):
        frequency: Counter[str] = Counter()
        for text in different:
            frequency.update(set(features(text)[kind]))
        known = sorted(feature for feature, count in frequency.items() if count >= 2)
        table = np.zeros((len(texts), len(known)))
        for row, text in enumerate(texts):
            own = features(text)[kind]
            weighed = {
                feature: (1 + math.log(count))
                * (math.log((1 + len(different)) / (1 + max(1, frequency[feature]))) + 1)
                for feature, count in own.items()
            }
            length = math.sqrt(sum(weight**2 for weight in weighed.values()))
            for column, feature in enumerate(known):
                if feature in weighed:
                    table[row, column] = share * weighed[feature] / length
        kinds.append(table)
    whole: Matrix = np.hstack(kinds) / math.sqrt(1 + WORDS**2)
    return whole


def projected(texts: Sequence[str], dimension: int) -> tuple[Matrix, Matrix]:
    """Singular values of the weights of the different texts, and the rows of `texts` drawn in the space of the largest."""
    values, vectors = np.linalg.svd(weights(sorted(set(texts))), full_matrices=False)[1:]
    kept = values > 1e-3 * values[0]
    space = vectors[kept][:dimension]
    return values[kept][:dimension], weights(texts) @ space.T
