"""Signing in, and who comes in where: the same answer for every failure, no way around the middleware,
no open redirect."""

import importlib
import logging
import re
import sys
from collections.abc import Iterator
from html import unescape
from smtplib import SMTPServerDisconnected

import pytest
from django.apps import apps
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse
from django.urls.resolvers import RegexPattern
from django.utils import timezone
from django.utils.translation import gettext
from kombu.exceptions import OperationalError

from pbxadmin.common.http import safe_next
from signin import credentials as signin
from signin.middleware import SignedInMiddleware
from signin.tests.signing import enrol, sign_in_fully
from users.access import access_of, public
from users.mail import letters
from users.models import Department, Letter, Operation, User
from users.tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.slow("every address without signing in")

TOKEN = re.compile(r'(name="csrfmiddlewaretoken" value=|"X-CSRFToken": )"[^"]+"')
NEW_PASSWORD = "Trois-rivières-9 ponts"


def post(client, login, password=PASSWORD, **facts):
    """Send the sign-in form."""
    return client.post(reverse("sign_in"), {"login": login, "password": password, **facts})


def is_in(client):
    """Whether this browser may open a page that wants a full sign-in."""
    return client.get(reverse("own_page")).status_code == 200


@pytest.fixture
def someone(boreale):
    """Amélie with an e-mail address that only she has."""
    return make_user(boreale, "101", email="Amelie@clinique.example.com", password=PASSWORD)


# --- Who is meant by a login --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "login",
    [
        "101@boreale.example.com",
        " 101@boreale.example.com\t",
        "101@Boreale.EXAMPLE.com",
        "101＠boreale.example.com",
        "amelie@clinique.example.com",
        "AMELIE@CLINIQUE.EXAMPLE.COM",
        "ａmelie@clinique.example.com",
    ],
)
def test_extension_or_email_with_the_password_signs_in(client, someone, login):
    assert post(client, login).status_code == 302
    assert is_in(client)


@pytest.mark.parametrize(
    "login",
    [
        "101",
        "@boreale.example.com",
        "boreale.example.com",
        "101@boreale",
        "101@boreale.example.com.",
        "101@laurier.example.com",
        "0101@boreale.example.com",
        "１０１@boreale.example.com",
        "١٠١@boreale.example.com",
        "¹⁰¹@boreale.example.com",
        "101 @boreale.example.com",
        "10\u200b1@boreale.example.com",
        "101@boréale.example.com",
        "amélie@clinique.example.com",
        "amelıe@clinique.example.com",
        "am\u00adelie@clinique.example.com",
        "amelie@clinique.example.com\0",
        "%@%",
        "_01@boreale.example.com",
        "' OR 1=1 --",
        "nobody",
        "a" * 5_000,
        "-1@boreale.example.com",
        "Amélie Tremblay",
    ],
)
def test_what_only_looks_like_a_login_finds_nobody(client, someone, laurier, login):
    assert post(client, login).status_code == 422
    assert not is_in(client)


@pytest.mark.parametrize("others", [5, 12])
def test_however_many_others_have_a_confirmed_address_its_person_signs_in_with_it(
    client, someone, laurier, others
):
    User.objects.filter(pk=someone.pk).update(confirmed_email=someone.email)
    for place in range(others):
        other = make_user(laurier, str(320 + place), email=someone.email.upper(), password=PASSWORD)
        # An address of their own that they confirmed, after which they were given this one.
        User.objects.filter(pk=other.pk).update(confirmed_email=f"zz{place}@laurier.example.com")
    assert signin.find_user(someone.email) == someone
    assert post(client, someone.email).status_code == 302


def test_an_email_of_two_people_is_nobodys_login(client, someone, laurier):
    other = make_user(laurier, "101", email="amelie@CLINIQUE.example.com", password=PASSWORD)
    assert post(client, "amelie@clinique.example.com").status_code == 422
    assert post(client, other.login).status_code == 302


def test_a_blank_email_is_nobodys_login(someone, felix):
    assert signin.find_user("") is None
    assert signin.find_user(" ") is None


def test_people_of_two_customers_with_one_extension_are_two_people(someone, laurier):
    other = make_user(laurier, "101", password=PASSWORD)
    assert signin.find_user("101@laurier.example.com") == other
    assert signin.find_user("101@boreale.example.com") == someone


