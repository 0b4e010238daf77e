from collections.abc import Callable, Sequence
from typing import TypeAlias, TypedDict, final

__all__ = [
    "CAMPAIGNS_LARGEST",
    "CAMPAIGNS_TEXT_ALGORITHM",
    "CAMPAIGNS_TEXT_RANKS",
    "CAMPAIGNS_TIME_ALGORITHM",
    "EMBED_ALGORITHM",
    "EMBED_DIMENSION",
    "KEYWORDS_ALGORITHM",
    "KEYWORDS_BITS",
    "KMEANS_ALGORITHM",
    "LIVE_ALGORITHM",
    "LIVE_EMBEDDER",
    "MINHASH_ALGORITHM",
    "NEARDUP_ALGORITHM",
    "TEXT_NORMALISER",
    "TEXT_SHINGLES",
    "THEMES_ALGORITHM",
    "THEMES_TOGETHER",
    "VECTORS_EXACT_UP_TO",
    "VECTORS_LISTS",
    "VECTORS_SPHERE",
    "CampaignTexts",
    "LiveGroups",
    "LivePlan",
    "LiveWords",
    "NeardupFound",
    "NeardupIndex",
    "NeardupStream",
    "PanelCounter",
    "PanelSearch",
    "RegisterPart",
    "SeatSearch",
    "TextLetter",
    "TextsDigest",
    "TfidfSvd",
    "ThemeTree",
    "VectorPoints",
    "__version__",
    "beacon_time",
    "beacon_verify",
    "campaigns_places",
    "campaigns_script_of",
    "campaigns_scripts",
    "campaigns_tightness",
    "campaigns_time",
    "canonical_check",
    "commitment_file",
    "draw_file",
    "dsse_pae",
    "ed25519_is_key",
    "ed25519_public",
    "ed25519_sign",
    "ed25519_verify",
    "greedy_draws",
    "keywords_by_group",
    "keywords_terms",
    "kmeans_fit",
    "kmeans_inertia",
    "kmeans_predict",
    "kmeans_transform",
    "merkle_path",
    "merkle_root",
    "neardup_join",
    "neardup_need",
    "neardup_plan",
    "pool_leaves",
    "record_draw",
    "record_entry_hash",
    "record_leaves",
    "record_summary",
    "record_verify",
    "register_address_line",
    "register_deal",
    "register_duels",
    "register_finals",
    "register_id_hash",
    "register_scatter",
    "register_sift",
    "seq_hash",
    "shuffled",
    "text_evidence",
    "text_flags",
    "text_fold",
    "text_sequence",
    "text_sets",
    "text_shingles",
    "text_words",
    "themes_fit",
    "timestamp_read",
    "vectors_check",
    "vectors_points",
    "verify",
]
__version__: str
_Timed: TypeAlias = tuple[float, float, int, int, bool, bytes]

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

@final
class PanelCounter:
    """Counts panels, sets of people, by the seats of some features' values so far (`rust/core/src/sortition/counting.rs`).

    A class is people alike in every counted feature: (its cell of each counted feature, how many people). Classes of one value of the
    first feature must come together. ValueError if shapes don't fit; KeyboardInterrupt on Ctrl-C.
    """

    def __new__(
        cls,
        size: int,
        features: list[list[int]],
        cell_bounds: tuple[list[int], list[int]],
        classes: list[tuple[list[int], int]],
    ) -> PanelCounter:
        """`features` lists the cells of each counted feature; `cell_bounds` has every cell's fewest and most seats."""

    def cost(self) -> tuple[int, int] | None:
        """(states kept, states gone through in one pass), before anything is built; None if there is no panel."""

    def words(self, most: int) -> int | None:
        """Words of 8 bytes that each exact state takes if weights are `most` at most; None if counts are too long."""

    def build(self, weights: list[int]) -> None:
        """Counts exactly; a panel counts as often as the product of its members' weights, one weight a class, below 2^32."""

    def number(self) -> bytes:
        """The (weighted) number of panels, big-endian."""

    def occupancy(self) -> list[list[bytes]]:
        """For each class and s = 0, 1, …: the (weighted) ways to fill the other seats from the other classes if it has s."""

    def expect_seats(self, weights: list[float]) -> tuple[float, list[list[float]]] | None:
        """(weighted number of panels, occupancy) in floats, for weights of any size; None if there is no panel."""

    def draw(
        self,
        members: list[list[int]],
        left_out: tuple[list[int], list[list[int]], tuple[list[int], list[int]]],
        key: bytes,
        draws: tuple[int, int],
        most_attempts: int,
        threads: int,
        keep: bool,
    ) -> tuple[list[int], int, list[list[int]], int | None]:
        """Panels in proportion to their count, of which those that break a feature left out are rejected.

        `members` are the people of each class, `left_out` the cells of features that aren't counted, each person's, and all
        cells' bounds; the rest, and what is returned, as `greedy_draws`. `build` first.
        """

@final
class SeatSearch:
    """A search for a seating plan (`rust/core/src/seating`).

    People are numbered from 0, tables and values too; `present[session][person]`, `mixed[feature][person]`,
    `clustered[feature][person]` (None: no value); `apart` are pairs, `together` disjoint groups. The plan depends on nothing but
    these, the seed and `moves`.
    """

    def __new__(
        cls,
        tables: int,
        present: list[list[bool]],
        mixed: list[list[int]],
        clustered: list[list[int | None]],
        apart: list[tuple[int, int]],
        together: list[list[int]],
        most_meetings: int,
        seed: int,
        moves: int,
        least_repeats: int,
    ) -> SeatSearch:
        """ValueError if lists don't fit, a session has fewer people than tables, or groups find no places."""

    def run(self, moves: int) -> bool:
        """Goes on for so many moves; whether the search is at its end. KeyboardInterrupt on Ctrl-C. O(moves · table size)."""

    def progress(self) -> tuple[int, int]:
        """Moves made and moves in all."""

    def seats(self) -> list[list[int | None]]:
        """The best plan: the table of each person by session, None who is absent. Larger tables have the lower numbers."""

    def cost(self) -> tuple[int, int, int, int, int, int]:
        """Of the best plan: pairs that should be apart, tables more than clusters need, people outside shares,
        meetings beyond `most_meetings` of a pair, repeated meetings, pairs of sessions in which a pair meets."""

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

