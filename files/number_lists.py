"""A list of numbers that is sent as a workbook, as the text that people would have typed (`users.company.number_list`)."""

from django.core.exceptions import ValidationError

from files.importing.words import said_of
from files.reading.table import FileRefusedError
from files.reading.workbook import from_workbook, is_workbook
from files.subjects import SUBJECTS


def text_of(content: bytes) -> str | None:
    """A workbook's rows as lines, their cells apart by tabs; None for what isn't one. Raises `ValidationError` for one that can't be read.

    What stands as a header goes along: in a list without one it is the first number.
    """
    if not is_workbook(content):
        return None
    try:
        table = from_workbook(content, SUBJECTS["numbers"].names)
    except FileRefusedError as refused:
        raise ValidationError(said_of(refused)) from None
    rows = [table.header, *(record.cells for record in table.records if not record.is_blank)]
    return "\n".join("\t".join(_plain(cell) for cell in row if cell.strip()) for row in rows)


def _plain(cell: str) -> str:
    """A cell in one line, without what stands between the cells of a list."""
    return " ".join(str(cell).replace(";", ",").split())