def test_somebodys_email_that_looks_like_anothers_extension_takes_nothing_over(boreale, laurier):
    owner = make_user(boreale, "101", password=PASSWORD)
    make_user(laurier, "102", email="101@boreale.example.com", password=PASSWORD)
    assert signin.find_user("101@boreale.example.com") == owner


# --- The same answer for every failure ----------------------------------------------------------------------
def failing(case, someone, felix, boreale):
    """A login and password that must fail in the named way."""
    login, password = "102@boreale.example.com", PASSWORD
    if case == "unknown":
        login = "998@boreale.example.com"
    elif case == "unknown e-mail":
        login = "who@clinique.example.com"
    elif case == "no login at all":
        login = "Félix \0 Gagnon"
    elif case == "wrong password":
        password = "not the password"
    elif case == "disabled":
        User.objects.filter(pk=felix.pk).update(disabled=True)
    elif case == "suspended":
        boreale.suspended = True
        boreale.save()
    elif case == "unusable":
        felix.set_unusable_password()
        felix.save()
    elif case == "never set":
        User.objects.filter(pk=felix.pk).update(password="")
    elif case == "a megabyte":
        password = "x" * 1_000_000
    elif case == "NUL":
        password = PASSWORD + "\0"
    else:
        assert case == "just too long"
        password = "x" * 1_001
    return login, password


CASES = [
    "unknown",
    "unknown e-mail",
    "no login at all",
    "wrong password",
    "disabled",
    "suspended",
    "unusable",
    "never set",
    "a megabyte",
    "NUL",
    "just too long",
]


@pytest.mark.parametrize("case", CASES)
def test_every_failure_has_the_same_answer_and_costs_one_run_of_the_hasher(
    case, someone, felix, boreale, monkeypatch
):
    def run(login, password):
        runs = []
        with monkeypatch.context() as patch:
            for name in ("encode", "verify"):
                original = getattr(Argon2PasswordHasher, name)
                patch.setattr(
                    Argon2PasswordHasher, name, lambda *args, o=original: (runs.append(1), o(*args))[1]
                )
            with CaptureQueriesContext(connection) as asked:
                answer = Client().post(reverse("sign_in"), {"login": login, "password": password})
        page = TOKEN.sub("", answer.content.decode()).replace(f'value="{login}"', "")
        headers = {
            name: value for name, value in answer.headers.items() if name not in ("Content-Length", "Expires")
        }
        statements = [
            re.sub(r"'[^']*'|\d+", "?", query["sql"])[:60] for query in asked if "DELETE" not in query["sql"]
        ]
        return answer.status_code, page, headers, len(runs), statements, sorted(answer.cookies)

    login, password = failing(case, someone, felix, boreale)
    got = run(login, password)
    reference = run("101@boreale.example.com", "not her password")
    assert got == reference
    assert got[0] == 422
    assert got[3] == 1
    assert "The login or the password is incorrect" in got[1] or "est incorrect" in got[1]


def test_success_costs_one_run_of_the_hasher_too(client, someone, monkeypatch):
    runs = []
    verify = Argon2PasswordHasher.verify
    monkeypatch.setattr(Argon2PasswordHasher, "verify", lambda *args: (runs.append(1), verify(*args))[1])
    post(client, someone.login)
    assert runs == [1]


def test_a_blank_form_is_told_what_to_enter(client, db):
    page = client.post(reverse("sign_in"), {"login": "", "password": ""})
    assert page.status_code == 422
    assert page.content.decode().count('class="field-error"') == 2


def test_a_refused_form_keeps_the_login_and_never_the_password(client, someone):
    page = post(client, someone.login, "hunter2-hunter2").content.decode()
    assert someone.login in page
    assert "hunter2" not in page


def test_the_form_helps_password_managers_and_hinders_nobody(client, db):
    page = client.get(reverse("sign_in")).content.decode()
    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page
    assert "onpaste" not in page
    assert 'name="language"' in page


def test_a_sign_in_is_in_the_history_of_the_customer(client, someone):
    post(client, someone.login)
    operation = Operation.objects.get(reason="sign_in")
    assert (operation.customer, operation.actor_pk, operation.kind) == (
        someone.customer,
        someone.pk,
        "sign_in",
    )
    assert operation.changes.get().object_pk == someone.pk
    assert all(operation.reason in signin.REASONS for operation in Operation.objects.filter(kind="sign_in"))


