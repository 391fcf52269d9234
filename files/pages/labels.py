"""What the columns of files are called on pages."""

from collections.abc import Mapping

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from files.importing import phones
from files.subjects import Subject
from pbxadmin.common.columns import Text


def labels_of(subject: Subject) -> dict[str, Text]:
    """{name in our files: label on the page where it is}; a name without a page isn't in it."""
    columns = list(subject.sheet().columns.values())
    if subject.slug == "users":
        columns += phones.by_file_name().values()  # of each person's first phone
    return {column.csv: column.label for column in reversed(columns) if column.csv in set(subject.names.ours)}


def options_of(subject: Subject) -> SafeString:
    """What a column of a file can be, as the options of a select that stands on its page for each column; those without a page last."""
    labels = labels_of(subject)
    names = sorted(
        subject.names.ours, key=lambda name: (name not in labels, str(labels.get(name, name)).casefold())
    )
    return format_html_join(
        "", '<option value="{}">{}</option>', ((name, called(name, labels)) for name in names)
    )


def called(name: str, labels: Mapping[str, Text]) -> str:
    """A column as pages call it: its label, with its name in the file where that is another word."""
    label = str(labels.get(name, name))
    return label if label == name else f"{label} ({name})"
