"""Lies about types of people, the lottery, later rounds and identities: see `record_forgeries`."""

from __future__ import annotations

import json
from typing import Any

from record_cases import (
    HOUSEHOLD_LEVELS,
    HOUSEHOLD_PANELS,
    Files,
    Maker,
    payload,
    resigned,
)
from record_forgeries import (
    DECLARATION,
    LOG,
    Forge,
    Lie,
    at,
    body,
    declared,
    document,
    field,
    outsider,
    swap,
)
from record_forgeries_draw import CHANCE, DRAW, with_payload
from record_forgeries_rounds import EDGES


# ---- auditor's and sealed tier ------------------------------------------------------------------------------
def instance(number: int, change: Any) -> Forge:
    return document(f"auditor/instance-{number}.json", change)


def pool(number: int, change: Any) -> Forge:
    return document(f"auditor/pool-{number}.json", change)


def lottery(number: int, change: Any) -> Forge:
    return document(f"auditor/lottery-{number}.json", lambda d: change(d["panels"]))


def certificate(number: int, change: Any) -> Forge:
    return document(f"auditor/certificate-{number}.json", change)


def summary(number: int, **fields: Any) -> Forge:
    return body(number, lambda b: b["summary"].update(**fields))


def sealed(change: Any) -> Forge:
    return document("sealed/people.json", lambda d: change(d["people"]), anew=False)


def tag(place: int, made: Any) -> Forge:
    """Another TAG in an opening; the leaf stays."""
    return pool(0, lambda p: p["openings"][place].__setitem__(2, made(p)))


class OneTag(Maker):
    """Gives c and d one TAG, though they live alone."""

    def tag(self, person: str, home: str) -> str:
        return super().tag("c" if person == "d" else person, home)


class OtherTag(Maker):
    """Gives a1 and a2, who live together, two TAGs."""

    def tag(self, person: str, home: str) -> str:
        return super().tag(person, "" if person == "a1" else home)


def remade(maker: type[Maker]) -> Forge:
    """The record "household" by another maker: everything follows, but for what it does otherwise."""

    def forge(files: Files) -> Files:
        declaration, sealed_ = (
            json.loads(files[name]) for name in ("public/declaration.json", "sealed/people.json")
        )
        homes = {"a1": "A", "a2": "A", "b1": "B", "b2": "B"}
        people = [
            (
                identity,
                {"kind": "y" if identity["id"] in ("a2", "b2", "e") else "x"},
                1 + (identity["id"] == "d"),
                homes.get(identity["id"], ""),
            )
            for identity, _ in sealed_["people"]
        ]
        other = maker(
            "household",
            people,
            [("kind", [("x", 0, 3), ("y", 1, 3)])],
            **{name: declaration[name] for name in ("household", "must_sit", "size", "sources")},
        )
        other.commit("2023-09-01T00:00:00Z", must_sit=["e"], panels=HOUSEHOLD_PANELS, levels=HOUSEHOLD_LEVELS)
        other.draw_round("2023-09-15T11:00:03Z", {})
        return other.files

    return forge


def cell(d: Any, f: int, v: int, **bounds: int) -> None:
    d["features"][f]["values"][v].update(bounds)


def ghost(files: Files) -> Files:
    """A leaf that nobody has, in place of the last one."""
    lines = files["public/leaves.txt"].decode().split()
    lines[-1] = "f" * 64
    return resigned({**files, "public/leaves.txt": "".join(f"{line}\n" for line in lines).encode()})


def retyped(p: Any) -> None:
    """Two people's types swapped: the numbers of all types stay."""
    other = next(i for i, (_, t) in enumerate(p["people"]) if t != p["people"][0][1])
    p["people"][0][1], p["people"][other][1] = p["people"][other][1], p["people"][0][1]