# --- Sessions -----------------------------------------------------------------------------------------------
def test_a_session_key_planted_beforehand_is_worth_nothing(client, someone):
    session = client.session
    session["planted"] = 1
    session.save()
    planted = client.cookies["sessionid"].value
    post(client, someone.login)
    thief = Client()
    thief.cookies["sessionid"] = planted
    assert not is_in(thief)
    assert not Session.objects.filter(session_key=planted).exists()


def test_signing_in_again_begins_anew(client, someone, felix):
    sign_in_fully(client, felix)
    before = client.cookies["sessionid"].value
    post(client, someone.login)
    assert client.cookies["sessionid"].value != before
    assert not Session.objects.filter(session_key=before).exists()
    assert client.session["_auth_user_id"] == str(someone.pk)


def test_signing_out_takes_a_post_and_ends_the_session(client, someone):
    sign_in_fully(client, someone)
    cookie = client.cookies["sessionid"].value
    assert client.get(reverse("sign_out")).status_code == 405
    assert client.head(reverse("sign_out")).status_code == 405
    assert is_in(client)
    assert client.post(reverse("sign_out")).url == reverse("sign_in")
    thief = Client()
    thief.cookies["sessionid"] = cookie
    assert not is_in(thief)


def disable(user):
    User.objects.filter(pk=user.pk).update(disabled=True)


def suspend(user):
    type(user.customer).objects.filter(pk=user.customer_id).update(suspended=True)


def delete(user):
    User.objects.filter(pk=user.pk).delete()


def sign_out_everywhere(user):
    signin.end_sessions(user)


def new_password(user):
    signin.store_password(user, NEW_PASSWORD)


@pytest.mark.parametrize(
    "end", [disable, suspend, delete, sign_out_everywhere, new_password], ids=lambda end: end.__name__
)
def test_out_at_the_next_request(client, someone, end):
    sign_in_fully(client, someone)
    assert is_in(client)
    end(someone)
    assert client.get(reverse("own_page")).url == reverse("sign_in") + "?next=%2Fme"
    assert client.post(reverse("own_sessions")).url == reverse("sign_in")


def test_a_session_of_somebody_disabled_does_not_come_back_to_life(client, someone):
    sign_in_fully(client, someone)
    disable(someone)
    client.get(reverse("own_page"))
    User.objects.filter(pk=someone.pk).update(disabled=False)
    assert not is_in(client)


def test_production_seals_its_cookies(monkeypatch, settings, client, someone):
    for name, value in {
        "SECRET_KEY": "x" * 50,
        "FIELD_KEYS": "one",
        "ALLOWED_HOSTS": "portail.example.com",
        "CELERY_BROKER_URL": "redis://x",
        "PUBLIC_URL": "https://portail.example.com",
        "DATABASE_URL": "postgres://a:b@c/d",
        "EMAIL_URL": "smtp://relay",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "pbxadmin.settings.production", raising=False)
    production = importlib.import_module("pbxadmin.settings.production")
    monkeypatch.delitem(sys.modules, "pbxadmin.settings.production")
    for name in dir(production):
        if name.startswith(("SESSION_", "CSRF_", "SECURE_", "LANGUAGE_COOKIE")):
            setattr(settings, name, getattr(production, name))
    answer = client.post(reverse("sign_in"), {"login": someone.login, "password": PASSWORD}, secure=True)
    assert answer.status_code == 302
    for name in ("sessionid", "csrftoken"):
        cookie = answer.cookies[name]
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
    assert answer.cookies["sessionid"]["expires"] == ""
    assert client.get(reverse("sign_in")).status_code == 301, "plain HTTP is sent to HTTPS"
    # Neither names below the portal's own, which may have no TLS, nor a list that browsers ship for years.
    assert answer["Strict-Transport-Security"] == "max-age=31536000"


def test_nothing_of_signing_in_is_cached(client, someone):
    assert "no-store" in client.get(reverse("sign_in")).headers["Cache-Control"]


