"""Contributions: which column is which, in the platforms' exports and as people say."""

from __future__ import annotations

import csv

import pytest

from contribution_cases import DATA, ROWS, faults_of, needs_data
from klero.voices.contributions import Contributions
from klero.voices.exports import parse_map, recognise

# --- which column is which

DECIDIM_COMMENTS = (
    "id created_at body locale author/id author/name alignment depth user_group/id user_group/name commentable_id commentable_type "
    "root_commentable_url"
)
DECIDIM_PROPOSALS = (
    "id category/id category/name/fr scope/id participatory_space/id component/id title/fr title/en body/fr body/en state supports "
    "endorsements/total_count comments published_at url"
)
CAP_PROPOSALS = (
    "contribution_type proposal_id proposal_reference proposal_title proposal_createdAt proposal_author_id proposal_category_name "
    "proposal_summary proposal_description proposal_comments_id proposal_comments_body proposal_comments_createdAt proposal_comments_author_id"
)
EXPORTS = [
    (
        DECIDIM_COMMENTS,
        "Decidim, comments",
        {"text": "body", "author": "author/id", "stance": "alignment", "question": "commentable_id"},
    ),
    (
        DECIDIM_PROPOSALS,
        "Decidim, proposals",
        {
            "text": "title/fr+body/fr|title/en+body/en",
            "time": "published_at",
            "votes": "supports",
            "question": "category/name/fr",
        },
    ),
    (
        "id author/id author/name title/fr description/fr instructions/fr start_time end_time category/id comments followers url",
        "Decidim, debates",
        {"text": "title/fr+description/fr", "author": "author/id", "time": "start_time"},
    ),
    (
        "id title description external_url cached_votes_up comments_count hot_score confidence_score created_at summary video_url geozone_id",
        "Consul, proposals",
        {"text": "title+summary+description", "votes": "cached_votes_up", "time": "created_at"},
    ),
    (
        "id title description created_at cached_votes_total cached_votes_up cached_votes_down comments_count confidence_score hot_score",
        "Consul, debates",
        {"text": "title+description"},
    ),
    (
        "id commentable_id commentable_type body created_at cached_votes_total cached_votes_up cached_votes_down ancestry confidence_score",
        "Consul, comments",
        {"text": "body", "votes": "cached_votes_up"},
    ),
    (
        "timestamp datetime comment-id author-id agrees disagrees moderated comment-body",
        "Polis, comments",
        {"text": "comment-body", "votes": "agrees"},
    ),
    (
        CAP_PROPOSALS,
        "Cap Collectif, proposals",
        {
            "id": "proposal_comments_id|proposal_id",
            "text": "proposal_comments_body|proposal_title+proposal_summary+proposal_description",
            "author": "proposal_comments_author_id|proposal_author_id",
        },
    ),
    (
        "Identifiant Type.de.contenu Catégorie Titre Lié.à.. Contenu Lien Création Modification Id.de.l.auteur Votes Votes.pour",
        "Cap Collectif, République numérique",
        {
            "id": "Type.de.contenu+Identifiant",
            "text": "Titre+Contenu",
            "author": "Id.de.l.auteur",
            "time": "Création",
        },
    ),
]


@pytest.mark.parametrize(("columns", "layout", "roles"), EXPORTS, ids=[layout for _, layout, _ in EXPORTS])
def test_exports_are_recognised_by_their_columns(columns: str, layout: str, roles: dict[str, str]) -> None:
    found = recognise(columns.split())
    assert found.layout == layout
    assert {role: found.spelled()[role] for role in roles} == roles


def test_a_consultation_of_cap_collectif_keeps_each_kind_of_row_and_counts_the_votes() -> None:
    columns = [
        "type",
        "contributions_id",
        "contributions_author_id",
        "contributions_section_title",
        "contributions_title",
        "contributions_bodyText",
        "contributions_createdAt",
        "contributions_votesCountOk",
        "contributions_arguments_id",
        "contributions_arguments_author_id",
        "contributions_arguments_type",
        "contributions_arguments_body",
        "contributions_arguments_votesCount",
        "contributions_votes_id",
        "contributions_votes_value",
    ]
    filled = [
        {
            "type": "opinion",
            "contributions_id": "o1",
            "contributions_title": "Titre",
            "contributions_bodyText": "Corps",
            "contributions_votesCountOk": "3",
        },
        {
            "type": "argument",
            "contributions_arguments_id": "a1",
            "contributions_arguments_body": "Non",
            "contributions_arguments_type": "AGAINST",
        },
        {"type": "vote", "contributions_votes_id": "v1", "contributions_votes_value": "YES"},
    ]
    read = Contributions.read([{name: row.get(name, "") for name in columns} for row in filled])
    assert read.mapping["layout"] == "Cap Collectif, consultation"
    assert read.ids.to_pylist() == ["o1", "a1"]
    assert read.texts.to_pylist() == ["Titre\n\nCorps", "Non"]
    assert read.table.column("stance").to_pylist() == [None, "against"]
    assert read.table.column("votes").to_pylist() == [3, None]
    assert (read.counts.rows, read.counts.contributions, read.counts.others) == (3, 2, 1)