def record_verify(files: dict[str, bytes]) -> list[tuple[str, str, str]]:
    """(name, status, detail) of every check of `docs/audit/protocol.md`, in its order; the status is "ok", "FAIL" or "--" (not checked).

    Keys are names as in the specification ("public/declaration.json", …); any other name fails `files`. Never raises for what the files hold.
    Linear in the size of the record, but for sorting and the bounded work of its certificates."""

def record_leaves(
    draw: str, identities: list[bytes], openings: list[bytes], salts: bytes
) -> tuple[bytes, bytes, bytes]:
    """(c_id, K_type, leaf) of each person, 32 bytes each, one after the other, in the order given.

    `identities` and `openings` are canonical JSON, which is not checked here; `salts` has 32 bytes a person. `BundleError` if the lengths don't
    fit; KeyboardInterrupt on Ctrl-C. O(n)."""

def record_draw(files: dict[str, bytes], round_number: int, reveals: bytes, fallback: bool) -> bytes:
    """The canonical body of the draw's entry for the round committed last, which is not drawn; `reveals` is the canonical list of what the
    sources showed, the beacon included.

    `BundleError` if any check of the files fails, the auditor's tier is not there, the draw was aborted, the reveals are not those asked for
    or not those of the round's reading, a round that needs a reading has none, a beacon's signature does not verify, or `fallback` is set and
    there is none to use."""

def record_summary(instance: bytes, pool: bytes, lottery: bytes, certificate: bytes) -> bytes:
    """The canonical summary of a round from its four files. `BundleError` if one has not its form, or quotas, certificate or gap
    don't hold. Whether the gap is within a tolerance is not looked at."""

def record_entry_hash(payload: bytes) -> bytes:
    """The entry hash of the bytes of a payload. 32 bytes."""

def merkle_path(leaves: list[bytes] | bytes, index: int) -> list[bytes]:
    """The inclusion path of RFC 9162, section 2.1.3.1, of leaf `index` (from 0): 32 bytes each, the leaf's neighbour first.

    `leaves` is a list, or leaves of 32 bytes one after the other. `BundleError` if there is no such leaf. O(n)."""

def ed25519_public(secret: bytes) -> bytes:
    """The public key (32 bytes) of a secret key (32 bytes, RFC 8032's seed). `BundleError` for another length."""

def ed25519_sign(secret: bytes, message: bytes) -> bytes:
    """The signature (64 bytes) of RFC 8032. `BundleError` unless the secret key has 32 bytes."""

def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature verifies by the strict rule of `docs/audit/protocol.md`; False for wrong lengths and for what is no key."""

def ed25519_is_key(public: bytes) -> bool:
    """Whether these are the 32 bytes of a public key as `docs/audit/protocol.md` asks for; False for another length."""

def dsse_pae(payload: bytes) -> bytes:
    """What is signed for the payload of an entry."""

def beacon_verify(chain: str, round_number: int, previous: bytes, signature: bytes) -> bool:
    """Whether a drand round's signature verifies. `chain` is the hash of a known chain in hexadecimal digits, else `BundleError`;
    `previous` is empty for quicknet."""

def beacon_time(chain: str, round_number: int) -> int:
    """The Unix time of a drand round, from 1. `BundleError` for a chain or round that there is not."""

def timestamp_read(token: bytes) -> tuple[bytes, int]:
    """(SHA-256 of the stamped bytes, Unix time rounded down to the second) of an RFC 3161 token; `BundleError` if it has not the form of
    `docs/audit/protocol.md`. Whose signature the token bears is not looked at."""

def greedy_draws(
    size: int,
    people: list[list[int]],
    cell_bounds: tuple[list[int], list[int]],
    key: bytes,
    draws: tuple[int, int],
    most_attempts: int,
    threads: int,
    keep: bool,
    surplus_is_zero: bool,
    passive: list[bool],
) -> tuple[list[int], int, list[list[int]], int | None]:
    """The greedy draw of `rust/core/src/sortition/legacy.rs`: (how many draws seat each person, failed attempts, the panels
    if `keep`, None), or, as the last, the first draw that failed `most_attempts` times. `draws` is (first, how many); `key` 32 bytes;
    `surplus_is_zero` says that a value with more than its minimum needs nothing, instead of less than nothing;
    `passive` marks cells that are never looked for, only kept within their maximum.
    KeyboardInterrupt on Ctrl-C."""

def shuffled(
    size: int,
    types: list[list[int]],
    cell_bounds: tuple[list[int], list[int]],
    people: list[int],
    packets: tuple[list[list[int]], list[int]],
    key: bytes,
    steps: tuple[int, int],
) -> tuple[list[list[int]], int]:
    """Random exchanges of seats between packets of equally many balls (`rust/core/src/sortition/shuffle.rs`).

    `packets` are panels (seats by type) and the balls of each; returned are the panels afterwards, in the same order, and how many exchanges
    were made; `steps` is (most tries, exchanges that are enough). Each type's total over all balls stays the same. ValueError if a panel breaks a
    rule; KeyboardInterrupt on Ctrl-C."""

def register_scatter(
    numbers: object | None,
    texts: tuple[object, object] | None,
    strata: object | None,
    weights: object | None,
    address: Sequence[tuple[object, object]],
    first: int,
) -> tuple[bytes, bytes, list[tuple[int, str]], int, int]:
    """The records of a batch of a register (`rust/core/src/register`), grouped by part.

    All but `first`, the number of the first row, are buffers: ids as int64 or as text (int64 offsets, one more than rows; bytes), strata as
    uint32, weights as int64 above zero. Returns the records; 257 little-endian uint64, where each part begins; (row, code) of the first
    faults; how many rows are at fault; how many have no address. Linear.
    """

def register_id_hash(text: str) -> tuple[bytes, str]:
    """The hash of an id (32 bytes) and its canonical spelling; ValueError with the code of its fault."""

def register_address_line(text: str) -> str:
    """A line of an address in normal form: no accents, lower case, letters and digits with single spaces between."""

def register_sift(
    pieces: list[tuple[bytes, int, int]], housed: bool, ranks: object, excluded: bytes, told: int
) -> tuple[
    bytes,
    list[tuple[int, int]],
    int,
    list[bytes],
    list[int],
    tuple[bytes, bytes] | None,
]:
    """What a part, given as pieces of its records (bytes, from, to), holds: its digest; places of the first `told` rows with one id, and how
    many such rows there are; rows, sums of the lower and upper 32 bits of weights, largest weight by stratum (uint64); which of the sorted
    hashes `excluded` it has; with addresses, its records by the address's part, and where those begin. `ranks` (uint32) gives each
    stratum's rank. O(n) expected."""

