"""Makes records in the plainest way: pools whose fairest lottery can be written down, logs, draws. Standard library alone, no klero.

The pools: one declared feature (`by`) has as many seats for each of its values as its minimum and maximum say; other quotas bind nothing. So people of
one value share its seats, whoever must sit has one for certain, and the certificate is one multiplier for each value.
"""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import gcd
from typing import Any

from generate import dump, root, seq, sha
from plain_record import (
    chances,
    drand_reveal,
    entry_hash,
    envelope,
    opened,
    opening,
    panel,
    public_key,
    randomness,
    summary,
)

HOUSEHOLD, MUST_SIT = "(household)", "(must sit)"
SECRETS = {
    name: sha(f"klero test key of the {name}".encode()) for name in ("guarantor", "organiser", "witness")
}
KEYS = sorted(
    ({"key": public_key(s).hex(), "name": f"The {n}", "role": n} for n, s in SECRETS.items()),
    key=lambda key: key["key"],
)


class Maker:
    """A record that grows entry by entry. `people` are (identity, {feature: value}, weight, household)."""

    def __init__(self, draw: str, people: list[Any], features: list[Any], **declared: Any) -> None:
        self.draw, self.by = draw, declared.pop("by", features[0][0])
        self.declaration: dict[str, Any] = {
            "algorithm": "klero-lottery/2",
            "calendar": [],
            "denominator": 10**6,
            "draw": draw,
            "fallback": [],
            "features": [
                {"name": name, "values": [{"max": b, "min": a, "value": v} for v, a, b in values]}
                for name, values in features
            ],
            "format": "klero-record/1",
            "household": 0,
            "keys": KEYS,
            "must_sit": 0,
            "notice": 86400,
            "objective": "leximin",
            "organiser": "Town of Testing",
            "people": len(people),
            "protocol": "klero-draw/1",
            "question": "",
            "sequence": 1,
            "threshold": 2,
            "title": "A panel",
            "tolerance": 10,
        } | declared
        self.files: dict[str, bytes] = {"public/declaration.json": dump(self.declaration)}
        self.payloads: list[bytes] = []
        self.documents: list[dict[str, Any]] = []  # of each round
        self.rounds: list[int] = []
        self.commitments: list[bytes] = []
        self.panels: list[list[str]] = []
        self.withdrawn: list[str] = []
        self.people: list[dict[str, Any]] = []
        for number, (identity, values, weight, home) in enumerate(people):
            attributes = [[name, values[name]] for name, _ in features]
            lives = sum(home == other for *_, other in people) if home else 0
            tag = self.tag(identity["id"], home if lives > self.declaration["household"] else "")
            salt = sha(f"{draw} salt {number}".encode())
            c_id, k_type, leaf = opened(draw, identity, salt, opening(attributes, tag, weight))
            self.people.append(
                {
                    "identity": identity,
                    "attributes": attributes,
                    "weight": weight,
                    "tag": tag,
                    "home": home,
                    "salt": salt,
                    "c_id": c_id.hex(),
                    "k_type": k_type.hex(),
                    "leaf": leaf.hex(),
                }
            )
        self.people.sort(key=lambda one: one["leaf"])
        self.leaves = [one["leaf"] for one in self.people]
        self.files["public/leaves.txt"] = "".join(f"{leaf}\n" for leaf in self.leaves).encode()
        sealed = [[one["identity"], one["salt"].hex()] for one in self.people]
        self.files["sealed/people.json"] = dump({"draw": draw, "format": "klero-sealed/1", "people": sealed})

    def tag(self, person: str, home: str) -> str:
        if not self.declaration["household"]:
            return ""
        return sha(f"{self.draw} {f'household {home}' if home else f'person {person}'}".encode()).hex()[:32]

    # ---- the log ----
    def append(self, kind: str, body: Any, time: str, signers: str = "guarantor organiser") -> bytes:
        payload = dump(
            {
                "body": body,
                "draw": self.draw,
                "format": "klero-entry/1",
                "kind": kind,
                "previous": entry_hash(self.payloads[-1]).hex() if self.payloads else "",
                "sequence": len(self.payloads) + 1,
                "time": time,
            }
        )
        self.payloads.append(payload)
        name = f"public/entry-{len(self.payloads):04}.json"
        self.files[name] = envelope(payload, [SECRETS[signer] for signer in signers.split()])
        return payload

    def commit(
        self,
        time: str,
        loosened: list[Any] | None = None,
        signers: str = "guarantor organiser",
        number: int | None = None,
        **made: Any,
    ) -> None:
        """The commitment of the next round, or of a later one. `made` may hold must_sit (ids), and panels and levels instead of those computed here."""
        self.rounds.append(len(self.rounds) if number is None else number)
        number, loosened = self.rounds[-1], loosened or []
        instance, pool, counts = self.round_pool(loosened, made.get("must_sit", ()))
        panels = made.get("panels") or self.lottery(instance, pool, counts)
        certificate, pi = self.certificate(instance, pool, counts, panels, made.get("levels"))
        documents = {
            "instance": dump(instance),
            "pool": dump(pool),
            "lottery": dump({"panels": panels}),
            "certificate": dump(certificate),
        }
        self.documents.append({"pool": pool, "panels": panels})
        for name, data in documents.items():
            self.files[f"auditor/{name}-{number}.json"] = data
        body = {
            "auditor": seq("klero/auditor/v1", [sha(data) for data in documents.values()]).hex(),
            "declaration": sha(self.files["public/declaration.json"]).hex(),
            "leaves": root([bytes.fromhex(leaf) for leaf in self.leaves]).hex(),
            "loosened": loosened,
            "round": number,
            "summary": self.summary(certificate, instance, pool, list(zip(pi, counts, strict=True))),
        }
        self.commitments.append(entry_hash(self.append("commitment", body, time, signers)))

    def summary(self, certificate: Any, instance: Any, pool: Any, groups: list[Any]) -> dict[str, Any]:
        yes = [t for t, kind in enumerate(pool["types"]) if self.sits(instance, kind)]
        rest = [group for t, group in enumerate(groups) if t not in yes]
        made = summary(certificate["gap"], certificate["level"], rest, sum(groups[t][1] for t in yes))
        assert made["gap"] <= self.declaration["tolerance"]
        return made

    def sources(self, number: int, fallback: bool = False) -> list[dict[str, Any]]:
        declared = self.declaration["calendar"][number - 1] if number else self.declaration["sources"]
        other = self.declaration["fallback"]
        return [other[0] if fallback and source["kind"] == "drand" else source for source in declared]

    def reveals(self, sources: list[dict[str, Any]], given: dict[str, Any]) -> list[dict[str, Any]]:
        """`given` has the digits or numbers of each kind of source; a drand round is looked up."""
        out: list[dict[str, Any]] = []
        for source in sources:
            kind = source["kind"]
            if kind == "drand":
                out.append(drand_reveal(source))
            else:
                out.append({"numbers" if kind == "lottery" else "digits": given[kind], "kind": kind})
        return out

    def read(self, time: str, given: dict[str, Any]) -> None:
        """The reading of the round committed last."""
        sources = [source for source in self.sources(self.rounds[-1]) if source["kind"] != "drand"]
        body = {"reveals": self.reveals(sources, given), "round": self.rounds[-1]}
        self.append("reading", body, time, "guarantor witness")

    def draw_round(
        self, time: str, given: dict[str, Any], fallback: bool = False, signers: str = "guarantor organiser"
    ) -> None:
        place = len(self.panels)
        number = self.rounds[place]
        sources = self.sources(number, fallback)
        reveals = self.reveals(sources, given)
        found = randomness(self.commitments[place], reveals, sources, self.declaration["denominator"])
        documents = self.documents[place]
        drawn = panel(
            bytes.fromhex(found["seed"]),
            found["position"],
            documents["panels"],
            documents["pool"],
            self.leaves,
            [one["c_id"] for one in self.people],
        )
        self.panels.append(drawn)
        body = {
            "fallback": "yes" if fallback else "no",
            "panel": drawn,
            "position": found["position"],
            "rejected": found["rejected"],
            "reveals": reveals,
            "round": number,
            "seed": found["seed"],
        }
        self.append("draw", body, time, signers)

    def withdraw(self, people: list[tuple[str, str]], time: str) -> None:
        """(leaf, code) of each."""
        self.withdrawn += [leaf for leaf, _ in people]
        body = {"withdrawals": [list(pair) for pair in sorted(people)]}
        self.append("withdrawals", body, time, "organiser witness")

    # ---- instance and pool of a round ----
    def round_pool(self, loosened: list[Any], must_sit: Any) -> tuple[Any, Any, list[int]]:
        number, rules = self.rounds[-1], self.declaration
        here = [i for i, leaf in enumerate(self.leaves) if leaf not in self.withdrawn]
        if number:
            must = {i for i in here if self.leaves[i] in self.panels[-1]}
        else:
            must = {i for i in here if self.people[i]["identity"]["id"] in must_sit}
            assert len(must) == rules["must_sit"]
        together: dict[str, list[int]] = {}
        for place, i in enumerate(here):
            if self.people[i]["home"]:
                together.setdefault(self.people[i]["home"], []).append(place)
        homes = sorted(members for members in together.values() if len(members) > rules["household"])
        homes = homes if rules["household"] else []
        own: dict[str, dict[int, str]] = {}
        if rules["household"]:
            contents: dict[Any, list[list[int]]] = {}
            for members in homes:
                people = [self.people[here[place]] for place in members]
                key = [
                    dump([p["attributes"], p["weight"], here[place] in must])
                    for p, place in zip(people, members, strict=True)
                ]
                contents.setdefault(tuple(sorted(key)), []).append(members)
            own[HOUSEHOLD] = dict.fromkeys(here, "alone")
            for value, alike in enumerate(contents.values(), 1):
                own[HOUSEHOLD] |= {here[i]: f"{value:03}" for members in alike for i in members}
        if must:
            own[MUST_SIT] = {i: "yes" if i in must else "no" for i in here}
        wider = {(f, v): (a, b) for f, v, a, b in loosened}
        features = [self.own_feature(name, values, homes, len(must)) for name, values in own.items()]
        for feature in rules["features"]:
            cells = [
                (cell["value"], *wider.get((feature["name"], cell["value"]), (cell["min"], cell["max"])))
                for cell in feature["values"]
            ]
            features.append(
                {
                    "name": feature["name"],
                    "values": [{"max": b, "min": a, "value": v} for v, a, b in cells],
                }
            )
        features.sort(key=lambda feature: feature["name"])
        kinds = []
        for i in here:
            has = dict(map(tuple, self.people[i]["attributes"])) | {n: own[n][i] for n in own}
            places = [[c["value"] for c in f["values"]].index(has[f["name"]]) for f in features]
            kinds.append((places, self.people[i]["weight"]))
        types = sorted([list(kind) for kind in {(tuple(p), w) for p, w in kinds}])
        person_type = [types.index([tuple(p), w]) for p, w in kinds]
        instance = {
            "algorithm": rules["algorithm"],
            "blind": sha(f"{self.draw} blind {number}".encode()).hex(),
            "denominator": rules["denominator"],
            "features": features,
            "format": "klero-instance/1",
            "household": rules["household"],
            "objective": rules["objective"],
            "people": len(here),
            "size": rules["size"],
        }
        pool = {
            "households": homes,
            "openings": []
            if number
            else [[self.people[i][part] for part in ("c_id", "k_type", "tag")] for i in here],
            "people": [[i, t] for i, t in zip(here, person_type, strict=True)],
            "types": [list(kind) for kind, _ in types],
            "weights": [weight for _, weight in types],
        }
        return instance, pool, [person_type.count(t) for t in range(len(types))]

    def own_feature(self, name: str, values: dict[int, str], homes: list[Any], must: int) -> dict[str, Any]:
        size, most = self.declaration["size"], self.declaration["household"]
        cells = []
        for value in sorted(set(values.values()) | ({"alone"} if name == HOUSEHOLD else set())):
            if name == MUST_SIT:
                low, high = (must, must) if value == "yes" else (0, size)
            else:
                here = [i for i, leaf in enumerate(self.leaves) if leaf not in self.withdrawn]
                alike = sum(values[here[members[0]]] == value for members in homes)
                low, high = 0, size if value == "alone" else most * alike
            cells.append({"max": high, "min": low, "value": value})
        return {"name": name, "values": cells}

    # ---- lottery and certificate ----
    def barred(self, instance: Any, pool: Any, counts: list[int]) -> dict[int, list[int]]:
        """Cells of households that those who must sit fill, and the others of these households, whom nothing is left for."""
        out: dict[int, list[int]] = {}
        if instance["household"]:
            for v, cell in enumerate(instance["features"][0]["values"]):
                types = [t for t, kind in enumerate(pool["types"]) if kind[0] == v]
                yes = [t for t in types if self.sits(instance, pool["types"][t])]
                if yes and cell["value"] != "alone" and sum(counts[t] for t in yes) == cell["max"]:
                    out[v] = [t for t in types if t not in yes]
        return {cell: types for cell, types in out.items() if types}

    def classes(self, instance: Any, pool: Any, counts: list[int]) -> list[dict[str, Any]]:
        """The values of feature `by`: cell, seats that are free, and the types who share them; the poorest first."""
        barred = [t for types in self.barred(instance, pool, counts).values() for t in types]
        names = [feature["name"] for feature in instance["features"]]
        place = names.index(self.by)
        first = sum(len(feature["values"]) for feature in instance["features"][:place])
        sits = names.index(MUST_SIT) if MUST_SIT in names else None
        out = []
        for v, cell in enumerate(instance["features"][place]["values"]):
            assert cell["min"] == cell["max"]
            types = [t for t, kind in enumerate(pool["types"]) if kind[place] == v]
            yes = [t for t in types if sits is not None and self.sits(instance, pool["types"][t])]
            free = cell["max"] - sum(counts[t] for t in yes)
            types = [t for t in types if t not in [*yes, *barred]]
            shares = sum(counts[t] * pool["weights"][t] for t in types)
            if types:
                out.append({"cell": first + v, "seats": free, "types": types, "shares": shares})
            else:
                assert free == 0
        return sorted(out, key=lambda one: (Fraction(one["seats"], one["shares"]), one["cell"]))

    def sits(self, instance: Any, kind: list[int]) -> bool:
        for feature, v in zip(instance["features"], kind, strict=True):
            if feature["name"] == MUST_SIT:
                return bool(feature["values"][v]["value"] == "yes")
        return False

    def lottery(self, instance: Any, pool: Any, counts: list[int]) -> list[Any]:
        """Systematic sampling: one u in [0, 1) for all, seats of a type = floor(upper sum + u) − floor(lower sum + u)."""
        m = instance["denominator"]
        sums: dict[int, tuple[Fraction, Fraction]] = {}
        for one in self.classes(instance, pool, counts):
            total = Fraction(0)
            for t in one["types"]:
                share = Fraction(one["seats"] * counts[t] * pool["weights"][t], one["shares"])
                assert share <= counts[t]
                sums[t] = (total, total + share)
                total += share
        for t, kind in enumerate(pool["types"]):
            if t not in sums:
                sums[t] = (Fraction(0), Fraction(counts[t] if self.sits(instance, kind) else 0))
        ends = sorted({-int(-(-high % 1 * m) // 1) for _, high in sums.values()} | {0, m})
        found: dict[Any, int] = {}
        for start, end in itertools.pairwise(ends):
            u = Fraction(start, m)
            seats = [(t, int(high + u) - int(low + u)) for t, (low, high) in sorted(sums.items())]
            key = tuple(pair for pair in seats if pair[1])
            found[key] = found.get(key, 0) + end - start
        for key in found:
            self.within_quotas(instance, pool, dict(key))
        return [[count, [list(pair) for pair in key]] for key, count in sorted(found.items())]

    def within_quotas(self, instance: Any, pool: Any, seats: dict[int, int]) -> None:
        for f, feature in enumerate(instance["features"]):
            for v, cell in enumerate(feature["values"]):
                held = sum(s for t, s in seats.items() if pool["types"][t][f] == v)
                assert cell["min"] <= held <= cell["max"], (feature["name"], cell, held)

    def certificate(
        self, instance: Any, pool: Any, counts: list[int], panels: list[Any], levels: Any
    ) -> tuple[Any, list[Fraction]]:
        pi = chances(panels, counts, instance["denominator"])
        objective = instance["objective"]
        if objective in ("leximin", "maximin"):
            levels = levels or self.levels(instance, pool, counts)
            gap = self.gap(pool, counts, levels, pi)
            return {"gap": str(gap), "level": "L0", "levels": levels}, pi
        claim, gap = claimed(self.classes(instance, pool, counts), instance, pool, counts, pi)
        return {"claim": claim, "gap": str(gap), "level": "L0", "levels": []}, pi

    def levels(self, instance: Any, pool: Any, counts: list[int]) -> list[Any]:
        yes = [t for t, kind in enumerate(pool["types"]) if self.sits(instance, kind)]
        cells = [(f["name"], c["value"]) for f in instance["features"] for c in f["values"]]
        less = [[cells.index((MUST_SIT, "yes")), "-1"]] if yes else []
        groups = [
            ([[cell, "1"]], ts, Fraction(0)) for cell, ts in self.barred(instance, pool, counts).items()
        ]
        groups += [
            ([[one["cell"], "1"]], one["types"], Fraction(one["seats"], one["shares"]))
            for one in self.classes(instance, pool, counts)
        ]
        for weight in sorted({pool["weights"][t] for t in yes}):
            groups.append(([], [t for t in yes if pool["weights"][t] == weight], Fraction(1, weight)))
        if instance["objective"] == "maximin":
            groups = groups[:1]
        return [
            {
                "cells": sorted([*less, *cells]) if cells else [],
                "held": [],
                "proof": [],
                "seats": "0",
                "types": [[t, "1"] for t in types],
                "value": str(value),
            }
            for cells, types, value in sorted(groups, key=lambda group: group[2])
        ]

    def gap(self, pool: Any, counts: list[int], levels: list[Any], pi: list[Fraction]) -> Fraction:
        """All weights y are 1, all q of settled types are 0 or their chance is what it should be, so slack = Σ n·(w·value − π) over the level's types."""
        found, settled = [Fraction(0)], set()
        for number, one in enumerate(levels):
            types = [t for t, _ in one["types"]]
            lacks = {t: pool["weights"][t] * Fraction(one["value"]) - pi[t] for t in range(len(pi))}
            last = self.declaration["objective"] == "maximin" and number == len(levels) - 1
            found += [lacks[t] for t in (set(lacks) - settled if last else types)]
            slack = sum(counts[t] * lacks[t] for t in types)
            found += [slack / counts[t] for t in types]
            settled |= set(types)
        return max(found)


def claimed(
    classes: list[Any], instance: Any, pool: Any, counts: list[int], pi: list[Fraction]
) -> tuple[Any, Fraction]:
    """The claim and the gap of nash, goldilocks and minimax, where nobody is shut out or must sit."""
    m, k, weights = instance["denominator"], instance["size"], pool["weights"]
    for f, feature in enumerate(instance["features"]):  # nobody is forced either
        held = [
            sum(n for n, kind in zip(counts, pool["types"], strict=True) if kind[f] == v)
            for v in range(len(feature["values"]))
        ]
        most = [min(c["max"], p) for c, p in zip(feature["values"], held, strict=True)]
        for c, p, h in zip(feature["values"], held, most, strict=True):
            assert p > max(c["min"], k - sum(most) + h)
    total = sum(one["shares"] for one in classes)
    share = Fraction(k, total)
    tangent = Fraction(0)
    if instance["objective"] == "nash":  # c = shares / seats, as integers; U is the total
        scale = 1
        for one in classes:
            scale = scale * one["seats"] // gcd(scale, one["seats"])
        c = [one["shares"] * scale // one["seats"] for one in classes]
        sign, bound = 1, total * scale
        terms = sum(
            -(-(10**30 * m * (counts[t] * weights[t]) ** 2) // (w * int(pi[t] * m * counts[t])))
            for one, w in zip(classes, c, strict=True)
            for t in one["types"]
        )
        gap = Fraction(bound * terms, 10**30 * total**2) - 1
    else:
        sign = -1
        poor, rich = classes[0], classes[-1]
        if instance["objective"] == "minimax":
            c = [0] * (len(classes) - 1) + [1]
            best = max(pi[t] / weights[t] for t in range(len(pi)))
            gap = (best - Fraction(rich["seats"], rich["shares"])) / share
        else:
            tangent = Fraction(poor["seats"], poor["shares"]) / share
            y, z = (
                poor["shares"] * tangent.numerator**2,
                rich["shares"] * tangent.denominator**2,
            )
            c = [-z // gcd(y, z)] + [0] * (len(classes) - 2) + [y // gcd(y, z)]
            r = [p / (w * share) for p, w in zip(pi, weights, strict=True)]
            bound_ = Fraction(rich["seats"], rich["shares"]) / share + 1 / tangent
            gap = max(r) + 1 / min(r) - max(Fraction(2), bound_)
    cells = sorted([one["cell"], str(sign * w)] for one, w in zip(classes, c, strict=True) if w)
    types = sorted([t, str(w)] for one, w in zip(classes, c, strict=True) if w for t in one["types"])
    proof = [{"cells": cells, "scale": "1", "seats": "0"}]
    return {"proof": proof, "tangent": str(tangent), "weights": types}, gap
