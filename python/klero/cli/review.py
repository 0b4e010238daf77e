"""`klero review`: what people decided about groups of contributions, kept in a signed log, and told to those concerned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from klero.cli.output import LANG, check_place, format_option, note, print_json, save, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klero.campaigns.contributor import ContributorReport
    from klero.campaigns.review import Act, GroupState, ReviewEntry, ReviewLog

DECISIONS = ("independent", "petition", "one-source", "undecided")
_SUFFIXES = {".html": "html", ".htm": "html", ".txt": "text", ".json": "json"}

LOG = click.argument("log", type=click.Path())
KEY = click.option(
    "--key",
    type=click.Path(),
    required=True,
    metavar="FILE",
    help="Private key that signs (klero keygen). The key that opens a log is the first that may.",
)
RESULTS = click.option(
    "--results",
    type=click.Path(),
    required=True,
    metavar="DIR",
    help="The results that were looked at: the folder of klero campaigns, or its campaigns.json.",
)
TIME = click.option(
    "--time",
    default="",
    metavar="TIME",
    help="When, in UTC, as 2026-05-01T09:00:00Z. Default: now, by this machine's clock.",
)
REVIEWER = click.option(
    "--reviewer", metavar="NAME", help="Who decided. The log keeps the name as given, for good."
)
ROLE = click.option(
    "--role", metavar="TEXT", help="In which role; contributors are told the role, not the name."
)


class _Steps(click.Group):
    """Its commands in the order in which they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["open", "add", "reopen", "admit", "show", "verify", "export"]


@click.group(cls=_Steps)
def review() -> None:
    """Log decisions of people on groups of contributions, signed; show, check and reopen them; tell one contributor.

    A log is only ever added to. It holds no text and no author of a contribution; names of reviewers and their reasons stand in it as given.

    \b
    Examples:
      klero review add review.jsonl --results campaigns --group C1 --decision petition --reason "Declared on 3 May." --reviewer "A. Diallo" --key ada.key
      klero review reopen review.jsonl --group C1 --reason "A member writes to us." --reviewer "A. Diallo" --key ada.key
      klero review show review.jsonl
      klero review verify review.jsonl --results campaigns
      klero review export review.jsonl --results campaigns --contribution 1204 -o answer.html --lang fr
    """


@review.command("open")
@LOG
@RESULTS
@KEY
@TIME
@format_option
def begin(log: str, results: str, key: str, time: str, form: str) -> int:
    """Open LOG on results, before anybody decides. `klero review add` does it too if there is no log.

    \b
    Examples:
      klero review open review.jsonl --results campaigns --key ada.key
    """
    from pathlib import Path

    from klero.errors import OutputExistsError

    if Path(log).exists():
        raise OutputExistsError(log)
    return _append(log, [], results, key, time, form)


@review.command()
@LOG
@RESULTS
@click.option("--group", metavar="NAME", help="The group, such as C1.")
@click.option(
    "--decision",
    type=click.Choice(DECISIONS),
    help="independent: no common source; petition: a shared text, openly signed by each; one-source: one source behind several; undecided: it can't be told.",
)
@click.option("--reason", metavar="TEXT", help="Why. Contributors may read it: name nobody, quote nothing.")
@click.option(
    "--from",
    "source",
    type=click.Path(),
    metavar="FILE",
    help="Decisions from a file that the form on the page of results made, in the place of --group, --decision and --reason.",
)
@REVIEWER
@ROLE
@KEY
@TIME
@format_option
def add(
    log: str,
    results: str,
    group: str | None,
    decision: str | None,
    reason: str | None,
    source: str | None,
    reviewer: str | None,
    role: str | None,
    key: str,
    time: str,
    form: str,
) -> int:
    """Add a decision on a group to LOG, signed. A group that is decided must be reopened first.

    \b
    Examples:
      klero review add review.jsonl --results campaigns --group C1 --decision petition --reason "Declared on 3 May." --reviewer "A. Diallo" --key ada.key
      klero review add review.jsonl --results campaigns --from decision.json --reviewer "A. Diallo" --role "participation officer" --key ada.key
    """
    from klero.campaigns.review import Decision

    if source is not None:
        if (group, decision, reason) != (None, None, None):
            raise click.UsageError(
                "--from brings groups, decisions and reasons: leave --group, --decision and --reason out."
            )
        from klero.campaigns.decision_file import read_decisions

        return _append(
            log, read_decisions(source, results, reviewer=reviewer, role=role), results, key, time, form
        )
    given = {"--group": group, "--decision": decision, "--reason": reason, "--reviewer": reviewer}
    if missing := [name for name, value in given.items() if value is None]:
        raise click.UsageError(f"Give {', '.join(missing)}; or decisions in a file with --from.")
    act = Decision(
        group=group or "",
        decision=decision or "",
        reason=reason or "",
        reviewer=reviewer or "",
        role=role or "",
    )
    return _append(log, [act], results, key, time, form)


