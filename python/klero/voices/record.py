"""In which form does a result say what it counted and by which rules?"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from klero.voices.groups import Counts
    from klero.voices.settings import Settings

__all__ = ["json_text", "record_of"]

_RULES = ("threshold", "measure", "mode", "recall", "shingle", "fold_accents", "min_shared")


def record_of(
    schema: str, settings: Settings, counts: Counts, digest: str, lookalikes: int, invisibles: int
) -> dict[str, object]:
    """All of a result but its groups, as data for JSON."""
    return {
        "schema": schema,
        "algorithm": settings.algorithm,
        "normaliser": settings.normaliser,
        "shingles": settings.shingles,
        "settings": {name: getattr(settings, name) for name in _RULES},
        "texts_digest": digest,
        "counts": asdict(counts),
        "lookalikes": lookalikes,
        "invisibles": invisibles,
    }


def json_text(record: Mapping[str, object]) -> str:
    """A record as JSON, on one line."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
