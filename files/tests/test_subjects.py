"""What a customer has files of: each kind goes in and out by one interface."""

import pytest

from files.exporting.writing import as_csv
from files.importing.imports import Mode
from files.subjects import SUBJECTS, Subject
from pbxadmin.common.columns import NOT_IN_FILES, Scope
from users import rights
from users.models import Customer, User
from users.tests.factories import FACTS

EACH = pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)


def exported(subject: Subject, scope: Scope) -> bytes:
    return b"".join(as_csv(subject.header(), subject.rows(scope)))


@EACH
def test_every_column_of_its_sheet_is_a_name_of_its_file(subject: Subject) -> None:
    wanted = {column.csv for column in subject.sheet().columns.values()} - {NOT_IN_FILES}
    if subject.slug == "phones":
        wanted.remove("User")  # nobody uses a phone in stock
    assert wanted <= set(subject.names.ours)
    assert set(subject.header()) <= set(subject.names.ours)
    assert set(subject.keys) & set(subject.header())


@EACH
def test_what_goes_out_comes_in_again_and_changes_nothing(subject: Subject, customer: Customer) -> None:
    scope = Scope(rights.terminal_actor(), customer)
    content = exported(subject, scope)
    for mode in (Mode.BOTH, Mode.UPDATE):
        made = subject.look_at(content, Scope(scope.actor, customer), mode)
        assert {row.outcome for row in made.outcomes} == {"unchanged"}, made.outcomes
        assert subject.write(made, FACTS) is None


@EACH
def test_whoever_administers_nothing_brings_no_file_in(subject: Subject, customer: Customer) -> None:
    people = User.objects.select_related("role", "customer", "primary_department")
    nobody = people.filter(customer=customer, role__administer_users=False).first()
    assert nobody is not None
    assert subject.why_not(Scope(nobody, customer))
    assert not subject.why_not(Scope(rights.terminal_actor(), customer))