@pytest.mark.parametrize(
    "name",
    [
        "sign_in",
        "sign_out",
        "second_factor",
        "second_factor_enrol",
        "step_up",
        "forgot_password",
        "own_password",
        "second_factor_prove",
        "second_factor_remove",
        "backup_codes",
        "own_sessions",
    ],
)
def test_every_form_refuses_a_request_from_elsewhere(name, someone):
    enrol(someone)
    client = sign_in_fully(Client(enforce_csrf_checks=True), someone)
    before = Operation.objects.count()
    answer = client.post(reverse(name), {"login": someone.login, "password": PASSWORD})
    assert answer.status_code == 403
    assert Operation.objects.count() == before


def rows():
    """Everything in the database but sessions."""
    return {
        model._meta.label: sorted(map(repr, model._base_manager.values_list()))
        for model in apps.get_models()
        if model is not Session
    }


def test_looking_changes_nothing(client, staff):
    sign_in_fully(client, staff)
    link = reverse("set_password", args=link_parts(staff))
    before = rows()
    known = {"slug": "boreale", "provider": "microsoft"}
    addresses = [
        reverse(pattern.name, kwargs={name: known[name] for name in pattern.pattern.converters})
        for room in ("signin.urls", "pbxadmin.pages.urls")
        for pattern in importlib.import_module(room).urlpatterns
        if pattern.name != "set_password"
    ]
    for address in [*addresses, link]:
        client.get(address)
        client.head(address)
    assert rows() == before


# --- Where to go afterwards ---------------------------------------------------------------------------------
EVIL = [
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "https:evil.example",
    "http:///evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "/\\/evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    " //evil.example",
    "\t//evil.example",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
    "/%0d%0aSet-Cookie:x=1\r\nX: y",
    "http://testserver.evil.example/",
    "http://testserver@evil.example/",
    "/\u2028/evil.example",
    "/" + "a" * 3_000,
    "./me",
    "me",
    "http://testserver/me",
]


@pytest.mark.parametrize("target", EVIL)
def test_next_never_leads_out_of_the_portal(client, someone, target):
    assert post(client, someone.login, next=target).url == "/"
    assert client.get(reverse("sign_in"), {"next": target}).url == "/"


@pytest.mark.parametrize("target", ["/me", "/c/boreale/users/?q=L%C3%A9a&page=2", "/me?a=//b", "/c/boréale/"])
def test_next_leads_back_to_a_page_of_ours(client, someone, target):
    assert safe_next(client.get("/").wsgi_request, target) == target
    client.logout()
    assert (
        client.post(
            reverse("sign_in"), {"login": someone.login, "password": PASSWORD, "next": target}
        ).status_code
        == 302
    )


def test_the_page_wanted_first_opens_after_signing_in(client, someone):
    wanted = client.get(reverse("own_password") + "?a=1")
    assert wanted.url == reverse("sign_in") + "?next=%2Fme%2Fpassword%3Fa%3D1"
    page = client.get(wanted.url).content.decode()
    assert '<input type="hidden" name="next" value="/me/password?a=1">' in page
    assert post(client, someone.login, next="/me/password?a=1").url == "/me/password?a=1"


def test_a_fragment_asks_the_browser_to_go_instead_of_showing_the_form_inside(client, db):
    answer = client.get(
        reverse("own_page"),
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/c/boreale/users/?q=1"},
    )
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == reverse("sign_in") + "?next=%2Fc%2Fboreale%2Fusers%2F%3Fq%3D1"
    forged = client.get(
        reverse("own_page"), headers={"HX-Request": "true", "HX-Current-URL": "http://evil.example/x"}
    )
    assert forged.headers["HX-Redirect"] == reverse("sign_in")


# --- Who comes in where -------------------------------------------------------------------------------------
EXAMPLES = ["1", "x", "101", "805ec0123456", "00000000-0000-0000-0000-000000000000", "general", "2026-01-01"]


def example_of(converter) -> str:
    """A text that a path converter takes."""
    return next(text for text in EXAMPLES if re.fullmatch(converter.regex, text))


