"""Where phones stand: SBCs, the list of all phones, and what a change of a department or customer does to its phones."""

from copy import copy
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from django.urls import reverse
from django.utils import timezone

from phones import selectors
from phones.models import UNDER_WAY, Phone, Sbc
from phones.settings.sections import phone_sheet
from phones.sites.overview import AWAY, STATES, counted, doing
from phones.sites.sections import sbc_sheet
from signin.tests.signing import sign_in_fully
from users import road
from users.company.sheets import customer_sheet, department_sheet
from users.models import Change, Customer, Department, User
from users.tests.factories import FACTS, make_user

pytestmark = pytest.mark.slow("pages of many phones")


def write(actor, customer, sheet, key, **values):
    """Plan and apply one row; the planned row, refused or written."""
    plan = road.plan(actor, customer, sheet, [road.Row(key, values)])
    if not plan.refused:
        road.apply(plan, FACTS)
    return plan.rows[0]


def make_phone(actor, customer, user=None, mac="805ec0000001", **settings):
    """A phone of a person, or in stock, made by the road; it has fetched its file."""
    values = {"mac": mac, "model": "yealink-t54w", "user": user.pk if user else None, **settings}
    row = write(actor, customer, phone_sheet(), None, **values)
    assert row.outcome == "new", row.errors
    Phone.objects.filter(pk=row.key).update(fetched_at=timezone.now(), stale_since=None)
    return Phone.objects.get(pk=row.key)


@pytest.fixture
def site(boreale, staff):
    """The SBC of a site."""
    return write(
        staff, boreale, sbc_sheet(), None, name="Rive-Sud", address="192.168.1.20", port="5060"
    ).record


def is_behind(phone):
    """Whether the phone was told to load its file anew."""
    phone.refresh_from_db()
    return phone.stale_since is not None


def test_an_sbc_is_created_changed_and_deleted_with_its_history(client, boreale, felix):
    sign_in_fully(client, felix)
    client.post(
        reverse("sbc_new", args=["boreale"]),
        {"name": "Rive-Sud", "kind": "sbc", "address": "192.168.1.20", "port": "5060"},
    )
    made = Sbc.objects.get()
    address = reverse("sbc_tab", args=["boreale", made.pk, "general"])
    assert client.get(address).status_code == 200
    client.post(
        address,
        {"name": "Rive-Sud", "kind": "router", "address": "192.168.1.21", "port": "5060", "seen": "1"},
    )
    made.refresh_from_db()
    assert (made.kind, made.address, made.version) == ("router", "192.168.1.21", 2)
    assert (
        client.post(reverse("sbc_delete", args=["boreale", made.pk]), {"confirm": "Rive-Sud"}).status_code
        == 302
    )
    assert list(Change.objects.filter(model="phones.sbc").order_by("id").values_list("kind", flat=True)) == [
        "create",
        "edit",
        "delete",
    ]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "127.0.0.1",
        "::1",
        "0.0.0.0",
        "224.0.0.1",
        "169.254.169.254",
        "2130706433",
        "0x7f.1",
        "127.1",
        "017700000001",
        "10.0.0.1.",
        "::ffff:127.0.0.1",
        "::ffff:192.168.1.20",
        "::127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "fe80::1%eth0",
        "fd20:ce::254",
        "100.100.100.200",
        "255.255.255.255",
        "0.0.0.1",
        "localhost",
        "localhost.",
        "sbc.example.com",
    ],
)
def test_an_address_that_no_phone_reaches_is_refused(boreale, staff, address):
    assert (
        "address"
        in write(staff, boreale, sbc_sheet(), None, name="Site", address=address, port="5060").errors
    )


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x", ""])
def test_a_port_is_one(boreale, staff, port):
    assert (
        "port" in write(staff, boreale, sbc_sheet(), None, name="Site", address="10.0.0.1", port=port).errors
    )


def test_names_are_there_once_and_another_customers_sbc_does_not_exist(
    client, boreale, laurier, staff, felix, site
):
    assert (
        "name"
        in write(staff, boreale, sbc_sheet(), None, name="RIVE-SUD", address="10.0.0.1", port="5060").errors
    )
    theirs = write(staff, laurier, sbc_sheet(), None, name="Rive-Sud", address="10.0.0.1", port="5060").record
    sign_in_fully(client, felix)
    assert client.get(reverse("sbc_tab", args=["boreale", theirs.pk, "general"])).status_code == 404
    assert client.get(reverse("sbc_list", args=["laurier"])).status_code == 404
    assert write(felix, boreale, sbc_sheet(), theirs.pk, name="Autre").refusal


