"""PURE: from the bytes of a file to its rows, and what each cell says; it knows no table and no right.

`text` and `workbook` read the two kinds of file into a `Table`; `read` tells which one it is.
"""

from files.reading.headers import PEOPLE, Names
from files.reading.table import Damage, FileRefusedError, Record, Table
from files.reading.text import from_text
from files.reading.workbook import from_workbook, is_workbook

__all__ = ["Damage", "FileRefusedError", "Record", "Table", "read"]

LARGEST = 50 * 1024 * 1024


def read(content: bytes, names: Names = PEOPLE) -> Table:
    """The rows of a file, whatever its name says it is; `names` tell its header from what stands above. Raises `FileRefusedError`."""
    if len(content) > LARGEST:
        raise FileRefusedError("too_large", limit=LARGEST // 1024 // 1024)
    return from_workbook(content, names) if is_workbook(content) else from_text(content, names)
