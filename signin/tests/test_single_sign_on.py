"""Signing in with Microsoft and Google: who gets in, and everything that a provider, a colleague or a stranger may try."""

import json
import logging
import re
from datetime import timedelta
from html import unescape
from time import time
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from signin import credentials as signin
from signin import oidc, second_factor
from signin import single_sign_on as sso
from signin.models import LinkedAccount, SignInAttempt
from signin.tasks import forget_sessions
from signin.tests import providers
from signin.tests.signing import code_of, enrol, sign_in_fully
from users import road
from users.company.sheets import customer_sheet
from users.models import Change, Customer, Operation, User
from users.models.customer import PERSONAL_ACCOUNTS
from users.people.line import in_words, line_of
from users.tests.factories import FACTS, PASSWORD, make_staff, make_user

pytestmark = pytest.mark.slow("signs keys of its own providers")

TENANT = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
OTHER_TENANT = "11111111-2222-4333-8444-555555555555"
DOMAIN = "clinique.example.com"
EMAIL = f"amelie@{DOMAIN}"
GOOGLE = {"email": EMAIL, "email_verified": True, "hd": DOMAIN}
MICROSOFT = {"oid": "0a1b", "tid": TENANT, "email": EMAIL}
SENTENCE = (
    "Signing in with Microsoft or Google didn't work. Sign in with your password, "
    "or ask an administrator of your company."
)


@pytest.fixture
def boreale(boreale):
    """Boréale with both registered."""
    Customer.objects.filter(pk=boreale.pk).update(
        has_microsoft_365=True, microsoft_tenant_id=TENANT, microsoft_client_id="client-m",
        microsoft_client_secret="shh-shh-shh", has_google=True, google_client_id="client-g",
        google_client_secret="shh-shh-shh", google_hosted_domain=DOMAIN,
    )  # fmt: skip
    boreale.refresh_from_db()
    return boreale


@pytest.fixture
def amelie(boreale):
    """Amélie, who has an address and administers nobody."""
    return make_user(boreale, "101", email="Amelie@clinique.example.com", password=PASSWORD)


@pytest.fixture
def provider(settings):
    """The hostile one, in the place of both."""
    with providers.hostile() as server:
        settings.SSO_LOOPBACK_ISSUERS = {"google": server.issuer, "microsoft": server.issuer}
        yield server


@pytest.fixture
def elsewhere(settings):
    """The independent one, in the place of both."""
    with providers.independent() as server:
        settings.SSO_LOOPBACK_ISSUERS = {"google": server.issuer, "microsoft": server.issuer}
        yield server


def begin(client, provider="google", slug="boreale", **query):
    """Press the button; the provider's address."""
    answer = client.get(reverse("sso_start", args=[slug, provider]), query)
    assert answer.status_code == 302
    return answer.url


def come_back(client, address, **headers):
    """Follow the provider's redirect."""
    parts = urlsplit(address)
    return client.get(f"{parts.path}?{parts.query}", **headers)


def attempt(client, server, provider="google", **claims):
    """The whole way, with an account of these claims."""
    base = GOOGLE if provider == "google" else MICROSOFT
    return come_back(client, server.sign_in(begin(client, provider), **(base | claims)))


def is_in(client):
    return client.get(reverse("own_page")).status_code == 200


def words_of(client, answer):
    """What the person reads at the end."""
    return unescape(client.get(answer.url, follow=True).content.decode())


def refused(client, answer):
    """Nobody is in, and the sentence is the one for everything."""
    words = words_of(client, answer)
    return not is_in(client) and gettext(SENTENCE) in words


def reasons():
    return list(Operation.objects.filter(kind="sign_in").order_by("pk").values_list("reason", flat=True))


def link(person, provider="microsoft", subject="0a1b", issuer="", **more):
    """An account that was linked earlier."""
    issuer = issuer or oidc.client_of(person.customer, provider).issuer
    return LinkedAccount.objects.create(
        customer=person.customer, user=person, provider=provider, issuer=issuer, subject=subject,
        email=signin.canonical(person.email), **more,
    )  # fmt: skip


# --- With an independent provider -----------------------------------------------------------------------------------
def test_a_google_account_of_the_company_signs_its_person_in_and_is_linked(client, amelie, elsewhere):
    elsewhere.has("g-1", **GOOGLE)
    answer = come_back(client, elsewhere.sign_in(begin(client, next="/me/voicemail"), "g-1"))
    assert answer.url == "/me/voicemail"
    assert is_in(client)
    assert client.session["_auth_user_id"] == str(amelie.pk)
    assert LinkedAccount.objects.get().subject == "g-1"
    assert reasons() == ["single_sign_on.linked", "sign_in.google"]
    assert not SignInAttempt.objects.exists()


def test_afterwards_the_subject_counts_and_not_the_address(client, amelie, elsewhere):
    elsewhere.has("g-1", **GOOGLE)
    come_back(client, elsewhere.sign_in(begin(client), "g-1"))
    elsewhere.has("g-1", email="renamed@clinique.example.com", email_verified=False, hd=DOMAIN)
    again = Client()
    come_back(again, elsewhere.sign_in(begin(again), "g-1"))
    assert again.session["_auth_user_id"] == str(amelie.pk)
    elsewhere.has("g-2", **GOOGLE)
    stranger = Client()
    assert refused(stranger, come_back(stranger, elsewhere.sign_in(begin(stranger), "g-2")))
    assert reasons()[-1] == "single_sign_on.another"


def test_a_microsoft_account_is_linked_on_the_own_page_and_signs_in_from_then_on(client, amelie, elsewhere):
    elsewhere.has("m-1", **MICROSOFT)
    stranger = Client()
    assert refused(stranger, come_back(stranger, elsewhere.sign_in(begin(stranger, "microsoft"), "m-1")))
    enrol(amelie)
    sign_in_fully(client, amelie)
    url = client.get(reverse("sso_link", args=["microsoft"])).url
    assert "prompt=select_account" in url
    asked = come_back(client, elsewhere.sign_in(url, "m-1"))
    assert asked.url == reverse("sso_confirm", args=["microsoft"])
    assert EMAIL in client.get(asked.url).content.decode()
    assert not LinkedAccount.objects.exists()
    assert client.post(asked.url, {"password": PASSWORD, "code": "000000"}).status_code == 422
    assert client.post(asked.url, {"password": "wrong", "code": code_of()}).status_code == 422
    assert not LinkedAccount.objects.exists()
    assert client.post(asked.url, {"password": PASSWORD, "code": code_of()}).status_code == 302
    assert LinkedAccount.objects.get().subject == "0a1b"
    assert EMAIL in client.get(reverse("own_page")).content.decode()
    again = Client()
    come_back(again, elsewhere.sign_in(begin(again, "microsoft"), "m-1"))
    assert again.get(reverse("own_page")).url.startswith(reverse("second_factor")), "as after a password"
    again.post(reverse("second_factor"), {"code": code_of(steps=1)})
    assert is_in(again)
    assert reasons()[-1] == "sign_in.microsoft"


