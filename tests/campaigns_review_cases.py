"""Results, keys and logs for tests of `klero.campaigns.review`, written by hand: nothing here asks the modules under test."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

from klero import _native
from klero.campaigns.review import Decision, Reopening
from klero.ledger.keys import PublicKey, SecretKey

TIME = "2026-05-04T09:00:00Z"
LATER = "2026-05-05T10:30:00Z"
DIGEST = "5a" * 32
OTHER_TEXT = "Ma fille Zoé prend le bus de 7 h 12"
"""Stands in the table that was searched, in another contribution than the one that is told of."""

TABLE = [
    {
        "ref": "a1",
        "body": "Gardez la ligne douze, dont mon fils dépend.",
        "who": "Paul Roche",
        "sent": "2026-03-01 08:00:00",
    },
    {
        "ref": "a2",
        "body": f"Gardez la ligne douze. {OTHER_TEXT}.",
        "who": "Ines Morel",
        "sent": "2026-03-01 08:05:00",
    },
    {
        "ref": "a3",
        "body": "Conservez la ligne douze, notre atelier en dépend.",
        "who": "Karim Attal",
        "sent": "2026-03-01 08:06:00",
    },
    {"ref": "b1", "body": "Fermez la piscine.", "who": "Lea Brun", "sent": "2026-03-02 18:00:00"},
    {"ref": "b2", "body": "Fermez la piscine !", "who": "Marc Petit", "sent": "2026-03-03 18:00:00"},
    {"ref": "c1", "body": "Plus d'arbres sur la place.", "who": "Nora Vidal", "sent": "2026-03-04 12:00:00"},
    {"ref": "c2", "body": "…", "who": "Nora Vidal", "sent": "2026-03-04 12:01:00"},
]


def key_of(name: str) -> SecretKey:
    """The same key for the same name each time."""
    secret = hashlib.sha256(f"review {name}".encode()).digest()
    return SecretKey(PublicKey(_native.ed25519_public(secret).hex(), name), "", secret)


def decided(group: str = "C1", decision: str = "petition", **more: str) -> Decision:
    fields = {"reason": "Declared on 3 May.", "reviewer": "Ada Diallo", "role": "participation officer"}
    return Decision(group=group, decision=decision, **{**fields, **more})


def reopened(group: str = "C1", **more: str) -> Reopening:
    return Reopening(group=group, **{"reason": "A member writes to us.", "reviewer": "Ada Diallo", **more})


def document(**more: Any) -> dict[str, Any]:
    """What campaigns.json says: a group for review, and one that was tested alone."""
    channels = [
        {
            "name": "template",
            "p": 0.00002,
            "effect": {"shared_words_median": 14.0},
            "why_not": "",
            "nulls": [
                {
                    "statistic": "shared-bits",
                    "observed": 61.5,
                    "count": 812,
                    "exceed": 0,
                    "tail": "exponential",
                }
            ],
        },
        {"name": "time", "p": 0.004, "effect": {"hours_of_half": 0.1}, "why_not": ""},
        {"name": "votes", "p": None, "effect": {}, "why_not": "no-votes"},
    ]
    groups = [
        {
            "name": "C1",
            "kind": "template",
            "stratum": "all",
            "members": ["a1", "a2", "a3"],
            "raw": 3,
            "n_eff": {"low": 1.0, "estimate": 1.4, "high": 2.5, "level": 0.95},
            "dependence": [0.97, 0.9, 0.95],
            "p": 0.00004,
            "p_text": 0.00002,
            "p_action": 0.004,
            "adjusted": 0.001,
            "for_review": True,
            "rule": "two-strands",
            "short": False,
            "channels": channels,
        },
        {
            "name": "C2",
            "kind": "copies",
            "stratum": "all",
            "members": ["b1", "b2"],
            "raw": 2,
            "n_eff": {"low": 1.2, "estimate": 1.9, "high": 2.0, "level": 0.95},
            "p": 0.6,
            "adjusted": 1.0,
            "for_review": False,
            "rule": "short-text-alone",
            "short": True,
            "channels": [{"name": "template", "p": 0.6, "effect": {}, "why_not": ""}],
        },
    ]
    return {
        "schema": "klero-campaigns/1",
        "digest": DIGEST,
        "q": 0.05,
        "raw": 6,
        "columns": {"id": "ref", "text": "body", "author": "who", "time": "sent"},
        "source": "contributions.csv",
        "channels_off": {"votes": "no-votes", "coaction": "no-votes", "metadata": "not-asked"},
        "groups": groups,
        **more,
    }


def write_results(folder: Path, **more: Any) -> Path:
    """A folder as `klero campaigns` writes one, and beside it the table that was searched. The folder's path."""
    folder.mkdir(exist_ok=True)
    (folder / "campaigns.json").write_text(json.dumps(document(**more)), encoding="utf-8")
    rows = [
        ("a1", "C1", 1, 0.4667, 0.3333, 0.97),
        ("a2", "C1", 1, 0.4667, 0.3333, 0.9),
        ("a3", "C1", 1, 0.4667, 0.3333, 0.95),
        ("b1", "C2", 1, 0.95, 0.5, ""),
        ("b2", "C2", 1, 0.95, 0.5, ""),
        ("c1", "", 1, 1, 1, ""),
        ("c2", "", "", "", "", ""),
    ]
    headings = ("id", "group", "voice_weight_raw", "voice_weight", "voice_weight_one_each", "dependence")
    for name, head, lines in (
        (folder / "contributions.csv", headings, rows),
        (folder.parent / "contributions.csv", tuple(TABLE[0]), [tuple(row.values()) for row in TABLE]),
    ):
        with name.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([head, *lines])
    return folder
