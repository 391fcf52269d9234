"""The app's link: what it gives to whom, how often, how long, and that everything else is one 404."""

import io
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from signin import credentials as signin
from signin import second_factor
from signin.tests.signing import sign_in_fully
from users.mail import links
from users.models import Change, Customer, Operation, PersonalLink, User
from users.tests.factories import FACTS, make_user

pytestmark = pytest.mark.both_databases("links that are used up")

NS = {"l": links.NAMESPACE}


@pytest.fixture
def link(felix, amelie, boreale):
    """Amélie's link, as Félix was shown it."""
    return links.reveal(felix, boreale, amelie, links.Kind.APP, FACTS)


def path_of(link):
    return reverse("app_config", args=[link.token])


def entries(content):
    root = ElementTree.fromstring(content)
    assert root.tag == f"{{{links.NAMESPACE}}}config"
    return {
        (section.get("name"), entry.get("name")): entry.text
        for section in root.findall("l:section", NS)
        for entry in section.findall("l:entry", NS)
    }


def test_the_document_configures_one_account(client, amelie, link):
    answer = client.get(path_of(link))
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("application/xml")
    assert answer["Cache-Control"] == "no-store"
    found = entries(answer.content)
    amelie.refresh_from_db()
    assert found["auth_info_0", "username"] == "101"
    assert found["auth_info_0", "userid"] == amelie.sip_auth_id
    assert found["auth_info_0", "passwd"] == amelie.sip_password
    assert found["proxy_0", "reg_identity"] == '"Amélie Tremblay" <sip:101@boreale.example.com>'
    assert found["sip", "media_encryption"] == "none"


@pytest.mark.parametrize(
    ("srtp", "encryption", "mandatory", "transport"),
    [
        ("disabled", "none", "0", "tcp"),
        ("enabled", "srtp", "0", "tls"),
        ("enforced", "srtp", "1", "tls"),
    ],
)
def test_the_encryption_is_the_options_tabs(client, amelie, link, srtp, encryption, mandatory, transport):
    User.objects.filter(pk=amelie.pk).update(srtp=srtp)
    found = entries(client.get(path_of(link)).content)
    assert (found["sip", "media_encryption"], found["sip", "media_encryption_mandatory"]) == (
        encryption,
        mandatory,
    )
    assert found["proxy_0", "reg_proxy"].endswith(f"transport={transport}>")


def test_the_app_finds_the_server_that_the_settings_name(client, amelie, link, settings):
    settings.SIP_SERVER, settings.SIP_PORT = "pbx.example.net", 5080
    link.uses_left = 5
    found = entries(client.get(path_of(link)).content)
    assert found["proxy_0", "reg_identity"].endswith("<sip:101@boreale.example.com>")
    for name in ("reg_proxy", "reg_route"):
        assert found["proxy_0", name] == "<sip:pbx.example.net:5080;transport=tcp>"
    User.objects.filter(pk=amelie.pk).update(srtp="enforced")
    found = entries(client.get(path_of(link)).content)
    for name in ("reg_proxy", "reg_route"):
        assert found["proxy_0", name] == "<sip:pbx.example.net;transport=tls>"


@pytest.mark.parametrize(
    "name", ['<entry name="x">', "]]>", "&lol;", '"><sip:evil@x>', "\\", "{{ 7*7 }}", "é" * 50]
)
def test_no_name_becomes_markup_or_another_address(client, amelie, link, name):
    User.objects.filter(pk=amelie.pk).update(first_name=name, last_name="")
    found = entries(client.get(path_of(link)).content)
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    assert found["proxy_0", "reg_identity"] == f'"{quoted}" <sip:101@boreale.example.com>'
    assert len(found) == 16


def test_whatever_is_wrong_gets_the_same_404(client, amelie, boreale, link):
    good = path_of(link)

    def answer(request):
        response = request()
        return response.status_code, response.content, dict(response.headers)

    wrong = [
        lambda: client.get(reverse("app_config", args=["x" * 32])),
        lambda: client.get("/app/"),
        lambda: client.get("/app"),
        lambda: client.get("/app/a/b"),
        lambda: client.get(good + "/"),
        lambda: client.post(good),
        lambda: client.delete(good),
        lambda: client.get("/app/" + "%00" * 3),
        lambda: client.get("/app/" + "x" * 5000),
        lambda: client.get("/app/" + link.token.swapcase()),
    ]
    expected = answer(wrong[0])
    assert expected[0] == 404
    for request in wrong:
        assert answer(request) == expected
    for break_it in (
        lambda: PersonalLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1)),
        lambda: PersonalLink.objects.update(expires_at=timezone.now() + timedelta(hours=1), uses_left=0),
        lambda: (
            PersonalLink.objects.update(uses_left=1)
            and User.objects.filter(pk=amelie.pk).update(disabled=True)
        ),
        lambda: (
            User.objects.filter(pk=amelie.pk).update(disabled=False)
            and Customer.objects.update(suspended=True)
        ),
    ):
        break_it()
        assert answer(lambda: client.get(good)) == expected
    Customer.objects.update(suspended=False)
    assert client.get(good).status_code == 200


