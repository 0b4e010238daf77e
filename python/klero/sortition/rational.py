"""Linear systems over the rationals, solved exactly by FLINT."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm


def solve_rational(matrix: Sequence[Sequence[int]], side: Sequence[Fraction]) -> list[Fraction] | None:
    """The solution of a square integer system with a rational right side; None if the matrix is singular.

    The side goes over one denominator, so that FLINT's p-adic integer solver does the work.
    """
    from flint import fmpz_mat

    scale = lcm(*(b.denominator for b in side))
    integers = fmpz_mat([[b.numerator * (scale // b.denominator)] for b in side])
    try:
        solution = fmpz_mat([list(row) for row in matrix]).solve(integers)
    except ZeroDivisionError:
        return None
    return [Fraction(int(e.p), int(e.q) * scale) for e in solution.entries()]