def all_views(resolver=None, prefix="") -> Iterator[tuple[str, URLPattern]]:
    """Every pattern of the portal with an address that leads to it."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from all_views(pattern, route)
            continue
        if isinstance(pattern.pattern, RegexPattern):
            # No address can be made from a regular expression: only open views may have one.
            assert access_of(pattern.callback) == "public", route
            continue
        converters = {}
        for part in re.findall(r"<[^>]+>", route):
            name = part.strip("<>").rpartition(":")[2]
            converters[part] = name
        known = dict(pattern.pattern.converters)
        for part, name in converters.items():
            route = route.replace(part, example_of(known[name]) if name in known else "x")
        yield "/" + route, pattern


def guarded():
    """The addresses that aren't open to everybody."""
    found = [(address, resolve(address).func) for address, _pattern in all_views()]
    return [(address, view) for address, view in found if access_of(view) != "public"]


def test_the_portal_has_views_behind_the_middleware():
    assert {"/", "/me", "/sign-out"} <= {address for address, _view in guarded()}
    assert "/sign-in" not in {address for address, _view in guarded()}


@pytest.mark.parametrize("method", ["get", "post", "head", "put", "delete", "options"])
def test_no_address_opens_without_signing_in(client, db, method):
    for address, _view in guarded():
        answer = getattr(client, method)(address)
        assert answer.status_code == 302, address
        assert answer.url.startswith(reverse("sign_in")), address


@pytest.mark.parametrize("enrolled", [False, True])
def test_no_address_opens_with_the_password_alone_where_a_second_factor_is_due(staff, enrolled):
    if enrolled:
        enrol(staff)
    client = Client()
    client.post(reverse("sign_in"), {"login": staff.email, "password": PASSWORD})
    expected = reverse("second_factor" if enrolled else "second_factor_enrol")
    full = [address for address, view in guarded() if access_of(view) == "full"]
    assert full
    page, fragment = (client.get, client.post) if enrolled else (client.post, client.get)
    for address in full:
        answer = page(address)
        assert (answer.status_code, answer.url.partition("?")[0]) == (302, expected), address
        partial = fragment(address, headers={"HX-Request": "true"})
        assert partial.status_code == 204, address
        assert partial.headers["HX-Redirect"].startswith(expected), address


def test_only_pages_of_signing_in_open_by_half():
    half = {address for address, view in guarded() if access_of(view) == "half"}
    assert half == {"/sign-out", "/sign-in/code", "/sign-in/app", "/me/second-factor"}


def test_an_unmarked_view_is_shut_and_a_marked_one_open(rf):
    def view(request):
        raise AssertionError("not called by the middleware")

    class Stranger:
        is_authenticated = False

    request = rf.get("/whatever")
    request.user, request.session, request.htmx = Stranger(), {}, False
    shut = SignedInMiddleware(view)
    assert shut.process_view(request, view, (), {}).status_code == 302
    assert shut.process_view(request, public(view), (), {}) is None


def test_who_may_not_administer_gets_a_sentence_under_c_and_his_own_page(client, amelie):
    sign_in_fully(client, amelie)
    addresses = [address for address, _view in guarded() if address.startswith("/c/")]
    assert addresses
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 403
        assert gettext(
            "Your role doesn't include the administration of users: an administrator of your company can change your role."
        ) in unescape(answer.content.decode())
    assert is_in(client)


# --- What it costs ------------------------------------------------------------------------------------------
def test_knowing_the_person_costs_two_queries_and_the_second_factor_one_more(amelie, staff):
    def queries_before_the_view(user):
        browser = sign_in_fully(Client(), user)
        with CaptureQueriesContext(connection) as asked:
            browser.get(reverse("own_security"))  # a view that asks nothing
        return len(asked)

    assert queries_before_the_view(amelie) == 2
    assert queries_before_the_view(staff) == 3


def test_the_person_comes_with_customer_role_and_department(amelie, django_assert_num_queries):
    with django_assert_num_queries(1):
        user = signin.PortalBackend().get_user(amelie.pk)
        assert user.customer.name
        assert user.role.level
        assert user.primary_department.name
        assert user.enrolled is False


def test_djangos_own_way_in_is_counted_like_the_page(client, someone):
    assert client.login(username=someone.login, password=PASSWORD)
    for _ in range(5):
        assert not client.login(username=someone.login, password="wrong")
    assert not client.login(username=someone.login, password=PASSWORD)


# --- Links by mail ------------------------------------------------------------------------------------------
def link_parts(user):
    """uidb64 and token of a fresh link."""
    return signin.set_password_link(user).rsplit("/", 2)[1:]


