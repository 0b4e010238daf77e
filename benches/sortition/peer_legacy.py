"""Runs in the peer's environment: sortition-algorithms' legacy draw, many times, on two tables; prints one JSON line.

python peer_legacy.py PEOPLE QUOTAS SIZE DRAWS

A draw that fails is tried again, which the time includes; reading the tables it does not. Features and values must stand in the tables in code point
order, so that ties are broken as klero breaks them.
"""

import csv
import json
import random
import sys
import time

from sortition_algorithms import errors
from sortition_algorithms.adapters import CSVStringDataSource, SelectionData
from sortition_algorithms.committee_generation.legacy import find_random_sample_legacy
from sortition_algorithms.settings import Settings


def main() -> None:
    people_path, quotas_path, size, draws = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    random.seed(1)
    with open(people_path, encoding="utf-8-sig", newline="") as source:  # noqa: PTH123
        rows = list(csv.DictReader(source))
    columns = ["klero_row", *rows[0]]
    text = "\n".join([",".join(columns), *(",".join([str(i), *r.values()]) for i, r in enumerate(rows))])
    with open(quotas_path, encoding="utf-8") as source:  # noqa: PTH123
        quotas = source.read()
    data = SelectionData(CSVStringDataSource(quotas, text))
    settings = Settings(id_column="klero_row", columns_to_keep=[], check_same_address=False)
    features, _ = data.load_features()
    people, _ = data.load_people(settings, features)
    hits, restarts = [0] * len(rows), 0
    started = time.perf_counter()
    for _ in range(draws):
        while True:
            try:
                committees, _ = find_random_sample_legacy(people, features, size, max_attempts=1)
                break
            except errors.SortitionBaseError:
                restarts += 1
        for person in committees[0]:
            hits[int(person)] += 1
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "restarts": restarts, "hits": hits}))


if __name__ == "__main__":
    main()