@pytest.mark.parametrize("role", ["users", "group_admins", "managers", "group_owners"])
def test_sbcs_are_for_who_acts_on_the_whole_customer(client, boreale, site, role):
    actor = make_user(boreale, "180", role=role)
    sign_in_fully(client, actor)
    for name, keys in (
        ("sbc_list", []),
        ("sbc_new", []),
        ("sbc_tab", [site.pk, "general"]),
        ("sbc_delete", [site.pk]),
    ):
        assert client.get(reverse(name, args=["boreale", *keys])).status_code == 403
        assert client.post(reverse(name, args=["boreale", *keys])).status_code in (403, 405)


def test_an_sbc_with_phones_behind_it_stays_and_says_which(client, boreale, staff, amelie, site):
    make_phone(staff, boreale, amelie, connection="sbc", sbc=site.pk)
    removal = road.plan_removal(staff, boreale, sbc_sheet(), [site.pk])
    assert "80:5E:C0:00:00:01 (101 Amélie Tremblay)" in removal.refusals[site.pk]
    with pytest.raises(road.RefusedError):
        road.remove(removal, FACTS)
    sign_in_fully(client, staff)
    assert (
        client.post(reverse("sbc_delete", args=["boreale", site.pk]), {"confirm": "Rive-Sud"}).status_code
        == 422
    )
    assert Sbc.objects.filter(pk=site.pk).exists()


def test_the_phones_behind_a_moved_sbc_load_their_file_anew(boreale, staff, amelie, site):
    behind, beside = (
        make_phone(staff, boreale, amelie, connection="sbc", sbc=site.pk),
        make_phone(staff, boreale, amelie, "805ec0000002"),
    )
    row = write(staff, boreale, sbc_sheet(), site.pk, address="192.168.1.22")
    assert "1" in row.warnings[""][0]
    assert is_behind(behind)
    assert not is_behind(beside)
    Phone.objects.update(stale_since=None)
    write(staff, boreale, sbc_sheet(), site.pk, name="Autre nom")
    assert not is_behind(behind)


@pytest.mark.parametrize(
    ("column", "value", "reloads"),
    [
        ("language", "en", True),
        ("time_zone", "America/Vancouver", True),
        ("name", "Soins 2", False),
        ("talk_name", "soins", False),
    ],
)
def test_what_a_department_changes_reaches_the_phones_of_its_people(
    boreale, staff, amelie, column, value, reloads
):
    inside = make_phone(staff, boreale, make_user(boreale, "120", department="Soins"))
    outside = make_phone(staff, boreale, amelie, "805ec0000002")
    row = write(
        staff,
        boreale,
        department_sheet(),
        Department.objects.of(boreale).get(name="Soins").pk,
        **{column: value},
    )
    assert is_behind(inside) == reloads
    assert not is_behind(outside)
    assert bool(row.warnings.get("")) == reloads


def test_a_time_zone_that_phones_do_not_know_is_refused_and_names_them(boreale, staff, monkeypatch):
    """A make of phone that knows fewer zones than the portal offers."""
    phone = make_phone(staff, boreale, make_user(boreale, "120", department="Soins"))
    model = selectors.model_of(phone)
    poorer = replace(model, offers=replace(model.offers, time_zone=("America/Toronto",)))
    monkeypatch.setattr(selectors, "model_of", lambda phone: poorer)
    key = Department.objects.of(boreale).get(name="Soins").pk
    row = write(staff, boreale, department_sheet(), key, time_zone="America/Regina")
    assert "80:5E:C0:00:00:01" in row.errors["time_zone"][0]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Nowhere", "../etc/passwd"])
def test_a_department_takes_no_zone_that_phones_cannot_be_given(boreale, staff, zone):
    key = Department.objects.of(boreale).get(name="Soins").pk
    assert write(staff, boreale, department_sheet(), key, time_zone=zone).errors["time_zone"]


def test_a_new_host_name_reaches_every_phone_of_the_customer_and_says_so(boreale, laurier, staff, amelie):
    phone = make_phone(staff, boreale, amelie)
    other = make_phone(staff, laurier, make_user(laurier, "201"), "805ec0000002")
    row = write(staff, boreale, customer_sheet(), boreale.pk, fqdn="clinique.example.com")
    assert row.warnings[""]
    assert is_behind(phone)
    assert not is_behind(other)


# --- All phones of a customer -------------------------------------------------------------------------------------
@pytest.fixture
def phones(boreale, staff, amelie, ines):
    """One phone in each state: {state: phone}."""
    now = timezone.now()
    found = {"current": make_phone(staff, boreale, amelie, "805ec0000001")}
    found["waiting"] = make_phone(staff, boreale, amelie, "805ec0000002")
    found["silent"] = make_phone(staff, boreale, ines, "805ec0000003")
    found["never"] = make_phone(staff, boreale, ines, "805ec0000004")
    found["stock"] = make_phone(staff, boreale, None, "805ec0000005")
    Phone.objects.filter(pk=found["waiting"].pk).update(stale_since=now)
    Phone.objects.filter(pk=found["silent"].pk).update(
        stale_since=now, attempts=2, notified_at=now - timedelta(hours=1), outcome="silent"
    )
    Phone.objects.filter(pk=found["never"].pk).update(fetched_at=None)
    return found


