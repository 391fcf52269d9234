"""A list of numbers that is sent as a workbook, on the page of a new customer."""

import io

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from users.company.number_list import numbers_in
from users.company.views.new_customer import said_in


def test_a_workbook_of_numbers_is_read_as_a_list_that_is_typed():
    book = openpyxl.Workbook()
    for row in (
        ["Numéro", "Nom"],
        [5145550130, "Accueil; nuit"],
        ["514 555-0140 à 0142", None],
        [None, None],
    ):
        book.worksheets[0].append(row)
    # Without a heading the first row is a number.
    bare = openpyxl.Workbook()
    bare.worksheets[0].append(["514 555-0199", "Télécopieur"])
    for made, said in (
        (
            book,
            [
                ("514 555-0130", "Accueil, nuit"),
                ("514 555-0140", ""),
                ("514 555-0141", ""),
                ("514 555-0142", ""),
            ],
        ),
        (bare, [("514 555-0199", "Télécopieur")]),
    ):
        kept = io.BytesIO()
        made.save(kept)
        text = said_in(SimpleUploadedFile("numeros.xlsx", kept.getvalue()))
        assert [(each.said, each.name) for each in numbers_in(text)] == said


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04 xl/ broken", b"\0\1\2"], ids=["a broken workbook", "no text"]
)
def test_what_is_no_list_is_refused_with_a_sentence(content):
    with pytest.raises(ValidationError):
        said_in(SimpleUploadedFile("numeros.xlsx", content))