def register_deal(
    records: bytes,
    ranks: object,
    excluded: bytes,
    key: bytes,
    letters: list[int],
    totals: list[int],
    certain: bytes,
) -> tuple[bytes, bytes]:
    """Records without addresses as dealt units: 48 bytes, the id's hash replaced by the ticket HMAC(key, hash), by the ticket's first byte; and where
    each of the 256 parts begins (257 little-endian uint64). Left out are those in `excluded` and `certain` (sorted hashes) and those of
    strata without letters. O(n)."""

def register_duels(
    pieces: list[tuple[bytes, int, int]],
    housed: bool,
    ranks: object,
    key: bytes,
    letters: list[int],
    totals: list[int],
) -> tuple[bytes, bytes]:
    """Units (80 bytes, as in `RegisterPart`, with the ticket for the hash) drawn in the duels of a part of dealt units, given as pieces (bytes, from,
    to), and those left standing. `key` gave the tickets. O(n) expected."""

def register_finals(
    standing: bytes, ranks: object, key: bytes, letters: list[int], totals: list[int]
) -> tuple[bytes, bytes]:
    """Units drawn when those left standing meet, and those left then."""

@final
class RegisterPart:
    """One part of a register in memory. A unit is 80 bytes: id hash, place, weight, unit's weight (16), state (16), little-endian."""

    def __new__(
        cls,
        pieces: list[tuple[bytes, int, int]],
        housed: bool,
        ranks: object,
        excluded: bytes,
        nominate: bytes | None,
    ) -> RegisterPart:
        """Copies the records, given as pieces (bytes, from, to). `nominate` is the key by which addresses choose who stands for them; None: rows are
        units."""

    def totals(self) -> tuple[list[bytes], int]:
        """By stratum, as uint64: units, sums of the lower and upper 32 bits of their weights below 2^64, largest, multiples of 2^64; and how many
        addresses have people of several strata."""

    def tickets(self, key: bytes, cutoffs: object) -> bytes:
        """Ticket (32 bytes) and unit, alternating, of those whose ticket's first eight bytes are below their stratum's cutoff (uint64)."""

    def heavy(self, letters: list[int], totals: list[int], certain: bytes) -> bytes:
        """Units with letters · weight ≥ total, but those whose hashes are in `certain` (sorted)."""

    def deal(self, key: bytes, letters: list[int], totals: list[int], certain: bytes) -> tuple[bytes, bytes]:
        """Its units as dealt units (`register_deal`), 64 bytes each."""

# Columns of Arrow text: offsets, bytes (anything with the buffer protocol), whether offsets have 64 bits, the first row, the number of rows.

class _Joined(TypedDict):
    group: bytes
    similarity: bytes
    names: bytes
    representatives: bytes
    distinct: bytes
    weakest: bytes
    all_distinct: int
    sequences: bytes
    lookalikes: int
    invisibles: int
    work: tuple[int, int, int, int]

def neardup_join(
    chunks: Sequence[tuple[object, object, bool, int, int]],
    ranks: object | None,
    *,
    threshold: float,
    measure: str,
    min_shared: int,
    shingle: int,
    fold_accents: bool,
    recall: float | None = None,
    threads: int,
    progress: Callable[[str, int], None] | None = None,
) -> _Joined:
    """The groups of texts in memory (`rust/core/src/neardup`): exactly, or by sketches with this recall of pairs at the threshold.

    `ranks` are uint32 in native order, a permutation of the rows; None: by row. Of n texts and g groups, which come largest first, then by rank:
    `group` uint32[n] (2³² - 1: alone, 2³² - 2: no words), `similarity` float64[n], `names`, `representatives`, `distinct` uint32[g], `weakest`
    float64[g], `sequences` 16·n bytes; `work`: entries, candidates, compared pairs, links. ValueError if offsets don't fit or the shapes differ.
    """

def text_sets(
    chunk: tuple[object, object, bool, int, int], shingle: int, fold_accents: bool
) -> tuple[bytes, bytes, bytes]:
    """The texts' sets one after the other (uint64, ascending each), their sizes (uint64), and 16 bytes a text for its sequence of words."""

