"""What the reset dialog does to phones, and where a manufacturer's redirection service sends them."""

import pytest
from django.urls import reverse

from pbxadmin.common.crypto import Reader
from phones import build
from phones.models import Phone
from phones.services import phone_plan
from signin.tests.signing import sign_in_fully
from users import road
from users.mail import links
from users.models import User
from users.people import reset
from users.tests.factories import FACTS, make_user


@pytest.fixture
def phone(felix, amelie, boreale):
    """A desk phone of Amélie's."""
    road.apply(phone_plan(felix, boreale, amelie, {"mac": "805ec0001001", "model": "yealink-t54w"}), FACTS)
    return build.loaded(Phone.objects).get(mac="805ec0001001")


def do(actor, customer, person, *boxes):
    return reset.reset(reset.plan_reset(actor, customer, [person.pk]), boxes, FACTS)


def path_of(phone):
    return reverse("provisioning", args=[phone.token, f"{phone.mac}.cfg"])


def test_all_seven_boxes_have_something_behind_them():
    assert [box.name for box in reset.boxes()] == [
        "sip", "web_password", "voicemail_pin", "phone_web_password", "link", "rps", "welcome_mail",
    ]  # fmt: skip


def test_the_page_afterwards_names_the_phones_to_restart(felix, amelie, boreale, phone):
    done = reset.aftermath(felix, boreale, do(felix, boreale, amelie, "sip"))
    ((person, devices),) = done.restart
    assert person == amelie
    assert devices[0].endswith("80:5E:C0:00:10:01")


def test_the_old_link_of_a_phone_is_dead_at_once(client, felix, amelie, boreale, phone):
    assert client.get(path_of(phone)).status_code == 200
    do(felix, boreale, amelie, "link")
    assert client.get(path_of(phone)).status_code == 404
    fresh = Phone.objects.get(pk=phone.pk)
    assert fresh.stale_since is not None
    assert client.get(path_of(fresh)).status_code == 200


def test_a_new_web_password_travels_with_the_configuration(client, felix, amelie, boreale, phone):
    do(felix, boreale, amelie, "phone_web_password")
    fresh = Phone.objects.get(pk=phone.pk)
    assert fresh.web_password != phone.web_password
    assert fresh.web_password in client.get(path_of(phone)).content.decode()


def test_a_new_pin_keeps_the_rules(felix, amelie, boreale):
    from voicemail.models import Mailbox
    from voicemail.pins import weakness

    before = Mailbox.objects.get(user=amelie).pin
    do(felix, boreale, amelie, "voicemail_pin")
    after = Mailbox.objects.get(user=amelie).pin
    assert after != before
    assert weakness(after, amelie.number) is None


# --- RPS ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def key(felix, amelie, boreale, phone):
    """Amélie's RPS key."""
    return links.reveal(felix, boreale, amelie, links.Kind.RPS, FACTS)


def rps(key, name):
    return reverse("redirection", args=[key.token, name])


def test_a_phone_from_the_factory_is_sent_to_its_own_address(client, phone, key):
    answer = client.get(rps(key, "805ec0001001.cfg"))
    assert answer.status_code == 302
    assert answer["Location"] == build.provisioning_url(phone, Reader.PHONE) + "805ec0001001.cfg"
    assert client.get(answer["Location"].removeprefix("http://127.0.0.1:8000")).status_code == 200


def test_the_key_opens_nothing_but_its_persons_own_phones(client, felix, ines, amelie, boreale, phone, key):
    road.apply(phone_plan(felix, boreale, ines, {"mac": "805ec0001002", "model": "yealink-t54w"}), FACTS)
    expected = client.get("/p/x/805ec0001001.cfg")
    wrong = [
        rps(key, "805ec0001002.cfg"),
        rps(key, "805ec0009999.cfg"),
        rps(key, "y000000000096.cfg"),
        rps(key, "../805ec0001001.cfg"),
        "/r/" + "x" * 32 + "/805ec0001001.cfg",
        "/r/",
        "/r",
        rps(key, "x" * 500),
    ]
    for path in wrong:
        answer = client.get(path)
        assert (answer.status_code, answer.content) == (404, expected.content), path
    assert client.post(rps(key, "805ec0001001.cfg")).status_code == 404
    User.objects.filter(pk=amelie.pk).update(disabled=True)
    assert client.get(rps(key, "805ec0001001.cfg")).status_code == 404


def test_a_reset_ends_the_key_at_once_and_leaves_the_phone_its_address(
    client, felix, amelie, boreale, phone, key
):
    do(felix, boreale, amelie, "rps")
    assert client.get(rps(key, "805ec0001001.cfg")).status_code == 404
    assert client.get(path_of(phone)).status_code == 200


def test_the_key_is_shown_to_who_may_and_recorded(client, felix, ines, amelie, boreale):
    url = reverse("rps_key", args=["boreale", "101"])
    assert sign_in_fully(client, ines).post(url).status_code == 403
    page = sign_in_fully(client, felix).post(url)
    assert links.address_of(links.link_of(amelie, links.Kind.RPS)) in page.content.decode()
    assert client.get(url).status_code == 405
    assert make_user(boreale, "150", "Olivier", "Bélanger").links.count() == 0
