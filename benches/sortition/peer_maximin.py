"""Runs in the peer's environment: sortition-algorithms' maximin on two tables; prints one JSON line.

python peer_maximin.py PEOPLE QUOTAS SIZE
"""

import csv
import json
import sys

from sortition_algorithms.adapters import CSVStringDataSource, SelectionData
from sortition_algorithms.committee_generation.maximin import find_distribution_maximin
from sortition_algorithms.settings import Settings


def main() -> None:
    people_path, quotas_path, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
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
    committees, chances, _ = find_distribution_maximin(features, people, size, [])
    totals = dict.fromkeys(range(len(rows)), 0.0)
    for committee, chance in zip(committees, chances, strict=True):
        for person in committee:
            totals[int(person)] += chance
    p = sorted(totals.values())
    below, area = 0.0, 0.0
    for value in p:
        area += 2 * below + value
        below += value
    used = sum(c > 1e-9 for c in chances)
    print(json.dumps({"minimum": p[0], "gini": 1 - area / (len(p) * below), "panels": used}))


if __name__ == "__main__":
    main()