@final
class TextsDigest:
    """The fingerprint of a set of (id, text), fed a batch at a time (`rust/core/src/neardup/digest.rs`). 32 bytes a text."""

    def __new__(cls) -> TextsDigest: ...
    def add(self, ids: tuple[object, object, bool, int, int], sequences: object, threads: int = 1) -> None:
        """Adds texts: their ids, a column of text, and 16 bytes each. ValueError if these are not as many."""

    def digest(self, head: bytes, threads: int = 1) -> bytes:
        """SHA-256 of `head`, the number of texts and their sorted entries."""

MINHASH_ALGORITHM: str
"""Version of the sketches: changes whenever a key does."""

def neardup_plan(threshold: float, recall: float) -> tuple[int, int, float, list[tuple[float, float]]]:
    """Bands and rows of the sketches that find a pair at the threshold with probability `recall` at least; that probability; and (similarity, probability)
    for 0, 0.05, …, 1 (`rust/core/src/neardup/plan.rs`). ValueError if there are none, or a number is out of range."""

def neardup_need(rows: int, entries: int, threads: int) -> int:
    """Bytes of memory at most while so many texts with so many entries each are grouped from disk."""

class _FoundRows(TypedDict):
    ids: tuple[bytes, bytes]
    groups: tuple[bytes, bytes]
    representatives: tuple[bytes, bytes]
    grouped: bytes
    sizes: bytes
    similarities: bytes

class _FoundGroups(TypedDict):
    names: tuple[bytes, bytes]
    representatives: tuple[bytes, bytes]
    sizes: list[int]
    distinct: list[int]
    weakest: list[float]

class _FoundCounts(TypedDict):
    texts: int
    grouped: int
    alone: int
    empty: int
    groups: int
    distinct: int
    lookalikes: int
    invisibles: int
    work: tuple[int, int, int, int]

@final
class NeardupStream:
    """Texts that are added batch by batch and lie in temporary files without a name (`rust/core/src/neardup/stream.rs`). OSError where there is no room."""

    def __new__(
        cls,
        folder: str,
        *,
        threshold: float,
        measure: str,
        min_shared: int,
        shingle: int,
        fold_accents: bool,
        recall: float | None = None,
        piece: int = 32768,
    ) -> NeardupStream:
        """`recall`: of sketches that are made when a text is added; None: whatever is needed is made in the end. `piece`: bytes of
        entries that are gathered for each of 256 parts before they are written."""

    @property
    def rows(self) -> int:
        """Texts added so far."""

    def add(
        self,
        texts: tuple[object, object, bool, int, int],
        ids: tuple[object, object, bool, int, int],
        threads: int,
    ) -> None:
        """Adds a batch of texts and their ids, two columns of text of one length. ValueError where they are not, or the stream is finished."""

    def finish(
        self,
        *,
        recall: float | None = None,
        threads: int,
        progress: Callable[[str, int], None] | None = None,
    ) -> NeardupFound:
        """Groups what was added, exactly or by sketches, once."""

@final
class NeardupFound:
    """What was found in a stream; ids stay on disk."""

    def counts(self) -> _FoundCounts:
        """Numbers of texts; `work` as in `neardup_join`."""

    def rows(self, first: int, count: int) -> _FoundRows:
        """Some rows: ids, names of groups and representatives (int64 offsets and bytes; nothing where there is no group), whether there is one
        (uint8), its size (uint32; 1 alone, 0 no words), similarity to the representative (float64)."""

    def largest(self, count: int) -> _FoundGroups:
        """The largest groups, then by id."""

    def digest(self, head: bytes, threads: int) -> bytes:
        """As `TextsDigest`."""

NEARDUP_ALGORITHM: str
"""Version of the rules by which texts match and groups are made."""

TEXT_NORMALISER: str
"""Version of the folding and of the words: changes whenever a word of any text does."""

TEXT_SHINGLES: str
"""Version of the hashes of words and shingles."""

def text_fold(text: str, fold_accents: bool = False) -> list[str]:
    """The folded words of a text, in order (`rust/core/src/text`). O(text)."""

def text_words(text: str, fold_accents: bool = False) -> list[tuple[int, int, int]]:
    """(hash, first byte, byte after the last) of each word, in order; bytes of the original text in UTF-8, at code points. O(text)."""

def text_shingles(text: str, shingle: int = 3, fold_accents: bool = False) -> list[int]:
    """Hashes of the runs of `shingle` words: ascending, distinct; one for a shorter text, none without words.

    ValueError unless `shingle` is from 1 to 9.
    """

def text_sequence(text: str, fold_accents: bool = False) -> tuple[int, int]:
    """(128-bit hash of all words in their order, number of words)."""

def text_flags(text: str) -> tuple[bool, bool]:
    """(has invisible code points, has a word that mixes Latin letters with Cyrillic or Greek ones that look the same)."""

KEYWORDS_ALGORITHM: str
KEYWORDS_BITS: dict[str, int]

def keywords_by_group(
    chunks: Sequence[tuple[object, object, bool, int, int]],
    group: object,
    voice: object,
    groups: int,
    words: Sequence[tuple[str, int]],
    top: int,
    *,
    threads: int,
    progress: Callable[[str, int], None] | None = None,
) -> tuple[list[list[tuple[str, int, int, int]]], list[int], tuple[int, int], list[int]]:
    """The keywords of each group (`rust/core/src/keywords`): text, words, voices and voices everywhere, weightiest first; then the voices of each group,
    the mean A as a fraction, and the texts read as French, English and neither.

    `chunks` as in `neardup_join`; `group` and `voice` are buffers of uint32, one for each text; `words` are folded words with the sum of their `KEYWORDS_BITS`.
    ValueError if there are not as many. Linear in the texts."""