@review.command()
@LOG
@click.option("--group", metavar="NAME", required=True, help="The group, such as C1.")
@click.option("--reason", metavar="TEXT", required=True, help="Why. Contributors may read it.")
@click.option(
    "--reviewer",
    metavar="NAME",
    required=True,
    help="Who reopens it. The log keeps the name as given, for good.",
)
@ROLE
@KEY
@click.option(
    "--results", type=click.Path(), metavar="DIR", help="Also check that these are the results of the log."
)
@TIME
@format_option
def reopen(
    log: str,
    group: str,
    reason: str,
    reviewer: str,
    role: str | None,
    key: str,
    results: str | None,
    time: str,
    form: str,
) -> int:
    """Open a decided group of LOG again. The decision stays in its history.

    \b
    Examples:
      klero review reopen review.jsonl --group C1 --reason "A member writes to us." --reviewer "A. Diallo" --key ada.key
    """
    from klero.campaigns.review import Reopening

    act = Reopening(group=group, reason=reason, reviewer=reviewer, role=role or "")
    return _append(log, [act], results, key, time, form, must_be_there=True)


@review.command()
@LOG
@click.argument("public", type=click.Path())
@KEY
@TIME
@format_option
def admit(log: str, public: str, key: str, time: str, form: str) -> int:
    """Let the holder of another key, whose PUBLIC key is given, sign in LOG from now on.

    \b
    Examples:
      klero review admit review.jsonl bob.pub --key ada.key
    """
    from klero.campaigns.review import Admission
    from klero.ledger.keys import read_public_key

    other = read_public_key(public)
    return _append(
        log, [Admission(key=other.key, name=other.name)], None, key, time, form, must_be_there=True
    )


def _append(
    log: str,
    acts: Sequence[Act],
    results: str | None,
    key: str,
    time: str,
    form: str,
    *,
    must_be_there: bool = False,
) -> int:
    from klero._files import check_inputs
    from klero.campaigns.review_file import append_review, read_review
    from klero.ledger.keys import read_secret_key

    check_inputs(log, [key, results])
    if must_be_there:
        read_review(log)
    secret = read_secret_key(key)
    book = append_review(log, acts, key=secret, results=results, time=time)
    written.append(log)
    added = book.entries[-len(acts) :] if acts else book.entries[-1:]
    if form == "json":
        print_json(
            {
                "log": log,
                "head": book.head,
                "entries": len(book),
                "added": [_entry_data(e, book) for e in added],
            }
        )
    else:
        from klero._harmless import harmless
        from klero.campaigns.review_words import entry_words

        for entry in added:
            click.echo(harmless(entry_words(entry, book, "en")))
        note(f"head {book.head}")
    note("Publish the head, so that nobody can take lines off the end unseen.")
    return 0


@review.command()
@LOG
@click.option("--group", metavar="NAME", help="One group's history.")
@LANG
@format_option
def show(log: str, group: str | None, lang: str, form: str) -> int:
    """Show where each group of LOG stands, and its history.

    \b
    Examples:
      klero review show review.jsonl
      klero review show review.jsonl --group C1 --lang fr
      klero review show review.jsonl --format json
    """
    from klero._harmless import harmless
    from klero.campaigns.review_file import read_review

    book = read_review(log)
    if form == "json":
        states = [book.state(group)] if group is not None else list(book.states.values())
        opening = book.opening
        print_json(
            {
                "schema": "klero-review-state/1",
                "head": book.head,
                "entries": len(book),
                "results": {"digest": opening.digest, "sha256": opening.sha256},
                "keys": [{"keyid": i, "key": k, "name": name} for i, (k, name) in book.keys.items()],
                "counts": book.counts(),
                "groups": [_state_data(state, book) for state in states],
            }
        )
        return 0
    click.echo(harmless(book.explain(group, lang)))
    note(f"head {book.head}")
    return 0


def _state_data(state: GroupState, log: ReviewLog) -> dict[str, object]:
    return {
        "group": state.group,
        "state": state.state,
        "decision": state.decision or None,
        "history": [_entry_data(entry, log) for entry in state.history],
    }


