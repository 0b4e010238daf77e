from typing import final

__all__ = [
    "PanelSearch",
    "__version__",
    "canonical_check",
    "commitment_file",
    "draw_file",
    "merkle_root",
    "pool_leaves",
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

    def deal(self, target: list[float], balls: int, divisor: int, count: int) -> tuple[int, int]:
        """Makes `count` more panels for what types are owed, each with one in `divisor` of the balls left (one at least), and says how many
        balls are left and how often no panel could be made from nothing. The first `divisor` panels are a rehearsal and are not kept. The
        arguments before `count` must stay the same from call to call. O(count · people · features)."""

    def dealt(self) -> tuple[list[int], list[float]]:
        """(balls of each panel, balls that each type is still owed)."""

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