def keywords_terms(texts: Sequence[str], words: Sequence[tuple[str, int]]) -> list[list[tuple[str, str]]]:
    """For each text the words that may be keywords: what each is counted under, and how it is first written; in the order of the text."""

_Span = tuple[int, int, int, int, int]
_Segment = tuple[str, int, int, int, int]
_Side = tuple[int, int, list[_Span], list[_Segment]]

def text_evidence(
    a: str, b: str, shingle: int, fold_accents: bool
) -> tuple[
    _Side, _Side, int, int, list[tuple[_Span, _Span, bool]], list[tuple[bool, _Span | None, _Span | None]]
]:
    """What two texts have in common (`rust/core/src/neardup/evidence.rs`): for each text its words, different shingles, passages that
    shared shingles cover, and segments; then shared shingles, collisions, matches (a, b, moved), and rows of the alignment (equal, a, b).

    A span is (first byte, byte after the last, first code point, code point after the last, words); a segment («shared», «moved», «own»
    or «gap») likewise, its kind first and without words. ValueError if the shingle is not 1 to 9 words or a text has more than 256 MiB.
    O(n log n)."""

@final
class TextLetter:
    """The letter of a group (`rust/core/src/neardup/template.rs`)."""

    def __new__(cls, texts: list[str], representative: int, shingle: int, fold_accents: bool) -> TextLetter:
        """Counts the letter; listens for Ctrl-C. ValueError as `text_evidence`, or if there is no such text. Linear in the group."""

    def tally(
        self,
    ) -> tuple[
        int,
        int,
        int,
        list[int],
        list[int],
        list[tuple[_Span, _Span, _Span, int, int, list[tuple[str, int]]]],
        int,
    ]:
        """Shingles of the letter, words of the representative in it, collisions, words of each member, own words of each, slots, slots left
        out. A slot: its place in the representative, words before, words after, members, different fillers, the most frequent (words, count)."""

    def segments(self, text: str) -> list[_Segment]:
        """Segments of a text («shared»: of the letter, «own», «gap») as in `text_evidence`. O(text · log text)."""

_TextChunk = tuple[object, object, bool, int, int]
"""Offsets, bytes, whether offsets have 64 bits, the first row, the number of rows: see `klero.voices.sets.native_chunk`."""

_GroupChanges = list[tuple[list[str], list[str], list[str], list[str]]]
"""Groups before, lone ids before, groups after, lone ids after."""

@final
class NeardupIndex:
    """Texts and their groups, for any thread. Ids are text. `threshold` in (0, 1], `min_shared` at least 1, `shingle` from 1 to 9, else ValueError.

    After a panic every method raises InternalError."""

    def __new__(
        cls, threshold: float, measure: str, min_shared: int, shingle: int, fold_accents: bool
    ) -> NeardupIndex:
        """An index without texts. `measure` is «jaccard» or «containment»."""

    def add(
        self, ids: list[str], texts: list[_TextChunk]
    ) -> tuple[list[tuple[int, str]], tuple[list[tuple[str, int]], bytes], _GroupChanges]:
        """Rows (from 0) whose ids can't be taken, with a code; or, if there are none, the names and sizes of the new texts' groups, which of them each text
        is in (int32; -1 alone, -2 without words), and what changed for others. ValueError unless there is one id a text."""

    def remove(self, ids: list[str]) -> tuple[list[tuple[int, str]], _GroupChanges]:
        """Rows whose ids are not there or there twice, with a code; or what changed for others."""

    def query(self, texts: list[_TextChunk], most: int) -> list[list[tuple[str, float]]]:
        """For each text at most `most` ids that match, with their similarity, best first."""

    def groups(self) -> list[tuple[list[str], int]]:
        """Ids, ascending, and the number of different sequences of words of each group; the largest group first."""

    def standing(self, id: str) -> tuple[str | None, int] | None:  # noqa: A002
        """Name and size of an id's group; (None, 1) if it is alone, (None, 0) without words, None if it is not there."""

    def __len__(self) -> int: ...
    def parts(self, settings: bytes) -> tuple[list[bytes], str]:
        """Bounds of ids (int64), ids, sequences (16 bytes each), first rows (uint32), bounds of shingles (int64), shingles (uint64), by the code points of
        the ids; and their digest with the settings."""

    @staticmethod
    def from_parts(
        threshold: float,
        measure: str,
        min_shared: int,
        shingle: int,
        fold_accents: bool,
        columns: list[object],
        settings: bytes,
        digest: str,
    ) -> tuple[NeardupIndex | None, tuple[str, int] | None]:
        """The index of such columns; or what is wrong with them (digest, shape, full, id, shingles, first, sequence) and in which row, from 0."""

KMEANS_ALGORITHM: str

def kmeans_fit(
    matrix: object,
    rows: int,
    dimension: int,
    *,
    k: int,
    first: object | None,
    rounds: int,
    tolerance: float,
    unit: bool,
    seed: int,
    threads: int,
    progress: Callable[[str, int], object] | None = None,
) -> tuple[bytes, bytes, float, int, int]:
    """k means of the rows of a C-contiguous matrix of 32-bit floats (`rust/core/src/vectors/kmeans.rs`), as they are or brought to unit length.

    Args:
        first: the first centres, float32[k, d]; None for k-means++ from `seed`.
        rounds: at most.
        tolerance: the share of the mean variance of a column to which the centres' squared moves sum when the rounds end.

    Returns:
        Centres, float32[k, d]; labels, int64[n]; the sum of squared distances; rounds; how many pairs of a row and a centre were compared in 64 bits.

    Raises:
        ValueError: a number is not finite, or a buffer has another size.
        KeyError: fewer than k distinct rows; their number is its argument.
    """

