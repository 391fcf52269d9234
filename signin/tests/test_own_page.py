"""One's own page: for everybody who is signed in, and for their own things alone."""

import pytest
from django.test import Client
from django.urls import reverse

from signin.tests.signing import code_of, enrol, sign_in_fully
from users.models import Operation, User
from users.tests.factories import PASSWORD

NEW_PASSWORD = "Trois-rivières-9 ponts"


def text(client):
    """The own page as text."""
    return client.get(reverse("own_page")).content.decode()


def change(client, old=PASSWORD, new=NEW_PASSWORD, again=None):
    """Send the form that changes the password."""
    return client.post(
        reverse("own_password"), {"old_password": old, "new_password": new, "repeated": again or new}
    )


def test_it_shows_who_one_is(client, amelie):
    page = text(sign_in_fully(client, amelie))
    for fact in (
        "Amélie Tremblay",
        ">101<",
        "101@boreale.example.com",
        "Réceptionniste",
        "Accueil",
        "Clinique Boréale",
    ):
        assert fact in page


def test_support_staff_have_one_too(client, staff):
    page = text(sign_in_fully(client, staff))
    assert "soutien@tic.example" in page
    assert reverse("second_factor_remove") not in page
    assert reverse("backup_codes") in page


def test_the_second_factor_shows_its_state_and_what_can_be_done(client, amelie):
    page = text(sign_in_fully(client, amelie))
    assert reverse("second_factor_prove") in page
    assert reverse("backup_codes") not in page
    enrol(amelie)
    page = text(sign_in_fully(Client(), amelie))
    for name in (
        "second_factor_prove",
        "second_factor_remove",
        "backup_codes",
        "own_password",
        "own_sessions",
    ):
        assert reverse(name) in page


def test_the_way_to_security_leads_to_its_part_of_the_page(client, amelie):
    sign_in_fully(client, amelie)
    assert client.get(reverse("own_security")).url == reverse("own_page") + "#security"
    assert 'id="security"' in text(client)


def test_names_are_shown_inert(client, amelie):
    User.objects.filter(pk=amelie.pk).update(
        first_name='"><script>alert(1)</script>', last_name="{{ 7|add:7 }}"
    )
    page = text(sign_in_fully(client, amelie))
    assert "<script>alert" not in page
    assert "{{ 7|add:7 }}" in page


def test_changing_the_password_ends_the_other_sessions(client, amelie):
    other = sign_in_fully(Client(), amelie)
    sign_in_fully(client, amelie)
    before = client.cookies["sessionid"].value
    assert change(client).url == reverse("own_page")
    assert client.get(reverse("own_page")).status_code == 200
    assert client.cookies["sessionid"].value != before
    assert other.get(reverse("own_page")).status_code == 302
    assert User.objects.get(pk=amelie.pk).check_password(NEW_PASSWORD)
    assert Operation.objects.filter(reason="password.changed").count() == 1


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("wrong", NEW_PASSWORD, None),
        ("", NEW_PASSWORD, None),
        (PASSWORD, "short", None),
        (PASSWORD, NEW_PASSWORD, "other-" + NEW_PASSWORD),
        (PASSWORD, "1234567890", None),
        (PASSWORD, "TremblayAmélie", None),
        (PASSWORD, "nul\0" + NEW_PASSWORD, None),
        (PASSWORD, "x" * 1_001, None),
    ],
    ids=["wrong old", "no old", "short", "not the same", "digits", "own name", "NUL", "long"],
)
def test_a_password_that_cannot_be_changed_stays(client, amelie, old, new, again):
    sign_in_fully(client, amelie)
    answer = change(client, old, new, again)
    assert answer.status_code == 422
    assert 'class="error-summary"' in answer.content.decode()
    assert NEW_PASSWORD not in answer.content.decode()
    assert User.objects.get(pk=amelie.pk).check_password(PASSWORD)


def test_signing_out_everywhere_keeps_this_session(client, amelie):
    other = sign_in_fully(Client(), amelie)
    sign_in_fully(client, amelie)
    assert client.get(reverse("own_sessions")).status_code == 405
    client.post(reverse("own_sessions"))
    assert client.get(reverse("own_page")).status_code == 200
    assert other.get(reverse("own_page")).status_code == 302
    assert Operation.objects.filter(reason="sessions.ended").count() == 1


def test_signing_out_everywhere_keeps_the_second_factor_of_this_session(client, staff):
    sign_in_fully(client, staff)
    client.post(reverse("own_sessions"))
    assert client.get(reverse("own_page")).status_code == 200


def test_the_own_page_takes_nobody_elses_number(client, amelie, felix):
    """No address of one's own account holds a key: there is nothing to exchange for another's."""
    enrol(felix)
    sign_in_fully(client, amelie)
    client.post(reverse("second_factor_remove"), {"password": PASSWORD, "code": code_of(), "user": felix.pk})
    assert felix.totpdevice_set.count() == 1


def test_the_page_costs_few_queries(client, staff, django_assert_max_num_queries):
    sign_in_fully(client, staff)
    with django_assert_max_num_queries(6):
        client.get(reverse("own_page"))
