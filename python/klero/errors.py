"""What went wrong, where, and what to do about it?

Every error of klero is a :class:`KleroError` and also the builtin that a Python user would catch. Each has a
stable ``code`` in kebab-case, listed with its meaning in :data:`CODES`, and the ``exit_code`` with which the
command line ends. Mistakes in tables are gathered as :class:`Fault` objects and raised together as one
:class:`InputError`, so that nobody has to repair a file one run at a time.

>>> print(Fault("value-unknown", "not in the quotas", "people.csv", row=3, column="gender", value="womn"))
people.csv, row 3, column 'gender': not in the quotas [value-unknown]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from klero._harmless import harmless

__all__ = [
    "CODES",
    "BundleError",
    "Fault",
    "InfeasibleError",
    "InputError",
    "InternalError",
    "KleroError",
    "LogError",
    "MissingExtraError",
    "NotFittedError",
    "OutputExistsError",
    "SamplingError",
    "SeatingError",
    "quoted",
]

SHOWN_FAULTS = 20

CODES: Mapping[str, str] = MappingProxyType(
    {
        # kinds of error
        "bad-input": "a table or an option can't be used as it is; the faults say why",
        "bundle-invalid": "a bundle is damaged, incomplete or not a bundle",
        "internal": "klero broke one of its own promises; please report it",
        "missing-extra": "an optional package is needed and not installed",
        "not-fitted": "a model is asked for what it learns by fit(), and that was not called",
        "output-exists": "the output is already there and is not overwritten",
        "sampling-hopeless": "a random procedure fails so often that nothing can be estimated",
        "quota-infeasible": "no panel from this pool meets all quotas together",
        "seating-unmet": "people who must sit apart share a table in the best plan found",
        # reading a table
        "cell-error": "a cell holds the error of a spreadsheet's formula, such as #N/A",
        "cell-type": "a cell holds something that is not text, a number, a date or a truth value",
        "column-missing": "a table lacks a column that is needed, or has one that is given otherwise too",
        "column-duplicate": "two columns have the same name",
        "column-unnamed": "a column holds data and has no name",
        "csv-malformed": "quotes in a CSV file don't match",
        "encoding-unreadable": "the bytes of a text file are not in an encoding that can be told with "
        "certainty",
        "file-corrupt": "an Excel or Parquet file can't be opened",
        "file-is-directory": "the path is a folder",
        "file-missing": "there is no such file",
        "file-type": "the file's type is not one that klero reads",
        "file-unreadable": "the system refuses to open the file",
        "row-ragged": "a row has more or fewer cells than the header",
        "source-type": "the object given is not a path, an Arrow table or a list of mappings",
        "table-empty": "the table holds nothing at all",
        "table-no-rows": "the table has a header and no rows",
        # people
        "id-column-ambiguous": "several columns could be the id column",
        "id-column-missing": "the id column that was asked for is not in the table",
        "id-control": "an id holds a control character, a line break for instance",
        "id-duplicate": "two rows have the same id",
        "id-empty": "a row has no id",
        # quotas
        "quota-cell-empty": "a quota lacks its feature, value, minimum or maximum",
        "quota-column-ambiguous": "several columns of the quotas have the same meaning",
        "quota-column-missing": "the quotas lack a column",
        "quota-duplicate": "the same feature and value have two quotas",
        "quota-flex": "min_flex ≤ min ≤ max ≤ max_flex does not hold",
        "quota-importance": "the importance of a quota is not a positive number in range",
        "quota-maxima-under-size": "the maxima of a feature leave seats empty",
        "quota-min-over-max": "a minimum is above its maximum",
        "quota-minima-over-size": "the minima of a feature need more seats than there are",
        "quota-near-duplicate": "two names in the quotas differ only in case, accents, dashes or spaces",
        "quota-too-many-features": "more features have quotas than klero takes",
        "quota-negative": "a quota is below zero",
        "quota-not-integer": "a quota is not a whole number",
        # rules beside the quotas
        "feature-reserved": "a feature has a name that klero uses itself",
        "household-limit": "the most people of a household is not a whole number above zero",
        "weight-column-missing": "the column of weights is not in the table",
        "weight-invalid": "a weight is missing, no number, not above zero, too large or too finely divided",
        # addresses and households
        "address-column-missing": "a column of the address is not in the table, or none is named",
        "address-empty": "nobody has an address",
        "decision-column-missing": "the decisions about addresses lack a column",
        "decision-contradiction": "decisions about addresses contradict each other or what is written",
        "decision-invalid": "a decision about two addresses is neither «same» nor «different»",
        "decision-unknown-address": "a decision names an address that nobody has",
        "household-everyone": "by these columns everybody lives at one address",
        # bands of numbers, combinations of columns
        "bin-column-missing": "a column to be put into bands is not in the table",
        "bin-column-taken": "a column to be put into bands holds the ids, or is in bands already",
        "bin-edges": "the edges of bands are missing, no numbers, or don't rise",
        "bin-label-unknown": "a quota names a band that the edges don't give",
        "bin-not-number": "a cell of a column to be put into bands is no number",
        "cross-ambiguous": "a combination in the quotas can be read in two ways",
        "cross-column-missing": "a combination in the quotas names a column that is not there",
        "cross-repeated": "a combination in the quotas names a column twice",
        "cross-value-spelling": "a value differs from one in a combination only in case, accents, dashes or spaces",
        "cross-value-unknown": "a combination in the quotas names a value that nobody has",
        # decided before the draw
        "decided-both": "a person must sit and is excluded",
        "list-duplicate": "a list of ids names somebody twice",
        "must-sit-household": "more people of one household must sit than the rule allows",
        "must-sit-over-quota": "the people who must sit are more than a quota's maximum",
        "must-sit-over-size": "more people must sit than there are seats",
        "taken-household": "somebody who has a seat shares a home with people of the pool of whom only some may sit",
        "taken-in-pool": "a person who has a seat already is in the pool as well",
        "taken-over-quota": "the seats already taken are more than a quota's maximum",
        "taken-over-size": "the seats already taken leave none to draw",
        # who people are
        "identity-column": "a column of the table of identities can't be used",
        "identity-missing": "somebody of the pool is not in the table of identities, or it says nothing of them",
        "identity-text": "a cell of the table of identities holds what no text of a record may",
        # signing
        "entry-differs": "a signed file is of another entry than the record's last",
        "sign-unseen": "an entry is to be signed that nobody can have looked at: a draw without what shows that it is right, or one of another time",
        # options
        "output-is-input": "a file or folder to be written is one that is read",
        "confidence-invalid": "a confidence is not between 0 and 1",
        "draws-invalid": "the number of draws or attempts is not one that can be made",
        "surplus-unknown": "there is no such rule for values that have more than their minimum",
        "ties-contradiction": "pairs that must be together and pairs that must be apart contradict each other",
        "ties-pair": "what must be together or apart is no pair of row numbers",
        "ties-row": "a pair names a row that is not there",
        "ties-same": "two rows that must be apart have the same vector",
        "panels-invalid": "the number of panels is not one that a lottery can list",
        "memory-budget": "so many texts do not fit into the memory that may be used",
        "memory-invalid": "the memory that may be used is not a whole number of megabytes",
        "balls-invalid": "the number of balls is not a power of ten that the lottery can use",
        "balls-too-few": "with so few balls somebody who can sit would have none",
        "language-unknown": "there are no texts in this language",
        "objective-unknown": "there is no such notion of fairness",
        "person-unknown": "nobody in the pool has this id",
        # tables for several sessions
        "absent-column-missing": "a table of absences lacks its ids or its column «session»",
        "effort-invalid": "the effort is not a whole number that the search takes",
        "group-too-small": "a group that sits apart or together has fewer than two people",
        "meetings-invalid": "the most meetings of a pair are not a whole number above zero",
        "seating-column-missing": "a column by which tables are mixed, gathered or labelled is not in the table",
        "seating-column-twice": "a column is named twice for mixing or gathering",
        "seating-contradiction": "two people are to sit apart and together",
        "seating-too-large": "there are more people than klero seats",
        "session-unknown": "an absence names no session of the plan",
        "sessions-invalid": "the number of sessions is not a whole number that klero takes",
        "tables-invalid": "the number of tables is not a whole number above zero",
        "tables-over-people": "there are more tables than people",
        "together-over-table": "a group that sits together is larger than a table",
        "together-unplaced": "the groups that sit together don't fit the tables",
        # the population and who answered
        "margin-column": "the table of the population's shares lacks a column or has it twice",
        "margin-duplicate": "the same value has two shares",
        "margin-empty": "nobody in the pool has a value of the population",
        "margin-invalid": "a share or count of the population is not a number above zero",
        "margin-sum": "the population's shares of a feature are neither a whole nor counts of people",
        "propensity-letters": "fewer letters than volunteers, or fewer people than letters",
        "propensity-no-fit": "no weights of the volunteers have the population's shares",
        # replacements, alternates and the log of states
        "alternate-invalid": "a person named as an alternate can't be one, or the number of alternates is wrong",
        "dropout-data": "the table of past panellists can't be used to estimate dropouts",
        "dropout-invalid": "a probability of dropping out is no number from 0 to 1",
        "log-invalid": "a log of states or of review is damaged, was changed, or is not a log",
        "option-range": "a number given as an option is out of its range",
        "reason-invalid": "a reason is no short code",
        "record-invalid": "a hash is not written as one",
        "replacement-link": "a bundle does not follow from the one named as its predecessor",
        "round-invalid": "a round is no whole number in its range",
        "round-order": "a round comes before one that was held",
        "state-transition": "a person can't go from their state to the one given",
        "state-unknown": "there is no such state of a person",
        "time-invalid": "a time is not written in UTC as klero reads it",
        "time-order": "a time is before that of the step before",
        "title-invalid": "a log's title is no line of text",
        "withdrawal-duplicate": "a person is named twice as withdrawn",
        "withdrawal-none": "nobody has withdrawn, so nobody is replaced",
        "withdrawal-unknown": "a person named as withdrawn is not on the panel",
        # what is printed from a record, and replays of other methods
        "exclusions-invalid": "a table of exclusions lacks a column, a reason or a count",
        "present-invalid": "a list of those present can't be read",
        "seeds-invalid": "the numbers of a draw by RFC 3797 can't be read",
        "tier-missing": "a page needs files of a record that are not there",
        # embedding texts
        "cache-invalid": "a file of kept vectors is damaged, or is none",
        "embedder-invalid": "an object or a file is no embedder, or does not give one vector for each text",
        "embedder-model": "a model that is to embed texts can't be loaded",
        "embedder-unknown": "no embedder has this name",
        "embedder-version": "a saved embedder is of another version, whose vectors can't be compared",
        # drawing
        "seed-invalid": "the text of a trial seed is empty or no text",
        # public draws and their records
        "beacon-invalid": "a file does not hold the beacon's round that was declared, or its signature is wrong",
        "declaration-differs": "a declaration says other than the lottery to be committed",
        "declaration-invalid": "a field of a declaration is missing or not as the protocol asks",
        "file-too-large": "a file is far larger than what is asked for",
        "json-invalid": "a file is no JSON, or not of the form that is needed",
        "key-invalid": "a file or a field holds no key of Ed25519 that can be used here",
        "key-name": "the name of a key is no line of text",
        "key-unknown": "a key that should sign is not declared",
        "leak": "a public file would show what must stay secret",
        "log-order": "a step can't come at this place of a record",
        "notice-short": "a commitment would come too late before the randomness",
        "reveal-invalid": "a result is not one that the declared source of randomness can give",
        "reveal-missing": "the result of a declared source of randomness is missing",
        "source-invalid": "a source of randomness can't be declared",
        "token-invalid": "a time-stamp, or the certificate to check it with, can't be used",
        "too-early": "a draw is held, or balls are read out, before their time",
        "too-late": "balls, dice or a lottery are read out when the beacon is known already",
        # register draws
        "allocation-invalid": "letters by stratum are asked for in a way that can't be followed",
        "glob-empty": "no file matches a pattern",
        "household-empty": "no row of a register has an address",
        "exclusions-none": "a list of exclusions is empty, or nobody on it is on the register",
        "id-type": "ids are of a type that has no one spelling",
        "text-too-long": "a text is too long to be compared word for word",
        "group-empty": "a letter is asked of no texts",
        "options-conflict": "two options exclude each other",
        "register-too-long": "a register has more rows than can be numbered",
        "seed-missing": "a draw needs a seed, and none was given",
        "size-over-register": "more letters are asked for than there are people (or addresses)",
        "stages-invalid": "a draw in two stages is not possible as asked",
        "strata-missing": "a table by stratum is given without strata",
        "strata-too-many": "the strata's columns have too many combinations",
        "stratum-duplicate": "a stratum stands twice in a table",
        "stratum-missing": "a stratum of the register is not in a table",
        "stratum-unknown": "a stratum in a table is not on the register",
        # near-duplicates
        "id-count": "there are not as many ids as texts",
        "id-known": "a text with this id is in the index already",
        "id-unknown": "no text or group has this id",
        "index-invalid": "a file is no index of near-duplicates, or is damaged",
        "index-settings": "an index was made with other settings than those asked for",
        "index-version": "an index was made by a version whose hashes can't be compared",
        "option-unknown": "an option has a value that is none of those it can have",
        "pairs-limit": "the groups hold more pairs than may be listed",
        "text-type": "a column of texts holds something else, numbers for instance",
        "texts-too-many": "there are more texts than can be numbered",
        # k-means
        "kmeans-few": "there are fewer distinct vectors than groups asked for",
        "kmeans-init": "the first centres of groups have not one row for each group, of the vectors' length",
        # the command for themes
        "pairs-columns": "a table of pairs has not two columns with names",
        "pairs-self": "a contribution is paired with itself",
        "pairs-wordless": "a contribution of a pair has no word in it, and is in no group",
        "texts-wordless": "no contribution has a word in it",
        "vectors-count": "there are not as many vectors as contributions",
        # live themes
        "live-address": "live themes are served on this computer alone, and the address asked for is another",
        "live-closed": "live themes were closed",
        "live-contradiction": "a link contradicts what was said before",
        "live-embedder": "saved live themes were made with another embedder",
        "live-file": "a file holds no live themes, or is damaged",
        "live-full": "live themes hold no more contributions",
        "live-name": "a theme's name is no line of text, or another's",
        "live-port": "a port for live themes is in use, or not for everybody",
        "live-unknown": "no theme or contribution has this id",
        "live-version": "live themes were saved by another version",
        # campaigns: what is asked, votes
        "campaign-group-unknown": "no group that was tested for campaigns has this name",
        "votes-column-missing": "a table of votes does not say what was voted",
        "votes-count": "a column holds how many voted where a table of who voted what is needed",
        "votes-empty": "a table of votes holds no vote",
        "votes-value": "a cell of a table of votes is no vote",
        "votes-voter-missing": "a table of votes does not say who voted",
        # decisions of people on groups
        "contribution-unknown": "no contribution has this id, or several have",
        "review-decided": "a group is to be decided that is decided already",
        "review-decision": "a decision on a group is none of those there are",
        "review-key-known": "a key is to be let into a log that holds it",
        "review-not-decided": "a group is to be reopened that is open",
        "review-results": "results, decisions or a table do not belong together, or to this log",
        "review-text": "a reason, a reviewer or a role is missing, too long, or holds controls",
        # contributions
        "map-invalid": "the columns of contributions are named in a way that can't be read",
        "pseudonym-key": "a file holds no key for pseudonyms",
        "text-column-ambiguous": "several columns could be the texts",
        "text-column-missing": "no column is known to hold the texts",
        "text-numeric": "a column of texts holds numbers or dates alone",
        # themes: vectors, groups to compare
        "model-type": "something else is given where a model of themes is needed",
        "themes-too-few": "the contributions are too few, or too unlike, for what is asked of them",
        "npy-invalid": "a .npy file is damaged, cut off, or holds Python's objects",
        "vectors-column-ambiguous": "several columns could be the vectors",
        "vectors-column-missing": "no column is known to hold the vectors",
        "vectors-empty": "there are no vectors",
        "vectors-length": "vectors have different lengths",
        "vectors-not-finite": "vectors hold NaN or infinite numbers",
        "vectors-null": "a vector, or a number in it, is missing",
        "vectors-shape": "an array does not have rows and columns",
        "vectors-type": "vectors hold something that is not a real number",
        "vectors-width": "vectors have another length than those that a model learnt from",
        "vectors-zero": "vectors are zeros alone, and so point nowhere",
        "authors-count": "there are not as many authors as contributions",
        "authors-missing": "no contribution names its author",
        "labels-count": "two groupings are not of the same number of contributions",
        "labels-type": "labels of groups are not whole numbers or texts, one for each contribution",
        # themes: what they say
        "codes-missing": "no contribution carries a person's code",
        "codes-type": "a person's codes are neither texts nor whole numbers",
        "rows-differ": "texts, ids, authors, times, codes or vectors are not as many as the contributions",
        "vectors-not-unit": "vectors are not of length 1, as nearness is told of",
        # people and quotas together
        "feature-empty": "a person has no value for a feature that has quotas",
        "feature-missing": "a feature that has quotas is not a column of the people",
        "size-invalid": "the panel's size is not a whole number above zero",
        "size-over-pool": "the panel is larger than the pool",
        "value-unknown": "a person has a value that no quota names",
    }
)


def quoted(value: str) -> str:
    """`value` in quotes, on one line, cut at 60 characters, without what a terminal would obey: for use in messages."""
    line = harmless(value.replace("\r", "\\r").replace("\n", "\\n"))
    return f"'{line}'" if len(line) <= 60 else f"'{line[:59]}…'"


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in one place of one table.

    ``row`` is the row as a spreadsheet shows it (the header of a file is row 1); it is None, like ``column``
    and ``value``, where the fault has no such place.
    """

    code: str
    message: str
    file: str
    row: int | None = None
    column: str | None = None
    value: str | None = None

    @property
    def place(self) -> str:
        """«people.csv, row 3, column 'gender'»."""
        parts = [self.file] if self.file else []
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.column is not None:
            parts.append(f"column {quoted(self.column)}")
        return ", ".join(parts)

    def __str__(self) -> str:
        place = self.place
        return f"{place}: {self.message} [{self.code}]" if place else f"{self.message} [{self.code}]"