def test_who_says_no_at_the_provider_is_told_the_same_sentence(client, amelie, elsewhere):
    assert refused(client, come_back(client, elsewhere.deny(begin(client))))


@pytest.mark.parametrize("claims", [{"email_verified": False}, {}, {"email_verified": "true"}], ids=str)
def test_an_unverified_address_takes_nobody_over(client, amelie, elsewhere, claims):
    elsewhere.has("g-1", email=EMAIL, hd=DOMAIN, **claims)
    assert refused(client, come_back(client, elsewhere.sign_in(begin(client), "g-1")))
    assert not LinkedAccount.objects.exists()
    assert reasons() == ["single_sign_on.unverified"]


def test_the_answer_of_the_independent_provider_works_once(client, amelie, elsewhere):
    elsewhere.has("g-1", **GOOGLE)
    address = elsewhere.sign_in(begin(client), "g-1")
    come_back(client, address)
    client.post(reverse("sign_out"))
    assert refused(client, come_back(client, address))


# --- What is asked ----------------------------------------------------------------------------------------------------
def test_the_question_has_state_nonce_and_pkce_and_the_exact_redirect_address(
    client, boreale, provider, settings
):
    settings.PUBLIC_URL = "https://portail.example.com/"
    settings.ALLOWED_HOSTS = ["*"]
    urls = [
        client.get(reverse("sso_start", args=["boreale", "microsoft"]), headers=headers).url
        for headers in ({}, {"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    ]
    first, second = (
        {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()} for url in urls
    )
    assert urls[0].startswith(f"{provider.origin}/authorize?")
    assert (
        first["redirect_uri"]
        == second["redirect_uri"]
        == "https://portail.example.com/sign-in/back/microsoft"
    )
    assert first["response_type"] == "code"
    assert first["code_challenge_method"] == "S256"
    assert first["scope"].split()[0] == "openid"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]
    assert "evil" not in "".join(urls)
    assert "shh" not in "".join(urls)


def test_what_was_asked_is_unreadable_in_the_session(client, boreale, provider):
    begin(client)
    [session] = Session.objects.all()
    kept = session.get_decoded()
    assert set(kept) == {"_session_expiry", sso.ASKED}
    assert "nonce" not in kept[sso.ASKED]


def test_a_question_that_nobody_answers_is_forgotten(client, boreale, provider):
    begin(client)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    sign_in_fully(Client(), make_user(boreale, "150"))
    forget_sessions()
    assert Session.objects.count() == 1


def test_a_stranger_with_the_providers_name_is_not_the_provider(boreale, settings, tmp_path):
    """Over HTTPS a certificate that nobody vouches for ends it."""
    with providers.hostile() as server:
        server.speak_tls(tmp_path)
        settings.SSO_LOOPBACK_ISSUERS = {"google": server.origin}
        with pytest.raises(oidc.OidcError, match="SSLCertVerificationError"):
            oidc.authorization_url(
                oidc.client_of(boreale, "google"), state="s", nonce="n", verifier="v", choose=False
            )
    assert not server.asked


def test_the_real_issuers_are_https_and_the_directory_is_part_of_them(boreale):
    microsoft, google = (oidc.client_of(boreale, key) for key in ("microsoft", "google"))
    assert microsoft.issuer == f"https://login.microsoftonline.com/{TENANT}/v2.0"
    assert google.issuer == "https://accounts.google.com"
    assert all(origin.startswith("https://") for client in (microsoft, google) for origin in client.origins)
    assert "shh" not in repr(microsoft)


@pytest.mark.parametrize(
    "issuer", ["https://evil.example", "http://10.0.0.1", "http://localhost.evil.example", "http://[::2]:1"]
)
def test_only_a_server_of_this_machine_can_play_the_provider(boreale, settings, issuer):
    settings.SSO_LOOPBACK_ISSUERS = {"google": issuer}
    with pytest.raises(ImproperlyConfigured):
        oidc.client_of(boreale, "google")


def test_production_knows_the_real_providers_alone(monkeypatch):
    import subprocess
    import sys

    environment = {
        "SECRET_KEY": "x" * 60, "FIELD_KEYS": "k", "ALLOWED_HOSTS": "a.example", "CELERY_BROKER_URL": "redis://x", "PATH": "/usr/bin",
        "PUBLIC_URL": "https://a.example", "DATABASE_URL": "sqlite:///:memory:", "SSO_LOOPBACK_ISSUERS": "google=http://localhost:1",
        "EMAIL_URL": "smtp://relay",
    }  # fmt: skip
    code = "import pbxadmin.settings.production as p; print(p.SSO_LOOPBACK_ISSUERS)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "{}"


# --- Answers to nobody's question ---------------------------------------------------------------------------------------
def test_an_answer_without_a_question_counts_nothing_and_asks_nobody(client, amelie, provider):
    for query in (
        {},
        {"state": "x", "code": "y"},
        {"state": "é\ud800".encode("utf-8", "surrogatepass"), "code": "y"},
    ):
        assert client.get(reverse("sso_back", args=["google"]), query).url == reverse("sign_in")
    assert not provider.asked
    assert not SignInAttempt.objects.exists()
    assert reasons() == []


def test_an_answer_works_once(client, amelie, provider):
    address = provider.sign_in(begin(client), **GOOGLE)
    assert come_back(client, address).url == reverse("home")
    client.post(reverse("sign_out"))
    tokens = provider.asked.count("/token")
    assert refused(client, come_back(client, address))
    assert provider.asked.count("/token") == tokens, "the provider isn't even asked"


def test_an_answer_works_once_although_somebody_keeps_the_cookie(amelie, provider):
    browser = Client()
    address = provider.sign_in(begin(browser), **(GOOGLE | {"nonce": "wrong"}))
    cookie = browser.cookies["sessionid"].value
    come_back(browser, address)
    thief = Client()
    thief.cookies["sessionid"] = cookie
    come_back(thief, address)
    assert provider.asked.count("/token") == 1


def test_an_answer_is_good_in_the_browser_that_asked_alone(amelie, provider):
    mine, theirs = Client(), Client()
    address = provider.sign_in(begin(mine), **GOOGLE)
    begin(theirs)
    assert refused(theirs, come_back(theirs, address))
    assert come_back(mine, address).url == reverse("home"), "and nobody has spoilt it"


def test_an_answer_is_good_for_the_provider_that_was_asked_alone(client, amelie, provider):
    address = provider.sign_in(begin(client, "microsoft"), **GOOGLE)
    assert refused(client, come_back(client, address.replace("/microsoft", "/google")))
    assert not provider.asked.count("/token")


def test_an_answer_is_good_for_ten_minutes(client, amelie, provider, monkeypatch):
    address = provider.sign_in(begin(client), **GOOGLE)
    monkeypatch.setattr(sso, "time", lambda: time() + 601)
    assert refused(client, come_back(client, address))
    assert not provider.asked.count("/token")


def test_another_issuer_may_not_answer(client, amelie, provider):
    address = provider.sign_in(begin(client), **GOOGLE) + "&iss=https%3A%2F%2Fevil.example"
    assert refused(client, come_back(client, address))
    assert not provider.asked.count("/token")


def test_a_registration_that_changed_meanwhile_ends_the_sign_in(client, amelie, provider):
    address = provider.sign_in(begin(client), **GOOGLE)
    Customer.objects.update(google_client_id="another")
    assert refused(client, come_back(client, address))
    assert not provider.asked.count("/token")


def test_only_a_get_comes_back_and_nothing_begins_with_head(client, boreale, provider):
    assert client.head(reverse("sso_start", args=["boreale", "google"])).status_code == 405
    assert client.post(reverse("sso_start", args=["boreale", "google"])).status_code == 405
    assert client.post(reverse("sso_back", args=["google"])).status_code == 405
    assert not Session.objects.exists()


# --- ID tokens that don't hold --------------------------------------------------------------------------------------------
NOW = int(time())
BAD_CLAIMS = {
    "another issuer": {"iss": "https://accounts.google.com"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "client-x"},
    "several audiences": {"aud": ["client-g", "client-x"]},
    "no audience": {"aud": []},
    "issued to another": {"azp": "client-x"},
    "expired": {"exp": NOW - 3600},
    "never expires": {"exp": None},
    "expires when it likes": {"exp": "soon"},
    "issued long ago": {"iat": NOW - 3600, "exp": NOW + 9000},
    "issued tomorrow": {"iat": NOW + 86400, "exp": NOW + 90000},
    "never issued": {"iat": None},
    "not yet": {"nbf": NOW + 3600},
    "another nonce": {"nonce": "x" * 43},
    "no nonce": {"nonce": None},
    "a list of nonces": {"nonce": ["x"]},
    "no subject": {"sub": None},
    "subject no text": {"sub": 1},
    "another Workspace": {"hd": "evil.example"},
    "no Workspace": {"hd": None},
}


@pytest.mark.parametrize("case", BAD_CLAIMS)
def test_an_id_token_that_says_something_else_signs_nobody_in(client, amelie, provider, case):
    link(amelie, "google", "account-1")
    assert refused(client, attempt(client, provider, **BAD_CLAIMS[case]))
    assert provider.asked.count("/token") == 1
    assert reasons() == [], "no account is proven: that is for the log"


@pytest.mark.parametrize(
    "token",
    [
        providers.unsigned,
        lambda claims: providers.unsigned(claims, "None"),
        providers.with_the_public_key,
        providers.with_its_own_key,
        providers.with_an_unknown_key,
        providers.with_anothers_signature,
        providers.with_demands,
        lambda claims: "",
        lambda claims: "no.token",
        lambda claims: "é.é.é",
        lambda claims: providers.signed(claims)[:-4] + "AAAA",
        lambda claims: providers.signed(claims) + "." + "x" * 1000,
    ],
    ids=["none", "None", "HS256 with the public key", "its own key", "unknown key", "another's signature", "crit",
         "empty", "nonsense", "accents", "cut", "five parts"],
)  # fmt: skip
def test_an_id_token_with_a_bad_signature_signs_nobody_in(client, amelie, provider, token):
    link(amelie, "google", "account-1")
    provider.token = token
    assert refused(client, attempt(client, provider))


def test_a_right_token_signs_in_where_all_the_bad_ones_did_not(client, amelie, provider):
    link(amelie, "google", "account-1")
    assert attempt(client, provider).url == reverse("home")
    assert is_in(client)


def test_a_new_key_of_the_provider_is_looked_up_once_and_invented_ones_not_again_and_again(
    client, amelie, provider
):
    link(amelie, "google", "account-1")
    attempt(client, provider)
    provider.keys = [providers.OTHER_KEY]
    provider.token = providers.with_an_unknown_key
    rotated = Client()
    attempt(rotated, provider)
    assert is_in(rotated)
    assert provider.asked.count("/keys") == 2
    provider.token = lambda claims: providers.signed(claims, providers.OTHER_KEY, kid="invented")
    for _ in range(3):
        stranger = Client()
        assert refused(stranger, attempt(stranger, provider))
    assert provider.asked.count("/keys") == 2


# --- A provider that misbehaves ---------------------------------------------------------------------------------------------
HUGE = b'{"keys": [' + b" " * (oidc.LIMIT + 10) + b"]}"


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/.well-known/openid-configuration", {"status": 302, "Location": "http://127.0.0.1:9/"}),
        ("/.well-known/openid-configuration", {"status": 500}),
        ("/.well-known/openid-configuration", {"body": HUGE}),
        ("/.well-known/openid-configuration", {"body": b"[" * 100_000}),
        ("/.well-known/openid-configuration", {"body": b"<html>"}),
        ("/.well-known/openid-configuration", {"body": []}),
        ("/keys", {"status": 302, "Location": "http://127.0.0.1:9/"}),
        ("/keys", {"body": HUGE}),
        ("/keys", {"body": {"keys": []}}),
        ("/keys", {"body": {"keys": {"a": 1}}}),
        (
            "/keys",
            {"body": {"keys": [{"kty": "oct", "k": "c2g", "kid": "one"}, 7, {"kty": "RSA", "n": "!"}]}},
        ),
        ("/token", {"status": 302, "Location": "http://127.0.0.1:9/"}),
        ("/token", {"status": 400, "body": b'{"error": "invalid_client", "client_secret": "shh"}'}),
        ("/token", {"body": HUGE}),
        ("/token", {"body": {}}),
        ("/token", {"body": {"id_token": 7}}),
    ],
    ids=str,
)
def test_a_provider_that_misbehaves_signs_nobody_in(client, amelie, provider, path, answer, caplog):
    link(amelie, "google", "account-1")
    provider.answers(path, **answer)
    start = client.get(reverse("sso_start", args=["boreale", "google"]))
    if start.url.startswith(provider.origin):
        start = come_back(client, provider.sign_in(start.url, **GOOGLE))
    assert refused(client, start)
    assert "shh" not in caplog.text
    assert "code-0" not in caplog.text


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys"])
def test_a_redirect_is_neither_followed_nor_believed(client, amelie, provider, path):
    link(amelie, "google", "account-1")
    keys = {"keys": [providers.KEY.as_dict(private=False)]}
    right = keys if path == "/keys" else provider.discovery()
    provider.answers("/elsewhere", right)
    provider.answers(path, right, 302, Location=f"{provider.origin}/elsewhere")
    start = client.get(reverse("sso_start", args=["boreale", "google"]))
    if path == "/keys":
        start = come_back(client, provider.sign_in(start.url, **GOOGLE))
    assert refused(client, start)
    assert "/elsewhere" not in provider.asked


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys"])
def test_more_than_a_sensible_answer_is_not_read_although_it_would_be_right(client, amelie, provider, path):
    link(amelie, "google", "account-1")
    keys = {"keys": [providers.KEY.as_dict(private=False)]}
    right = json.dumps(keys if path == "/keys" else provider.discovery()).encode()
    provider.answers(path, right.ljust(oidc.LIMIT + 1))
    start = client.get(reverse("sso_start", args=["boreale", "google"]))
    if path == "/keys":
        start = come_back(client, provider.sign_in(start.url, **GOOGLE))
    assert refused(client, start)
    cache.clear()
    provider.answers(path, right.ljust(oidc.LIMIT))
    assert attempt(client, provider).url == reverse("home")


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://accounts.google.com"},
        {"issuer": None},
        {"authorization_endpoint": "https://evil.example/authorize"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://["},
        {"authorization_endpoint": None},
        {"token_endpoint": "http://169.254.169.254/latest"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": "http://127.0.0.1:9/keys"},
        {"jwks_uri": "http://user@{host}/keys"},
    ],
    ids=str,
)
def test_a_discovery_document_leads_nowhere_else(client, amelie, provider, changed):
    link(amelie, "google", "account-1")
    host = provider.origin.removeprefix("http://")
    changed = {name: value and value.replace("{host}", host) for name, value in changed.items()}
    provider.answers("/.well-known/openid-configuration", provider.discovery(**changed))
    start = client.get(reverse("sso_start", args=["boreale", "google"]))
    if start.url.startswith(provider.origin):
        start = come_back(client, provider.sign_in(start.url, **GOOGLE))
    assert refused(client, start)