def macs(answer):
    return {row.phone.mac for row in answer.context["rows"]}


def test_the_list_shows_all_phones_and_narrows_by_state(client, boreale, felix, phones):
    sign_in_fully(client, felix)
    address = reverse("phones", args=["boreale"])
    assert macs(client.get(address)) == {phone.mac for phone in phones.values()}
    for state, phone in phones.items():
        assert macs(client.get(address, {"state": state})) == {phone.mac}, state
    assert macs(client.get(address, {"state": "nonsense"})) == set(), (
        "what isn't there isn't taken for no question"
    )


def test_every_phone_is_in_one_state_the_same_that_its_own_page_says(client, boreale, felix, phones):
    sign_in_fully(client, felix)
    tones = {"silent": "bad", "waiting": "wait", "current": "ok", "stock": "off", "never": "wait"}
    for state, tone in tones.items():
        rows = client.get(reverse("phones", args=["boreale"]), {"state": state}).context["rows"]
        assert [row.state.tone for row in rows] == [tone], state


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("80:5E:C0:00:00:03", {"silent"}), ("0000 04", {"never"}), ("103", {"silent", "never"}), ("inès", {"silent", "never"}),
        ("Tremblay", {"current", "waiting"}), ("t54w", {"current", "waiting", "silent", "never", "stock"}), ("zzz", set()), ("\0'%", set()),
    ],
)  # fmt: skip
def test_phones_are_found_by_mac_extension_name_and_model(client, boreale, felix, phones, text, states):
    sign_in_fully(client, felix)
    assert macs(client.get(reverse("phones", args=["boreale"]), {"q": text})) == {
        phones[state].mac for state in states
    }


def test_an_administrator_of_departments_sees_his_peoples_phones_and_not_the_stock(
    client, boreale, ines, phones
):
    sign_in_fully(client, ines)
    assert macs(client.get(reverse("phones", args=["boreale"]))) == {
        phones["silent"].mac,
        phones["never"].mac,
    }


def test_the_list_of_phones_holds_no_secret_and_costs_the_same_for_many(
    client, boreale, staff, felix, amelie, django_assert_max_num_queries
):
    sign_in_fully(client, felix)
    for number in range(20):
        make_phone(staff, boreale, amelie, f"805ec00001{number:02}")
    with django_assert_max_num_queries(10):
        text = client.get(reverse("phones", args=["boreale"])).content.decode()
    for phone in Phone.objects.all():
        assert phone.token not in text
        assert phone.web_password not in text


@pytest.mark.parametrize("role", ["users", "receptionists"])
def test_who_administers_nobody_does_not_see_the_list(client, boreale, role):
    sign_in_fully(client, make_user(boreale, "180", role=role))
    assert client.get(reverse("phones", args=["boreale"])).status_code == 403


def test_phones_are_found_by_the_site_behind_which_they_stand(client, boreale, felix, phones, site):
    sign_in_fully(client, felix)
    Phone.objects.filter(mac="805ec0000001").update(sbc=site)

    def found(text):
        return macs(client.get(reverse("phones", args=["boreale"]), {"q": text}))

    assert found(site.name.upper()) == {"805ec0000001"}
    assert found("’") == found("nowhere at all") == set()


# --- At the support desk ------------------------------------------------------------------------------------------
def test_support_finds_the_silent_phones_of_all_customers_and_fills_the_stock(
    client, boreale, laurier, staff, phones
):
    sign_in_fully(client, staff)
    answer = client.get(reverse("admin:phones_phone_changelist"), {"state": "silent"})
    text = answer.content.decode()
    assert "80:5E:C0:00:00:03" in text
    assert "80:5E:C0:00:00:01" not in text
    address = f"{reverse('admin:phones_phone_add')}?customer=laurier"
    assert client.post(address, {"mac": "80:5E:C0:00:00:77", "model": "yealink-t54w"}).status_code == 302
    made = Phone.objects.get(mac="805ec0000077")
    assert (made.customer, made.user) == (laurier, None)
    assert Change.objects.get(model="phones.phone", object_pk=made.pk).operation.source == "admin"
    assert client.post(address, {"mac": "80:5E:C0:00:00:77", "model": "yealink-t54w"}).status_code == 422
    change = reverse("admin:phones_phone_change", args=[made.pk])
    shown = client.get(change).content.decode()
    assert made.token not in shown
    assert made.web_password not in shown
    assert client.post(change, {"user": "1"}).status_code == 403, "its settings are the portal's"
    assert (
        client.post(reverse("admin:phones_phone_delete", args=[made.pk]), {"confirmed": "yes"}).status_code
        == 302
    )
    assert not Phone.objects.filter(pk=made.pk).exists()


