"""What did somebody fill in on the form of a page of results?

The form makes a file of JSON; here it becomes decisions for a log of review. The file names the results that it was made on, and these must be the
ones at hand. Times in it are passed over: the time of a log is that of signing.

    {"format":"klero-decision/1","result":DIGEST,"decisions":[{"group":"C1","decision":"petition","reason":TEXT,"reviewer":NAME,"role":TEXT},…]}

Cost: one pass.
"""

from __future__ import annotations

import json
import os

from klero._files import read_file
from klero.campaigns.results_file import read_results
from klero.campaigns.review import Decision, own_faults, plain
from klero.errors import Fault, InputError, quoted
from klero.ledger.canonical import check_depth

__all__ = ["read_decisions"]

FORMAT = "klero-decision/1"
FILE_LIMIT = 64 << 20


def read_decisions(
    path: str | os.PathLike[str],
    results: str | os.PathLike[str],
    *,
    reviewer: str | None = None,
    role: str | None = None,
) -> list[Decision]:
    """The decisions in a file, in its order.

    Args:
        path: the file.
        results: the folder or file of results on which they were taken.
        reviewer, role: who decided, in the place of what the file says.

    Raises:
        InputError: the file can't be read, is none, or was made on other results; a decision lacks something. All at once.
    """
    name = os.fspath(path)
    data = read_file(path, FILE_LIMIT)
    try:
        check_depth(data)
        document = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    listed = (
        document.get("decisions") if isinstance(document, dict) and document.get("format") == FORMAT else None
    )
    if (
        not isinstance(document, dict)
        or not isinstance(listed, list)
        or not all(isinstance(one, dict) for one in listed)
    ):
        message = f"this is no file of decisions of the form {FORMAT}, such as the form on the page of results makes. Save it there again."
        raise InputError([Fault("json-invalid", message, name)])
    faults = []
    digest = read_results(results).digest
    if document.get("result") != digest:
        message = (
            f"these decisions were taken on other results (digest {quoted(str(document.get('result')))}, not {quoted(digest)}). Give the results whose "
            "page was filled in, or fill in the page of these."
        )
        faults.append(Fault("review-results", message, name))
    if not listed:
        faults.append(
            Fault(
                "json-invalid", "there is no decision in the file: fill in the form, and save it again.", name
            )
        )
    decisions = []
    for number, one in enumerate(listed, start=1):
        said = {field: plain(one.get(field)) for field in ("group", "decision", "reason", "reviewer", "role")}
        said |= {
            field: plain(value)
            for field, value in (("reviewer", reviewer), ("role", role))
            if value is not None
        }
        decisions.append(Decision(**said))
        faults += own_faults(decisions[-1], name, number)
    if faults:
        raise InputError(faults)
    return decisions