def _entry_data(entry: ReviewEntry, log: ReviewLog) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "sequence": entry.sequence,
        "kind": entry.kind,
        "time": entry.time,
        **{
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(entry.act).items()
        },
        "signed_by": {"keyid": entry.keyid, "name": log.keys[entry.keyid][1]},
        "hash": entry.hash,
    }


@review.command()
@LOG
@click.option(
    "--results",
    type=click.Path(),
    metavar="DIR",
    help="The folder or file of results; must be what the log was opened on.",
)
@click.option("--head", metavar="HASH", help="A head published before; the log must hold it.")
@click.option(
    "--key",
    type=click.Path(),
    metavar="FILE",
    help="The public key with which the log must have been opened.",
)
@format_option
def verify(log: str, results: str | None, head: str | None, key: str | None, form: str) -> int:
    """Check LOG: each line's form, the chain of hashes, the signatures, the order of decisions; the results, the head and the first key if given.

    Exit code 1 if a check fails. «--» stands before what was not checked.

    \b
    Examples:
      klero review verify review.jsonl --results campaigns
      klero review verify review.jsonl --results campaigns --head 9f2c… --key ada.pub
    """
    from klero._harmless import harmless
    from klero.campaigns.review_file import verify_review
    from klero.ledger.keys import read_public_key

    public = None if key is None else read_public_key(key)
    result = verify_review(log, results=results, head=head, key=public)
    if form == "json":
        checks = [{"name": c.name, "status": c.status, "ok": c.ok, "detail": c.detail} for c in result]
        print_json({"ok": result.ok, "checks": checks})
        return 0 if result.ok else 1
    for c in result:
        click.echo(harmless(f"{c.status:<4}  {c.name:<10}  {c.detail}".rstrip()))
    failed = result.failed
    if failed is not None:
        click.echo(f"NOT VALID: the check «{failed.name}» fails.")
        return 1
    left = len(result.unchecked)
    click.echo(
        "All checks passed."
        if not left
        else f"No check failed: {len(result) - left} passed, {left} not checked."
    )
    if head is None:
        note(
            "A log can't show by itself that lines were taken off its end, or that all of it was written anew with other keys: compare a published "
            "head (--head) or the first key (--key)."
        )
    return 0


@review.command()
@LOG
@RESULTS
@click.option(
    "--contribution", required=True, metavar="ID", help="Its id, as in the table that was searched."
)
@click.option(
    "--source",
    type=click.Path(),
    metavar="FILE",
    help="The table that was searched, to show what was read of this contribution.",
)
@click.option("--contact", default="", metavar="TEXT", help="Where to write to, to contest.")
@click.option("--names", is_flag=True, help="Tell reviewers' names, not their roles alone.")
@click.option("--no-reasons", is_flag=True, help="Leave out the reasons that reviewers wrote.")
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    required=True,
    metavar="FILE",
    help="Where the answer goes: .html, .txt or .json.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@LANG
@format_option
def export(
    log: str,
    results: str,
    contribution: str,
    source: str | None,
    contact: str,
    names: bool,
    no_reasons: bool,
    output: str,
    force: bool,
    lang: str,
    form: str,
) -> int:
    """Write what one contributor is told: which data were read, what was computed, with which weights, who decided what, how to contest it.

    Of other people it holds counts alone. A reviewer's reason stands in it as it was written: read it before you hand the answer over.

    \b
    Examples:
      klero review export review.jsonl --results campaigns --contribution 1204 -o answer.html --lang fr
      klero review export review.jsonl --results campaigns --contribution 1204 --source contributions.csv --contact participation@ville.example -o answer.txt
    """
    from pathlib import Path

    from klero.campaigns.contributor import contributor_report

    kind = _SUFFIXES.get(Path(output).suffix.lower())
    if kind is None:
        raise click.UsageError(f"-o {output}: the answer is written as .html, .txt or .json.")
    check_place(output, log, results, source, force=force)
    report = contributor_report(
        log, results, contribution, source=source, contact=contact, names=names, reasons=not no_reasons
    )
    save(output, _made(report, kind, lang), force=force)
    if form == "json":
        groups = [group.name for group, _state in report.groups]
        print_json({"output": output, "contribution": contribution, "groups": groups})
        return 0
    click.echo(output)
    if report.reasons and any(state.history for _group, state in report.groups):
        note(
            "Reasons stand in it as reviewers wrote them: read them before you hand it over (--no-reasons leaves them out)."
        )
    return 0


def _made(report: ContributorReport, kind: str, lang: str) -> bytes | str:
    if kind == "html":
        return report.page(lang)
    return report.text(lang) if kind == "text" else report.json()
