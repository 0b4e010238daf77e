"""How fast is a register draw, in how much memory, and does every way of reading give the same people?

    python benches/register/run.py [--rows 10000000] [--runs 1] [--threads 2 1] [--only weights] [--same] [--peers] [--folder DIR]

Makes a register in Parquet in a temporary folder (seeded; ids of 12 characters in no order, 13 regions × 6 ages, whole weights), and runs
`klero invite` on it as whole processes: wall seconds, rows a second, largest resident memory. `--same` compares the files of 1 and 2 threads,
and of the register cut into other files in another order. `--peers` runs what a statistician would write with polars, pandas and NumPy, all in memory,
in one process each: duplicates looked for, then a weighted sample by stratum (exponential race, Efraimidis and Spirakis 2006). Their chances
are not exactly proportional to weights, and their samples depend on the order of rows.

The floor is the hashing that the result consists of: SHA-256 compressions a row, timed in the same run on one core.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

CHUNK = 1 << 20
REGIONS = [f"region {i:02d}" for i in range(13)]
AGES = ["16-24", "25-34", "35-49", "50-64", "65-79", "80+"]

PEERS = {
    "polars": """
import polars as pl, numpy as np, sys
t = pl.read_parquet(sys.argv[1], columns=["id", "region", "age", "weight"])
assert t["id"].n_unique() == t.height
n = 30_000
u = np.random.default_rng(1).random(t.height)
t = t.with_columns(key=-pl.Series(np.log(u)) / pl.col("weight"))
print(t.filter(pl.col("key").rank("ordinal").over("region", "age") <= (n * pl.len().cast(pl.Float64).over("region", "age") / t.height).round()).height)
""",
    "pandas": """
import pandas as pd, sys
t = pd.read_parquet(sys.argv[1], columns=["id", "region", "age", "weight"])
assert t["id"].is_unique
n = 30_000
parts = [g.sample(round(n * len(g) / len(t)), weights=g["weight"], random_state=1) for _, g in t.groupby(["region", "age"])]
print(sum(map(len, parts)))
""",
    "numpy": """
import numpy as np, pyarrow.parquet as pq, sys
t = pq.read_table(sys.argv[1], columns=["id", "region", "age", "weight"])
assert t["id"].combine_chunks().unique().__len__() == t.num_rows
code = lambda c: t[c].combine_chunks().dictionary_encode().indices.to_numpy()
s = code("region") * 6 + code("age")
key = np.random.default_rng(1).exponential(size=len(s)) / t["weight"].to_numpy()
n = 30_000
out = 0
for h in range(78):
    rows = np.flatnonzero(s == h)
    m = round(n * len(rows) / len(s))
    out += len(rows[np.argpartition(key[rows], m)[:m]])
print(out)
""",
}


def make(path: Path, rows: int) -> None:
    """A register of so many rows."""
    writer = None
    for at in range(0, rows, CHUNK):
        count = min(CHUNK, rows - at)
        rng = np.random.default_rng([7, at])
        # An odd factor permutes the numbers below 2^40: all ids differ, in no order.
        numbers = (np.arange(at, at + count, dtype=np.uint64) * np.uint64(0x9E3779B97F)) % np.uint64(1 << 40)
        digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 11, "0")
        # 2^40 has 13 digits: letters keep ids of 12 to 14 characters.
        columns = {
            "id": pc.binary_join_element_wise("R", digits, ""),
            "region": pa.DictionaryArray.from_arrays(rng.integers(0, 13, count, dtype=np.int32), REGIONS),
            "age": pa.DictionaryArray.from_arrays(
                rng.choice(6, count, p=[0.12, 0.15, 0.24, 0.25, 0.17, 0.07]).astype(np.int32), AGES
            ),
            "weight": pa.array(rng.integers(1, 20, count, dtype=np.int32)),
        }
        batch = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, batch.schema)
        writer.write_table(batch)
    if writer is not None:
        writer.close()


def shuffled(path: Path, folder: Path, rows: int) -> list[Path]:
    """The same rows in three files, row groups in reverse order and rows shuffled inside."""
    source = pq.ParquetFile(path)
    targets = [folder / f"part-{i}.parquet" for i in range(3)]
    writers = [pq.ParquetWriter(t, source.schema_arrow) for t in targets]
    for i in reversed(range(source.num_row_groups)):
        group = source.read_row_group(i)
        order = np.random.default_rng(i).permutation(len(group))
        writers[i % 3].write_table(group.take(pa.array(order)), row_group_size=100_000)
    for writer in writers:
        writer.close()
    return targets


def measured(command: list[str]) -> tuple[float, float, str]:
    """(wall seconds, largest resident MB, what it said on stdout). Processor seconds, which a busy machine disturbs less, go to stdout."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    said = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(command[:4])}")
    print(f"  processor seconds: {usage.ru_utime:.2f} user, {usage.ru_stime:.2f} system")
    return wall, usage.ru_maxrss / 1024, said.strip()


def invite(register: list[Path], out: Path, *options: str) -> list[str]:
    """The command, with the design that is measured."""
    command = [sys.executable, "-m", "klero", "invite", *map(str, register), "--size", "30000"]
    return [*command, "--strata", "region,age", "--trial-seed", "bench", "-o", str(out), "--force", *options]


def compression() -> float:
    """Nanoseconds of one SHA-256 compression on one core."""
    block = bytes(64 << 20)
    best = min(_timed(lambda: hashlib.sha256(block)) for _ in range(3))
    return best / (1 << 20) * 1e9


def _timed(work: object) -> float:
    started = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - started


def main() -> None:
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10**7)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--same", action="store_true")
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--only", choices=["weights", "no weights"])
    parser.add_argument("--folder")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder = Path(name)
        path = folder / "register.parquet"
        make(path, args.rows)
        print(
            f"{platform.platform()}, {os.cpu_count()} processors; {args.rows} rows, {path.stat().st_size >> 20} MB of Parquet"
        )
        block = compression()
        work = 1 + 44 / 64 + 2
        floor = args.rows * work * block / 1e9
        print(
            f"one compression {block:.1f} ns; {work:.2f} a row: floor {floor:.2f} s on one core, {floor / 2:.2f} s on two"
        )
        for label, options in {"weights": ("--weight", "weight"), "no weights": ()}.items():
            if args.only not in (None, label):
                continue
            for threads in map(str, args.threads):
                for _ in range(args.runs):
                    wall, mb, _ = measured(
                        invite([path], folder / f"{threads}.csv", *options, "--threads", threads)
                    )
                    print(
                        f"klero, {label}, {threads} threads: {wall:.2f} s, {args.rows / wall / 1e6:.2f} M rows/s, {mb:.0f} MB"
                    )
            if args.same:
                cut = shuffled(path, folder, args.rows)
                measured(invite(cut, folder / "cut.csv", *options, "--threads", "2"))
                names = [*map(str, args.threads), "cut"]
                files = [(folder / f"{n}.csv").read_bytes() for n in names]
                records = [(folder / f"{n}.csv.draw.json").read_bytes() for n in names]
                alike = len(set(files)) == 1 and len(set(records)) == 1
                print(
                    f"same bytes for these threads and for shuffled files: {alike}, {hashlib.sha256(files[0]).hexdigest()[:16]}"
                )
        if args.peers:
            for peer, code in PEERS.items():
                wall, mb, said = measured([sys.executable, "-c", code, str(path)])
                print(
                    f"{peer}: {wall:.2f} s, {args.rows / wall / 1e6:.2f} M rows/s, {mb:.0f} MB, {said} drawn"
                )


if __name__ == "__main__":
    main()