def follow(client, user):
    """Open a fresh link; the address of the form."""
    answer = client.get(reverse("set_password", args=link_parts(user)))
    assert answer.status_code == 302
    return answer.url


def choose(client, address, password=NEW_PASSWORD):
    """Send the form of a link."""
    return client.post(address, {"new_password": password, "repeated": password})


def test_a_link_sets_the_password_once_and_opens_no_session(client, someone):
    parts = link_parts(someone)
    address = client.get(reverse("set_password", args=parts)).url
    assert parts[1] not in address
    assert client.get(address).status_code == 200
    assert choose(client, address).url == reverse("sign_in")
    assert not is_in(client)
    assert Client().get(reverse("set_password", args=parts)).status_code == 404
    assert choose(client, address).status_code == 404
    assert post(client, someone.login, NEW_PASSWORD).status_code == 302
    assert Operation.objects.filter(reason="password.set_by_link").count() == 1


def test_a_link_does_not_get_around_the_second_factor(client, staff):
    enrol(staff)
    choose(client, follow(client, staff))
    answer = post(client, staff.email, NEW_PASSWORD)
    assert answer.status_code == 302
    assert client.get(reverse("own_page")).url.startswith(reverse("second_factor"))


def test_a_link_used_in_two_browsers_at_once_works_in_one(someone):
    first, second = User.objects.get(pk=someone.pk), User.objects.get(pk=someone.pk)
    assert signin.store_password(first, NEW_PASSWORD)
    assert not signin.store_password(second, "another-password-9")


def test_a_link_dies_when_the_person_signs_in(client, someone):
    parts = link_parts(someone)
    post(Client(), someone.login)
    assert client.get(reverse("set_password", args=parts)).status_code == 404


def test_a_link_dies_after_three_days(client, someone, monkeypatch):
    parts = link_parts(someone)
    now = signin.LINK_TOKENS._now()
    monkeypatch.setattr(
        type(signin.LINK_TOKENS),
        "_now",
        lambda self: now + importlib.import_module("datetime").timedelta(days=3, seconds=9),
    )
    assert client.get(reverse("set_password", args=parts)).status_code == 404


@pytest.mark.parametrize("end", [disable, suspend], ids=lambda end: end.__name__)
def test_a_link_of_somebody_who_may_not_sign_in_is_dead(client, someone, end):
    parts = link_parts(someone)
    address = client.get(reverse("set_password", args=parts)).url
    end(someone)
    assert Client().get(reverse("set_password", args=parts)).status_code == 404
    assert choose(client, address).status_code == 404
    assert not User.objects.get(pk=someone.pk).check_password(NEW_PASSWORD)


@pytest.mark.parametrize(
    ("uid", "token"),
    [
        ("x", "y"),
        ("MQ", "now"),
        ("OTk5OTk5", "bq-1"),
        ("LTE", "a-b"),
        ("OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "a-b"),
        ("w6k", "a-b"),
        ("é", "é-é"),
        ("%00", "%00"),
    ],
)
def test_a_broken_link_is_dead_like_a_used_one(client, someone, uid, token):
    answer = client.get(f"/set-password/{uid}/{token}")
    assert answer.status_code == 404
    assert not Session.objects.exists()


def test_somebody_elses_token_sets_nothing(client, someone, felix):
    answer = client.get(reverse("set_password", args=[link_parts(someone)[0], link_parts(felix)[1]]))
    assert answer.status_code == 404


def test_the_link_page_keeps_its_address_to_itself(client, someone):
    parts = link_parts(someone)
    first = client.get(reverse("set_password", args=parts))
    for answer in (first, client.get(first.url)):
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "password", ["kurz", "1234567890123", "motdepasse\0nul", "x" * 1_001, "Amelie@clinique", "password123"]
)
def test_a_bad_new_password_is_refused(client, someone, password):
    assert choose(client, follow(client, someone), password).status_code == 422
    assert User.objects.get(pk=someone.pk).password == someone.password


