"""From how many accounts do contributions come? Authors are counted here, and never shown. An account is not a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Accounts", "Authors"]


@dataclass(frozen=True, slots=True)
class Accounts:
    """From how many accounts contributions come: different authors, and the contributions that name none. Names are not kept."""

    different: int
    unnamed: int = 0


class Authors:
    """The column of authors, by number; -1 where none is named."""

    def __init__(self, values: pa.ChunkedArray | None) -> None:
        self.codes: npt.NDArray[np.int64] | None = None
        if values is None:
            return
        import pyarrow.compute as pc

        encoded = (
            pc.utf8_trim_whitespace(pc.cast(values, "large_string").fill_null(""))
            .dictionary_encode()
            .combine_chunks()
        )
        names = np.array([bool(name) for name in encoded.dictionary.to_pylist()], bool)
        codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        self.codes = np.where(names[codes], codes, -1) if len(names) else codes

    def among(self, rows: npt.NDArray[np.bool_]) -> Accounts | None:
        """The accounts behind these rows; None where there is no column."""
        if self.codes is None:
            return None
        mine = self.codes[rows]
        return Accounts(len(np.unique(mine[mine >= 0])), int((mine < 0).sum()))

    def of_groups(self, membership: npt.NDArray[np.int64], groups: int) -> list[Accounts]:
        """The accounts behind each group; nothing where there is no column."""
        if self.codes is None:
            return []
        named = (membership >= 0) & (self.codes >= 0)
        most = int(self.codes.max(initial=0)) + 1
        pairs = np.unique(membership[named] * most + self.codes[named])
        different = np.bincount(pairs // most, minlength=groups).tolist()
        unnamed = np.bincount(membership[(membership >= 0) & (self.codes < 0)], minlength=groups).tolist()
        return [Accounts(*both) for both in zip(different, unnamed, strict=True)]
