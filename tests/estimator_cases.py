"""scikit-learn's own checks, run on a model of klero."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import pytest

from klero.themes.estimator import Estimator

# Checks that every model of klero fails on purpose, each with the reason.
EXPECTED = {
    "check_dtype_object": "a cell that is no number is an InputError (a ValueError) that names its row, not a TypeError",
}
ZEROS = {
    "check_estimators_dtypes": "its data holds a row of zeros, which points nowhere and is refused with its row",
}


def sklearn_checks(
    model: Estimator, expected: Mapping[str, str] = EXPECTED
) -> dict[str, list[tuple[str, BaseException | None]]]:
    """What scikit-learn's `check_estimator` says, checks of clusterers included: by status («passed», «failed», «xfail», «skipped») names and errors.

    `expected`: checks that fail on purpose, and why.
    """
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    from sklearn.base import ClusterMixin
    from sklearn.utils.estimator_checks import check_estimator

    # The checks of clusterers are only run for heirs of ClusterMixin. A pickle finds a class by its name in its module.
    kind = type(model)
    name = f"Clustering{kind.__name__}"
    body = {"__init__": kind.__init__, "__module__": __name__, "__qualname__": name}
    joined = globals().setdefault(name, type(name, (ClusterMixin, kind), body))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it does not inherit from BaseEstimator
        found = check_estimator(
            joined(**model.get_params(deep=False)),
            on_fail=None,
            on_skip=None,
            expected_failed_checks=dict(expected),
        )
    by_status: dict[str, list[tuple[str, BaseException | None]]] = {}
    for result in found:
        by_status.setdefault(result["status"], []).append((result["check_name"], result["exception"]))
    return by_status