def test_a_provider_that_drips_is_hung_up_on(client, boreale, provider, monkeypatch):
    monkeypatch.setattr(oidc, "DEADLINE", 0.5)
    provider.answers("/.well-known/openid-configuration", b" " * 200_000)
    provider.wait = 0.1
    began = time()
    assert refused(client, client.get(reverse("sso_start", args=["boreale", "google"])))
    assert time() - began < 3


def test_a_provider_that_is_down_is_left_alone_for_a_while(client, boreale, provider):
    provider.answers("/.well-known/openid-configuration", b"", 503)
    for _ in range(5):
        client.get(reverse("sso_start", args=["boreale", "google"]))
    assert len(provider.asked) == 1


def test_discovery_and_keys_are_remembered(amelie, provider):
    for _ in range(3):
        attempt(Client(), provider)
    assert provider.asked.count("/.well-known/openid-configuration") == 1
    assert provider.asked.count("/keys") == 1


# --- Whose account it is --------------------------------------------------------------------------------------------------
def test_microsofts_address_is_nobodys_proof(client, amelie, provider):
    """The claim that a tenant's administrator writes as they like: also with the flag that the domain is theirs."""
    for more in (
        {},
        {"xms_edov": True},
        {"email_verified": True},
        {"preferred_username": EMAIL, "verified_primary_email": [EMAIL]},
    ):
        assert refused(client, attempt(client, provider, "microsoft", **more))
    assert set(reasons()) == {"single_sign_on.unknown"}
    assert not LinkedAccount.objects.exists()


