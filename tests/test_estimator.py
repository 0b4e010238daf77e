"""klero's models behave as scikit-learn's tools expect, without importing it."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from typing import Self

import numpy as np
import pytest

from estimator_cases import EXPECTED, ZEROS, sklearn_checks
from klero.errors import InputError, KleroError, NotFittedError
from klero.themes.estimator import Estimator, not_fitted
from klero.themes.themes import Themes
from klero.themes.vectors import VectorSource


class Halves(Estimator):
    """The smallest clusterer: two clusters, on each side of the mean along the widest direction."""

    def __init__(self, *, turn: bool = False, names: list[str] | None = None, inner: object = None) -> None:
        self.turn = turn
        self.names = names
        self.inner = inner

    def fit(self, X: VectorSource, y: object = None) -> Self:
        array = self._read_fit(X).array.astype(np.float64)
        mean = array.mean(axis=0)
        axis = np.linalg.svd(array - mean, full_matrices=False)[2][0]
        axis *= np.where(self.turn, -1, 1) * np.sign(axis[np.abs(axis).argmax()])
        self.mean_, self.axis_, self.n_features_in_ = mean, axis, array.shape[1]
        self.labels_ = self._side(array)
        return self

    def _side(self, array: np.ndarray) -> np.ndarray:
        return (np.round((array - self.mean_) @ self.axis_, 9) > 0).astype(np.int64)

    def predict(self, X: VectorSource) -> np.ndarray:
        return self._side(self._read_more(X, "predict").array.astype(np.float64))

    def fit_predict(self, X: VectorSource, y: object = None) -> np.ndarray:
        return self.fit(X).labels_


class Zeros(Halves):
    """For distances, a row of zeros is a place like any other."""

    _zeros = True


class Keyed(Estimator):
    pass


DATA = np.random.default_rng(1).standard_normal((20, 3))


def test_scikit_learn_s_checks_pass_but_for_those_that_fail_on_purpose() -> None:
    found = sklearn_checks(Halves(), EXPECTED | ZEROS)
    assert found.get("failed", []) == []
    assert {name for name, _ in found["xfail"]} == {*EXPECTED, *ZEROS}
    assert len(found["passed"]) > 40


def test_themes_pass_scikit_learn_s_checks_but_for_those_that_fail_on_purpose() -> None:
    found = sklearn_checks(Themes(threads=1), EXPECTED | ZEROS)
    assert found.get("failed", []) == []
    assert {name for name, _ in found["xfail"]} == {*EXPECTED, *ZEROS}


def test_a_model_that_takes_rows_of_zeros_passes_the_checks_that_have_them() -> None:
    found = sklearn_checks(Zeros(), EXPECTED)
    assert found.get("failed", []) == []


def test_scikit_learn_s_tools_take_it() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    from sklearn.base import clone, is_clusterer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.utils.validation import check_is_fitted

    model = Halves(turn=True, names=["a", "b"])
    copied = clone(model)
    assert copied.get_params() == model.get_params()
    assert copied.names is not model.names
    assert is_clusterer(model)
    pipeline = make_pipeline(StandardScaler(), model).set_params(halves__turn=False)
    assert set(pipeline.fit_predict(DATA)) == {0, 1}
    assert model.turn is False
    check_is_fitted(model)


def test_scikit_learn_s_own_error_catches_ours_where_it_is_loaded() -> None:
    exceptions = pytest.importorskip("sklearn.exceptions", reason="scikit-learn is not installed")
    with pytest.raises(exceptions.NotFittedError) as caught:
        Halves().predict(DATA)
    assert isinstance(caught.value, NotFittedError)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert type(again) is type(caught.value)
    assert str(again) == str(caught.value)


def test_scikit_learn_is_never_imported_by_klero_itself() -> None:
    code = (
        "import sys\n"
        "from klero.themes.estimator import Estimator, not_fitted\n"
        "e = Estimator(); repr(e); e.get_params(); e._repr_html_(); e.__sklearn_is_fitted__(); not_fitted('a', 'b')\n"
        "sys.exit('sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("kind", [KleroError, ValueError, AttributeError, NotFittedError])
def test_a_model_that_was_not_fitted_says_so(kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        Halves().predict(DATA)
    assert str(caught.value).endswith("[not-fitted]")
    assert "call fit(X) first" in str(caught.value)
    assert "Halves" in str(caught.value)


def test_the_error_can_be_pickled_and_copied() -> None:
    error = NotFittedError("Themes", "predict")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), not_fitted("Themes", "predict")):  # noqa: S301
        assert str(again) == str(error)


def test_repr_shows_what_differs_from_the_defaults_and_cuts_long_lists() -> None:
    assert repr(Halves()) == "Halves()"
    assert repr(Halves(turn=True)) == "Halves(turn=True)"
    assert repr(Halves(names=list("abcdefghi"))) == "Halves(names=['a', 'b', 'c', 'd', 'e', 'f', ...])"
    assert repr(Halves(inner=Halves(turn=True))) == "Halves(inner=Halves(turn=True))"
    # 1 is not True, though they are equal.
    assert repr(Halves(turn=0)) == "Halves(turn=0)"  # type: ignore[arg-type]
    assert repr(Keyed()) == "Keyed()"


def test_html_is_escaped() -> None:
    html = Halves(names=["<script>"])._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_parameters_of_models_among_the_parameters_are_reached() -> None:
    model = Halves(inner=Halves())
    assert model.get_params()["inner__turn"] is False
    assert "inner__turn" not in model.get_params(deep=False)
    assert model.set_params(inner__turn=True, turn=True) is model
    assert isinstance(model.inner, Halves)
    assert model.inner.turn is True
    # A new inner model and its parameter at once.
    model.set_params(inner__names=["x"], inner=Halves())
    assert model.inner.names == ["x"]


def test_an_unknown_parameter_is_refused_and_none_is_set() -> None:
    model = Halves()
    with pytest.raises(InputError, match=r"no parameter 'turns'.*inner, names, turn"):
        model.set_params(turn=True, turns=1)
    assert model.turn is False


def test_a_failed_fit_leaves_what_was_learnt() -> None:
    model = Halves().fit(DATA)
    before = model.labels_
    with pytest.raises(InputError):
        model.fit(DATA * np.nan)
    assert model.labels_ is before
    assert np.array_equal(model.predict(DATA), before)


def test_vectors_of_another_length_are_refused_with_both_lengths() -> None:
    with pytest.raises(InputError, match=r"X has 2 features, but Halves is expecting 3 features as input"):
        Halves().fit(DATA).predict(DATA[:, :2])


def test_a_fitted_model_can_be_pickled() -> None:
    model = Halves(turn=True).fit(DATA)
    again = pickle.loads(pickle.dumps(model))  # noqa: S301
    assert np.array_equal(again.predict(DATA), model.labels_)
    assert repr(again) == repr(model)
