"""The person of an address, who is read by a statement that is planned once."""

import pytest
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext

from users.models import User
from users.road.finding import user_or_404, with_status_message
from users.tests.factories import make_user

pytestmark = pytest.mark.both_databases("the statement is written for each kind of database")


@pytest.mark.parametrize("reader", ["felix", "ines", "staff"])
def test_somebody_is_read_as_the_orm_reads_them(reader, request, boreale, amelie):
    asked = with_status_message(User.objects.of(boreale)).get(number="101")
    found = user_or_404(request.getfixturevalue(reader), boreale, "101")
    assert found == amelie
    assert found.get_deferred_fields() == {"password", "sip_password"}
    with CaptureQueriesContext(connection) as more:
        for field in User._meta.concrete_fields:
            if field.attname not in found.get_deferred_fields():
                assert getattr(found, field.attname) == getattr(asked, field.attname), field.name
        assert found.status_message == asked.status_message
        assert (found.customer.name, found.role.pk, found.primary_department.name) == (
            boreale.name,
            "receptionists",
            "Accueil",
        )
    assert len(more) == 0


def test_nobody_is_found_across_the_wall_or_by_an_odd_number(boreale, laurier, amelie, felix, staff):
    theirs = make_user(laurier, "201", "Rosalie", "Beaulieu")
    assert user_or_404(staff, laurier, "201") == theirs
    for reader, customer, number in [
        (felix, laurier, "201"),  # a customer that no page of theirs gives them
        (felix, boreale, "201"),
        (felix, boreale, ""),
        (felix, boreale, "101\0"),
        (felix, boreale, "1' OR '1'='1"),
        (staff, laurier, "101"),
        (User(), boreale, "101"),
        (User(customer=boreale, disabled=True), boreale, "101"),
    ]:
        with pytest.raises(Http404):
            user_or_404(reader, customer, number)


def test_whoever_was_disabled_since_sees_nobody(boreale, amelie, felix):
    felix.disabled = True
    with pytest.raises(Http404):
        user_or_404(felix, boreale, "101")