AUDITOR: list[Lie] = [
    ("a short blind", "drand", instance(0, lambda d: d.update(blind="00")), "instance"),
    ("another blind", "drand", instance(0, lambda d: d.update(blind="00" * 32)), None),
    ("another size", "drand", instance(0, lambda d: d.update(size=5)), "instance"),
    ("another number of people", "drand", instance(0, lambda d: d.update(people=11)), "instance"),
    ("another objective", "drand", instance(0, lambda d: d.update(objective="maximin")), "instance"),
    ("another M", "drand", instance(0, lambda d: d.update(denominator=10**7)), "instance"),
    ("another household rule", "household", instance(0, lambda d: d.update(household=2)), "instance"),
    ("a wider quota", "drand", instance(0, lambda d: cell(d, 1, 0, max=5)), "instance"),
    ("a narrower quota", "drand", instance(0, lambda d: cell(d, 1, 0, max=3)), "instance"),
    ("a quota that was not loosened", "replaced", instance(1, lambda d: cell(d, 2, 1, min=0)), "instance"),
    (
        "a quota loosened further",
        "replaced",
        field(4, loosened=[["gender", "f", 0, 4], ["gender", "m", 0, 4]]),
        "instance",
    ),
    ("fewer who must sit", "household", declared(must_sit=0), "instance"),
    ("more who must sit", "drand", declared(must_sit=1), "instance"),
    (
        "another name for yes",
        "household",
        instance(0, lambda d: d["features"][1]["values"][1].update(value="yesx")),
        "instance",
    ),
    ("types of two people swapped", "drand", pool(0, retyped), "pool"),
    ("another K_type", "drand", pool(0, lambda p: p["openings"][3].__setitem__(1, "0" * 64)), "pool"),
    ("another c_id", "drand", pool(0, lambda p: p["openings"][3].__setitem__(0, "0" * 64)), "pool"),
    ("openings swapped", "drand", pool(0, lambda p: swap(p["openings"], 0, 1)), "pool"),
    ("no openings", "drand", pool(0, lambda p: p.update(openings=[])), "pool"),
    (
        "openings in round 1",
        "replaced",
        lambda files: pool(
            1, lambda p: p.update(openings=json.loads(files["auditor/pool-0.json"])["openings"][:12])
        )(files),
        "pool",
    ),
    ("people in another order", "drand", pool(0, lambda p: swap(p["people"], 0, 1)), "pool"),
    ("a person less", "drand", pool(0, lambda p: [p["people"].pop(), p["openings"].pop()] and p), "pool"),
    ("a leaf number beyond", "replaced", pool(1, lambda p: p["people"][-1].__setitem__(0, 14)), "pool"),
    ("another tag", "household", tag(1, lambda p: "0" * 32), "pool"),
    ("a tag that is none", "household", tag(1, lambda p: ""), "pool"),
    ("a tag in capitals", "household", tag(1, lambda p: p["openings"][1][2].upper()), "pool"),
    ("a tag without a household rule", "drand", tag(1, lambda p: "0" * 32), "pool"),
    (
        "the tag of another household",
        "household",
        tag(1, lambda p: p["openings"][p["households"][1][0]][2]),
        "pool",
    ),
    ("two rows in an opening", "drand", pool(0, lambda p: p["openings"][0].pop() and None), "pool"),
    ("tags beside", "drand", pool(0, lambda p: p.update(tags=[])), "pool"),
    ("two alone with one tag", "household", remade(OneTag), "pool"),
    ("two tags in a household", "household", remade(OtherTag), "pool"),
    (
        "the same maker's record",
        "household",
        lambda files: {**remade(Maker)(files), "public/x": b""},
        "files",
    ),
    ("a household less", "household", pool(0, lambda p: p.update(households=p["households"][:1])), "pool"),
    ("households mixed", "household", pool(0, lambda p: p.update(households=[[1, 2], [3, 5]])), "pool"),
    ("another weight", "household", pool(0, lambda p: p["weights"].__setitem__(3, 3)), "pool"),
    ("a leaf of nobody", "drand", ghost, "pool"),
    ("a ball more", "drand", lottery(0, lambda p: p[0].__setitem__(0, p[0][0] + 1)), "lottery"),
    ("panels in another order", "drand", lottery(0, lambda p: p.reverse()), "lottery"),
    ("a panel twice", "drand", lottery(0, lambda p: p.insert(0, p[0])), "lottery"),
    (
        "three old people",
        "drand",
        lottery(0, lambda p: p[2].__setitem__(1, [[1, 3], [2, 1]])),
        "quotas",
    ),
    ("a panel of three", "drand", lottery(0, lambda p: p[2].__setitem__(1, [[1, 2], [2, 1]])), "quotas"),
    (
        "more of a type than there are",
        "household",
        lottery(0, lambda p: p[-1].__setitem__(1, [[2, 2], [4, 1]])),
        "quotas",
    ),
    ("another bound", "drand", certificate(0, lambda c: c["levels"][0].update(value="3/10")), "certificate"),
    ("levels in another order", "drand", certificate(0, lambda c: c["levels"].reverse()), "certificate"),
    ("a level less", "drand", certificate(0, lambda c: c["levels"].pop() and c), "certificate"),
    ("no gap", "drand", certificate(0, lambda c: c.update(gap="0")), "gap"),
    ("another level", "drand", certificate(0, lambda c: c.update(level="L1")), "gap"),
    (
        "a claim of another objective",
        "all-sources",
        certificate(0, lambda c: c["claim"].update(tangent="1")),
        "certificate",
    ),
    ("fewer people in the summary", "drand", summary(1, people=11), "commitment"),
    ("those withdrawn in the summary", "replaced", summary(4, people=14), "commitment"),
    ("no gap in the summary", "drand", summary(1, gap=0), "summary"),
    ("a higher gap in the summary", "drand", summary(1, gap=2), "summary"),
    ("another level in the summary", "drand", summary(1, level="L1"), "summary"),
    ("no histogram", "drand", summary(1, histogram=[]), "summary"),
    ("one cell for two", "balls", summary(1, histogram=[[0, 100, 36]]), "summary"),
    ("a cell that ends elsewhere", "balls", summary(1, histogram=[[0, 10, 25], [10, 100, 11]]), "summary"),
    ("other people in the cells", "balls", summary(1, histogram=[[0, 9, 24], [9, 100, 12]]), "summary"),
    ("those who must sit counted", "replaced", summary(4, histogram=[[0, 100, 12]]), "summary"),
    (
        "salts swapped",
        "drand",
        sealed(lambda p: p.__setitem__(slice(0, 2), [[p[0][0], p[1][1]], [p[1][0], p[0][1]]])),
        "sealed",
    ),
    ("people swapped", "drand", sealed(lambda p: swap(p, 0, 1)), "sealed"),
    ("another name", "drand", sealed(lambda p: p[0][0].update(name="Somebody else")), "sealed"),
    ("an id less", "drand", sealed(lambda p: p[0][0].pop("id") and None), "sealed"),
    ("an empty id", "drand", sealed(lambda p: p[0][0].update(id="")), "sealed"),
    ("a number in an identity", "drand", sealed(lambda p: p[0][0].update(age=7)), "sealed"),
    ("a person less", "drand", sealed(lambda p: p.__delitem__(0)), "sealed"),
    ("a salt of 31 bytes", "drand", sealed(lambda p: p[0].__setitem__(1, p[0][1][2:])), "sealed"),
    ("a salt in capitals", "drand", sealed(lambda p: p[0].__setitem__(1, p[0][1].upper())), "sealed"),
    ("no salt", "drand", sealed(lambda p: p[0].pop() and None), "sealed"),
    ("a salt destroyed", "drand", sealed(lambda p: p[0].clear()), None),
    ("all salts destroyed", "drand", sealed(lambda p: [one.clear() for one in p] and None), None),
    (
        "another draw's",
        "drand",
        document("sealed/people.json", lambda d: d.update(draw="jury-2024"), anew=False),
        "sealed",
    ),
]


