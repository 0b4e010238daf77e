"""How does a model of klero behave where people expect one of scikit-learn's?

A small base class with scikit-learn's conventions: parameters are what `__init__` takes, stored as they are given and checked by `fit`; what was
learnt ends in «_»; `get_params`, `set_params`, `clone`, pipelines, pickle and a repr that shows what differs from the defaults all work.

Guaranteed: scikit-learn is never imported unless it asks (its tools call `__sklearn_tags__`); a model keeps its state if `fit` fails, as long as a
subclass builds first and assigns last. Not guaranteed: that a pickle is read by another version of klero.

No randomness, no threads.

>>> class Nearest(Estimator):
...     def __init__(self, *, radius: float = 1.0, metric: str = "cosine") -> None:
...         self.radius, self.metric = radius, metric
>>> Nearest(radius=0.5)
Nearest(radius=0.5)
>>> Nearest().set_params(metric="dot").get_params()
{'metric': 'dot', 'radius': 1.0}
"""

from __future__ import annotations

import sys
from functools import cache
from html import escape
from inspect import Parameter, signature
from reprlib import Repr
from typing import TYPE_CHECKING, ClassVar, Self

from klero.errors import Fault, InputError, NotFittedError, quoted

if TYPE_CHECKING:
    from klero.themes.vectors import Vectors, VectorSource

__all__ = ["Estimator", "check_width", "not_fitted"]

# Long lists (pairs that must stay together, names) are cut in a repr, which is for people.
_SHORT = Repr()
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxset = _SHORT.maxdict = 6
_SHORT.maxstring = _SHORT.maxother = 80


class Estimator:
    """Base of klero's models. A subclass takes its parameters by name in `__init__`, and stores each under its name, unchanged."""

    _zeros: ClassVar[bool] = False
    """Whether a row of zeros is a vector like any other: for distances it is, for angles it points nowhere."""

    @classmethod
    def _defaults(cls) -> dict[str, object]:
        """The parameters' names, ascending, and their defaults."""
        if cls.__init__ is object.__init__:
            return {}
        found = dict(signature(cls.__init__).parameters)
        found.pop("self", None)
        known = sorted(found.values(), key=lambda parameter: parameter.name)
        return {p.name: p.default for p in known if p.kind is not Parameter.VAR_KEYWORD}

    def get_params(self, deep: bool = True) -> dict[str, object]:
        """The parameters as they are set; with `deep`, also those of models among them, as «model__parameter»."""
        values: dict[str, object] = {}
        for name in self._defaults():
            value = getattr(self, name)
            values[name] = value
            inner = getattr(value, "get_params", None)
            if deep and callable(inner) and not isinstance(value, type):
                values |= {f"{name}__{key}": part for key, part in inner().items()}
        return values

    def set_params(self, **params: object) -> Self:
        """Sets parameters; what was learnt stays until `fit` is called again.

        Raises:
            InputError: there is no such parameter; then none is set.
        """
        known = self.get_params(deep=True)
        unknown = [name for name in params if name not in known]
        if unknown:
            names = ", ".join(map(quoted, unknown))
            message = f"{type(self).__name__} has no parameter {names}. It has: {', '.join(self._defaults()) or 'none'}."
            raise InputError([Fault("option-unknown", message, "", value=unknown[0])])
        # The models among the parameters come first, so that «model» and «model__parameter» may be given together.
        for name in sorted(params, key=lambda name: name.count("__")):
            outer, _, inner = name.partition("__")
            if inner:
                getattr(self, outer).set_params(**{inner: params[name]})
            else:
                setattr(self, name, params[name])
        return self

    def __repr__(self) -> str:
        changed = [
            f"{name}={_SHORT.repr(getattr(self, name, None))}"
            for name, default in self._defaults().items()
            if not _same(getattr(self, name, None), default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def _repr_html_(self) -> str:
        """For notebooks."""
        return f"<pre>{escape(repr(self))}</pre>"

    def __sklearn_is_fitted__(self) -> bool:
        """Whether anything was learnt: an attribute that ends in «_»."""
        return any(name.endswith("_") and not name.startswith("_") for name in vars(self))

    def __sklearn_tags__(self) -> object:
        """What scikit-learn's tools ask: a clusterer of dense, finite matrices. Only they call this, so scikit-learn is there."""
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type="clusterer", target_tags=TargetTags(required=False), input_tags=InputTags()
        )

    def _need_fitted(self, asked: str) -> None:
        """For the methods that need what was learnt. `asked` is what people called: «predict».

        Raises:
            NotFittedError: nothing was learnt; where scikit-learn is loaded, it is also that of scikit-learn.
        """
        if not self.__sklearn_is_fitted__():
            raise not_fitted(type(self).__name__, asked)

    def _read_fit(self, X: VectorSource, threads: int | None = None) -> Vectors:
        """The vectors to learn from. The caller sets `n_features_in_` with all else, once nothing can fail any more.

        Raises:
            InputError: with all that is wrong with them.
        """
        from klero.themes.vectors import read_vectors

        return read_vectors(X, name="X", zeros=self._zeros, threads=threads)

    def _read_more(self, X: VectorSource, asked: str, threads: int | None = None) -> Vectors:
        """Vectors of the same dimension as those learnt from.

        Raises:
            NotFittedError: nothing was learnt.
            InputError: with all that is wrong with them.
        """
        self._need_fitted(asked)
        vectors = self._read_fit(X, threads)
        check_width(type(self).__name__, vectors.facts.dimension, int(vars(self)["n_features_in_"]))
        return vectors


def check_width(model: str, found: int, learnt: int) -> None:
    """Whether vectors have as many numbers as those that a model learnt from.

    Raises:
        InputError: they have not.
    """
    if found != learnt:
        message = (
            f"X has {found} features, but {model} is expecting {learnt} features as input: vectors of another length come from another "
            "embedder, and their numbers mean something else. Embed both with the same one."
        )
        raise InputError([Fault("vectors-width", message, "X", value=str(found))])


def _same(value: object, default: object) -> bool:
    return value is default or (type(value) is type(default) and repr(value) == repr(default))


def not_fitted(model: str, asked: str) -> NotFittedError:
    """The error of a model that was not fitted; where scikit-learn is loaded, code that catches its own error catches this."""
    theirs = getattr(sys.modules.get("sklearn.exceptions"), "NotFittedError", None)
    return NotFittedError(model, asked) if theirs is None else _joined(theirs)(model, asked)


@cache
def _joined(theirs: type[Exception]) -> type[NotFittedError]:
    def reduced(error: NotFittedError) -> tuple[object, tuple[str, str]]:
        return not_fitted, (error.model, error.asked)

    return type("NotFittedError", (NotFittedError, theirs), {"__module__": __name__, "__reduce__": reduced})