class KleroError(Exception):
    """The base of every error that klero raises. Its text ends with its code."""

    code: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 4

    @property
    def message(self) -> str:
        """The text without the code."""
        return " ".join(str(part) for part in self.args)

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class InputError(KleroError, ValueError):
    """Tables or options can't be used as they are. ``faults`` holds every mistake that was found."""

    code = "bad-input"
    exit_code = 3

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__(self.faults)

    @property
    def message(self) -> str:
        lines = [str(fault) for fault in self.faults[:SHOWN_FAULTS]]
        if len(self.faults) > SHOWN_FAULTS:
            lines.append(f"… and {len(self.faults) - SHOWN_FAULTS} more")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.message  # each line already ends with the code of its fault


class InfeasibleError(KleroError, ValueError):
    """No panel meets all quotas. ``conflict`` says which can't hold together, ``repairs`` what would help, both in ``lang``."""

    code = "quota-infeasible"
    exit_code = 1

    def __init__(self, conflict: Iterable[str], repairs: Iterable[str] = (), lang: str = "en") -> None:
        self.conflict: tuple[str, ...] = tuple(conflict)
        self.repairs: tuple[str, ...] = tuple(repairs)
        self.lang = lang
        super().__init__(self.conflict, self.repairs, lang)

    @property
    def message(self) -> str:
        from klero.words import words  # which raises errors of this module

        _ = words(self.lang).gettext
        lines = [_("The quotas can't all be met."), *self.conflict]
        if self.repairs:
            lines += [_("What would help:"), *(f"- {repair}" for repair in self.repairs)]
        return "\n".join(lines)


