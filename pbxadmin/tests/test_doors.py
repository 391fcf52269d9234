"""Every address × every kind of person: who gets in, who is told no, for whom it doesn't exist. A new address needs an entry."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from asterisk.models import CallParty, CallRecord
from files.models import Upload
from phones.models import Sbc
from phones.tests import factories as phone_factories
from signin.tests.signing import sign_in_fully
from users.company.sheets import customer_sheet, department_sheet
from users.models import Department, Did, Job, Operation, SystemExtension
from users.people.sections import user_sheet
from users.tests.factories import make_staff, make_user
from voicemail.tests.sounds import make_greeting

pytestmark = pytest.mark.slow("every address for every kind of person")

OPEN, HIDDEN, REFUSED, SIGN_IN = "opens", "404", "403", "to the sign-in"

PEOPLE = [
    "stranger", "user", "soins_admin", "accueil_admin", "owner", "other_owner", "support",
    "manager", "read_only",
]  # fmt: skip
# Who gets what, in the order of PEOPLE. "support" is a technician, whose doors are a manager's as well, and as far as they only
# show something those of read-only support staff (`CHANGE`).
EVERYBODY = [OPEN] * 7
SIGNED_IN = [SIGN_IN, *[OPEN] * 6]
STAFF = [SIGN_IN, *[REFUSED] * 5, OPEN]
ADMINISTRATORS = [SIGN_IN, REFUSED, OPEN, OPEN, OPEN, HIDDEN, OPEN]
WHOLE_CUSTOMER = [SIGN_IN, REFUSED, REFUSED, REFUSED, OPEN, HIDDEN, OPEN]
STAFF_ONLY = [SIGN_IN, REFUSED, REFUSED, REFUSED, REFUSED, HIDDEN, OPEN]
# Reading, and writing.
LOOK_IN_SOINS = [SIGN_IN, REFUSED, OPEN, REFUSED, OPEN, HIDDEN, OPEN]
# The right people find nothing there: no link was made, no reset done.
NOTHING_OF_PERSON = [SIGN_IN, REFUSED, REFUSED, *[HIDDEN] * 4]
NOTHING_THERE = [SIGN_IN, REFUSED, *[HIDDEN] * 5]
STARTER = [SIGN_IN, REFUSED, HIDDEN, HIDDEN, OPEN, HIDDEN, OPEN]
SENDER = [SIGN_IN, REFUSED, HIDDEN, HIDDEN, OPEN, HIDDEN, HIDDEN]
NOT_SWITCHED_ON = [SIGN_IN, *[HIDDEN] * 6]
# One's own line: support staff have none.
OWN_LINE = [SIGN_IN, *[OPEN] * 5, REFUSED]
# What the company's people may hear and choose, on their own pages; and what isn't theirs to change.
OF_THE_COMPANY = [SIGN_IN, *[OPEN] * 4, HIDDEN, REFUSED]
NOT_ONES_OWN = [SIGN_IN, *[HIDDEN] * 5, REFUSED]
# About a plain user whose primary department is Accueil.
OF_PERSON = [SIGN_IN, REFUSED, REFUSED, OPEN, OPEN, HIDDEN, OPEN]

LIBRARY = (
    "page",
    "progress",
    "sound",
    "add",
    "by_phone",
    "hang_up",
    "put_away",
    "rename",
    "trim",
    "use",
    "share",
    "delete",
)

DOORS = {
    "home": SIGNED_IN,
    "healthz": EVERYBODY,
    "set_language": EVERYBODY,
    "set_theme": EVERYBODY,
    "set_density": EVERYBODY,
    "sign_in": EVERYBODY,
    "sign_in_company": EVERYBODY,
    "sign_in_at": EVERYBODY,
    "sso_start": EVERYBODY,  # without single sign-on it leads back to the company's sign-in page
    "sso_back": [SIGN_IN]
    * 7,  # an answer to nobody's question; signin.tests.test_single_sign_on has the others
    "forgot_password": EVERYBODY,
    "set_password": [HIDDEN] * 7,  # a dead link, whoever holds it; signin.tests.test_signin opens living ones
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
    "sso_link": SIGNED_IN,
    "sso_confirm": SIGNED_IN,
    "sso_unlink": SIGNED_IN,
    "customers": STAFF,
    "search_everywhere": STAFF,
    "customers_pick": STAFF,
    "customer_home": ADMINISTRATORS,
    "phone_system": ADMINISTRATORS,
    "users": ADMINISTRATORS,
    "users_columns": ADMINISTRATORS,
    "user_create": ADMINISTRATORS,
    "history": WHOLE_CUSTOMER,
    "operation": WHOLE_CUSTOMER,
    "record_history": WHOLE_CUSTOMER,
    "audit": STAFF,
    "audit_file": STAFF,
    "history_file": WHOLE_CUSTOMER,
    "user_tab": OF_PERSON,
    "user_delete": OF_PERSON,
    "user_history": OF_PERSON,
    "phones_state": OF_PERSON,
    "user_devices": OF_PERSON,
    "push_status": OF_PERSON,
    "phone_add": OF_PERSON,
    "phone_status": OF_PERSON,
    "phone_command": OF_PERSON,
    "phone_delete": OF_PERSON,
    "phone_move": OF_PERSON,
    "phone_logo": (NOTHING_OF_PERSON, OF_PERSON),  # the phone of the table has none
    "phone_file": OF_PERSON,
    "phone_settings": OF_PERSON,
    "phone_secret": OF_PERSON,
    "key_labels": OF_PERSON,
    # The tabs of a person, and what hangs on them.
    "user_status": OF_PERSON,
    "user_reset": OF_PERSON,
    "user_sign_in": OF_PERSON,
    "user_replace": OF_PERSON,
    "voicemail_pin": OF_PERSON,
    "voicemail_new_pin": OF_PERSON,
    "app_link": OF_PERSON,
    "rps_key": OF_PERSON,
    "app_link_qr": NOTHING_OF_PERSON,
    "visualiser_answer": OF_PERSON,
    # Many people at once: who may not act on a chosen one is told so on the page.
    "chosen_change_status": ADMINISTRATORS,
    "chosen_give_greeting": ADMINISTRATORS,
    "chosen_copy": ADMINISTRATORS,
    "chosen_delete": ADMINISTRATORS,
    "chosen_edit": ADMINISTRATORS,
    "chosen_look": ADMINISTRATORS,
    "chosen_move": ADMINISTRATORS,
    "chosen_no_second_factor": ADMINISTRATORS,
    "chosen_numbers": ADMINISTRATORS,
    "chosen_reprovision": ADMINISTRATORS,
    "chosen_reset": ADMINISTRATORS,
    "chosen_restart": ADMINISTRATORS,
    "chosen_second_factor": ADMINISTRATORS,
    "chosen_set": ADMINISTRATORS,
    "chosen_take_factor": ADMINISTRATORS,
    "chosen_welcome": ADMINISTRATORS,
    "reset_done": NOTHING_THERE,
    # Files: the pages show nothing of anybody, and a file holds whom its reader may open.
    "file_export": ADMINISTRATORS,
    "file_list": [SIGN_IN, REFUSED, HIDDEN, HIDDEN, OPEN, HIDDEN, OPEN],
    "file_columns": ADMINISTRATORS,
    "file_template": ADMINISTRATORS,
    # Long work: the job of the table was started by the owner.
    "job_list": ADMINISTRATORS,
    "job": STARTER,
    "job_cancel": STARTER,
    # Files: nobody reads what somebody else has sent, support neither.
    "files": ADMINISTRATORS,
    "file_send": ADMINISTRATORS,
    "file_upload": SENDER,
    "file_again": SENDER,
    "file_take": SENDER,
    "file_cancel": SENDER,
    "file_discard": SENDER,
    "file_departments": [SIGN_IN, REFUSED, REFUSED, REFUSED, OPEN, HIDDEN, HIDDEN],
    "file_refused": NOTHING_THERE,
    "own_jobs": SIGNED_IN,
    "bell": SIGNED_IN,
    "undo": OF_PERSON,
    # The customer as a whole.
    "destination_search": ADMINISTRATORS,
    "search": ADMINISTRATORS,
    "simulator": ADMINISTRATORS,
    "phones": ADMINISTRATORS,
    "phone_give": WHOLE_CUSTOMER,
    "roles": ADMINISTRATORS,
    "settings_start": ADMINISTRATORS,
    "department_list": ADMINISTRATORS,
    "department_tab": (LOOK_IN_SOINS, WHOLE_CUSTOMER),
    "department_new": WHOLE_CUSTOMER,
    "department_delete": WHOLE_CUSTOMER,
    "add_statutory_holidays": LOOK_IN_SOINS,
    "did_list": ADMINISTRATORS,
    "did_tab": (ADMINISTRATORS, WHOLE_CUSTOMER),
    "did_assign": ADMINISTRATORS,
    "did_new": STAFF_ONLY,
    "did_delete": STAFF_ONLY,
    "system_extension_list": ADMINISTRATORS,
    "system_extension_tab": (ADMINISTRATORS, WHOLE_CUSTOMER),
    "system_extension_new": WHOLE_CUSTOMER,
    "system_extension_delete": WHOLE_CUSTOMER,
    "customer_settings": (WHOLE_CUSTOMER, STAFF_ONLY),
    "sbc_list": WHOLE_CUSTOMER,
    "sbc_new": WHOLE_CUSTOMER,
    "sbc_tab": WHOLE_CUSTOMER,
    "sbc_delete": WHOLE_CUSTOMER,
    "customer_suspension": STAFF_ONLY,
    "customer_ownership": WHOLE_CUSTOMER,
    "customer_create": STAFF,
    "customer_proposal": STAFF,
    "customer_numbers": STAFF,
    "customer_created": STAFF,
    # One's own page: support staff have no extension.
    "own_destination_search": OWN_LINE,
    "own_status": OWN_LINE,
    "own_colleagues": OWN_LINE,
    # Of somebody in Accueil: not themselves, not somebody who doesn't see them, nobody of another company.
    "colleague_status": [SIGN_IN, HIDDEN, REFUSED, OPEN, OPEN, HIDDEN, REFUSED],
    "own_forwarding": OWN_LINE,
    # The call of the table is one of a plain user's in Accueil.
    "user_calls": OF_PERSON,
    "user_call": OF_PERSON,
    "own_calls": OWN_LINE,
    "own_call": [SIGN_IN, OPEN, *[HIDDEN] * 4, REFUSED],
    "colleague_calls": [SIGN_IN, HIDDEN, HIDDEN, OPEN, OPEN, HIDDEN, REFUSED],
    "colleague_call": [SIGN_IN, HIDDEN, HIDDEN, OPEN, OPEN, HIDDEN, REFUSED],
    "own_voicemail": OWN_LINE,
    "own_voicemail_pin": OWN_LINE,
    "own_voicemail_new_pin": OWN_LINE,
    # Greetings: the company's, where the address of the table names one.
    **dict.fromkeys(
        (
            "own_greetings_page",
            "own_greetings_progress",
            "own_greetings_add",
            "own_greetings_by_phone",
            "own_greetings_hang_up",
            "own_greetings_put_away",
        ),
        OWN_LINE,
    ),
    **dict.fromkeys(("own_greetings_sound", "own_greetings_use"), OF_THE_COMPANY),
    **dict.fromkeys(("own_greetings_rename", "own_greetings_trim", "own_greetings_delete"), NOT_ONES_OWN),
    **dict.fromkeys((f"greetings_{page}" for page in LIBRARY), OF_PERSON),
    **dict.fromkeys((f"company_greetings_{page}" for page in ("page", "progress", "sound")), ADMINISTRATORS),
    **dict.fromkeys(
        (
            f"company_greetings_{page}"
            for page in ("add", "by_phone", "hang_up", "put_away", "rename", "trim", "delete")
        ),
        WHOLE_CUSTOMER,
    ),
    "own_app": [SIGN_IN, *[OPEN] * 5, HIDDEN],
    "own_app_qr": NOT_SWITCHED_ON,
    "own_visitors": NOT_SWITCHED_ON,
    "own_meeting": NOT_SWITCHED_ON,
    "own_visitor": SIGNED_IN,  # POST only: says that nobody waits, and leads back
    # What the public reaches: switched off, or a wrong token, it isn't there.
    "app_config": [HIDDEN] * 7,
    "app_config_nothing": [HIDDEN] * 7,
    "talk": [HIDDEN] * 7,
    "meet": [HIDDEN] * 7,
    "meet_waiting": [HIDDEN] * 7,
    "redirection": [HIDDEN] * 7,
    "redirection_nothing": [HIDDEN] * 7,
    # What a phone fetches: a wrong token is a 404 for everybody alike; `phones.serving.tests.test_strangers` holds the rest.
    "provisioning": [HIDDEN] * 7,
    "provisioning_nothing": [HIDDEN] * 7,
    # What a node of the phone system asks: without its token nothing is there; `asterisk.tests.test_asked` holds the rest.
    "node_call": [HIDDEN] * 7,
    "node_call_in": [HIDDEN] * 7,
    "node_call_sip": [HIDDEN] * 7,
    "node_code": [HIDDEN] * 7,
    "node_nothing": [HIDDEN] * 7,
    "node_pin": [HIDDEN] * 7,
    "node_realtime": [HIDDEN] * 7,
    "node_sound": [HIDDEN] * 7,
}

# What read-only support staff are refused: pages that are there to change something, and others when something is sent to them.
CHANGE = {
    "app_link_qr", "chosen_change_status", "chosen_copy", "chosen_delete", "chosen_edit", "chosen_give_greeting", "chosen_move",
    "chosen_no_second_factor", "chosen_numbers", "chosen_reprovision", "chosen_reset", "chosen_restart",
    "chosen_second_factor", "chosen_take_factor", "chosen_welcome", "customer_create", "customer_created", "customer_numbers", "customer_proposal",
    "customer_suspension", "customer_ownership", "department_delete",
    "department_new", "did_delete", "did_new", "phone_add", "phone_delete", "phone_give", "sbc_delete", "sbc_new",
    "system_extension_delete", "system_extension_new", "undo", "user_create", "user_delete", "user_replace",
    "user_reset", "greetings_delete", "company_greetings_delete",
}  # fmt: skip
CHANGE_BY_POST = {
    *(f"greetings_{page}" for page in ("add", "by_phone", "hang_up", "put_away", "rename", "trim", "use", "share")),
    *(f"company_greetings_{page}" for page in ("add", "by_phone", "hang_up", "put_away", "rename", "trim")),
    "add_statutory_holidays", "app_link", "customer_settings", "department_tab", "did_tab", "file_again",
    "file_cancel", "file_departments", "file_discard", "file_send", "file_take", "job_cancel", "phone_command",
    "phone_logo", "phone_move", "phone_secret", "rps_key", "sbc_tab", "system_extension_tab", "user_status",
    "user_tab", "voicemail_new_pin", "voicemail_pin",
}  # fmt: skip


def of_all_levels(name: str, row: list[str], way: str) -> list[str]:
    """A row of the table with those of the support who aren't technicians."""
    refused = name in CHANGE or (way == "POST" and name in CHANGE_BY_POST)
    return [*row, row[-1], REFUSED if refused else row[-1]]


