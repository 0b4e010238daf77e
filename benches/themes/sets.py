"""The labelled sets, and draws from them in which a few classes hold most of the points, as topics of a consultation do.

A draw (`zipf`) of a set with C classes: the seed (numpy's PCG64) ranks the classes at random; the class of rank 1 gives all it has, M points; the class
of rank r gives min(what it has, max(3, M / r^exponent rounded half up)) points, taken at random by the same generator; the rows come out ascending.
A class is *rare* if it has less than 0.5 % of the points of the draw.

| set | points, classes | vectors |
|---|---|---|
| clinc | 22,500 in scope, 150 classes; 1,200 out of scope, label -1 | all-MiniLM-L6 quantised to int8, 384-d |
| wikit | 1,243, 22 classes, French | multilingual e5 small, 384-d (also use, minilm8) |
| sib | 1,004, 7 classes, French | wordllama static embedding, 256-d |
| made | 10 classes of 20 points around random centres and 20 points anywhere, label -1; for rehearsals | 32-d |

Texts without labels, for what needs none: `polis`, the comments of twenty conversations in English, German and other languages; `repnum`, the
arguments of «République numérique» (2015).
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LEAST = 3
_FOLDERS = {
    "clinc": ("clinc150_oos", "minilm8"),
    "wikit": ("wikit_fr", "e5"),
    "wikit-use": ("wikit_fr", "use"),
    "wikit-minilm": ("wikit_fr", "minilm8"),
    "sib": ("sib200_fr", "wordllama"),
}


@dataclass(frozen=True)
class Labelled:
    """Unit vectors and the class of each; -1 is «out of scope»: each such text is about something else."""

    name: str
    vectors: np.ndarray
    classes: np.ndarray


def _unit(rows: np.ndarray) -> np.ndarray:
    rows = np.ascontiguousarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def data_folder() -> Path:
    """Where the sets are: KLERO_DATA, or beside the repository."""
    return Path(os.environ.get("KLERO_DATA", Path(__file__).parents[3] / "shared" / "data"))


def labelled(name: str, folder: Path | None = None) -> Labelled:
    """One of the sets, in the order of its files."""
    if name == "made":
        return made()
    place, vectors = _FOLDERS[name]
    home = (folder or data_folder()) / "themes" / place
    names = np.array(home.joinpath("labels.txt").read_text(encoding="utf-8").splitlines())
    known = np.unique(names[names != "oos"])
    classes = np.where(names == "oos", -1, np.searchsorted(known, names))
    return Labelled(name, _unit(np.load(home / f"{vectors}.npy")), classes)


def zipf(classes: np.ndarray, seed: int, *, exponent: float = 1.0, least: int = LEAST) -> np.ndarray:
    """Rows of one draw, ascending (see the top of this file); rows of class -1 are never drawn."""
    random = np.random.default_rng(seed)
    ranked = random.permutation(np.unique(classes[classes >= 0]))
    drawn = []
    most = 0
    for rank, which in enumerate(ranked, 1):
        rows = np.flatnonzero(classes == which)
        most = most or len(rows)
        wanted = max(least, int(most / rank**exponent + 0.5))
        drawn.append(random.permutation(rows)[: min(wanted, len(rows))])
    return np.sort(np.concatenate(drawn))


def made(seed: int = 0) -> Labelled:
    """A small set for rehearsals."""
    random = np.random.default_rng(seed)
    classes = np.append(np.repeat(np.arange(10), 20), np.full(20, -1))
    centres = random.normal(size=(10, 32))
    points = random.normal(size=(len(classes), 32))
    points[classes >= 0] = points[classes >= 0] * 0.5 + centres[classes[classes >= 0]]
    return Labelled("made", _unit(points), classes)


def texts(name: str, folder: Path | None = None) -> list[str]:
    """polis or repnum, in the order of the files; texts without a word are left out."""
    home = (folder or data_folder()) / "voices"
    if name == "polis":
        files, column = sorted(home.glob("polis_opendata/*/comments.csv")), "comment-body"
    else:
        files, column = [home / "repnum_2015" / "arguments.csv"], "body"
    found = []
    for file in files:
        with file.open(encoding="utf-8", newline="") as lines:
            found += [row[column] for row in csv.DictReader(lines)]
    return [text for text in found if any(sign.isalnum() for sign in text)]