def test_a_microsoft_account_with_anothers_address_is_still_its_own_person(client, amelie, provider):
    felix = make_user(amelie.customer, "102", "Félix", "Gagnon", email=f"felix@{DOMAIN}")
    link(amelie)
    attempt(client, provider, "microsoft", email=felix.email, preferred_username=felix.email)
    assert client.session["_auth_user_id"] == str(amelie.pk)


@pytest.mark.parametrize(
    "claims", [{"tid": OTHER_TENANT}, {"tid": None}, {"oid": None}, {"oid": ""}, {"oid": 7}], ids=str
)
def test_another_directory_is_nobodys(client, amelie, provider, claims):
    link(amelie)
    assert refused(client, attempt(client, provider, "microsoft", **claims))


def test_a_link_belongs_to_the_directory_in_which_it_was_made(client, amelie, provider):
    link(amelie, issuer=f"https://login.microsoftonline.com/{OTHER_TENANT}/v2.0")
    assert refused(client, attempt(client, provider, "microsoft"))


def test_the_directory_stands_in_the_issuer(client, amelie, provider, settings):
    provider.base = f"/{TENANT}/v2.0"
    settings.SSO_LOOPBACK_ISSUERS = {"microsoft": provider.origin + "/{tenant}/v2.0"}
    link(amelie)
    stranger = Client()
    assert refused(
        stranger, attempt(stranger, provider, "microsoft", iss=f"{provider.origin}/{OTHER_TENANT}/v2.0")
    )
    attempt(client, provider, "microsoft")
    assert is_in(client)


def test_a_linked_account_signs_in_at_its_own_customers_door_alone(client, amelie, laurier, provider):
    other = make_user(laurier, "201", email=EMAIL)
    Customer.objects.filter(pk=laurier.pk).update(
        has_google=True,
        google_client_id="client-l",
        google_client_secret="shh-shh-shh",
        google_hosted_domain="",
    )
    link(amelie, "google", "account-1")
    answer = come_back(client, provider.sign_in(begin(client, slug="laurier"), **GOOGLE))
    assert refused(client, answer)
    operation = Operation.objects.get(reason="single_sign_on.unknown")
    assert operation.customer == laurier
    assert not other.linked_accounts.exists()