def kmeans_predict(
    matrix: object, rows: int, dimension: int, centres: object, *, unit: bool, threads: int
) -> bytes:
    """int64[n], each row's nearest of the centres (float32[k, d]). ValueError if a buffer has another size."""

def kmeans_transform(
    matrix: object, rows: int, dimension: int, centres: object, *, unit: bool, threads: int
) -> bytes:
    """float32[n, k], each row's distances to the centres (float32[k, d]). ValueError if a buffer has another size."""

def kmeans_inertia(
    matrix: object, rows: int, dimension: int, centres: object, *, unit: bool, threads: int
) -> float:
    """The sum of squared distances of rows to their nearest centre (float32[k, d]). ValueError if a buffer has another size."""

THEMES_ALGORITHM: str
THEMES_TOGETHER: int
VECTORS_EXACT_UP_TO: int
VECTORS_LISTS: str
VECTORS_SPHERE: str

@final
class ThemeTree:
    """A fit of themes, which can be cut again and again (`rust/core/src/vectors/engine.rs`). Reads the matrix that it was fitted to, which must not change.

    Similarities («links») are whole numbers; `THEMES_TOGETHER` is 1.
    """

    @property
    def mean(self) -> bytes:
        """float32[d], the mean of all rows."""

    @property
    def kept(self) -> tuple[int, float]:
        """The number of leading directions, and the share of squared lengths in them."""

    @property
    def point(self) -> bytes:
        """uint32[n], the distinct point of each row, in canonical order."""

    @property
    def merges(self) -> tuple[bytes, bytes, bytes]:
        """uint32[m − 1, 2], the two groups; int32[m − 1], their similarity; uint64[m − 1], rows of the union."""

    @property
    def levels(self) -> list[tuple[int, int]]:
        """The link and the persistence of each level, from coarse to fine."""

    def kinds(
        self, link: int, *, minority: bool, threads: int, progress: Callable[[str, int], None] | None = None
    ) -> list[int]:
        """How many themes, weak signals and lone voices a cut has."""

    def cut_for(
        self, themes: int, *, minority: bool, threads: int, progress: Callable[[str, int], None] | None = None
    ) -> tuple[int, int]:
        """The link of the cut with so many themes, or nearly, and their number."""

    def cut(
        self, link: int, *, minority: bool, threads: int, progress: Callable[[str, int], None] | None = None
    ) -> dict[str, bytes]:
        """The groups: «labels» uint32[n], «sizes» uint64[g], «kinds» uint8[g], «fit» int32[n], «middles» int16[groups of two or more, d]."""

@final
class VectorPoints:
    """Distinct points of a matrix on a sphere, in canonical order (`rust/core/src/vectors/points.rs`).

    Holds the matrix, which nobody may write into meanwhile. Columns are bytes of whole numbers in native order. All of it is a function of the
    set of rows (but `first`, `point`, which say where they stand): for any order of rows, any number of threads and any processor the same.
    """

    def __len__(self) -> int:
        """Number of points, m."""

    @property
    def mean(self) -> bytes:
        """What is taken from each row: a 32-bit float for each column."""

    @property
    def floor(self) -> float:
        """The length up to which a centred row has no direction, and is zeros."""

    @property
    def names(self) -> bytes:
        """Sixteen bytes for each point, ascending: of the SHA-256 of its rounded numbers, little-endian."""

    @property
    def first(self) -> bytes:
        """uint32 (m): the first row of each point."""

    @property
    def copies(self) -> bytes:
        """uint32 (m): how many rows are this point."""

    @property
    def point(self) -> bytes:
        """uint32 (n): the point of each row."""

    def q15(self, rows: Sequence[int]) -> bytes:
        """int16 (rows, dimension): rows as whole numbers, of length 32767 (or zeros). ValueError if there is no such row."""

    def neighbours(
        self,
        k: int,
        *,
        exact: bool | None = None,
        threads: int,
        progress: Callable[[str, int], object] | None = None,
    ) -> tuple[int, bytes, bytes]:
        """The k nearest other points of each point: how many that are, uint32 (m, k) points and int32 (m, k) dot products (32767² is a cosine of 1), nearest
        first, ties by lower number.

        Exact, O(m² · dimension), up to VECTORS_EXACT_UP_TO points or if asked for; else by inverted lists («klero-lists/1»), which miss some (`neighbours_of`
        tells how many), O(m · √m · dimension). KeyboardInterrupt on Ctrl-C; an exception of `progress` stops it.
        """

    def neighbours_of(
        self,
        points: Sequence[int],
        k: int,
        *,
        threads: int,
        progress: Callable[[str, int], object] | None = None,
    ) -> tuple[int, bytes, bytes]:
        """The k nearest other points of these points, exactly; as `neighbours`. ValueError if there is no such point. O(points · m · dimension)."""

def themes_fit(
    matrix: object,
    rows: int,
    dimension: int,
    *,
    neighbours: int,
    exact: bool | None,
    must: list[tuple[int, int]],
    cannot: list[tuple[int, int]],
    threads: int,
    progress: Callable[[str, int], None] | None = None,
) -> ThemeTree:
    """Fits themes to a float32 matrix, given by its buffer.

    Raises:
        ValueError: a number is not finite.
        KeyError: pairs of rows that must be apart and are the same (then with False), or together by ties and by what is the same (with True).
    """

def vectors_points(
    matrix: object,
    rows: int,
    dimension: int,
    *,
    centre: bool,
    threads: int,
    progress: Callable[[str, int], object] | None = None,
) -> VectorPoints:
    """Puts a C-contiguous matrix of 32-bit floats on a sphere («klero-sphere/1»), around the mean of its rows or around zero.

    ValueError if it holds other than rows × dimension floats, or an entry is not finite. O(rows · dimension).
    """