def test_support_writes_sbcs_by_the_road(client, boreale, staff, site):
    sign_in_fully(client, staff)
    address = reverse("admin:phones_sbc_change", args=[site.pk])
    values = {"name": "Rive-Nord", "kind": "sbc", "address": "192.168.1.20", "port": "5060", "seen": "1"}
    assert client.post(address, values | {"address": "127.0.0.1"}).status_code == 422
    assert client.post(address, values).status_code == 302
    assert Change.objects.get(model="phones.sbc", kind="edit").operation.source == "admin"


# --- What the database counts is what a page says ----------------------------------------------------------------
SAID_AS = {
    "unassigned": "stock", "disabled": "off", "never": "never", "waiting": "waiting", "notified": "waiting", "silent": "silent",
    "up_to_date": "current",
}  # fmt: skip
AGES = (timedelta(seconds=5), timedelta(minutes=3), timedelta(hours=1))


def every_condition(now):
    """The columns that say how a phone is doing, in every combination that there may be."""
    outcomes = ("", *Phone.Outcome.values)
    for fetched, command, stale, outcome in product(
        (None, AGES[2]), (None, AGES[0]), (None, AGES[1]), outcomes
    ):
        for attempts, notified, told in product((0, 1), (None, *AGES[:2]), ("", "resync", "restart")):
            yield {
                "fetched_at": now - fetched if fetched else None,
                "command_at": now - command if command else None,
                "stale_since": now - stale if stale else None,
                "outcome": outcome,
                "attempts": attempts,
                "notified_at": now - notified if notified else None,
                "notified_command": told,
            }


def test_the_list_is_narrowed_to_what_each_phone_says_of_itself_in_every_condition(boreale, staff, amelie):
    now = timezone.now()
    sample = make_phone(staff, boreale, amelie)
    conditions = list(every_condition(now))
    Phone.objects.all().delete()
    for number, facts in enumerate(conditions):
        for name, value in facts.items():
            setattr(sample, name, value)
        sample.pk, sample.mac, sample.token_hash = None, f"{number:012x}", f"{number:064x}"
        sample.previous_token_hash = ""
        conditions[number] = copy(sample)
    Phone.objects.bulk_create(conditions)
    seen, wrong = 0, []
    for phone in selectors.light(Phone.objects.all()).annotate(found=doing(now)):
        seen += 1
        if SAID_AS[(said := selectors.state(phone, now)).kind] != phone.found:
            wrong.append((said, phone.found))
    assert wrong == []
    assert seen == len(conditions) > 800
    # What is asked first, to spare the database the rest, leaves none of them out.
    at_rest = Phone.objects.exclude(pk__in=Phone.objects.filter(UNDER_WAY).values("pk"))
    assert {phone.found for phone in at_rest.annotate(found=doing(now))} == {"never", "current"}


@pytest.mark.parametrize("off", ["person", "customer"])
def test_a_phone_that_is_not_served_is_counted_as_nothing_else(client, boreale, staff, felix, phones, off):
    if off == "person":
        User.objects.filter(number="101").update(disabled=True)
    else:
        Customer.objects.filter(pk=boreale.pk).update(suspended=True)
    everything = Phone.objects.filter(customer=boreale)
    counts = counted(everything, timezone.now())
    assert counts["off"] == (2 if off == "person" else 4)
    assert sum(counts[state] for state in STATES) == everything.count()
    assert counts[AWAY] == 0


def test_each_number_of_the_home_page_leads_to_what_it_counts(client, boreale, felix, phones):
    sign_in_fully(client, felix)
    User.objects.filter(number="103").update(disabled=True)
    home = client.get(reverse("customer_home", args=["boreale"]))
    assert len(home.context["tiles"]) == 5
    for tile in home.context["tiles"]:
        assert f'href="{tile.url}"' in home.content.decode()
        assert client.get(tile.url).context["count"] == tile.count, tile.text


def test_suspending_promises_no_phone_a_new_configuration_and_lifting_it_does(boreale, staff, felix, phones):
    def said(**values):
        return [
            str(text)
            for texts in write(staff, boreale, customer_sheet(), boreale.pk, **values).warnings.values()
            for text in texts
        ]

    assert said(suspended=True, suspended_reason="Factures impayées") == []
    in_use = list(selectors.light(Phone.objects.filter(user__isnull=False)))
    assert {selectors.state(phone).tone for phone in in_use} == {"off"}
    assert "entreprise est suspendue" in selectors.state(in_use[0]).sentence
    assert len(said(suspended=False)) == 1