# ---- later rounds -------------------------------------------------------------------------------------------
def swapped(number: int, one: int, other: int) -> Forge:
    """In a later round, a person of type `one` and one of type `other` take each other's place."""

    def change(p: Any) -> None:
        types = [t for _, t in p["people"]]
        i, j = types.index(one), types.index(other)
        p["people"][i][1], p["people"][j][1] = other, one
        p["households"] = sorted(
            sorted({i: j, j: i}.get(place, place) for place in members) for members in p["households"]
        )

    return pool(number, change)


def somebody_else(files: Files) -> Files:
    """A person who withdrew is in round 1, in the place of one who did not."""
    lines = files["public/leaves.txt"].decode().split()
    gone = sorted(lines.index(leaf) for leaf, _ in at(files, 3, "withdrawals"))

    def change(p: Any) -> None:
        numbers = [number for number, _ in p["people"]]
        never = [
            i for i, (_, t) in enumerate(p["people"]) if t in (2, 3)
        ]  # of the age that no seat is left for
        place = min(never, key=lambda i: abs(numbers[i] - gone[0]))
        p["people"][place][0] = gone[0]
        p["people"].sort()

    return pool(1, change)(files)


def undrawn(forge: Forge, count: int) -> Forge:
    """In a log that ends after so many entries, the last one a commitment."""

    def made(files: Files) -> Files:
        log = {n: d for n, d in files.items() if "/entry-" in n and int(n[-9:-5]) <= count}
        last = payload(log, count)["body"]["round"]
        rest = {
            n: d
            for n, d in files.items()
            if "/entry-" not in n and not (n.startswith("auditor/") and int(n[-6]) > last)
        }
        return forge({**log, **rest})

    return made