def test_files_without_texts_say_which_file_to_take() -> None:
    for columns in (
        "timestamp datetime comment-id voter-id vote",
        "participant group-id n-comments n-votes n-agree n-disagree 0 1",
    ):
        row = dict.fromkeys(columns.split(), "1")
        (fault,) = faults_of(lambda row=row: Contributions.read([row]))  # type: ignore[misc]
        assert fault.code == "text-column-missing"
        assert "comments.csv" in fault.message


def test_a_questionnaire_of_cap_collectif_asks_for_its_question() -> None:
    row = dict.fromkeys(
        ["id", "reference", "title", "createdAt", "publishedAt", "authorId", "authorType", "authorZipCode"],
        "x1",
    )
    row["QUXVlc3Rpb246MTA3 - En qui avez-vous confiance, et pourquoi ?"] = (
        "En personne, car tous se valent bien"
    )
    (fault,) = faults_of(lambda: Contributions.read([row]))
    assert fault.code == "text-column-missing"
    assert "--text 'QUXVlc3Rpb246MTA3" in fault.message
    name = "QUXVlc3Rpb246MTA3 - En qui avez-vous confiance, et pourquoi ?"
    for read in (Contributions.read([row], text=name), Contributions.read([row], mapping=f'text="{name}"')):
        assert read.texts.to_pylist() == ["En personne, car tous se valent bien"]
        assert read.mapping["text"] == f'"{name}"'


def test_the_mapping_that_is_shown_can_be_given_back() -> None:
    read = Contributions.read(ROWS)
    spelled = ", ".join(f"{role}={columns}" for role, columns in read.mapping.items() if role != "layout")
    assert Contributions.read(ROWS, mapping="layout=, " + spelled).table == read.table
    assert Contributions.read(ROWS, mapping={"author": None, "text": "author"}).table.column_names == [
        "id",
        "text",
        "time",
        "stance",
        "votes",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "text",
        "=a",
        "texte=a",
        "text=a, text=b",
        "text=a+",
        "text=a||b",
        'text="a',
        "text=a id=b=c, x",
        "text=+a",
        ",",
        "id=a,, text=b",
    ],
)
def test_a_mapping_that_is_not_written_as_one_is_refused(text: str) -> None:
    (fault,) = faults_of(lambda: parse_map(text))
    assert fault.code == "map-invalid"
    assert "--map" in fault.message


def test_columns_that_are_not_there_are_named_with_those_that_are() -> None:
    faults = faults_of(lambda: Contributions.read(ROWS, text="Text", id="ref", metadata=["nope"]))
    assert [(fault.code, fault.column) for fault in faults] == [
        ("column-missing", "ref"),
        ("column-missing", "Text"),
        ("column-missing", "nope"),
    ]
    assert "Did you mean 'text'?" in faults[1].message
    assert "'created_at'" in faults[0].message
    (fault,) = faults_of(lambda: Contributions.read(ROWS, text="text", mapping="text=author"))
    assert fault.code == "options-conflict"
    (fault,) = faults_of(lambda: Contributions.read(ROWS, metadata=["author"], mapping="author="))
    assert fault.code == "map-invalid"


# --- real exports

REAL = [
    ("repnum_2015/arguments.csv", "Cap Collectif, arguments", 3994, 0),
    ("repnum_2015/opinions.csv", "Cap Collectif, opinions", 696, 0),
    ("repnum_2015/sources.csv", "Cap Collectif, sources", 326, 0),
    ("lille_granddebat_2019/proposals.csv", "Decidim, proposals", 196, 0),
    ("lille_granddebat_2019/debates.csv", "Decidim, debates", 29, 0),
    ("lille_granddebat_2019/debate_comments.csv", "Decidim, comments", 693, 0),
    ("lille_granddebat_2019/proposal_comments.csv", "Decidim, comments", 44, 0),
    ("decide_madrid/proposals.csv", "Consul, proposals", 80, 0),
    ("decide_madrid/comments.csv", "Consul, comments (Decide Madrid)", 5633, 62),
    ("polis_opendata/15-per-hour-seattle/comments.csv", "Polis, comments", 54, 0),
    ("polis_opendata/vtaiwan.uberx/comments.csv", "Polis, comments", 197, 0),
]


@needs_data
@pytest.mark.parametrize(("name", "layout", "rows", "empty"), REAL, ids=[name for name, *_ in REAL])
def test_real_exports_are_recognised_and_read_whole(name: str, layout: str, rows: int, empty: int) -> None:
    with (DATA / name).open(encoding="utf-8", newline="") as stream:
        written = list(csv.DictReader(stream))
    read = Contributions.read(DATA / name)
    assert read.mapping["layout"] == layout
    assert len(read) == len(written) == rows == read.counts.rows
    assert read.counts.empty == empty
    assert (
        read.counts.times,
        read.counts.stances,
        read.counts.votes,
        read.counts.others,
        read.counts.blank,
    ) == (0, 0, 0, 0, 0)
    assert read.ids.to_pylist() == [row[read.mapping["id"]] for row in written]
    assert read.table.column("time").null_count == 0


@needs_data
def test_answers_of_the_grand_debat_need_ids_that_are_unique() -> None:
    path = DATA / "granddebat_annotated_2019" / "responses.csv"
    assert {fault.code for fault in faults_of(lambda: Contributions.read(path))} == {"id-duplicate"}
    read = Contributions.read(path, mapping="id=", metadata=["departement"])
    assert read.counts.contributions == read.counts.rows == len(read)
    assert read.table.column_names == ["id", "text", "author", "time", "question", "departement"]
