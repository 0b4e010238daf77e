"""A lottery read back from its bundle, to be explained or looked at again without the tables it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klero.ledger.bundle import read_bundle
from klero.ledger.verify import verify_files
from klero.sortition.certificate import Certificate, Claim, Leaf, Level, Split, Weights
from klero.sortition.instance import Instance

if TYPE_CHECKING:
    from klero.sortition.lottery import Lottery


def load_lottery(bundle: str | Path) -> Lottery:
    """The lottery in a bundle. The bundle is verified first.

    Raises:
        BundleError: it is not a bundle, or a check fails; the check is named.
    """
    files = read_bundle(bundle)
    verify_files(files).raise_if_failed()
    return read_lottery({name: json.loads(content) for name, content in files.items()})


def read_lottery(documents: Mapping[str, Any]) -> Lottery:
    """The lottery that a bundle's documents hold, by the name of their file. They must have passed the checks."""
    from klero.sortition.lottery import Lottery

    declaration, certificate = documents["declaration.json"], documents["certificate.json"]
    return Lottery(
        _instance(declaration, documents["pool.json"]),
        declaration["objective"],
        declaration["denominator"],
        tuple((count, _pairs(seats)) for count, seats in documents["lottery.json"]["panels"]),
        Certificate(
            tuple(map(_level, certificate["levels"])), Fraction(certificate["gap"]), _claim(certificate)
        ),
    )


def _instance(declaration: dict[str, Any], pool: dict[str, Any]) -> Instance:
    features = declaration["features"]
    types = tuple(tuple(t) for t in pool["types"])
    kinds = tuple(t for _, t in pool["people"])
    counts = [0] * len(types)
    for t in kinds:
        counts[t] += 1
    values = [feature["values"] for feature in features]
    unknown = tuple(tuple(None for _ in v) for v in values)
    return Instance(
        size=declaration["size"],
        features=tuple(feature["name"] for feature in features),
        values=tuple(tuple(v["value"] for v in vs) for vs in values),
        minima=tuple(tuple(v["min"] for v in vs) for vs in values),
        maxima=tuple(tuple(v["max"] for v in vs) for vs in values),
        flex_minima=unknown,
        flex_maxima=unknown,
        types=types,
        weights=tuple(pool["weights"]),
        counts=tuple(counts),
        ids=tuple(person for person, _ in pool["people"]),
        person_type=kinds,
        id_column=declaration["id_column"],
        per_household=declaration["household"],
        households=tuple(map(tuple, pool["households"])),
    )


def _level(level: dict[str, Any]) -> Level:
    return Level(
        Fraction(level["value"]),
        _weights(level["types"]),
        _weights(level["cells"]),
        int(level["seats"]),
        _weights(level["held"]),
        tuple(map(_node, level["proof"])),
    )


def _claim(certificate: dict[str, Any]) -> Claim | None:
    if "claim" not in certificate:
        return None
    claim = certificate["claim"]
    return Claim(_weights(claim["weights"]), Fraction(claim["tangent"]), tuple(map(_node, claim["proof"])))


def _node(node: dict[str, Any]) -> Split | Leaf:
    if "type" in node:
        return Split(node["type"], node["at_most"], node["below"], node["above"])
    return Leaf(int(node["scale"]), _weights(node["cells"]), int(node["seats"]))


def _pairs(pairs: list[list[int]]) -> Weights:
    return tuple((a, b) for a, b in pairs)


def _weights(pairs: list[list[Any]]) -> Weights:
    return tuple((index, int(weight)) for index, weight in pairs)
