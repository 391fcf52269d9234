"""What a status says and does beside the path of a call."""

import pytest
from django.test import Client

from forwarding.tests.road import change
from pbxadmin.common.values.statuses import Status
from signin.tests.signing import sign_in_fully
from users.models import User
from users.people.line import in_words, line_of


def line(person):
    fresh = User.objects.select_related("customer", "role", "primary_department").get(pk=person.pk)
    return line_of(fresh)


def test_the_message_of_the_present_status_is_seen_beside_it(boreale, felix, amelie):
    change(felix, amelie, lunch__custom_message="En dîner, <b>retour</b> à 13 h", status="lunch")
    owner, herself = sign_in_fully(Client(), felix), sign_in_fully(Client(), amelie)
    for client, url in (
        (owner, "/c/boreale/users/"),
        (owner, "/c/boreale/users/101/general"),
        (owner, "/c/boreale/users/101/phone"),
        (herself, "/me"),
    ):
        page = client.get(url).content.decode()
        assert "En dîner, &lt;b&gt;retour&lt;/b&gt; à 13 h" in page, url
    change(felix, amelie, status="available")
    assert "En dîner" not in owner.get("/c/boreale/users/").content.decode()


def test_the_pbx_is_told_of_groups_and_apps_what_routing_does(boreale, felix, amelie):
    told = line(amelie).tabs["forwarding"]["statuses"]
    assert {status for status in Status if told[status]["rings_in_groups"]} == {
        Status.AVAILABLE,
        Status.LUNCH,
    }
    change(felix, amelie, disabled=True)
    told = line(amelie).tabs["forwarding"]["statuses"].values()
    assert not any(each["rings_in_groups"] or each["wakes_app"] for each in told)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize(
    ("field", "value"),
    [("custom_message", "En réunion"), ("log_out_of_queues", True), ("accept_ring_group_calls", None)],
)
def test_the_pbx_is_told_what_taking_a_status_does(boreale, felix, amelie, status, field, value):
    change(felix, amelie, status=status)
    before = line(amelie)
    if value is None:
        value = not before.tabs["forwarding"]["statuses"][status]["rings_in_groups"]
    change(felix, amelie, **{f"{status}__{field}": value})
    after = line(amelie)
    assert before.as_dict()["forwarding"] != after.as_dict()["forwarding"]
    if field != "accept_ring_group_calls":
        assert in_words(before) != in_words(after)


def test_an_administrator_sees_his_own_rules_on_his_own_page_too(boreale, felix, amelie):
    change(felix, amelie, hide_forwarding=True)
    himself = sign_in_fully(Client(), felix)
    change(felix, felix, hide_forwarding=True)
    assert himself.get("/me/forwarding").status_code == 200
    assert sign_in_fully(Client(), amelie).get("/me/forwarding").status_code == 403