def test_nobody_of_another_customer_is_found_by_his_address(client, boreale, laurier, provider):
    other = make_user(laurier, "201", email=EMAIL)
    assert refused(client, attempt(client, provider))
    assert reasons() == ["single_sign_on.unknown"]
    assert not other.linked_accounts.exists()


def test_what_waits_for_a_password_waits_for_its_own_person(client, amelie, provider, rf):
    other = make_user(amelie.customer, "140", email=EMAIL, password=PASSWORD)
    sign_in_fully(client, amelie)
    propose(client, provider)
    request = rf.get("/")
    request.session = client.session
    assert sso.proposed(request, other, "microsoft") is None
    assert sso.proposed(request, amelie, "google") is None
    assert sso.proposed(request, amelie, "microsoft").subject == "0a1b"
    User.objects.filter(pk=amelie.pk).update(ms365_sso=False)
    amelie.refresh_from_db()
    assert sso.proposed(request, amelie, "microsoft") is None


def test_an_address_of_two_people_signs_in_neither(client, amelie, provider):
    twin = make_user(amelie.customer, "140", email="AMELIE@clinique.example.com")
    assert refused(client, attempt(client, provider))
    User.objects.filter(pk=twin.pk).update(disabled=True)
    assert refused(client, attempt(client, provider))
    assert reasons() == ["single_sign_on.shared"] * 2


def test_who_administers_others_is_linked_by_hand(client, boreale, provider):
    make_user(boreale, "102", "Félix", "Gagnon", role="system_owners", email=EMAIL)
    assert refused(client, attempt(client, provider))
    assert reasons() == ["single_sign_on.by_hand"]
    assert not LinkedAccount.objects.exists()


@pytest.mark.parametrize("domain", ["", "laurier.example.com"])
def test_google_is_believed_for_the_companys_domain_alone(client, amelie, provider, domain):
    Customer.objects.update(google_hosted_domain=domain)
    assert refused(client, attempt(client, provider, hd=domain or None))


def test_an_address_outside_of_the_domain_is_linked_by_hand(client, boreale, provider):
    make_user(boreale, "101", email="amelie@gmail.example")
    assert refused(client, attempt(client, provider, email="amelie@gmail.example"))


def test_support_staff_never_come_in_by_a_customers_door(client, amelie, provider):
    staff = make_staff(f"soutien@{DOMAIN}")
    assert refused(client, attempt(client, provider, email=staff.email))
    LinkedAccount.objects.create(
        customer=amelie.customer,
        user=staff,
        provider="google",
        issuer=provider.issuer,
        subject="planted",
        email=staff.email,
    )
    assert refused(client, attempt(client, provider, sub="planted"))
    sign_in_fully(client, staff)
    assert client.get(reverse("sso_link", args=["google"])).url == reverse("own_security")


def test_a_disabled_person_is_refused_and_his_customer_reads_why(client, amelie, provider):
    link(amelie, "google", "account-1")
    User.objects.filter(pk=amelie.pk).update(disabled=True)
    assert refused(client, attempt(client, provider))
    assert reasons() == ["single_sign_on.disabled"]
    assert Change.objects.get(operation__reason="single_sign_on.disabled").subject_pk == amelie.pk


def test_a_suspended_customer_has_no_door_and_a_door_that_was_open_shuts(client, amelie, provider):
    link(amelie, "google", "account-1")
    address = provider.sign_in(begin(client), **GOOGLE)
    Customer.objects.update(suspended=True)
    assert refused(client, come_back(client, address))
    assert not provider.asked.count("/token")
    assert client.get(reverse("sso_start", args=["boreale", "google"])).url == reverse(
        "sign_in_at", args=["boreale"]
    )
    assert (
        "/sign-in/at/boreale/google"
        not in client.get(reverse("sign_in_at", args=["boreale"])).content.decode()
    )


@pytest.mark.parametrize("provider_key", ["google", "microsoft"])
def test_switched_off_for_one_person_it_signs_him_in_no_more(client, amelie, provider, provider_key):
    link(amelie, provider_key, "account-1" if provider_key == "google" else "0a1b")
    User.objects.filter(pk=amelie.pk).update(**{sso.OPTION[provider_key]: False})
    assert refused(client, attempt(client, provider, provider_key))
    assert reasons() == ["single_sign_on.switched_off"]


def test_an_extension_that_went_to_a_successor_lets_the_predecessor_in_no_more(client, amelie, provider):
    link(amelie)
    User.objects.filter(pk=amelie.pk).update(first_name="Bruno", email=f"bruno@{DOMAIN}")
    assert refused(client, attempt(client, provider, "microsoft"))
    assert reasons() == ["single_sign_on.moved"]
    amelie.refresh_from_db()
    assert line_of(amelie).single_sign_on == ()


def test_a_successor_is_linked_in_the_place_of_the_predecessor(client, amelie, provider):
    link(amelie, "google", "account-1")
    User.objects.filter(pk=amelie.pk).update(first_name="Bruno", email=f"bruno@{DOMAIN}")
    attempt(client, provider, sub="account-2", email=f"bruno@{DOMAIN}")
    assert is_in(client)
    assert LinkedAccount.objects.get().subject == "account-2"
    assert reasons() == ["single_sign_on.unlinked", "single_sign_on.linked", "sign_in.google"]


def test_every_refusal_reads_the_same(amelie, provider):
    """No account, nobody's account, a disabled person, a switched-off one, a shared address: one answer."""
    cases = {
        "nobody": ({"email": f"who@{DOMAIN}"}, lambda: None),
        "unverified": ({"email_verified": False}, lambda: None),
        "bad token": ({"nonce": "x"}, lambda: None),
        "disabled": ({}, lambda: User.objects.filter(pk=amelie.pk).update(disabled=True)),
        "off": ({}, lambda: User.objects.filter(pk=amelie.pk).update(disabled=False, google_sso=False)),
        "shared": ({}, lambda: make_user(amelie.customer, "140", email=EMAIL)),
    }
    seen = set()
    for claims, prepare in cases.values():
        prepare()
        client = Client()
        answer = attempt(client, provider, **claims)
        page = client.get(answer.url).content.decode()
        page = re.sub(r'(csrfmiddlewaretoken" value=|"X-CSRFToken": )"[^"]+"', "", page)
        seen.add((answer.status_code, answer.url, page, tuple(sorted(client.cookies))))
    assert len(seen) == 1
    assert all(reason in signin.REASONS for reason in reasons())


