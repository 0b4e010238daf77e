"""Which matrix is in this file of numpy?

A `.npy` file is a short header (type of the numbers, their order, shape) and the numbers. They are mapped into memory and read from the disk when they are
needed. The header is checked against the file first: one that was cut off, or holds Python's objects, which could run code when they are loaded, is refused.
"""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from tokenize import TokenError
from typing import Literal

import numpy as np

from klero.errors import Fault
from klero.themes.vectors_raw import Raw, from_numpy

__all__ = ["from_npy"]

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
    # The third version differs in the names of fields alone, and a matrix has none.
    (3, 0): np.lib.format.read_array_header_2_0,
}

# What numpy's reader, which reads a header as Python's literals, raises where there are none.
_ODD_HEADERS = (
    ValueError,
    KeyError,
    TypeError,
    SyntaxError,
    EOFError,
    OverflowError,
    RecursionError,
    MemoryError,
    TokenError,
)


def from_npy(path: Path, name: str, faults: list[Fault]) -> Raw | None:
    """The matrix in a `.npy` file, mapped; or None, and what is wrong in `faults`. The file is there."""
    with path.open("rb") as stream:
        try:
            version = np.lib.format.read_magic(stream)
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore"
                )  # headers that Python 2 wrote are read, and nobody can do anything about them
                shape, columns_first, dtype = _HEADERS[version](stream)
        except _ODD_HEADERS as error:
            what = f"this is not a .npy file that can be read ({error})"
            faults.append(_fault(f"{what}. Write it again with numpy.save.", name))
            return None
        start = stream.tell()
        size = stream.seek(0, 2) - start
    if dtype.hasobject:
        message = (
            "the file holds Python's objects, which can run any code when they are loaded, so it is not opened. Save an array of floats: "
            "numpy.save(path, array.astype('float32'))."
        )
        faults.append(_fault(message, name))
        return None
    wanted = math.prod(shape) * dtype.itemsize
    if size != wanted:
        what = f"the header speaks of shape {shape} in {dtype}, which takes {wanted:,} bytes, and {size:,} follow"
        why = "the file was cut off" if size < wanted else "something else stands after the array"
        faults.append(_fault(f"{what}: {why}. Copy or write it again.", name))
        return None
    order: Literal["F", "C"] = "F" if columns_first else "C"
    if size == 0:
        return from_numpy(np.zeros(shape, dtype), name, faults)
    mapped = np.asarray(np.memmap(path, dtype, "r", start, shape, order))
    raw = from_numpy(mapped, name, faults)
    return raw and Raw(raw.array, raw.dtype, raw.copied, mapped=True)


def _fault(message: str, name: str) -> Fault:
    return Fault("npy-invalid", message, name)