def test_it_can_be_used_five_times_and_a_look_counts_nothing(client, link):
    for _look in range(8):
        assert client.head(path_of(link)).status_code == 200
    answers = [client.get(path_of(link)).status_code for _use in range(7)]
    assert answers == [200] * links.APP_LINK_USES + [404] * 2


def test_an_address_that_guesses_is_told_nothing_any_more(client, link, settings):
    from users.people.views.links import WRONG

    for place in range(WRONG.tries):
        client.get(reverse("app_config", args=[f"{place:032}"]))
    assert client.get(path_of(link)).status_code == 404
    assert Client(REMOTE_ADDR="192.0.2.7").get(path_of(link)).status_code == 200


def test_who_is_known_at_an_address_sets_their_app_up_whatever_strangers_try_there(client, link, amelie):
    from signin import lockout
    from users.people.views.links import WRONG

    for place in range(WRONG.tries + 1):
        client.get(reverse("app_config", args=[f"{place:032}"]))
    lockout.remember(amelie, "127.0.0.1")
    assert client.get(path_of(link)).status_code == 200


def test_a_link_lives_a_day_and_is_the_same_until_then(felix, amelie, boreale, link):
    assert links.reveal(felix, boreale, amelie, links.Kind.APP, FACTS).token == link.token
    PersonalLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert links.reveal(felix, boreale, amelie, links.Kind.APP, FACTS).token != link.token
    assert PersonalLink.objects.filter(user=amelie).count() == 1


def test_the_token_is_neither_in_the_database_nor_in_the_history(link, amelie):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT token, token_hash FROM users_personallink")
        assert link.token not in str(cursor.fetchall())
    assert link.token not in str([change.cells for change in Change.objects.all()])
    assert Change.objects.filter(subject_pk=amelie.pk, kind=Operation.Kind.REVEAL).count() == 1


# --- Pages --------------------------------------------------------------------------------------------------------
def test_showing_takes_a_recent_second_factor_and_is_recorded(client, felix, amelie):
    url = reverse("app_link", args=["boreale", "101"])
    sign_in_fully(client, felix)
    session = client.session
    session[second_factor.VERIFIED_AT] = session[signin.PASSWORD_AT] = 0
    session.save()
    assert client.post(url).status_code == 403
    assert not PersonalLink.objects.exists()
    sign_in_fully(client, felix)
    page = client.post(url)
    assert page.status_code == 200
    link = PersonalLink.objects.get()
    assert links.address_of(link) in page.content.decode()
    assert Operation.objects.filter(kind=Operation.Kind.REVEAL, actor_pk=felix.pk).count() == 1


def test_the_picture_is_given_only_to_who_was_shown_the_link(client, felix, amelie):
    url = reverse("app_link_qr", args=["boreale", "101"])
    sign_in_fully(client, felix)
    assert client.get(url).status_code == 404
    client.post(reverse("app_link", args=["boreale", "101"]))
    picture = client.get(url)
    assert picture["Content-Type"] == "image/png"
    assert "no-store" in picture["Cache-Control"]
    other = sign_in_fully(Client(), make_user(amelie.customer, "150", "Zoé", "Lavoie", role="system_owners"))
    assert other.get(url).status_code == 404


def test_the_page_alone_shows_no_link(client, felix, amelie, link):
    page = sign_in_fully(client, felix).get(reverse("app_link", args=["boreale", "101"]))
    assert link.token not in page.content.decode()


def test_a_department_administrator_sees_only_codes_of_his_own_people(client, ines, felix, amelie):
    sign_in_fully(client, ines)
    for number in ("101", "102"):
        assert client.post(reverse("app_link", args=["boreale", number])).status_code == 403
        assert client.get(reverse("app_link_qr", args=["boreale", number])).status_code == 403


def test_everybody_has_his_own_code(client, amelie):
    sign_in_fully(client, amelie)
    page = client.post(reverse("own_app"))
    assert links.address_of(PersonalLink.objects.get(user=amelie)) in page.content.decode()
    assert client.get(reverse("own_app_qr"))["Content-Type"] == "image/png"


def test_the_picture_is_a_png_that_holds_the_code():
    import qrcode

    text = "https://portail.example.com/app/" + "x" * 32
    data = links.qr_png(text, scale=1)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    picture = Image.open(io.BytesIO(data)).convert("L")
    width, height = picture.size
    dark = [[picture.getpixel((column, line)) == 0 for column in range(width)] for line in range(height)]
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=4)
    code.add_data(text)
    code.make(fit=True)
    assert dark == code.get_matrix()