# --- Afterwards everything is as after a password -----------------------------------------------------------------------------
def test_the_second_factor_is_asked_as_after_a_password(client, amelie, provider):
    link(amelie, "google", "account-1")
    enrol(amelie)
    assert attempt(client, provider, amr=["mfa"], acr="2").url == reverse("home")
    for name in ("own_page", "home", "own_voicemail"):
        assert client.get(reverse(name)).url.startswith(reverse("second_factor"))
    assert reasons() == [], "he isn't in yet"
    client.post(reverse("second_factor"), {"code": code_of()})
    assert is_in(client)
    assert reasons() == ["sign_in.google"]


def test_who_must_have_a_second_factor_sets_one_up_first(client, boreale, provider):
    person = make_user(boreale, "101", email=EMAIL, require_2fa=True)
    attempt(client, provider)
    assert client.get(reverse("own_page")).url.startswith(reverse("second_factor_enrol"))
    page = client.get(reverse("second_factor_enrol"))
    assert page.status_code == 200
    key = second_factor.decrypt(client.session[second_factor.PENDING_KEY], second_factor.PENDING_PURPOSE)
    client.post(reverse("second_factor_enrol"), {"code": code_of(key)})
    assert is_in(client)
    assert reasons()[-1] == "sign_in.google"
    assert person.linked_accounts.count() == 1


def test_the_session_is_a_new_one(client, amelie, provider):
    address = provider.sign_in(begin(client), **GOOGLE)
    planted = client.cookies["sessionid"].value
    come_back(client, address)
    assert client.cookies["sessionid"].value != planted
    assert not Session.objects.filter(session_key=planted).exists()
    thief = Client()
    thief.cookies["sessionid"] = planted
    assert not is_in(thief)
    assert client.session.get_expire_at_browser_close(), "the ten minutes of the question are over"


@pytest.mark.parametrize("end", [{"disabled": True}, {"sessions_epoch": 5}], ids=str)
def test_out_at_the_next_request(client, amelie, provider, end):
    attempt(client, provider)
    assert is_in(client)
    User.objects.filter(pk=amelie.pk).update(**end)
    assert not is_in(client)


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil",
        "/\t/evil",
        "javascript:alert(1)",
        "https:evil",
        "\\\\evil",
    ],
)
def test_afterwards_the_way_leads_to_a_page_of_ours(client, amelie, provider, target):
    answer = come_back(client, provider.sign_in(begin(client, next=target), **GOOGLE))
    assert answer.url == reverse("home")


def test_failures_count_at_their_address_together_with_passwords(amelie, provider):
    for _ in range(30):
        attempt(Client(), provider, nonce="x")
    assert SignInAttempt.objects.count() == 30
    tokens = provider.asked.count("/token")
    late = Client()
    assert refused(late, attempt(late, provider))
    assert provider.asked.count("/token") == tokens
    password = {"login": amelie.login, "password": PASSWORD}
    assert Client().post(reverse("sign_in"), password).status_code == 429
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert attempt(elsewhere, provider).url == reverse("home")


def test_strangers_behind_the_office_do_not_shut_its_single_sign_on(amelie, provider):
    assert attempt(Client(), provider).url == reverse("home")
    for number in range(40):
        Client().post(reverse("sign_in"), {"login": f"{200 + number}@nowhere.example.com", "password": "x"})
    assert attempt(Client(), provider).url == reverse("home")


def test_who_guesses_passwords_shuts_nobodys_account_out(amelie, provider, client):
    for number in range(60):
        Client().post(
            reverse("sign_in"), {"login": amelie.login, "password": "x"}, REMOTE_ADDR=f"192.0.2.{number}"
        )
    attempt(client, provider)
    assert is_in(client)


def test_a_colleague_whose_account_is_refused_shuts_the_company_out_as_little(amelie, provider):
    for _ in range(6):
        attempt(Client(), provider, email=f"who@{DOMAIN}")
    assert attempt(Client(), provider).url == reverse("home")


def test_neither_code_nor_token_nor_secret_stands_in_a_log(client, amelie, provider, caplog):
    seen = []
    provider.token = lambda claims: seen.append(providers.signed(claims)) or seen[-1]
    with caplog.at_level(logging.DEBUG):
        attempt(client, provider)
        attempt(Client(), provider, nonce="x")
        provider.secret = "another"
        attempt(Client(), provider)
    assert "invalid_grant" in caplog.text
    for secret in (*seen, "shh-shh-shh", "code-0", "code-1"):
        assert secret not in caplog.text


# --- The doors ----------------------------------------------------------------------------------------------------------
def test_the_companys_page_has_its_buttons_and_the_browser_remembers_it(client, boreale, laurier):
    buttons = re.compile(r'href="(/sign-in/at/[^"]+)"')
    page = client.get(reverse("sign_in_at", args=["boreale"]), {"next": "/me"})
    assert buttons.findall(page.content.decode()) == [
        "/sign-in/at/boreale/microsoft?next=%2Fme",
        "/sign-in/at/boreale/google?next=%2Fme",
    ]
    cookie = client.cookies["company"]
    assert cookie["httponly"]
    assert cookie["path"] == "/sign-in"
    assert len(buttons.findall(client.get(reverse("sign_in")).content.decode())) == 2
    refused = client.post(reverse("sign_in"), {"login": "x", "password": "y"})
    assert len(buttons.findall(refused.content.decode())) == 2
    for slug in ("laurier", "nobody"):
        other = Client()
        assert not buttons.findall(other.get(reverse("sign_in_at", args=[slug])).content.decode())
        assert "company" not in other.cookies


@pytest.mark.parametrize("cookie", ["x" * 5000, "../..", "' OR 1=1", "é", "nobody", "\0"])
def test_a_cookie_that_somebody_has_made_up_shows_the_ordinary_page(boreale, cookie):
    client = Client()
    client.cookies["company"] = cookie
    page = client.get(reverse("sign_in"))
    assert page.status_code == 200
    assert "/sign-in/at/" not in page.content.decode()


@pytest.mark.parametrize(
    "word", ["boreale", "boreale.example.com", "101@boreale.example.com", "999@BOREALE.example.com"]
)
def test_a_company_is_found_by_its_host_name_whoever_is_there(client, amelie, word):
    answer = client.get(reverse("sign_in_company"), {"company": word, "next": "/me"})
    assert answer.url == "/sign-in/at/boreale?next=%2Fme"


@pytest.mark.parametrize(
    "word", [EMAIL, f"who@{DOMAIN}", "laurier", "nobody", "x" * 5000, "'\"<script>", "\0", "é@é"]
)
def test_nobodys_address_finds_a_company(client, amelie, laurier, word):
    page = client.get(reverse("sign_in_company"), {"company": word})
    assert page.status_code == 200
    assert "<script>'" not in page.content.decode()
    # Her extension may well stand in a token.
    told = re.sub(r'(csrfmiddlewaretoken" value=|"X-CSRFToken": )"[^"]+"', "", page.content.decode())
    assert "101" not in told.replace(word, "")


