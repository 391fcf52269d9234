"""The sentences of what is wrong with files and cells, by their code."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from files.reading.table import FileRefusedError
from pbxadmin.common.counts import grouped

DAMAGES: Mapping[str, Any] = {
    "excel_number": gettext_lazy(
        "“%(value)s”: a spreadsheet has turned this into a number and lost digits. Format the column as text and enter it again."
    ),
    "lost_zeros": gettext_lazy(
        "“%(value)s”: a spreadsheet has taken zeros away. It may be %(maybe)s: check the label of the phone, format the column as text, and enter it again."
    ),
    "excel_date": gettext_lazy(
        "“%(value)s”: a spreadsheet has turned this into a date or a time. Format the column as text and enter it again."
    ),
    "excel_error": gettext_lazy(
        "“%(value)s” is an error of a spreadsheet: correct the formula, or enter the value itself."
    ),
    "excel_formula": gettext_lazy(
        "This is a formula whose result isn't in the file: open it in a spreadsheet, save it, and send it again."
    ),
}

FILES: Mapping[str, Any] = {
    "too_large": gettext_lazy("The file is larger than %(limit)s MB: split it."),
    "too_large_opened": gettext_lazy("The workbook grows beyond %(limit)s MB when it is opened: save it as CSV."),
    "too_many_rows": gettext_lazy("The file has more than %(limit)s rows: split it."),
    "too_many_columns": gettext_lazy("The file has more than %(limit)s columns: it is probably not a list of users."),
    "cell_too_long": gettext_lazy(
        "A cell in line %(line)s is longer than %(limit)s MB: shorten it, or close the quotation mark with which it begins."
    ),
    "not_text": gettext_lazy("This is neither a CSV file nor an XLSX workbook: save it as one of these and send it again."),
    "encoding": gettext_lazy("The signs of this file can't be read: save it as “CSV UTF-8” and send it again."),
    "nul": gettext_lazy("Line %(line)s of the file holds signs that no text has: save it as “CSV UTF-8” and send it again."),
    "mojibake": gettext_lazy(
        "The accents of this file are damaged (line %(line)s: “%(found)s”): it was opened and saved with the wrong encoding. Export it again from where it "
        "comes from."
    ),
    "unclosed_quote": gettext_lazy("A quotation mark in line %(line)s isn't closed, or is followed by something: correct this line."),
    "no_rows": gettext_lazy("There is no row in this file below its header."),
    "duplicate_column": gettext_lazy("The column %(names)s is there more than once: leave one."),
    "missing_key_columns": gettext_lazy(
        "No column says who is meant: one of %(names)s is needed. Columns found: %(found)s. Say which column is what, or correct the header."
    ),
    "file_of_users": gettext_lazy(
        "This is a file of users: import it as one, or send a file with one row for each record. Columns found: %(found)s."
    ),
    # Where one column alone names what a row is about.
    "missing_key_column": gettext_lazy(
        "The column %(names)s is needed: it says what each row is about. Columns found: %(found)s. Say which column is what, or correct the header."
    ),
}  # fmt: skip
LISTED = 12


def said_of(refused: FileRefusedError) -> str:
    """The sentence of a file that can't be read, in the reader's language."""
    facts = {name: _shown(fact) for name, fact in refused.facts.items()}
    reason = refused.reason
    if reason == "missing_key_columns" and len(refused.facts["names"]) == 1:
        reason = "missing_key_column"
    return str(FILES[reason]) % ({"line": "?"} | facts)


def _shown(fact: Any) -> Any:
    return _listed(fact) if isinstance(fact, list) else grouped(fact) if isinstance(fact, int) else fact


def _listed(names: list[str]) -> str:
    shown = ", ".join(name[:40] for name in names[:LISTED])
    more = len(names) - LISTED
    return _("%(names)s and %(count)s more") % {"names": shown, "count": more} if more > 0 else shown or "—"
