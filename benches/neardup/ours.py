"""klero on a corpus, in a process of its own; and the floor, and the slow oracle of the tests for small corpora.

    python ours.py klero|klero-sketch|stream|floor|oracle CORPUS.parquet THREADS OUT.npy [--threshold 0.8] [--memory 2GB] [--recall 0.99]

`klero` and `klero-sketch` are `klero.near_duplicates` on an Arrow column; `stream` is the file that doesn't fit in memory; `floor` reads the texts
and hashes each shingle once into sorted sets, nothing more: no way of comparing sets can be quicker.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import measured
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FLOOR_ROWS = 4_096  # texts read at once: their sets stay in the cache


def klero(column: pa.Array, args: argparse.Namespace, mode: str) -> np.ndarray:
    from klero import near_duplicates

    found = near_duplicates(
        column, threshold=args.threshold, mode=mode, recall=args.recall, threads=args.threads
    )
    return np.asarray(found.group)


def floor(column: pa.Array, _: argparse.Namespace) -> np.ndarray:
    from klero import _native
    from klero.voices.sets import native_chunk

    for first in range(0, len(column), FLOOR_ROWS):
        _native.text_sets(native_chunk(column.slice(first, FLOOR_ROWS)), 3, False)
    return np.full(len(column), -1)


def oracle(column: pa.Array, args: argparse.Namespace) -> np.ndarray:
    sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
    from neardup_oracle import near_duplicates

    return np.array(near_duplicates(column.to_pylist(), threshold=args.threshold).group)


def stream(args: argparse.Namespace) -> tuple[np.ndarray, dict[str, float]]:
    """(the group, a smallest id, of each id in ascending order, figures)."""
    from klero.voices.streaming import near_duplicates_file

    with tempfile.TemporaryDirectory(dir=Path(args.out).parent) as folder:
        output = Path(folder) / "groups.parquet"

        def work() -> Any:
            return near_duplicates_file(
                args.corpus,
                text="text",
                id="id",
                threshold=args.threshold,
                mode="sketch",
                recall=args.recall,
                memory=args.memory,
                threads=args.threads,
                output=output,
            )

        _, figures = measured.measure(work)
        table = pq.read_table(output, columns=["id", "group"])
    ids = table["id"].cast(pa.int64()).to_numpy()
    group = table["group"].cast(pa.int64()).fill_null(-1).to_numpy()
    return group[np.argsort(ids)], figures


def main() -> None:
    """Runs one tool and hands over what it found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tool", choices=["klero", "klero-sketch", "stream", "floor", "oracle"])
    parser.add_argument("corpus")
    parser.add_argument("threads", type=int)
    parser.add_argument("out")
    parser.add_argument("--threshold", type=float, default=0.8)
    parser.add_argument("--memory", default="2GB")
    parser.add_argument("--recall", type=float, default=0.99)
    args = parser.parse_args()
    measured.limit(args.threads)
    if args.tool != "oracle":
        importlib.import_module("klero.voices.near_duplicates")  # before the clock starts
    if args.tool == "stream":
        found, figures = stream(args)
        measured.hand_over(args.out, "ids", figures, found)
        return
    column = pq.read_table(args.corpus, columns=["text"])["text"].combine_chunks()
    work = {
        "klero": lambda: klero(column, args, "exact"),
        "klero-sketch": lambda: klero(column, args, "sketch"),
        "floor": lambda: floor(column, args),
        "oracle": lambda: oracle(column, args),
    }[args.tool]
    group, figures = measured.measure(work)
    measured.hand_over(
        args.out, "nothing" if args.tool == "floor" else "groups", figures, measured.smallest(group)
    )


if __name__ == "__main__":
    main()