def test_who_is_signed_in_is_not_sent_anywhere_by_a_strangers_link(client, amelie, provider):
    sign_in_fully(client, amelie)
    for address in (
        reverse("sso_start", args=["boreale", "google"]),
        reverse("sign_in_at", args=["boreale"]),
        reverse("sign_in_company"),
    ):
        assert client.get(address).url == reverse("home")
    assert not provider.asked


# --- Linking ------------------------------------------------------------------------------------------------------------
def propose(client, server, provider="microsoft", **claims):
    """As far as the question for the password."""
    base = GOOGLE if provider == "google" else MICROSOFT
    url = client.get(reverse("sso_link", args=[provider])).url
    return come_back(client, server.sign_in(url, **(base | claims)))


def test_an_account_with_another_address_is_not_linked(client, amelie, provider):
    sign_in_fully(client, amelie)
    for more in ({"email": f"felix@{DOMAIN}"}, {"email": None}):
        assert propose(client, provider, **more).url == reverse("own_security")
    assert propose(client, provider, "google", email_verified=False).url == reverse("own_security")
    assert propose(client, provider, email=None, preferred_username=EMAIL.upper()).url == reverse(
        "sso_confirm", args=["microsoft"]
    )


def test_an_account_is_linked_by_the_password_and_not_by_an_open_browser(client, amelie, provider):
    sign_in_fully(client, amelie)
    address = propose(client, provider).url
    assert client.post(address, {}).status_code == 422
    assert not LinkedAccount.objects.exists()
    assert client.post(reverse("sso_confirm", args=["google"]), {"password": PASSWORD}).url == reverse(
        "own_page"
    )
    assert client.post(address, {"password": PASSWORD}).url == reverse("own_security")
    assert LinkedAccount.objects.get().user == amelie
    assert reasons() == ["single_sign_on.linked"]
    assert client.post(address, {"password": PASSWORD}).url == reverse("own_page"), "once"


def test_what_one_person_has_proven_another_can_not_link(client, amelie, provider):
    other = make_user(amelie.customer, "140", email=EMAIL, password=PASSWORD)
    sign_in_fully(client, amelie)
    url = client.get(reverse("sso_link", args=["microsoft"])).url
    address = provider.sign_in(url, **MICROSOFT)
    session = client.session[sso.ASKED]
    sign_in_fully(client, other)
    changed = client.session
    changed[sso.ASKED] = session
    changed.save()
    come_back(client, address)
    assert client.post(reverse("sso_confirm", args=["microsoft"]), {"password": PASSWORD}).url == reverse(
        "own_page"
    )
    assert not LinkedAccount.objects.exists()


def test_an_answer_to_a_linking_signs_nobody_in(client, amelie, provider):
    link(amelie)
    LinkedAccount.objects.all().delete()
    sign_in_fully(client, amelie)
    address = provider.sign_in(client.get(reverse("sso_link", args=["microsoft"])).url, **MICROSOFT)
    asked = client.session[sso.ASKED]
    client.post(reverse("sign_out"))
    session = client.session
    session[sso.ASKED] = asked
    session.save()
    link(amelie)
    assert come_back(client, address).url == reverse("sign_in")
    assert not is_in(client)


def test_an_account_is_one_persons_and_a_person_has_one_account(client, amelie, provider):
    other = make_user(amelie.customer, "140", email=EMAIL, password=PASSWORD)
    link(other)
    sign_in_fully(client, amelie)
    client.post(propose(client, provider).url, {"password": PASSWORD})
    assert LinkedAccount.objects.get().user == other
    link(amelie, subject="mine")
    assert client.get(reverse("sso_link", args=["microsoft"])).url == reverse("own_security")


def test_without_an_address_in_the_portal_nothing_is_linked(client, boreale, provider):
    person = make_user(boreale, "101", password=PASSWORD)
    sign_in_fully(client, person)
    assert propose(client, provider, email="").url == reverse("own_security")
    assert propose(client, provider, email="nobody").url == reverse("own_security")


def test_unlinking_asks_for_proof_and_is_in_the_history(client, amelie, provider):
    link(amelie)
    sign_in_fully(client, amelie)
    url = reverse("sso_unlink", args=["microsoft"])
    session = client.session
    session[signin.PASSWORD_AT] = 0
    session.save()
    asked = client.post(url)
    assert (asked.status_code, LinkedAccount.objects.exists()) == (403, True)
    assert client.get(url).status_code == 405
    client.post(url, {"proof": "account", "proof-password": PASSWORD})
    assert not LinkedAccount.objects.exists()
    assert reasons() == ["single_sign_on.unlinked"]
    assert is_in(client)
    stranger = Client()
    assert refused(stranger, attempt(stranger, provider, "microsoft"))


def test_a_reset_of_the_password_ends_the_linked_accounts_too(amelie, felix_like_owner):
    from users.people import reset

    link(amelie, "google", "account-1", issuer="x")
    reset.OWN["web_password"]([amelie], None)
    assert not LinkedAccount.objects.exists()


@pytest.fixture
def felix_like_owner(boreale):
    return make_user(boreale, "102", "Félix", "Gagnon", role="system_owners")


def test_an_unknown_provider_is_not_there(client, amelie):
    sign_in_fully(client, amelie)
    for name in ("sso_link", "sso_confirm"):
        assert client.get(reverse(name, args=["common"])).status_code == 404
    assert client.post(reverse("sso_unlink", args=["common"])).status_code == 404


# --- The customer's settings ----------------------------------------------------------------------------------------------
def settings_url(slug="boreale"):
    return reverse("customer_settings", args=[slug, "single-sign-on"])


def save(client, customer, **values):
    """Send the form of the settings as it stands, with these values."""
    customer.refresh_from_db()
    names = ("microsoft_tenant_id", "microsoft_client_id", "google_client_id", "google_hosted_domain")
    sent = {name: getattr(customer, name) for name in names} | {
        "microsoft_client_secret": "",
        "google_client_secret": "",
    }
    answer = client.post(settings_url(), sent | {"seen": customer.version} | values)
    customer.refresh_from_db()
    return answer


@pytest.fixture
def owner(client, felix_like_owner):
    return sign_in_fully(client, felix_like_owner)


