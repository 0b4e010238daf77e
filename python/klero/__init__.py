"""klero: fair, verifiable lotteries for public participation.

>>> import klero
>>> people = [{"id": f"P{i}", "gender": "woman" if i % 3 else "man"} for i in range(12)]
>>> quotas = klero.Quotas.read([{"feature": "gender", "value": v, "min": 2, "max": 2} for v in ("woman", "man")])
>>> lottery = klero.fair_lottery(klero.Pool.read(people), quotas, size=4)
>>> lottery.probability("P0"), lottery.probability("P1")
(Fraction(1, 2), Fraction(1, 4))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from klero.campaigns.contributor import contributor_report as contributor_report
    from klero.campaigns.find import find_campaigns as find_campaigns
    from klero.campaigns.result import Campaign as Campaign
    from klero.campaigns.result import Campaigns as Campaigns
    from klero.campaigns.review import ReviewLog as ReviewLog
    from klero.campaigns.review_file import append_review as append_review
    from klero.campaigns.review_file import read_review as read_review
    from klero.campaigns.review_file import verify_review as verify_review
    from klero.errors import BundleError as BundleError
    from klero.errors import InfeasibleError as InfeasibleError
    from klero.errors import InputError as InputError
    from klero.errors import KleroError as KleroError
    from klero.errors import LogError as LogError
    from klero.errors import OutputExistsError as OutputExistsError
    from klero.errors import SamplingError as SamplingError
    from klero.errors import SeatingError as SeatingError
    from klero.ledger.alternates import Alternates as Alternates
    from klero.ledger.alternates import choose_alternates as choose_alternates
    from klero.ledger.bundle import write_lottery as write_lottery
    from klero.ledger.commit import Commitment as Commitment
    from klero.ledger.commit import commit as commit
    from klero.ledger.commit import commit_round as commit_round
    from klero.ledger.declare import Declaration as Declaration
    from klero.ledger.declare import declare as declare
    from klero.ledger.declare import read_declaration as read_declaration
    from klero.ledger.draw import Draw as Draw
    from klero.ledger.draw import draw as draw
    from klero.ledger.keys import keygen as keygen
    from klero.ledger.load import load_lottery as load_lottery
    from klero.ledger.log import StateLog as StateLog
    from klero.ledger.log import append_log as append_log
    from klero.ledger.log import read_log as read_log
    from klero.ledger.log import verify_log as verify_log
    from klero.ledger.receipts import ReceiptCheck as ReceiptCheck
    from klero.ledger.receipts import forget as forget
    from klero.ledger.receipts import make_receipts as make_receipts
    from klero.ledger.receipts import verify_receipt as verify_receipt
    from klero.ledger.receipts import write_receipts as write_receipts
    from klero.ledger.record import Record as Record
    from klero.ledger.replacement import Replacement as Replacement
    from klero.ledger.replacement import replace as replace
    from klero.ledger.stamps import timestamp as timestamp
    from klero.ledger.stamps import timestamp_request as timestamp_request
    from klero.ledger.states import Event as Event
    from klero.ledger.steps import PublicDraw as PublicDraw
    from klero.ledger.steps import abort as abort
    from klero.ledger.steps import draw_record as draw_record
    from klero.ledger.steps import read_out as read_out
    from klero.ledger.steps import sign as sign
    from klero.ledger.steps import withdraw as withdraw
    from klero.ledger.succession import verify_replacement as verify_replacement
    from klero.ledger.successor import Completion as Completion
    from klero.ledger.successor import replace_round as replace_round
    from klero.ledger.tiers import write_tier as write_tier
    from klero.ledger.verify import Verification as Verification
    from klero.ledger.verify import verify as verify
    from klero.seating.plan import SeatingPlan as SeatingPlan
    from klero.seating.seat import seat_tables as seat_tables
    from klero.sortition.addresses import households as households
    from klero.sortition.baselines import Baseline as Baseline
    from klero.sortition.baselines import legacy_lottery as legacy_lottery
    from klero.sortition.baselines import random_lottery as random_lottery
    from klero.sortition.comparison import Comparison as Comparison
    from klero.sortition.comparison import compare as compare
    from klero.sortition.dropout import DropoutModel as DropoutModel
    from klero.sortition.dropout import estimate_dropout as estimate_dropout
    from klero.sortition.lottery import Lottery as Lottery
    from klero.sortition.lottery import fair_lottery as fair_lottery
    from klero.sortition.most_random import MostRandom as MostRandom
    from klero.sortition.most_random import most_random as most_random
    from klero.sortition.pool import Pool as Pool
    from klero.sortition.propensity import Propensities as Propensities
    from klero.sortition.propensity import estimate_propensities as estimate_propensities
    from klero.sortition.quotas import Quotas as Quotas
    from klero.sortition.register.draw import invite as invite
    from klero.sortition.register.invitation import Invitation as Invitation
    from klero.sortition.whatif import WhatIf as WhatIf
    from klero.sortition.whatif import what_if as what_if
    from klero.themes.confront import confront as confront
    from klero.themes.embed_models import OnnxEmbedder as OnnxEmbedder
    from klero.themes.embed_models import PackagedEmbedder as PackagedEmbedder
    from klero.themes.embed_models import SentenceTransformerEmbedder as SentenceTransformerEmbedder
    from klero.themes.embed_offline import OfflineEmbedder as OfflineEmbedder
    from klero.themes.embedders import Embedded as Embedded
    from klero.themes.embedders import Embedder as Embedder
    from klero.themes.embedders import embed as embed
    from klero.themes.explain import explain_contribution as explain_contribution
    from klero.themes.explain import explain_themes as explain_themes
    from klero.themes.keywords import theme_keywords as theme_keywords
    from klero.themes.kmeans import KMeans as KMeans
    from klero.themes.live import LiveThemes as LiveThemes
    from klero.themes.minorities import coverage_by_decile as coverage_by_decile
    from klero.themes.minorities import distinct_authors as distinct_authors
    from klero.themes.minorities import exclusion_disparity as exclusion_disparity
    from klero.themes.minority_audit import audit_minorities as audit_minorities
    from klero.themes.partition import Partition as Partition
    from klero.themes.quotes import theme_quotes as theme_quotes
    from klero.themes.stability import stability as stability
    from klero.themes.themes import Themes as Themes
    from klero.themes.vectors import read_vectors as read_vectors
    from klero.voices.contributions import Contributions as Contributions
    from klero.voices.contributions import open_contributions as open_contributions
    from klero.voices.index import NearDuplicateIndex as NearDuplicateIndex
    from klero.voices.near_duplicates import NearDuplicates as NearDuplicates
    from klero.voices.near_duplicates import near_duplicates as near_duplicates
    from klero.voices.streaming import near_duplicates_file as near_duplicates_file

# Where each public name lives. It is imported when first used, so that `import klero` stays quick.
_HOMES = {
    "Alternates": "klero.ledger.alternates",
    "Baseline": "klero.sortition.baselines",
    "BundleError": "klero.errors",
    "Campaign": "klero.campaigns.result",
    "Campaigns": "klero.campaigns.result",
    "Commitment": "klero.ledger.commit",
    "Comparison": "klero.sortition.comparison",
    "Completion": "klero.ledger.successor",
    "Contributions": "klero.voices.contributions",
    "Declaration": "klero.ledger.declare",
    "Draw": "klero.ledger.draw",
    "DropoutModel": "klero.sortition.dropout",
    "Embedded": "klero.themes.embedders",
    "Embedder": "klero.themes.embedders",
    "Event": "klero.ledger.states",
    "InfeasibleError": "klero.errors",
    "InputError": "klero.errors",
    "Invitation": "klero.sortition.register.invitation",
    "KMeans": "klero.themes.kmeans",
    "KleroError": "klero.errors",
    "LiveThemes": "klero.themes.live",
    "LogError": "klero.errors",
    "Lottery": "klero.sortition.lottery",
    "MostRandom": "klero.sortition.most_random",
    "NearDuplicateIndex": "klero.voices.index",
    "NearDuplicates": "klero.voices.near_duplicates",
    "OfflineEmbedder": "klero.themes.embed_offline",
    "OnnxEmbedder": "klero.themes.embed_models",
    "OutputExistsError": "klero.errors",
    "PackagedEmbedder": "klero.themes.embed_models",
    "Partition": "klero.themes.partition",
    "Pool": "klero.sortition.pool",
    "Propensities": "klero.sortition.propensity",
    "PublicDraw": "klero.ledger.steps",
    "Quotas": "klero.sortition.quotas",
    "ReceiptCheck": "klero.ledger.receipts",
    "Record": "klero.ledger.record",
    "Replacement": "klero.ledger.replacement",
    "ReviewLog": "klero.campaigns.review",
    "SamplingError": "klero.errors",
    "SeatingError": "klero.errors",
    "SeatingPlan": "klero.seating.plan",
    "SentenceTransformerEmbedder": "klero.themes.embed_models",
    "StateLog": "klero.ledger.log",
    "Themes": "klero.themes.themes",
    "Verification": "klero.ledger.verify",
    "WhatIf": "klero.sortition.whatif",
    "abort": "klero.ledger.steps",
    "append_log": "klero.ledger.log",
    "append_review": "klero.campaigns.review_file",
    "audit_minorities": "klero.themes.minority_audit",
    "choose_alternates": "klero.ledger.alternates",
    "commit": "klero.ledger.commit",
    "commit_round": "klero.ledger.commit",
    "compare": "klero.sortition.comparison",
    "confront": "klero.themes.confront",
    "contributor_report": "klero.campaigns.contributor",
    "coverage_by_decile": "klero.themes.minorities",
    "declare": "klero.ledger.declare",
    "distinct_authors": "klero.themes.minorities",
    "draw": "klero.ledger.draw",
    "draw_record": "klero.ledger.steps",
    "embed": "klero.themes.embedders",
    "estimate_dropout": "klero.sortition.dropout",
    "estimate_propensities": "klero.sortition.propensity",
    "exclusion_disparity": "klero.themes.minorities",
    "explain_contribution": "klero.themes.explain",
    "explain_themes": "klero.themes.explain",
    "fair_lottery": "klero.sortition.lottery",
    "find_campaigns": "klero.campaigns.find",
    "forget": "klero.ledger.receipts",
    "households": "klero.sortition.addresses",
    "invite": "klero.sortition.register.draw",
    "keygen": "klero.ledger.keys",
    "legacy_lottery": "klero.sortition.baselines",
    "load_lottery": "klero.ledger.load",
    "make_receipts": "klero.ledger.receipts",
    "most_random": "klero.sortition.most_random",
    "near_duplicates": "klero.voices.near_duplicates",
    "near_duplicates_file": "klero.voices.streaming",
    "open_contributions": "klero.voices.contributions",
    "random_lottery": "klero.sortition.baselines",
    "read_declaration": "klero.ledger.declare",
    "read_log": "klero.ledger.log",
    "read_out": "klero.ledger.steps",
    "read_review": "klero.campaigns.review_file",
    "read_vectors": "klero.themes.vectors",
    "replace": "klero.ledger.replacement",
    "replace_round": "klero.ledger.successor",
    "seat_tables": "klero.seating.seat",
    "sign": "klero.ledger.steps",
    "stability": "klero.themes.stability",
    "theme_keywords": "klero.themes.keywords",
    "theme_quotes": "klero.themes.quotes",
    "timestamp": "klero.ledger.stamps",
    "timestamp_request": "klero.ledger.stamps",
    "verify": "klero.ledger.verify",
    "verify_log": "klero.ledger.log",
    "verify_receipt": "klero.ledger.receipts",
    "verify_replacement": "klero.ledger.succession",
    "verify_review": "klero.campaigns.review_file",
    "what_if": "klero.sortition.whatif",
    "withdraw": "klero.ledger.steps",
    "write_lottery": "klero.ledger.bundle",
    "write_receipts": "klero.ledger.receipts",
    "write_tier": "klero.ledger.tiers",
}

__all__ = [
    "Alternates",
    "Baseline",
    "BundleError",
    "Campaign",
    "Campaigns",
    "Commitment",
    "Comparison",
    "Completion",
    "Contributions",
    "Declaration",
    "Draw",
    "DropoutModel",
    "Embedded",
    "Embedder",
    "Event",
    "InfeasibleError",
    "InputError",
    "Invitation",
    "KMeans",
    "KleroError",
    "LiveThemes",
    "LogError",
    "Lottery",
    "MostRandom",
    "NearDuplicateIndex",
    "NearDuplicates",
    "OfflineEmbedder",
    "OnnxEmbedder",
    "OutputExistsError",
    "PackagedEmbedder",
    "Partition",
    "Pool",
    "Propensities",
    "PublicDraw",
    "Quotas",
    "ReceiptCheck",
    "Record",
    "Replacement",
    "ReviewLog",
    "SamplingError",
    "SeatingError",
    "SeatingPlan",
    "SentenceTransformerEmbedder",
    "StateLog",
    "Themes",
    "Verification",
    "WhatIf",
    "abort",
    "append_log",
    "append_review",
    "audit_minorities",
    "choose_alternates",
    "commit",
    "commit_round",
    "compare",
    "confront",
    "contributor_report",
    "coverage_by_decile",
    "declare",
    "distinct_authors",
    "draw",
    "draw_record",
    "embed",
    "estimate_dropout",
    "estimate_propensities",
    "exclusion_disparity",
    "explain_contribution",
    "explain_themes",
    "fair_lottery",
    "find_campaigns",
    "forget",
    "households",
    "invite",
    "keygen",
    "legacy_lottery",
    "load_lottery",
    "make_receipts",
    "most_random",
    "near_duplicates",
    "near_duplicates_file",
    "open_contributions",
    "random_lottery",
    "read_declaration",
    "read_log",
    "read_out",
    "read_review",
    "read_vectors",
    "replace",
    "replace_round",
    "seat_tables",
    "sign",
    "stability",
    "theme_keywords",
    "theme_quotes",
    "timestamp",
    "timestamp_request",
    "verify",
    "verify_log",
    "verify_receipt",
    "verify_replacement",
    "verify_review",
    "what_if",
    "withdraw",
    "write_lottery",
    "write_receipts",
    "write_tier",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from klero._native import __version__

        return __version__
    if name not in _HOMES:
        raise AttributeError(f"module 'klero' has no attribute '{name}'")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, "__version__"])
