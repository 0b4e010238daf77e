"""What has to be published so that everyone can recheck a lottery?

The documents of a bundle, made from a lottery, as `docs/audit/bundle.md` sets them out. How they get into a
folder is :mod:`klero.ledger.folder`'s business. No document depends on the order of rows, time or machine.
"""

from __future__ import annotations

import os
from fractions import Fraction
from typing import TYPE_CHECKING

from klero import _native
from klero.errors import BundleError
from klero.ledger.canonical import canonical
from klero.ledger.folder import add_file, check_output, read_bundle, write_bundle
from klero.sortition.lottery import ALGORITHM

if TYPE_CHECKING:
    from klero.sortition.certificate import Certificate, Leaf, Level, Split
    from klero.sortition.instance import Instance
    from klero.sortition.lottery import Lottery

__all__ = [
    "add_file",
    "bundle_files",
    "certificate_object",
    "check_output",
    "declaration_object",
    "lottery_object",
    "pool_object",
    "read_bundle",
    "write_bundle",
    "write_lottery",
]

NUMBER_LIMIT = 4096


def declaration_object(instance: Instance, objective: str, denominator: int) -> dict[str, object]:
    """The document declaration.json: the rules, before anything is drawn."""
    features = []
    for name, *columns in zip(
        instance.features, instance.values, instance.minima, instance.maxima, strict=True
    ):
        cells = [{"max": high, "min": low, "value": value} for value, low, high in zip(*columns, strict=True)]
        features.append({"name": name, "values": cells})
    return {
        "algorithm": ALGORITHM,
        "denominator": denominator,
        "features": features,
        "format": "klero-bundle/2",
        "household": instance.per_household,
        "id_column": instance.id_column,
        "kind": "trial",
        "objective": objective,
        "people": len(instance.ids),
        "protocol": "klero-draw/1",
        "size": instance.size,
    }


def pool_object(instance: Instance) -> dict[str, object]:
    """The document pool.json: the people, their types, weights and households."""
    people = [[person, t] for person, t in zip(instance.ids, instance.person_type, strict=True)]
    return {
        "households": [list(members) for members in instance.households],
        "people": people,
        "types": [list(values) for values in instance.types],
        "weights": list(instance.weights),
    }


def lottery_object(lottery: Lottery) -> dict[str, object]:
    """The document lottery.json: the panels and their counts."""
    return {"panels": [[count, _pairs(seats)] for count, seats in lottery.panels]}


def certificate_object(certificate: Certificate) -> dict[str, object]:
    """The document certificate.json: what no lottery can exceed, and how far this one stays below."""
    return {
        "gap": _number(certificate.gap),
        "level": certificate.level,
        "levels": [_level_object(level) for level in certificate.levels],
    }


def bundle_files(lottery: Lottery) -> dict[str, bytes]:
    """The five files of a lottery's bundle.

    Raises:
        BundleError: a text or a number has no place in the format, as an id that is not in Unicode's NFC.
    """
    instance = lottery.instance
    files = {
        "certificate.json": canonical(certificate_object(lottery.certificate)),
        "declaration.json": canonical(declaration_object(instance, lottery.objective, lottery.denominator)),
        "lottery.json": canonical(lottery_object(lottery)),
        "pool.json": canonical(pool_object(instance)),
    }
    files["commitment.json"] = _native.commitment_file(files)
    return dict(sorted(files.items()))


def write_lottery(lottery: Lottery, folder: str | os.PathLike[str], *, force: bool = False) -> None:
    """Writes the bundle of `lottery` to `folder`, complete or not at all.

    Raises:
        OutputExistsError: the folder has files in it. `force` replaces it if it is a bundle.
    """
    check_output(folder, force=force)
    write_bundle(folder, bundle_files(lottery), force=force)


def _level_object(level: Level) -> dict[str, object]:
    return {
        "cells": _weights(level.cells),
        "held": _weights(level.held),
        "proof": [_node_object(node) for node in level.proof],
        "seats": _number(level.seats),
        "types": _weights(level.types),
        "value": _number(level.value),
    }


def _node_object(node: Split | Leaf) -> dict[str, object]:
    if len(node) == 4:
        return {"above": node.above, "at_most": node.at_most, "below": node.below, "type": node.type}
    return {"cells": _weights(node.cells), "scale": _number(node.scale), "seats": _number(node.seats)}


def _pairs(pairs: tuple[tuple[int, int], ...]) -> list[list[int]]:
    return [list(pair) for pair in pairs]


def _weights(weights: tuple[tuple[int, int], ...]) -> list[list[int | str]]:
    return [[index, _number(weight)] for index, weight in weights]


def _number(number: int | Fraction) -> str:
    """The one spelling of a number of any size, up to the format's limit."""
    fraction = Fraction(number)
    # Python itself refuses to print integers of more than some 4,300 digits; look at the size first.
    if fraction.numerator.bit_length() + fraction.denominator.bit_length() <= 4 * NUMBER_LIMIT:
        text = str(fraction)
        if len(text) <= NUMBER_LIMIT:
            return text
    raise BundleError(f"a number of the certificate has more than {NUMBER_LIMIT} characters")