BARE = {
    "provisioning_nothing": "/p/",
    "app_config_nothing": "/app/",
    "redirection_nothing": "/r/",
    "node_nothing": "/n/",
}
# What nodes name in their questions.
OF_NODES = {
    "fqdn": "boreale.example.com", "extension": "101", "dialled": "102", "call": "1", "trunk": "1", "number": "-", "did": "1",
    "sip_id": "amelie", "table": "ps_auths", "how": "single",
}  # fmt: skip
# The tab that stands for all tabs of an address: they go through one view.
FIRST_TABS: dict[str, str] = {"customer_settings": "contract"}


def addresses() -> Iterator[tuple[str, str]]:
    """Name and pattern of every address of ours."""

    def walk(resolver: URLResolver, before: str) -> Iterator[tuple[str, str]]:
        for entry in resolver.url_patterns:
            if isinstance(entry, URLResolver):
                if (
                    entry.app_name != "admin"
                ):  # Django admin has one door for all its pages: support/tests/test_admin.py
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
        "manager": make_staff("chef@tic.example", staff_level="manager"),
        "read_only": make_staff("lecture@tic.example", staff_level="read_only"),
    }
    stock = phone_factories.make_phone(boreale, None, "805ec0aabb02")
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
        "key": "x" * 32,
        "uidb64": "MQ",
        "token": "x" * 32,
        "name": "805ec0aabb01.cfg",
        "provider": "microsoft",
        "format": "3cx",
        "subject": "departments",
        "table": "department",
        "kind": "csv",
    }
    soins = Department.objects.of(boreale).get(name="Soins").pk
    group = SystemExtension.objects.create(
        customer=boreale, number="180", name="Groupe", kind="ring_group"
    ).pk
    site = Sbc.objects.create(customer=boreale, name="Rive-Sud", address="192.168.1.20").pk
    number = Did.objects.of(boreale).first().pk
    companys = make_greeting(boreale).pk
    operation = Operation.objects.filter(customer=boreale).latest("pk").pk
    call = CallRecord.objects.create(
        customer=boreale, unique_id="pbx/1", at=timezone.now(), from_extension="101", dialled="102"
    )
    CallParty.objects.create(user=accueil_user, call=call, at=call.at, calling=True)
    things = {
        **dict.fromkeys(("user_call", "own_call", "colleague_call"), call.pk),
        "greetings": make_greeting(boreale, accueil_user).pk,
        "company_greetings": companys,
        "own_greetings": companys,
        "department": soins,
        "record_history": soins,
        "did": number,
        "system_extension": group,
        "sbc": site,
        "add_statutory_holidays": soins,
        "job": Job.objects.create(
            customer=boreale, kind="welcome", starter=people["owner"], keys=[accueil_user.pk], total=1
        ).pk,
        "file": Upload.objects.create(
            customer=boreale,
            starter=people["owner"],
            subject="users",
            name="liste.csv",
            size=0,
            language="en",
        ).pk,
    }
    return clients, arguments, {"things": things, "operation": operation, "stock": stock.mac}