class OutputExistsError(KleroError, FileExistsError):
    """The output is already there; klero never overwrites a record."""

    code = "output-exists"
    exit_code = 3

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(path)

    @property
    def message(self) -> str:
        return (
            f"{self.path} exists already and is left untouched, since nothing is replaced unasked. "
            "Give another name, move it away first, or replace it with --force (in Python: force=True)."
        )


class SeatingError(KleroError, ValueError):
    """No plan was found in which all sit apart who must."""

    code = "seating-unmet"
    exit_code = 1


class MissingExtraError(KleroError, ImportError):
    """An optional package is needed: ``pip install 'klero[extra]'``, or `packages` that no extra of klero brings."""

    code = "missing-extra"
    exit_code = 4

    def __init__(self, extra: str, purpose: str, packages: str = "") -> None:
        self.extra = extra
        self.purpose = purpose
        self.packages = packages
        super().__init__(extra, purpose, packages)

    @property
    def message(self) -> str:
        what = self.packages or f"'klero[{self.extra}]'"
        return f"To {self.purpose}, a package is needed that is not installed: pip install {what}"


class NotFittedError(KleroError, ValueError, AttributeError):
    """A model is asked for what it learns by `fit`, and that was not called (or failed)."""

    code = "not-fitted"
    exit_code = 2

    def __init__(self, model: str, asked: str, needs: str = "the vectors to learn from") -> None:
        self.model = model
        self.asked = asked
        self.needs = needs
        super().__init__(model, asked, needs)

    @property
    def message(self) -> str:
        return (
            f"This {self.model} has learnt nothing yet, so {self.asked} has no answer: call fit(X) first, with "
            f"{self.needs}."
        )


class InternalError(KleroError, RuntimeError):
    """Klero broke one of its own promises. Never the user's fault."""

    code = "internal"
    exit_code = 4


class BundleError(KleroError, ValueError):
    """A bundle is damaged, incomplete or not a bundle."""

    code = "bundle-invalid"
    exit_code = 3


class SamplingError(KleroError, RuntimeError):
    """A random procedure (the greedy draw, draws with rejection) fails so often that nothing can be estimated from it."""

    code = "sampling-hopeless"
    exit_code = 1


class LogError(KleroError, ValueError):
    """A log of states is damaged, was changed, or is not a log."""

    code = "log-invalid"
    exit_code = 3