def test_the_link_is_built_on_our_own_address_whatever_the_request_says(client, someone, settings):
    settings.PUBLIC_URL = "https://portail.example.com/"
    sent = []
    settings.ALLOWED_HOSTS = ["*"]
    client.post(
        reverse("forgot_password"),
        {"login": someone.login},
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
    )
    letters.send_due()
    sent = mail.outbox[-1]
    assert "https://portail.example.com/set-password/" in sent.body
    assert "evil.example" not in sent.body + sent.alternatives[0][0]


def boxed() -> list[int | None]:
    """Whose mails the forgotten-password page has put into the box; None stands for nobody's."""
    return list(
        Letter.objects.filter(kind=Letter.Kind.PASSWORD).order_by("pk").values_list("user", flat=True)
    )


def send_link(person: User) -> None:
    """As the page asks for it, and a worker sends it."""
    letters.post_as_asked(Letter.Kind.PASSWORD, signin.people().filter(pk=person.pk).first())
    letters.send_due()


def test_asking_for_a_link_answers_the_same_for_everybody(client, someone, felix, laurier, monkeypatch):
    monkeypatch.setattr(
        signin.lockout, "SWEEP_EVERY", sys.maxsize
    )  # one of so many tries also sweeps, whosever it is
    make_user(laurier, "105", email="twice@example.com")
    make_user(laurier, "106", email="twice@example.com")
    off = make_user(laurier, "107", email="off@example.com")
    disable(off)
    answers = set()
    for login in (
        someone.login,
        someone.email,
        felix.login,
        "twice@example.com",
        "off@example.com",
        "who@example.com",
        "\0",
        "x" * 9_000,
    ):
        with CaptureQueriesContext(connection) as asked:
            answer = Client().post(reverse("forgot_password"), {"login": login})
        page = TOKEN.sub("", answer.content.decode())
        # Every so many attempts, whosever they are, the old ones are deleted.
        own = [query for query in asked if not query["sql"].startswith("DELETE")]
        answers.add((answer.status_code, page, len(own)))
    assert len(answers) == 1
    assert boxed() == [someone.pk, someone.pk, *[None] * 6], "Félix has no address"
    assert not mail.outbox
    letters.send_due()
    assert [sent.to for sent in mail.outbox] == [[someone.email]] * 2
    assert None not in boxed(), "what is nobody's doesn't stay"


def test_links_are_not_mailed_without_end(someone):
    for number in range(20):
        Client().post(reverse("forgot_password"), {"login": someone.login}, REMOTE_ADDR=f"192.0.2.{number}")
    assert boxed() == [someone.pk] * 5


def test_asking_for_links_past_the_limits_leaves_no_work_whoever_is_asked_for(someone):
    for login in (someone.login, "nobody@nowhere.example"):
        before = len(boxed())
        pages = {
            TOKEN.sub("", Client().post(reverse("forgot_password"), {"login": login}).content.decode())
            for _try in range(9)
        }
        assert (len(pages), len(boxed()) - before) == (1, 3)
    for number in range(40):
        Client().post(reverse("forgot_password"), {"login": f"{number}@nowhere.example"})
    assert len(boxed()) == signin.lockout.LINK.address


def test_asking_for_links_does_not_lock_the_sign_in(client, someone):
    for _ in range(10):
        client.post(reverse("forgot_password"), {"login": someone.login})
    assert post(client, someone.login).status_code == 302


def test_a_broker_that_is_down_shows_no_error_and_loses_no_link(
    client, someone, monkeypatch, caplog, django_capture_on_commit_callbacks
):
    def down():
        raise OperationalError("no broker")

    monkeypatch.setattr(letters.send_letters, "delay", down)
    caplog.set_level(logging.ERROR)
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(reverse("forgot_password"), {"login": someone.login}).status_code == 200
    assert "no broker" in caplog.text
    assert letters.send_due() == 1, "the sweep finds it in the box"


def test_a_mail_server_that_is_down_gets_the_link_later(someone, monkeypatch):
    class Refusing:
        def send(self):
            raise SMTPServerDisconnected("gone")

    real = letters.write
    monkeypatch.setattr(letters, "write", lambda letter, user: Refusing())
    send_link(someone)
    monkeypatch.setattr(letters, "write", real)
    assert not mail.outbox
    Letter.objects.update(next_at=timezone.now())
    assert letters.send_due() == 1


