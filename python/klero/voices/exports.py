"""Which column of this table is the text, which the id, which the author?

Platforms of participation export tables that are known by their columns: Decidim (proposals, comments, debates), Cap Collectif (consultations,
proposals, the République numérique of 2015), Consul (proposals, debates, comments) and Polis (comments). Other tables are read where their columns
have usual names in English, French or Spanish. What was chosen is a `Columns`, which is shown to the person and can be overridden role by role.

A role is filled by an expression of columns: «title+body» is both, with a blank line between them (votes are added, ids joined with «-»), and «a|b» is the
first that is not empty. Columns with a sign of the expression in their name stand in double quotes.

Guaranteed: nothing is guessed where two columns could be the text. Not guaranteed: that a platform did not change its export since its columns were
taken from its source code; names are compared without case, accents, blanks, dots, dashes and underlines, which survives most changes.

>>> columns = recognise(["id", "author/id", "title/fr", "body/fr", "supports", "created_at", "component/id"])
>>> columns.layout, columns.spelled()["text"], columns.spelled()["author"]
('Decidim, proposals', 'title/fr+body/fr', 'author/id')
>>> parse_map('text="Pourquoi, selon vous ?"+body, id=ref, author=')
{'text': (('Pourquoi, selon vous ?', 'body'),), 'id': (('ref',),), 'author': None}
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TypeGuard

from klero._tables_cells import folded, kind_of
from klero.errors import Fault, InputError, quoted

__all__ = [
    "ROLES",
    "Columns",
    "Expression",
    "as_option",
    "chosen",
    "parse_expression",
    "parse_map",
    "recognise",
]

ROLES = ("id", "text", "author", "time", "question", "stance", "votes")
Expression = tuple[tuple[str, ...], ...]
"""Columns that are joined, in alternatives of which the first that is not empty counts."""
Given = str | Sequence[str] | None

_EXAMPLE = "such as --map 'text=title+body, id=ref' (in Python: mapping={'text': 'title+body', 'id': 'ref'})"


@dataclass(frozen=True)
class Layout:
    """How the columns of one kind of export are called.

    Attributes:
        name: for people: «Decidim, comments».
        needs: columns that must be there; of those with «,» between them, one.
        roles: for each role, expressions with « ; » between them; the first of which a column is there is taken.
        kind: the column that says what a row is, if rows are not all contributions.
        others: values of it for rows that are none (votes, reports), in lower case.
        instead: for files that hold no texts: what to read in their place.
    """

    name: str
    needs: str
    roles: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    others: str = ""
    instead: str = ""


_CAP_ROWS = "vote votes reporting proposalvote proposalcommentvote proposalnews proposalnewscomment proposalnewscommentvote proposalreporting"

LAYOUTS = (
    Layout(
        "Polis, comments",
        "comment-id comment-body",
        {
            "id": "comment-id",
            "text": "comment-body",
            "author": "author-id",
            "time": "timestamp ; datetime",
            "votes": "agrees",
        },
    ),
    Layout("Polis, votes", "comment-id voter-id vote", instead="comments.csv of the same export"),
    Layout(
        "Polis, participants",
        "participant group-id n-votes n-agree",
        instead="comments.csv of the same export",
    ),
    Layout(
        "Cap Collectif, consultation",
        "type contributions_id contributions_bodyText",
        {
            "id": "contributions_arguments_id|contributions_sources_id|contribution_versions_id|contributions_id",
            "text": "contributions_arguments_body|contributions_sources_body|contribution_versions_title+contribution_versions_bodyText|"
            "contributions_title+contributions_bodyText",
            "author": "contributions_arguments_author_id|contributions_sources_author_id|contributions_author_id",
            "time": "contributions_arguments_createdAt|contributions_sources_createdAt|contribution_versions_createdAt|contributions_createdAt",
            "question": "contributions_section_title",
            "stance": "contributions_arguments_type",
            "votes": "contributions_arguments_votesCount|contributions_sources_votesCount|contributions_votesCountOk",
        },
        kind="type",
        others=_CAP_ROWS,
    ),
    Layout(
        "Cap Collectif, proposals",
        "contribution_type proposal_id proposal_title",
        {
            "id": "proposal_comments_id|proposal_id",
            "text": "proposal_comments_body|proposal_title+proposal_summary+proposal_description",
            "author": "proposal_comments_author_id|proposal_author_id",
            "time": "proposal_comments_createdAt|proposal_createdAt",
            "question": "proposal_category_name ; proposal_theme_title",
            "votes": "proposal_votesCount",
        },
        kind="contribution_type",
        others=_CAP_ROWS,
    ),
    Layout(
        "Cap Collectif, République numérique",
        "Type.de.contenu Identifiant Contenu",
        {
            "id": "Type.de.contenu+Identifiant",
            "text": "Titre+Contenu",
            "author": "Id.de.l.auteur",
            "time": "Création",
            "question": "Catégorie",
            "votes": "Votes.pour",
        },
        kind="Type.de.contenu",
        others="vote",
    ),
    Layout(
        "Cap Collectif, arguments",
        "argument_id opinion_id body",
        {
            "id": "argument_id",
            "text": "body",
            "author": "author",
            "time": "created_at",
            "question": "opinion_id",
            "stance": "side",
            "votes": "votes",
        },
    ),
    Layout(
        "Cap Collectif, sources",
        "source_id opinion_id body",
        {
            "id": "source_id",
            "text": "title+body",
            "author": "author",
            "time": "created_at",
            "question": "opinion_id",
            "votes": "votes",
        },
    ),
    Layout(
        "Cap Collectif, opinions",
        "opinion_id title body votes_ok",
        {
            "id": "opinion_id",
            "text": "title+body",
            "author": "author",
            "time": "created_at",
            "question": "section",
            "votes": "votes_ok",
        },
    ),
    Layout(
        "Cap Collectif, questionnaire",
        "reference authorId authorType,authorZipCode createdAt,publishedAt",
        {"id": "id ; reference", "author": "authorId", "time": "createdAt ; publishedAt", "text": ""},
    ),
    Layout(
        "Consul, comments",
        "id body commentable_id commentable_type cached_votes_up,cached_votes_total,ancestry,confidence_score",
        {
            "id": "id",
            "text": "body",
            "time": "created_at",
            "question": "commentable_id",
            "votes": "cached_votes_up ; cached_votes_total",
        },
    ),
    Layout(
        "Decidim, comments",
        "id body commentable_id,root_commentable_url alignment,depth,commentable_type",
        {
            "id": "id",
            "text": "body",
            "author": "author/id ; author/name ; author",
            "time": "created_at",
            "question": "commentable_id ; root_commentable_url",
            "stance": "alignment",
        },
    ),
    Layout(
        "Consul, comments (Decide Madrid)",
        "id parentId proposalId text",
        {
            "id": "id",
            "text": "text",
            "author": "author",
            "time": "date+time ; date",
            "question": "proposalId",
            "votes": "numPositiveVotes ; numVotes",
        },
    ),
    Layout(
        "Consul, proposals",
        "id title summary,description,text external_url,video_url,retired_at,numSupports",
        {
            "id": "id",
            "text": "title+summary+description+text",
            "author": "author ; author_id",
            "time": "created_at ; date",
            "question": "geozone_id",
            "votes": "cached_votes_up ; numSupports ; cached_votes_total",
        },
    ),
    Layout(
        "Consul, debates",
        "id title description cached_votes_total,cached_votes_up",
        {
            "id": "id",
            "text": "title+description",
            "author": "author ; author_id",
            "time": "created_at",
            "votes": "cached_votes_up ; cached_votes_total",
        },
    ),
    Layout(
        "Decidim, debates",
        "id title description instructions,start_time,information_updates,last_comment_at,comments_enabled",
        {
            "id": "id",
            "text": "title+description",
            "author": "author/id ; author/name",
            "time": "created_at ; start_time",
            "question": "category/name ; taxonomies/name",
        },
    ),
    Layout(
        "Decidim, debates",
        "id title theme comments created_at",
        {"id": "id", "text": "title", "time": "created_at", "question": "theme"},
    ),
    Layout(
        "Decidim, proposals",
        "id title body supports,votes,proposal_votes,endorsements/total_count,component/id,participatory_space/id",
        {
            "id": "id",
            "text": "title+body",
            "author": "author/id ; author/name ; author",
            "time": "created_at ; published_at",
            "question": "category/name ; category ; taxonomies/name ; scope/name",
            "votes": "supports ; proposal_votes ; votes ; endorsements/total_count",
        },
    ),
)

# Tables of no known platform. The text must be told by one name alone; of the rest the first that is there is taken.
_USUAL = {
    "text": "text texte body bodyText contenu content contribution comment commentaire comment_body message description réponse response answer opinion "
    "proposition proposal verbatim texto comentario respuesta contenido",
    "id": "id identifiant identifier contribution_id contribution_ref ref reference référence uuid",
    "author": "author auteur author/id author_id auteur_id user user_id username participant participant_id autor",
    "time": "time timestamp date datetime created_at created published_at submitted_at date_creation fecha",
    "question": "question question_id topic theme thème thématique section rubrique category catégorie proposal_id debate_id",
    "stance": "stance position side alignment sens",
    "votes": "votes vote_count likes supports num_votes",
}


@dataclass(frozen=True)
class Columns:
    """Which columns fill which role.

    Attributes:
        layout: the name of the export; '' if it is none that is known.
        roles: by role, in the order of `ROLES`; a role without column is not there.
        metadata: columns that are kept as they are.
        kind: the column that says what a row is, or ''.
        others: values of it, in lower case, for rows that are no contributions.
    """

    layout: str
    roles: Mapping[str, Expression]
    metadata: tuple[str, ...] = ()
    kind: str = ""
    others: frozenset[str] = frozenset()

    def spelled(self) -> dict[str, str]:
        """The expression of each role, as `parse_map` reads it."""
        return {
            role: "|".join("+".join(map(_spelled, part)) for part in roles)
            for role, roles in self.roles.items()
        }

    def used(self) -> list[str]:
        """All columns that are read, each once."""
        names = [name for roles in self.roles.values() for part in roles for name in part]
        return list(dict.fromkeys([*names, *self.metadata, *([self.kind] if self.kind else [])]))


def _spelled(name: str) -> str:
    return f'"{name}"' if re.search(r"[+|,=\"]", name) or name != name.strip() else name


def as_option(names: Sequence[str]) -> str:
    """Columns, joined, in quotes as a shell reads them."""
    text = names[0] if len(names) == 1 else "+".join(map(_spelled, names))
    safe = shlex.quote(text)
    return safe if safe != text else f"'{text}'"


def _key(name: str) -> str:
    return re.sub(r"[\s._'’-]+", "", folded(name))


def recognise(names: Sequence[str]) -> Columns:
    """The roles of a table's columns; without «text» if no column, or more than one, could be it.

    Raises:
        InputError: it is an export that holds no texts.
    """
    known: dict[str, str] = {}
    for name in names:
        known.setdefault(_key(name), name)
    for layout in LAYOUTS:
        if all(any(_there(one, known) for one in need.split(",")) for need in layout.needs.split()):
            if layout.instead:
                message = f"these are columns of {layout.name}: no texts. Give {layout.instead}."
                raise InputError([Fault("text-column-missing", message, "")])
            roles = {role: found for role, text in layout.roles.items() if (found := _resolve(text, known))}
            kind = known.get(_key(layout.kind), "") if layout.kind else ""
            return Columns(layout.name, _ordered(roles), (), kind, frozenset(layout.others.split()))
    return Columns("", _ordered(_usual(known)))


def _usual(known: Mapping[str, str]) -> dict[str, Expression]:
    roles: dict[str, Expression] = {}
    texts = usual_texts(known)
    if len(texts) == 1:
        roles["text"] = ((texts[0],),)
    for role, usual in _USUAL.items():
        for name in usual.split():
            if role != "text" and _key(name) in known and known[_key(name)] not in texts:
                roles[role] = ((known[_key(name)],),)
                break
    return roles


def usual_texts(names: Iterable[str]) -> list[str]:
    """Those of these columns whose name is a usual one for texts."""
    by_key = (
        dict(names.items())
        if isinstance(names, Mapping)
        else {_key(name): name for name in reversed(list(names))}
    )
    return list(dict.fromkeys(by_key[_key(name)] for name in _USUAL["text"].split() if _key(name) in by_key))


def _ordered(roles: Mapping[str, Expression]) -> dict[str, Expression]:
    return {role: roles[role] for role in ROLES if role in roles}


def _variants(name: str, known: Mapping[str, str]) -> dict[str, str]:
    """The columns that a name stands for: itself, or one for each language («title/fr», «title/en»)."""
    key = _key(name)
    if key in known:
        return {"": known[key]}
    return {
        match[1]: column
        for other, column in known.items()
        if (match := re.fullmatch(re.escape(key) + r"/([a-z]{2}(?:[a-z]{2})?)", other))
    }


def _there(name: str, known: Mapping[str, str]) -> bool:
    return bool(_variants(name, known))


def _resolve(text: str, known: Mapping[str, str]) -> Expression:
    for option in filter(None, text.split(" ; ")):
        parts: list[tuple[str, ...]] = []
        for alternative in option.split("|"):
            found = [_variants(name, known) for name in alternative.split("+")]
            languages = list(dict.fromkeys(language for one in found for language in one if language)) or [""]
            for language in languages:
                columns = tuple(c for one in found if (c := one.get(language) or one.get("")))
                if columns and columns not in parts:
                    parts.append(columns)
        if parts:
            return tuple(parts)
    return ()


_TERM = re.compile(r'\s*(?:"([^"]*)"|([^+|,"]+?))\s*(?=[+|,]|$)')
_ROLE = re.compile(r"\s*([A-Za-z]+)\s*=")


def parse_map(text: str) -> dict[str, Expression | None]:
    """«text=title+body, id=ref, author=» as data; a role with nothing behind its «=» has no column.

    Raises:
        InputError: it is not written so, a role is unknown or comes twice.
    """
    roles: dict[str, Expression | None] = {}
    at = 0
    while at < len(text):
        begun = _ROLE.match(text, at)
        if begun is None:
            raise _map_fault(
                text,
                f"after {quoted(text[:at])} a role and «=» are missing"
                if at
                else "it begins with no role and «=»",
            )
        role = begun[1].lower()
        if role in roles:
            raise _map_fault(text, f"{role} comes twice")
        _check_role(role, text)
        roles[role], at = _expression(text, begun.end())
        if at < len(text) and text[at] != ",":
            raise _map_fault(text, f"{quoted(text[at:])} can't be read")
        at += 1
    return roles


def parse_expression(text: str) -> Expression:
    """«title+body» or «a|b» as data.

    Raises:
        InputError: it is not written so.
    """
    found, at = _expression(text, 0)
    if found is None or at < len(text):
        raise _map_fault(text, "this is no name of a column, nor several with «+» or «|» between them")
    return found


def _expression(text: str, at: int) -> tuple[Expression | None, int]:
    parts: list[tuple[str, ...]] = []
    part: list[str] = []
    if not text[at:].split(",")[0].strip():
        return None, at + len(text[at:].split(",")[0])
    while True:
        term = _TERM.match(text, at)
        if term is None:
            raise _map_fault(
                text,
                f"a column is missing before {quoted(text[at:])}"
                if at < len(text)
                else "a column is missing at its end",
            )
        part.append(term[1] if term[1] is not None else term[2])
        at = term.end()
        sign = text[at : at + 1]
        if sign != "+":
            parts.append(tuple(part))
            part = []
        if sign in ("", ","):
            return tuple(parts), at
        at += 1


def _check_role(role: str, text: str) -> None:
    if not isinstance(role, str) or role not in (*ROLES, "layout"):
        raise _map_fault(text, f"there is no role {quoted(str(role))}; there are {', '.join(ROLES)}")


def _map_fault(text: str, what: str) -> InputError:
    return InputError([Fault("map-invalid", f"{quoted(text)}: {what}. Write it {_EXAMPLE}.", "", value=text)])


def chosen(
    names: Sequence[str],
    file: str,
    given: Mapping[str, Given],
    mapping: Mapping[str, Given] | str | None,
    metadata: Sequence[str] = (),
) -> Columns:
    """What was recognised, with what the person said in its place.

    Args:
        names: the columns of the table.
        file: what messages call it.
        given: expressions by role, as single options; None where nothing was said.
        mapping: the same in one; there None (and, in text, nothing) means that the role has no column. «layout» without value: nothing is recognised.
        metadata: columns to keep.

    Raises:
        InputError: a column is not there, or a role is unknown, or is given twice.
    """
    said: dict[str, Expression | None] = {}
    if isinstance(mapping, str):
        said = parse_map(mapping)
    elif mapping is not None:
        if not isinstance(mapping, Mapping):
            raise _map_fault(str(mapping), f"{kind_of(mapping)} is no mapping")
        for role, value in mapping.items():
            _check_role(role, f"{role}={value}")
            said[role] = None if value is None or value == "" else _given(role, value, names)
    faults = []
    for role, value in given.items():
        if value is not None and role in said:
            message = f"the column of {role} is given twice, by itself and in the mapping. Give it once."
            faults.append(Fault("options-conflict", message, file))
        elif value is not None:
            said[role] = _given(role, value, names)
    if faults:
        raise InputError(faults)
    found = Columns("", {}) if said.get("layout", ()) is None else _recognised(names, file, said)
    said.pop("layout", None)
    roles = _ordered({**found.roles, **{role: value for role, value in said.items() if value}})
    roles = {role: value for role, value in roles.items() if role not in said or said[role]}
    columns = Columns(found.layout, roles, _kept(metadata), found.kind, found.others)
    _check_names(columns, names, file)
    return columns


def _recognised(names: Sequence[str], file: str, said: Mapping[str, Expression | None]) -> Columns:
    try:
        return recognise(names)
    except InputError as error:
        if said.get("text"):
            return Columns("", {})
        raise InputError([Fault(f.code, f.message, file) for f in error.faults]) from None


def _given(role: str, value: Given, names: Sequence[str]) -> Expression:
    if isinstance(value, str):
        return ((value,),) if value in names else parse_expression(value)
    if not _are_names(value) or not value:
        raise _map_fault(f"{role}={value!r}", "a column is given by its name, several by a list of names")
    return (tuple(value),)


def _kept(metadata: Sequence[str]) -> tuple[str, ...]:
    """Each once; a text is one name, and not its letters."""
    if isinstance(metadata, str):
        return (metadata,)
    if not _are_names(metadata):
        message = f"metadata is {metadata!r}. Give a list of names of columns."
        raise InputError([Fault("option-unknown", message, "")])
    return tuple(dict.fromkeys(metadata))


def _are_names(value: object) -> TypeGuard[Sequence[str]]:
    return isinstance(value, Sequence) and all(isinstance(name, str) for name in value)


def _check_names(columns: Columns, names: Sequence[str], file: str) -> None:
    faults = []
    texts = {name for part in columns.roles.get("text", ()) for name in part}
    for name in columns.used():
        if name not in names:
            alike = [other for other in names if _key(other) == _key(name)]
            alike = alike or _near(name, names) or (usual_texts(names)[:3] if name in texts else [])
            meant = f" Did you mean {' or '.join(map(quoted, alike))}?" if alike else ""
            message = f"there is no such column.{meant} The table has {listed(names)}."
            faults.append(Fault("column-missing", message, file, column=name))
    for name in columns.metadata:
        if name in ROLES:
            message = f"a column that is kept can't be called like a role. Map it: --map '{name}={name}'."
            faults.append(Fault("map-invalid", message, file, column=name))
    if faults:
        raise InputError(faults)


def _near(name: str, names: Sequence[str]) -> list[str]:
    """Up to three columns with a name that is nearly this one, or begins with it, or has it in it as words."""
    known: dict[str, str] = {}
    for other in names:
        known.setdefault(_key(other), other)
    key = _key(name)
    close = get_close_matches(key, known, n=3, cutoff=0.75)
    words = set(re.findall(r"\w{3,}", folded(name)))
    within = [
        one for one, other in known.items() if words and words <= set(re.findall(r"\w+", folded(other)))
    ]
    begun = [one for one in known if len(key) > 2 and one.startswith(key)]
    return [known[one] for one in dict.fromkeys([*close, *begun, *within])][:3]


def listed(names: Iterable[str], most: int = 40) -> str:
    """Names in quotes, the first forty of them."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(map(quoted, every[:most])) + more