def vectors_check(
    data: object, dimension: int, *, threads: int
) -> tuple[tuple[int, list[int]], tuple[int, list[int]], int]:
    """What is to be known of a matrix of float32, given by its buffer, before it is used (`rust/core/src/vectors/check.rs`).

    Rows with a NaN or an infinite number, and rows of zeros alone: how many each, and the first 20, from 0. Then the number of rows that
    repeat an earlier one. ValueError if the buffer is not whole rows, or there are 2³² or more.
    """

LIVE_ALGORITHM: str
LIVE_EMBEDDER: str

# Theme, its size, whether it is new, whether a copy was there, similarity, limit, novelty, sureness, the next best and its similarity.
_LiveTold: TypeAlias = tuple[
    int, int, bool, bool, float, float, float | None, float, tuple[int, float] | None
]
# «merge» or «split», ids with sizes before, ids with sizes after.
_LiveChange: TypeAlias = tuple[str, list[tuple[int, int]], list[tuple[int, int]]]
# Id, size, newest contributions, usual similarity, its deviation, limit, stamp.
_LiveView: TypeAlias = tuple[int, int, list[int], float, float, float, int]

class _LiveDone(TypedDict):
    """What a consolidation did."""

    contributions: int
    caught_up: int
    micro_clusters: int
    condensed: int
    waiting: int
    set_apart: int
    similarity: float
    moved: int
    changes: list[_LiveChange]

@final
class LiveGroups:
    """Themes that grow, for any thread (`rust/core/src/vectors/live`). Contributions are numbered from 0, themes from 1."""

    def __new__(cls, dimension: int, granularity: float) -> LiveGroups:
        """No contributions; vectors of this dimension, themes cut at this share of the way from chance to neighbours of neighbours."""

    def __len__(self) -> int: ...
    @property
    def dimension(self) -> int:
        """Numbers in a vector."""

    def add(self, vectors: object) -> tuple[list[_LiveTold], tuple[int, str] | None]:
        """Where each vector of a C-contiguous float32 matrix belongs; or the first that can't be added and why («finite», «zero», «full»); then none was."""

    def set_named(self, theme: int, named: bool) -> bool:
        """Says whether a theme has a name; false if there is no such theme."""

    def link(
        self, must: bool, left: list[int], right: list[int], themes: tuple[int, int] | None
    ) -> tuple[list[_LiveChange], tuple[str, list[int]] | None]:
        """Links contributions (must: together, else apart), or two themes: what changed; or why it is refused, and of which links or themes."""

    def unlink(self) -> list[_LiveChange] | None:
        """Takes the last link back: what changed; None if there is none."""

    def links(self) -> list[tuple[str, list[int], list[int], tuple[int, int] | None]]:
        """The links in force: kind, both lists, themes."""

    def views(self, newest: int) -> list[_LiveView]:
        """All themes, the largest first, each with its newest contributions. O(contributions)."""

    def medoids(self, themes: list[int]) -> list[int]:
        """For each theme the contribution that is most like all others; 2³² − 1 for one that is not there."""

    def members(self, theme: int) -> bytes:
        """The contributions of a theme, ascending, four bytes each, little-endian; none if it is not there."""

    def labels(self) -> bytes:
        """The theme of each contribution, four bytes each, little-endian."""

    def standing(self, contribution: int) -> tuple[int, float | None, tuple[int, float] | None] | None:
        """Theme, similarity to the others there (None: alone), the most alike other theme and its similarity."""

    def write(self) -> bytes:
        """Everything, as bytes."""

    @staticmethod
    def read(written: object) -> LiveGroups | None:
        """What `write` wrote; None if these bytes are not that."""

    def plan(self, most: int) -> LivePlan:
        """A consolidation of what is there now, of at most so many micro-clusters."""

@final
class LivePlan:
    """A consolidation under way. RuntimeError once it is over."""

    def __len__(self) -> int: ...
    def replace(self, live: LiveGroups, vectors: object) -> bool:
        """Takes other vectors for the same contributions; false, and nothing, if they don't fit."""

    def work(self, budget_s: float | None) -> bool:
        """Does the work; false if the time ran out."""

    def catch_up(self, live: LiveGroups, most: int) -> int:
        """Places up to so many contributions that came meanwhile; how many are left."""

    def follow(self, live: LiveGroups, vectors: object) -> bool:
        """Places contributions that came meanwhile by their other vectors; false if one is zero."""

    def finish(self, live: LiveGroups) -> _LiveDone | None:
        """Puts the result in place of the state: what was done; None if it is stale, and then nothing has changed."""

@final
class LiveWords:
    """Vectors of texts without a corpus: hashed words and runs of letters («klero-live-words/1»)."""

    def __new__(cls) -> LiveWords: ...
    def learn(self, texts: list[str]) -> None:
        """Counts the words of texts; of copies once."""

    def texts(self) -> int:
        """How many different texts were counted."""

    def copy(self) -> LiveWords:
        """Another with the same counts."""

    def embed(self, texts: list[str]) -> bytes:
        """512 floats of 32 bits for each text, in native order; zeros for one without words."""

# --- embed: vectors learnt from the texts themselves (`rust/core/src/embed`).

EMBED_ALGORITHM: str
"""Name and version of the offline embedder."""
EMBED_DIMENSION: int
"""Numbers in a vector, if nobody asks for another number."""