def url_of(name: str, arguments: dict[str, str], more: dict[str, Any]) -> str:
    """The address with the arguments that its pattern asks for."""
    if name in BARE:
        return BARE[name]
    thing = next((pk for kind, pk in more["things"].items() if name.startswith(kind)), 1)
    arguments = arguments | {"pk": thing, "operation": more["operation"]}
    if name == "phone_give":
        arguments["mac"] = more["stock"]
    if name != "redirection":
        arguments["key"] = thing
    if (name.endswith("_tab") and name != "user_tab") or name == "customer_settings":
        arguments["tab"] = FIRST_TABS.get(name, "general")
    pattern = next(pattern for found, pattern in addresses() if found == name)
    known = {"name": "x", **OF_NODES, **arguments} if name.startswith("node_") else arguments
    needed = {key: value for key, value in known.items() if f":{key}>" in pattern}
    return reverse(name, kwargs=needed)


def addresses_of(name: str, arguments: dict[str, str], more: dict[str, Any]) -> list[str]:
    """An address with each of its tabs."""
    url = url_of(name, arguments, more)
    for tabs, sheet in (
        ("user_tab", user_sheet),
        ("department_tab", department_sheet),
        ("customer_settings", customer_sheet),
    ):
        if name == tabs:
            every = [url.rpartition("/")[0] + f"/{section.slug}" for section in sheet().sections]
            return [url, *(other for other in every if other != url)]
    return [url]


