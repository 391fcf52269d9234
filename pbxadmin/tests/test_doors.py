"""Every address × every kind of person: who gets in, who is told no, for whom it doesn't exist. A new address needs an entry."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from phones.tests import factories as phone_factories
from users.tests.factories import make_staff, make_user
from users.tests.signing import sign_in_fully

OPEN, HIDDEN, REFUSED, SIGN_IN = "opens", "404", "403", "to the sign-in"

PEOPLE = ["stranger", "user", "soins_admin", "accueil_admin", "owner", "other_owner", "support"]
# Who gets what, in the order of PEOPLE.
EVERYBODY = [OPEN] * 7
SIGNED_IN = [SIGN_IN, *[OPEN] * 6]
STAFF = [SIGN_IN, *[REFUSED] * 5, OPEN]
ADMINISTRATORS = [SIGN_IN, REFUSED, OPEN, OPEN, OPEN, HIDDEN, OPEN]
WHOLE_CUSTOMER = [SIGN_IN, REFUSED, REFUSED, REFUSED, OPEN, HIDDEN, OPEN]
# About a plain user whose primary department is Accueil.
OF_PERSON = [SIGN_IN, REFUSED, REFUSED, OPEN, OPEN, HIDDEN, OPEN]

DOORS = {
    "home": SIGNED_IN,
    "healthz": EVERYBODY,
    "set_language": EVERYBODY,
    "set_theme": EVERYBODY,
    "sign_in": EVERYBODY,
    "forgot_password": EVERYBODY,
    "set_password": [HIDDEN] * 7,  # a dead link, whoever holds it; users.tests.test_signin opens living ones
    "second_factor": SIGNED_IN,
    "second_factor_enrol": SIGNED_IN,
    "second_factor_prove": SIGNED_IN,
    "second_factor_remove": SIGNED_IN,
    "step_up": SIGNED_IN,
    "sign_out": [SIGN_IN] * 7,  # that is where it leads
    "own_page": SIGNED_IN,
    "own_security": SIGNED_IN,
    "own_password": SIGNED_IN,
    "backup_codes": SIGNED_IN,
    "own_sessions": SIGNED_IN,
    "customers": STAFF,
    "customer_home": ADMINISTRATORS,
    "users": ADMINISTRATORS,
    "user_create": ADMINISTRATORS,
    "history": WHOLE_CUSTOMER,
    "user_tab": OF_PERSON,
    "user_delete": OF_PERSON,
    "user_history": OF_PERSON,
    "phones_state": OF_PERSON,
    "push_status": OF_PERSON,
    "phone_add": OF_PERSON,
    "phone_status": OF_PERSON,
    "phone_command": OF_PERSON,
    "phone_delete": OF_PERSON,
    "phone_file": OF_PERSON,
    "phone_settings": OF_PERSON,
    "phone_secret": OF_PERSON,
    "key_labels": OF_PERSON,
    # What a phone fetches: a wrong token is a 404 for everybody alike; `phones.tests.test_provisioning` holds the rest.
    "provisioning": [HIDDEN] * 7,
    "provisioning_nothing": [HIDDEN] * 7,
}


def addresses() -> Iterator[tuple[str, str]]:
    """Name and pattern of every address of ours."""

    def walk(resolver: URLResolver, before: str) -> Iterator[tuple[str, str]]:
        for entry in resolver.url_patterns:
            if isinstance(entry, URLResolver):
                if (
                    entry.app_name != "admin"
                ):  # Django admin has one door for all its pages: users/tests/test_admin.py
                    yield from walk(entry, before + str(entry.pattern))
            else:
                assert isinstance(entry, URLPattern)
                yield entry.name or "", before + str(entry.pattern)

    yield from walk(get_resolver(), "")


def test_every_address_has_an_entry_in_the_table_and_every_entry_an_address() -> None:
    names = [name for name, _pattern in addresses()]
    assert all(names), "an address without a name"
    assert sorted(set(names)) == sorted(DOORS)


@pytest.fixture
def world(boreale, laurier):
    """The people of the table, each signed in all the way, and the things that addresses speak of."""
    accueil_user = make_user(boreale, "101", department="Accueil")
    people = {
        "user": accueil_user,
        "soins_admin": make_user(boreale, "103", "Inès", "Roy", role="group_admins", department="Soins"),
        "accueil_admin": make_user(
            boreale, "104", "Zoé", "Lavoie", role="group_admins", department="Accueil"
        ),
        "owner": make_user(boreale, "102", "Félix", "Gagnon", role="system_owners"),
        "other_owner": make_user(laurier, "201", "Rosalie", "Beaulieu", role="system_owners"),
        "support": make_staff(),
    }
    phone = phone_factories.make_phone(boreale, accueil_user, "805ec0aabb01")
    clients = {
        "stranger": Client(),
        **{name: sign_in_fully(Client(), person) for name, person in people.items()},
    }
    arguments = {
        "slug": "boreale",
        "number": "101",
        "tab": "general",
        "mac": phone.mac,
        "which": "sip",
        "uidb64": "MQ",
        "token": "x" * 32,
        "name": "805ec0aabb01.cfg",
    }
    return clients, arguments


def url_of(name: str, arguments: dict[str, str]) -> str:
    """The address with the arguments that its pattern asks for."""
    if name == "provisioning_nothing":
        return "/p/"
    pattern = next(pattern for found, pattern in addresses() if found == name)
    needed = {key: value for key, value in arguments.items() if f":{key}>" in pattern}
    return reverse(name, kwargs=needed)


def verdict(response) -> str:
    """What an answer means for who asked."""
    target = response.headers.get("HX-Redirect") or response.headers.get("Location") or ""
    if target.partition("?")[0] == "/sign-in":
        return SIGN_IN
    return {403: REFUSED, 404: HIDDEN}.get(response.status_code, OPEN)


WAYS: dict[str, Callable[[Client, str], object]] = {
    "GET": lambda client, url: client.get(url),
    "POST": lambda client, url: client.post(url, {}),
    "htmx": lambda client, url: client.get(url, headers={"hx-request": "true"}),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", DOORS)
def test_who_gets_in(world, name, way):
    clients, arguments = world
    url = url_of(name, arguments)
    found = {}
    # Who signs out, or ends a session, does it last.
    for person, expected in zip(PEOPLE, DOORS[name], strict=True):
        response = WAYS[way](clients[person], url)
        assert response.status_code != 500
        if response.status_code == 405:
            continue  # the wrong method: nothing happened, whoever asked
        if name == "phone_command" and way == "POST" and expected == OPEN:
            assert response.status_code == 404, "an empty command is none"
            continue
        found[person] = (verdict(response), expected)
    assert {person: got for person, (got, expected) in found.items() if got != expected} == {}, url