def test_a_secret_is_saved_encrypted_and_never_shown_again(owner, boreale):
    assert save(owner, boreale, google_client_secret="brand-new-secret").status_code == 302
    assert boreale.google_client_secret == "brand-new-secret"
    with connection.cursor() as cursor:
        cursor.execute("SELECT google_client_secret FROM users_customer WHERE id = %s", [boreale.pk])
        assert "brand-new" not in cursor.fetchone()[0]
    pages = [
        owner.get(url).content.decode()
        for url in (
            settings_url(),
            "/c/boreale/history",
            "/c/boreale/",
            reverse("customer_settings", args=["boreale", "contract"]),
        )
    ]
    assert not any("brand-new" in page or "shh-shh" in page for page in pages)
    cells = Change.objects.filter(model="users.customer").latest("pk").cells
    assert cells == [{"column": "google_client_secret", "old": "••••••••", "new": "••••••••"}]
    refused = save(owner, boreale, google_client_secret="two words", google_hosted_domain="no domain")
    assert refused.status_code == 422
    assert "two words" not in refused.content.decode()


def test_a_blank_secret_stays_and_a_client_that_goes_takes_it_along(owner, boreale):
    save(owner, boreale, google_hosted_domain="other.example.com")
    assert (boreale.google_client_secret, boreale.google_hosted_domain) == (
        "shh-shh-shh",
        "other.example.com",
    )
    save(owner, boreale, google_client_id="")
    assert boreale.google_client_secret == ""
    assert boreale.single_sign_on == ("microsoft",)


@pytest.mark.parametrize(
    "values",
    [
        {"microsoft_tenant_id": "common"},
        {"microsoft_tenant_id": "organizations"},
        {"microsoft_tenant_id": "clinique.onmicrosoft.com"},
        {"microsoft_tenant_id": TENANT + "/../x"},
        {"microsoft_tenant_id": PERSONAL_ACCOUNTS},
        {"microsoft_tenant_id": PERSONAL_ACCOUNTS.upper()},
        {"microsoft_tenant_id": ""},
        {"microsoft_client_id": "", "microsoft_tenant_id": OTHER_TENANT},
        {"microsoft_client_id": "another"},
        {"microsoft_client_id": "a&b=c"},
        {"google_client_id": "another"},
        {"google_client_id": "", "google_client_secret": "typed-by-mistake"},
        {"google_client_secret": "é"},
        {"google_client_secret": "x" * 501},
        {"google_hosted_domain": "evil.example/x"},
        {"google_hosted_domain": "*"},
    ],
    ids=str,
)
def test_a_registration_that_could_not_work_or_opens_too_wide_is_refused(owner, boreale, values):
    assert save(owner, boreale, **values).status_code == 422
    assert boreale.single_sign_on == ("microsoft", "google")
    assert boreale.microsoft_tenant_id == TENANT


def test_who_administers_a_department_or_nobody_may_not_set_it_up(client, boreale, ines, amelie):
    for person in (ines, amelie):
        other = sign_in_fully(Client(), person)
        assert other.get(settings_url()).status_code == 403
        assert other.post(settings_url(), {"google_client_id": "x"}).status_code == 403


def test_what_the_contract_has_not_switched_on_can_not_be_registered(owner, boreale):
    Customer.objects.update(has_google=False)
    page = owner.get(settings_url()).content.decode()
    assert "google_client_id" not in page
    save(owner, boreale, google_hosted_domain="evil.example.com")
    assert boreale.google_hosted_domain == DOMAIN
    assert boreale.single_sign_on == ("microsoft",)
    Customer.objects.update(has_microsoft_365=False)
    page = owner.get(settings_url()).content.decode()
    assert '<form method="post" id="tab"' not in page


def test_the_settings_show_the_address_to_register(owner, boreale, settings):
    settings.PUBLIC_URL = "https://portail.example.com"
    page = owner.get(settings_url()).content.decode()
    assert "https://portail.example.com/sign-in/back/google" in page
    assert "https://portail.example.com/sign-in/back/microsoft" in page
    assert "https://portail.example.com/sign-in/at/boreale" in page


def test_support_staff_set_it_up_at_their_desk_too(client, staff, boreale):
    sign_in_fully(client, staff)
    page = client.get(f"/support/users/customer/{boreale.pk}/change/").content.decode()
    assert "google_client_id" in page
    assert "shh-shh" not in page


def test_the_road_keeps_a_secret_that_nobody_has_typed(boreale, felix_like_owner):
    plan = road.plan(
        felix_like_owner,
        boreale,
        customer_sheet(),
        [road.Row(boreale.pk, {"google_client_secret": "", "require_2fa": True})],
    )
    road.apply(plan, FACTS)
    boreale.refresh_from_db()
    assert boreale.google_client_secret == "shh-shh-shh"


# --- What is said of it ----------------------------------------------------------------------------------------------------
def test_nothing_is_claimed_that_is_not_set_up(owner, boreale, amelie):
    url = reverse("user_tab", args=["boreale", "101", "options"])
    assert "id_ms365_sso_warning" not in owner.get(url).content.decode()
    Customer.objects.update(microsoft_client_id="")
    page = owner.get(url).content.decode()
    assert "id_ms365_sso_warning" in page
    assert "id_google_sso_warning" not in page
    person = signin.people().get(pk=amelie.pk)
    line = line_of(person)
    assert (line.single_sign_on, line.single_sign_on_offered) == ((), ("google",))
    said = dict(in_words(line))[gettext("Signs in with")]
    assert "Microsoft" not in said


def test_the_line_says_with_what_somebody_signs_in_now(amelie):
    link(amelie)
    line = line_of(amelie)
    assert (line.single_sign_on, line.single_sign_on_offered) == (("microsoft",), ("google",))
    assert json.dumps(line.as_dict())
    User.objects.filter(pk=amelie.pk).update(ms365_sso=False, google_sso=False)
    amelie.refresh_from_db()
    assert line_of(amelie).single_sign_on == line_of(amelie).single_sign_on_offered == ()


def test_the_own_page_offers_what_there_is_and_shows_what_is_linked(client, amelie, laurier):
    sign_in_fully(client, amelie)
    page = client.get(reverse("own_page")).content.decode()
    assert reverse("sso_link", args=["microsoft"]) in page
    link(amelie)
    page = client.get(reverse("own_page")).content.decode()
    assert f'href="{reverse("sso_link", args=["microsoft"])}"' not in page
    assert reverse("sso_unlink", args=["microsoft"]) in page
    stranger = sign_in_fully(Client(), make_user(laurier, "201", email="x@laurier.example.com"))
    assert "/me/accounts/" not in stranger.get(reverse("own_page")).content.decode()