def verdict(response) -> str:
    """What an answer means for who asked."""
    target = response.headers.get("HX-Redirect") or response.headers.get("Location") or ""
    if target.partition("?")[0] == "/sign-in":
        return SIGN_IN
    return {403: REFUSED, 404: HIDDEN}.get(response.status_code, OPEN)


WAYS: dict[str, Callable[[Client, str], Any]] = {
    "GET": lambda client, url: client.get(url),
    "POST": lambda client, url: client.post(url, {"year": "2027"} if "holidays" in url else {}),
    "htmx": lambda client, url: client.get(url, headers={"hx-request": "true"}),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("part", range(3))
def test_who_gets_in_and_that_looking_writes_nothing(world, way, part):
    """The whole table in one world; what a POST does is rolled back, so that each address meets the same world."""
    clients, arguments, more = world
    cookies = {person: client.cookies.copy() for person, client in clients.items()}
    wrong = {}
    for name in list(DOORS)[part::3]:
        with transaction.atomic():
            found = verdicts(clients, way, name, addresses_of(name, arguments, more))
            transaction.set_rollback(True)
        for person, client in clients.items():
            client.cookies = cookies[person].copy()
        if found:
            wrong[name] = found
    assert wrong == {}


def verdicts(
    clients: dict[str, Client], way: str, name: str, urls: list[str]
) -> dict[str, tuple[str, object]]:
    """Who got something else than the table says, and what; or what somebody wrote who only looked."""
    row: Any = DOORS[name]
    if isinstance(row, tuple):
        row = row[1] if way == "POST" else row[0]
    row = of_all_levels(name, row, way)
    wrong: dict[str, tuple[str, object]] = {}
    met = set()
    for person, expected in zip(PEOPLE, row, strict=True):
        # With htmx an answer is put otherwise, but nobody else gets in: one person of each verdict will do.
        if way == "htmx" and expected in met:
            continue
        met.add(expected)
        for url in urls if expected == OPEN and person in LOOKING_AT_ALL_TABS and way == "GET" else urls[:1]:
            with CaptureQueriesContext(connection) as queries:
                response = WAYS[way](clients[person], url)
                if way == "GET" and expected == OPEN and person in LOOKING_AT_ALL_TABS:
                    clients[person].head(url)
            if response.status_code == 405:
                continue  # the wrong method: nothing happened, whoever asked
            if name == "phone_command" and way == "POST" and expected == OPEN:
                expected = HIDDEN  # an empty command is none
            got = "500" if response.status_code == 500 else verdict(response)
            # Not every tab of a sheet has a page at every customer.
            if got != expected and (url == urls[0] or got != HIDDEN):
                wrong[person] = (got, expected)
            if way != "POST" and (statements := written(queries)):
                wrong[person] = (url, statements)
    return wrong


LOOKING_AT_ALL_TABS = ("owner", "support", "read_only")


def written(queries: CaptureQueriesContext) -> list[str]:
    """The beginnings of the statements that wrote something else than the session."""
    return [
        query["sql"][:60]
        for query in queries
        if query["sql"].lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))
        and "django_session" not in query["sql"]
    ]
