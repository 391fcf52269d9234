"""Generated files of people, clean and faulty: as many outcomes as rows, and each fault told as what it is."""

import pytest

from files.importing.importing import look_at
from files.tests import generated
from pbxadmin.common.columns import Scope
from users.models import Customer, Did, User

# What a row with this fault may be told as, beside the fault's own name.
ALSO = {"phone_form": {"excel_number"}, "did": {"unknown_did"}, "row_long": {"row_long"}}


@pytest.fixture
def roomy(customer: Customer) -> Customer:
    """The customer with a contract for all of them."""
    customer.included_extensions = 1_000
    customer.save()
    # The mobiles of the generator are of the block that this customer has its own numbers in.
    Did.objects.of(customer).delete()
    return customer


def test_a_clean_file_makes_everybody(roomy: Customer, actor: User) -> None:
    rows, _faults = generated.make(300, digits=3, first=300)
    made = look_at(generated.as_csv(rows), Scope(actor, roomy))
    assert [(row.row, row.as_json()["errors"]) for row in made.outcomes if row.outcome != "new"] == []
    assert len(made.outcomes) == 300


def test_every_fault_is_told_in_its_row_at_its_column(roomy: Customer, actor: User) -> None:
    rows, faults = generated.make(300, digits=3, first=300, bad=96)
    made = look_at(generated.as_csv(rows), Scope(actor, roomy))
    told = {
        row.row: {(said.column, said.reason.code) for said in row.errors}
        for row in made.outcomes
        if row.errors
    }
    assert len(made.outcomes) == 300
    assert told.keys() == faults.keys()
    for row, (_number, column, reason) in faults.items():
        assert {(column, code) for code in ({reason} | ALSO.get(reason, set()))} & told[row], (
            row,
            column,
            reason,
            told[row],
        )