SUCCESSION: list[Lie] = [
    ("another age", "replaced", swapped(1, 0, 2), "succession"),
    ("another gender", "replaced", swapped(1, 0, 1), "succession"),
    ("another who must sit, and sits", "replaced", swapped(1, 2, 5), "draw.people"),
    ("another who must sit", "replaced", undrawn(swapped(1, 2, 5), 4), "succession"),
    ("one who withdrew", "replaced", somebody_else, "succession"),
    ("a person of another household", "families", undrawn(swapped(2, 1, 5), 4), "succession"),
    ("a person of another type of household", "families", undrawn(swapped(2, 1, 3), 4), "succession"),
    ("another who must sit, in another household", "families", undrawn(swapped(3, 2, 3), 7), "succession"),
    ("a round that nobody left the panel before", "replaced", lambda files: exchanged(files), "draw.people"),
    ("a round numbered otherwise", "families", lambda files: renumbered(files, 2, 1), "times"),
    ("a later round before an earlier one", "families", lambda files: renumbered(files, 2, 4), "log"),
    ("the same round twice", "families", lambda files: renumbered(files, 3, 2), "log"),
    ("a round beyond the calendar", "families", lambda files: renumbered(files, 3, 5), "log"),
    ("a round of the calendar's end", "families", lambda files: renumbered(files, 3, 4), "times"),
]


def renumbered(files: Files, old: int, new: int) -> Files:
    """A round under another number, in its files, its commitment and its draw."""
    out = {
        name.replace(f"-{old}.json", f"-{new}.json") if name.startswith("auditor/") else name: data
        for name, data in files.items()
        if not (name.startswith("auditor/") and name.endswith(f"-{new}.json"))
    }
    for name in sorted(out):
        if "/entry-" in name:
            number = int(name[-9:-5])
            value = payload(out, number)
            if value["body"].get("round") == old:
                value["body"]["round"] = new
                out = with_payload(out, number, value)
    return resigned(out)


def exchanged(files: Files) -> Files:
    """It was not one of the panel who withdrew before round 1, but somebody else."""
    drawn = at(files, 2, "panel")
    gone = [pair for pair in at(files, 3, "withdrawals") if pair[0] not in drawn]
    return field(3, withdrawals=sorted([*gone, [outsider(), "declined"]]))(files)


LIES = DECLARATION + LOG + CHANCE + DRAW + AUDITOR + SUCCESSION + EDGES