def test_who_sets_a_password_by_mail_gets_in_although_his_login_is_under_attack(client, someone):
    for number in range(60):
        Client().post(
            reverse("sign_in"), {"login": someone.login, "password": "x"}, REMOTE_ADDR=f"192.0.2.{number}"
        )
    assert post(client, someone.login).status_code == 429
    choose(client, follow(client, someone))
    assert post(client, someone.login, NEW_PASSWORD).status_code == 302


@pytest.mark.parametrize(
    ("language", "word"), [("fr-CA", 'lang="fr'), ("en", 'lang="en'), ("es", 'lang="en')]
)
def test_the_mail_speaks_the_language_of_the_department(someone, language, word):
    Department.objects.update(language=language)
    send_link(someone)
    message = mail.outbox[-1]
    assert message.to == ["Amelie@clinique.example.com"]
    assert word in message.alternatives[0][0]
    assert "/set-password/" in message.body


def test_a_name_cannot_write_into_the_mail(someone):
    User.objects.filter(pk=someone.pk).update(
        first_name='"><script>\nBcc: all@example.com', last_name="{{ settings.SECRET_KEY }}"
    )
    send_link(someone)
    message = mail.outbox[-1].message()
    assert message["Bcc"] is None
    assert "\n" not in message["Subject"]
    assert "<script>" not in mail.outbox[-1].alternatives[0][0]
    assert "only-for-tests" not in message.as_string()


@pytest.mark.parametrize("end", [disable, delete], ids=lambda end: end.__name__)
def test_no_mail_to_who_left_before_it_was_sent(someone, end):
    letters.post_as_asked(Letter.Kind.PASSWORD, signin.people().get(pk=someone.pk))
    letters.post_as_asked(Letter.Kind.PASSWORD, None)
    end(someone)
    letters.send_due()
    assert not mail.outbox


# --- Support accounts ---------------------------------------------------------------------------------------
def test_support_account_prints_a_link_that_works(client, db, capsys):
    call_command("support_account", "solange@tic.example", first_name="Solange", last_name="Soutien")
    link = capsys.readouterr().out.split()[-1]
    user = User.objects.get()
    assert (user.is_staff, user.customer, user.has_usable_password()) == (True, None, False)
    assert choose(client, client.get(link.removeprefix("http://127.0.0.1:8000")).url).status_code == 302
    answer = client.post(
        reverse("sign_in"), {"login": "solange@tic.example", "password": NEW_PASSWORD}, follow=True
    )
    assert answer.redirect_chain[-1][0].startswith(reverse("second_factor_enrol"))


@pytest.mark.parametrize(
    "email",
    ["amelie@clinique.example.com", "AMELIE@clinique.example.com", "no address", "", "a@b.example\nx"],
)
def test_support_account_refuses_in_one_line(someone, email):
    with pytest.raises(CommandError) as refused:
        call_command("support_account", email)
    assert len(str(refused.value).splitlines()) == 1
    assert not User.objects.filter(is_staff=True).exists()


def test_a_customers_person_with_a_support_address_does_not_shut_support_out(staff, boreale):
    twin = make_user(boreale, "140", email=staff.email, password=PASSWORD)
    assert signin.find_user(staff.email) == staff
    assert signin.find_user(twin.login) == twin


@pytest.mark.both_databases("the statement is written for each kind of database")
def test_the_person_of_a_session_is_read_as_the_orm_reads_them(felix: User, ines: User, staff: User) -> None:
    for person in (felix, ines, staff):
        asked = signin.people().get(pk=person.pk)
        (prepared,) = signin._person_of_session.records(person.pk)
        with CaptureQueriesContext(connection) as more:
            for field in User._meta.concrete_fields:
                assert getattr(prepared, field.attname) == getattr(asked, field.attname), field.name
            for name in ("enrolled", "has_jobs", "status_message"):
                assert getattr(prepared, name) == getattr(asked, name), name
            for name in ("customer", "role", "primary_department"):
                theirs, wanted = getattr(prepared, name), getattr(asked, name)
                assert theirs == wanted
                if wanted is not None:
                    columns = [field.attname for field in wanted._meta.concrete_fields]
                    assert [getattr(theirs, name) for name in columns] == [
                        getattr(wanted, name) for name in columns
                    ]
        assert len(more) == 0
    assert list(signin._person_of_session.records(0)) == []