@final
class TfidfSvd:
    """A fitted model of the offline embedder. It never changes."""

    @staticmethod
    def fit(
        chunks: Sequence[tuple[object, object, bool, int, int]],
        *,
        dimension: int,
        threads: int,
        progress: Callable[[str, int], object] | None = None,
    ) -> TfidfSvd:
        """Fits a model to texts, each of which counts once. `progress(step, blocks)` hears of blocks of 256 texts, and of parts of the reduction.
        Releases the GIL; Ctrl-C stops it."""

    def transform(
        self,
        chunks: Sequence[tuple[object, object, bool, int, int]],
        *,
        threads: int,
        progress: Callable[[str, int], object] | None = None,
    ) -> bytes:
        """The vectors of texts: float32 in native order, row by row; zeros for a text without words. Releases the GIL; Ctrl-C stops it."""

    def to_bytes(self) -> bytes:
        """The model as bytes: the same model, the same bytes."""

    def digest(self) -> str:
        """SHA-256 of the model, in hexadecimal: the last 32 of its bytes."""

    @staticmethod
    def from_bytes(state: object) -> TfidfSvd:
        """The model of these bytes; ValueError says «version» or «damaged»."""

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""

    @property
    def texts(self) -> int:
        """Different texts that it was fitted to."""

    @property
    def features(self) -> int:
        """Features that it knows."""

    @property
    def singular_values(self) -> list[float]:
        """The singular values, descending, one for each direction that was learnt."""

CAMPAIGNS_TIME_ALGORITHM: str

def campaigns_time(
    moment: object,
    voice: object,
    seconds: object,
    pools: list[object],
    groups: list[tuple[int, list[tuple[int, object]]]],
    *,
    most: int,
    seed: int,
    threads: int,
    progress: Callable[[str, int], None] | None = None,
) -> list[
    tuple[
        tuple[_Timed, _Timed, _Timed],
        tuple[int, int, int, float],
        tuple[float, float],
        float,
    ]
]:
    """Tests whether groups wrote at the same moments or too evenly (`rust/core/src/campaigns/time.rs`).

    Args:
        moment, voice: uint32[n], of each row the number of its moment and of who wrote it.
        seconds: float64, of each moment, ascending.
        pools: uint32 each, rows.
        groups: what the random numbers of a group depend on beside the seed; and its members (uint32, rows) by the number of their pool, which holds them.
        most: null groups of a group, at most.

    Returns:
        For each group its tests (scan, pace, clock), each: statistic, p, null groups, how many as extreme, whether p is a bound, the first draws
        (float64, ascending). Then the scan's window: first and last moment, members, members expected. Then seconds in which half of the members
        wrote, and the median of null groups; and the bound of the scan's p.

    Raises:
        ValueError: rows, moments or pools that are not there, or parts without members.
    """

CAMPAIGNS_LARGEST: int

def campaigns_tightness(
    vectors: object,
    dimension: int,
    pools: list[tuple[list[int], list[int]]],
    groups: list[tuple[int, list[int], int]],
    draws: int,
    *,
    threads: int,
    progress: Callable[[str, int], None] | None = None,
) -> tuple[bytes, bytes]: ...

CAMPAIGNS_TEXT_ALGORITHM: str
CAMPAIGNS_TEXT_RANKS: int

@final
class CampaignTexts:
    """Texts with what is rare in them, read once for all that is asked of their wording.

    Args:
        chunks: Arrow's texts.
        author, question: uint32 a text; a question that is none has the number of all questions.
        stance: int8 a text.
        questions: their names, whose words tell nothing.
    """

    def __new__(
        cls,
        chunks: Sequence[_TextChunk],
        author: object,
        question: object,
        stance: object,
        questions: list[str],
        *,
        threads: int,
        progress: Callable[[str, int], None] | None = None,
    ) -> CampaignTexts: ...
    def __len__(self) -> int: ...
    @property
    def texts(self) -> int:
        """Different texts."""

    def families(
        self, least: int, *, threads: int, progress: Callable[[str, int], None] | None = None
    ) -> list[tuple[list[int], int, int, bool]]:
        """Groups of one wording of at least so many voices: rows, the row that stands for them, voices, whether all are copies."""

    def measure(
        self,
        groups: list[list[int]],
        kept_out: list[bool],
        *,
        threads: int,
        progress: Callable[[str, int], None] | None = None,
    ) -> tuple[int, dict[str, bytes], list[dict[str, bytes]]]:
        """How many texts the null stands for; what its sample shares, and what each group shares, in columns."""

    def vocabulary(
        self,
        groups: list[list[int]],
        kept_out: list[bool],
        draws: int,
        seed: int,
        *,
        threads: int,
        progress: Callable[[str, int], None] | None = None,
    ) -> list[tuple[int, float, list[float]]]:
        """Of each group: words looked at, different words among them, and those of groups drawn beside it."""

    def strings(
        self, groups: list[list[int]], *, threads: int, progress: Callable[[str, int], None] | None = None
    ) -> list[list[tuple[int, int, int, int, int]]]:
        """Rare words in a row of each group: the first row, the first word there, number of words, voices inside and outside."""

def campaigns_places(text: str) -> list[tuple[int, int]]:
    """Where each word stands in a text, in bytes; an address is one word."""

_Script = tuple[list[int], float, list[float], float]

def campaigns_scripts(
    size: tuple[int, int],
    voter: object,
    item: object,
    choice: object,
    *,
    cells: int,
    threads: int,
    progress: Callable[[str, int], None] | None = None,
) -> tuple[list[_Script], tuple[int, int]]:
    """Groups of accounts that vote as if by one script: members, ln of the e-value, what each member adds, the share of deviating votes; and how many
    were grown and judged.

    Args:
        size: numbers of voters and items.
        voter, item: uint32 a vote.
        choice: uint8 a vote: 0 against, 1 pass, 2 for.
        cells: opinion groups, at most.
    """

def campaigns_script_of(
    size: tuple[int, int],
    voter: object,
    item: object,
    choice: object,
    groups: list[list[int]],
    *,
    cells: int,
    threads: int,
    progress: Callable[[str, int], None] | None = None,
) -> list[_Script]:
    """The same of groups that are given, as they are."""
