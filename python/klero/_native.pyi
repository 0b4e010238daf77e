from collections.abc import Sequence
from typing import final

__all__ = [
    "PanelSearch",
    "RegisterPart",
    "__version__",
    "canonical_check",
    "commitment_file",
    "draw_file",
    "merkle_root",
    "pool_leaves",
    "register_address_line",
    "register_id_hash",
    "register_scatter",
    "register_sift",
    "seq_hash",
    "verify",
]
__version__: str

@final
class PanelSearch:
    """Panels found so far, and the search that finds more (`rust/core/src/sortition`).

    Types are numbered from 0; `types[t]` lists the cells of type t, one for each feature. A panel is the number of seats of
    each type. All methods raise ValueError if a list has not one number for each type (or panel), and `InternalError` if a
    kernel fails; none depends on threads, time or hash order.
    """

    def __new__(
        cls,
        size: int,
        types: list[list[int]],
        cell_bounds: tuple[list[int], list[int]],
        type_bounds: tuple[list[int], list[int]],
        start: list[int],
    ) -> PanelSearch:
        """Starts from a feasible panel; ValueError if `start` breaks a bound or the shapes don't fit."""

    def __len__(self) -> int:
        """Number of distinct panels found."""

    def herd(self, target: list[float], count: int, breadth: int, deep: bool) -> None:
        """Adds `count` panels whose running mean follows `target` (expected seats by type); each tries the `breadth` types
        that are owed most as newcomers; `deep` also tries moves of three exchanges. O(count · breadth · size · features)."""

    def forget(self) -> None:
        """Starts the running deficit and the panels' visits anew; the panels stay."""

    def toward(self, direction: list[float]) -> bool:
        """Moves the current panel to a local maximum of Σ direction·seats and adds it; whether it is new."""

    def add(self, panel: list[int]) -> bool:
        """Adds a feasible panel and goes on from it; whether it is new. ValueError if it breaks a bound."""

    def balance(
        self, target: list[float], tolerance: float, steps: int
    ) -> tuple[list[float], float, list[float], list[float]]:
        """(weights of the panels, largest miss of their mean in seats, miss by type, prices by type). KeyboardInterrupt on Ctrl-C."""

    def balls(self, weights: list[float], target: list[float], people: list[int], balls: int) -> list[int]:
        """Whole balls of each panel with sum `balls`; may add panels. `people` is the number of people of each type."""

    def seated(self) -> list[bool]:
        """For each type, whether a panel found seats it."""

    def panel(self, index: int) -> list[tuple[int, int]]:
        """Panel `index` as (type, seats), types rising; IndexError out of range."""

def canonical_check(data: bytes) -> None:
    """Raises `BundleError` unless `data` is canonical JSON as `docs/audit/bundle.md` restricts it. Linear."""

def seq_hash(label: str, items: list[bytes]) -> bytes:
    """The labelled hash: SHA-256 over label and items, each with its length before it. 32 bytes."""

def merkle_root(leaves: list[bytes]) -> bytes:
    """The tree hash of RFC 9162, section 2.1.1, over these leaves in this order. 32 bytes."""

def pool_leaves(declaration: bytes, pool: bytes) -> list[bytes]:
    """The leaf of each person, in the order of pool.json. `BundleError` if either file is not what it should be."""

def commitment_file(files: dict[str, bytes]) -> bytes:
    """The bytes of commitment.json that seal declaration.json, pool.json, lottery.json and certificate.json."""

def draw_file(files: dict[str, bytes], seed_text: str) -> bytes:
    """The bytes of draw.json for a trial's text (NFC, not empty). `BundleError` if the lottery's files fail a check
    that the draw needs (`files` to `quotas`); the certificate is not looked at."""

def verify(files: dict[str, bytes]) -> list[tuple[str, bool, str]]:
    """(name, passed, detail) of every check, in the order of the specification. Never raises for what the files hold."""

def register_scatter(
    numbers: object | None,
    texts: tuple[object, object] | None,
    strata: object | None,
    weights: object | None,
    address: Sequence[tuple[object, object]],
    first: int,
) -> tuple[bytes, bytes, list[tuple[int, str]], int]:
    """The records of a batch of a register (`rust/core/src/register`), grouped by part.

    All but `first`, the number of the first row, are buffers: ids as int64 or as text (int64 offsets, one more than rows; bytes), strata as
    uint32, weights as int64 above zero. Returns the records; 257 little-endian uint64, where each part begins; (row, code) of the first
    faults; how many rows are at fault. Linear.
    """

def register_id_hash(text: str) -> tuple[bytes, str]:
    """The hash of an id (32 bytes) and its canonical spelling; ValueError with the code of its fault."""

def register_address_line(text: str) -> str:
    """A line of an address in normal form: no accents, lower case, letters and digits with single spaces between."""

def register_sift(
    records: object, housed: bool, ranks: object, excluded: bytes, told: int
) -> tuple[
    bytes,
    list[tuple[int, int]],
    int,
    list[bytes],
    list[int],
    tuple[bytes, bytes] | None,
]:
    """What a part holds: its digest; places of the first `told` rows with one id, and how many such rows there are; rows, sums of the lower and upper
    32 bits of weights, largest weight by stratum (uint64); which of the sorted hashes `excluded` it has; with addresses, its records by
    the address's part, and where those begin. `ranks` (uint32) gives each stratum's rank. O(n) expected."""

@final
class RegisterPart:
    """One part of a register in memory. A unit is 80 bytes: id hash, place, weight, unit's weight (16), state (16), little-endian."""

    def __new__(
        cls, records: object, housed: bool, ranks: object, excluded: bytes, nominate: bytes | None
    ) -> RegisterPart:
        """Copies the records (a buffer). `nominate` is the key by which addresses choose who stands for them; None: rows are units."""

    def totals(self) -> tuple[list[bytes], int]:
        """By stratum, as uint64: units, sums of the lower and upper 32 bits of their weights below 2^64, largest, multiples of 2^64; and how many
        addresses have people of several strata."""

    def tickets(self, key: bytes, cutoffs: object) -> bytes:
        """Ticket (32 bytes) and unit, alternating, of those whose ticket's first eight bytes are below their stratum's cutoff (uint64)."""

    def heavy(self, letters: list[int], totals: list[int], certain: bytes) -> bytes:
        """Units with letters · weight ≥ total, but those whose hashes are in `certain` (sorted)."""

    def duels(self, key: bytes, letters: list[int], totals: list[int], certain: bytes) -> tuple[bytes, bytes]:
        """Units drawn in this part's duels, and those left standing."""

    def finals(
        self, standing: bytes, key: bytes, letters: list[int], totals: list[int]
    ) -> tuple[bytes, bytes]:
        """Units drawn when those left standing meet, and those left then."""
