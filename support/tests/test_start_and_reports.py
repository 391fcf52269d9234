"""The desk's first page and its reports: what they tell of each customer, and that many customers cost what few do."""

import csv
import io
import zipfile
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from asterisk.models import Node, Trunk
from asterisk.trunks import states
from forwarding import outside
from forwarding.models import ForwardingRule
from pbxadmin.common.values.numbers import Line, place_of
from phones.models import UNDER_WAY, Phone
from phones.tests.factories import change, make_phone
from signin import blocked, lockout
from signin.credentials import account_key
from signin.models import SignInAttempt, TotpDevice
from signin.tests.signing import sign_in_fully
from support.reports import REPORTS
from users.models import Customer, Department, Did, Operation, User

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow("the desk's start page and reports"),
    pytest.mark.both_databases("windows, unions and the text of the history's JSON"),
]

ABROAD = "+33142685300"


@pytest.fixture
def desk(client, staff):
    return sign_in_fully(client, staff)


def need(desk, slug):
    found = {each.slug: each for each in desk.get("/support/").context["needs"]}
    return found[slug]


def lines(desk, slug, query=""):
    """The texts of a report's lines."""
    answer = desk.get(f"/support/reports/{slug}/{query}")
    assert answer.status_code == 200
    return [[cell.text for cell in line] for line in answer.context["lines"]]


def many_more(count=20):
    """So many customers with somebody of each kind that the pages speak of, straight into the tables."""
    now = timezone.now()
    made = Customer.objects.bulk_create(
        Customer(
            name=f"Client {n}",
            slug=f"client-{n}",
            fqdn=f"c{n}.example",
            included_extensions=1,
            suspended=n % 5 == 0,
        )
        for n in range(count)
    )
    places = Department.objects.bulk_create(Department(customer=each, name="Tous") for each in made)
    people = User.objects.bulk_create(
        User(customer=place.customer, number="101", first_name="Zoé", last_name="Roy", primary_department=place, sip_auth_id="x",
             sip_password="x", mobile="+15145550188", search_text="101 zoe roy")
        for place in places
    )  # fmt: skip
    ForwardingRule.objects.bulk_create(
        ForwardingRule(user=person, status="away", divert_external=f"external:{ABROAD}") for person in people
    )
    Phone.objects.bulk_create(
        Phone(customer=person.customer, user=person, mac=f"805ec2{n:06x}", model="yealink-t54w", web_password="x", token="x",
              token_hash=f"{n}", fetched_at=now - timedelta(days=n), fetched_from="192.0.2.1", stale_since=now - timedelta(hours=1),
              attempts=n % 2, notified_at=now - timedelta(minutes=30), outcome="silent")
        for n, person in enumerate(people)
    )  # fmt: skip
    for person in people:
        change_of(person)


def silent_phone_system(customer, count=5):
    """So many nodes without a link, and so many SIP trunks that don't answer at the one that has one."""
    now = timezone.now()
    for n in range(count):
        Node.objects.create(
            name=f"noeud-{n}", host="10.0.0.5", token_hash=f"{n}", trouble="refused" * (n % 2)
        )
    there = Node.objects.create(
        name="present", host="10.0.0.6", token_hash="x", connected_at=now, heard_at=now
    )
    for n in range(count):
        whose = customer if n % 2 else None
        trunk = Trunk.objects.create(name=f"Liaison {n}", host=f"sip{n}.example.com", customer=whose)
        states.tell(there, {trunk.pk: (False, "408")}, now)
    Trunk.objects.create(name="Liaison hors service", host="sip.example.com", enabled=False)


def change_of(person):
    """What the history says of somebody's forwarding."""
    operation = Operation.objects.create(
        kind="edit", customer=person.customer, actor_name="Félix Gagnon", source="portal"
    )
    operation.changes.create(
        model="users.user", object_pk=person.pk, object_name=str(person), subject_pk=person.pk, kind="edit",
        cells=[{"column": "away.divert_external", "old": "voicemail", "new": f"external:{ABROAD}"}],
    )  # fmt: skip


# --- What is counted ----------------------------------------------------------------------------------------------
def test_every_page_asks_as_much_for_many_customers_as_for_few_and_eight_times_at_most(desk, boreale, amelie):
    make_phone(boreale, amelie)
    silent_phone_system(boreale)
    addresses = [
        "/support/",
        "/support/asterisk/trunk/",
        "/support/asterisk/node/",
        *(f"/support/reports/{slug}/" for slug in REPORTS),
    ]
    addresses += [
        "/support/reports/outside/?new=1",
        "/support/reports/phones/?long=1",
        "/support/reports/phones/?presence=away",
    ]
    many_more(6)

    def asked(address):
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(address).status_code == 200
        return len(queries)

    [asked(address) for address in addresses]
    few = {address: asked(address) for address in addresses}
    Phone.objects.filter(mac__startswith="805ec2").delete()
    for n, customer in enumerate(Customer.objects.filter(slug__startswith="client-")):
        Customer.objects.filter(pk=customer.pk).update(slug=f"before-{n}", fqdn=f"b{n}.example")
    many_more(20)
    assert {address: asked(address) for address in addresses} == few
    assert max(few.values()) <= 8, few


def test_each_number_of_the_first_page_leads_to_what_it_counts(desk, boreale, amelie, laurier):
    many_more(7)
    silent_phone_system(boreale)
    for _try in range(lockout.SIGN_IN.pair):
        Client().post("/sign-in", {"login": amelie.login, "password": "faux"})
    page = desk.get("/support/")
    for each in page.context["needs"]:
        assert each.count, each.slug
        answer = desk.get(each.url)
        assert answer.status_code == 200
        counted = answer.context["cl"].result_count if "cl" in answer.context else answer.context["count"]
        assert counted == each.count, each.slug
        assert len(each.examples) == min(3, each.count), each.slug
        for example in each.examples:
            assert example.customer.startswith(
                ("Client", "Clinique", "Librairie", "noeud-", "Tous les clients")
            )
            assert desk.get(example.url).status_code == 200
        assert each.url.replace("&", "&amp;") in page.content.decode()


def test_nothing_that_is_well_is_alarming(desk, boreale, amelie):
    for each in desk.get("/support/").context["needs"]:
        assert each.count == 0, each.slug
        assert each.tone == "ok"
        assert not each.examples


def test_the_latest_changes_of_all_customers_stand_on_the_first_page_without_their_values(
    desk, boreale, amelie, laurier
):
    change(amelie, last_name="Bouchard-Lavoie")
    change(amelie, mobile="+15145550142")
    text = desk.get("/support/").content.decode()
    assert "Clinique Boréale" in text
    assert text.index("Mobile de 101 Amélie") < text.index("Nom de 101 Amélie"), "the last one comes first"


# --- Phones -------------------------------------------------------------------------------------------------------
def test_phones_are_told_apart_by_what_is_the_matter(desk, boreale, amelie, felix):
    now = timezone.now()
    current = {"fetched_at": now - timedelta(hours=2), "fetched_from": "192.0.2.1", "stale_since": None}
    phones = [make_phone(boreale, amelie) for _each in range(4)]
    Phone.objects.filter(pk__in=[phone.pk for phone in phones]).update(**current)
    of = [Phone.objects.filter(pk=phone.pk) for phone in phones]
    of[0].update(fetched_at=now - timedelta(days=9))
    of[1].update(stale_since=now - timedelta(seconds=30))
    of[2].update(stale_since=now - timedelta(seconds=90), firmware="96.86.0.45")
    of[3].update(stale_since=now - timedelta(hours=1), attempts=1, outcome="silent", notified_at=now)
    assert {slug: need(desk, slug).count for slug in ("silent", "waiting", "away")} == {
        "silent": 1,
        "waiting": 1,
        "away": 2,
    }
    gone = need(desk, "away").examples
    assert [each.url.rpartition("=")[2] for each in gone] == [phones[0].mac, phones[3].mac], (
        "whom nobody has seen for longest comes first"
    )
    answer = desk.get("/support/reports/phones/?state=waiting")
    _states, models, firmware = answer.context["counts"]
    assert answer.context["count"] == 2
    assert sorted(one.count for one in firmware.counts) == [1, 1]
    assert [(one.text, one.count) for one in models.counts] == [("Yealink T54W", 2)]
    assert len(lines(desk, "phones", "?firmware=96.86.0.45")) == 1
    assert len(lines(desk, "phones", "?firmware=-")) == 3
    assert len(lines(desk, "phones", f"?q={phones[0].mac_with_colons}")) == 1


# --- Forwarding ---------------------------------------------------------------------------------------------------
def test_the_phones_of_a_report_are_restarted_in_the_list_that_shows_the_same_ones(
    desk, boreale, amelie, staff
):
    make_phone(boreale, amelie)
    page = desk.get("/support/reports/phones/?state=never&customer=boreale&q=t54w")
    words, url = page.context["acting"]
    assert f'<a href="{url.replace("&", "&amp;")}">{words}</a>' in page.content.decode()
    rows = desk.get(url).context["cl"].result_list
    assert [phone.user for phone in rows] == [amelie]
    assert page.context["count"] == 1
    assert desk.get("/support/reports/phones/?firmware=96.86.0.45").context["acting"] is None, (
        "the list can't be asked for it"
    )
    User.objects.filter(pk=staff.pk).update(staff_level="read_only")
    assert desk.get("/support/reports/phones/").context["acting"] is None


def test_who_forwards_outside_is_told_with_the_number_its_country_since_when_and_by_whom(
    desk, boreale, amelie, felix
):
    Customer.objects.filter(pk=boreale.pk).update(countries="CA US FR")
    boreale.refresh_from_db()
    amelie.refresh_from_db()
    change(
        amelie, **{"away.divert_external": f"external:{ABROAD}", "away.divert_internal": f"external:{ABROAD}"}
    )
    change(felix, mobile="514 555-0199")
    change(felix, **{"available.ring_mobile": True, "available.busy_external": "mobile"})
    found = {line[1]: line for line in lines(desk, "outside")}
    assert found["101 Amélie Tremblay"][4:7] == ["+33 1 42 68 53 00", "France", "Ligne fixe"]
    assert found["101 Amélie Tremblay"][8] == "factory@tic.example"
    assert found["101 Amélie Tremblay"][7]
    assert found["102 Félix Gagnon"][2:7] == [
        "Disponible (en ce moment)",
        found["102 Félix Gagnon"][3],
        "514 555-0199",
        "Canada",
        "Le mobile de l’utilisateur",
    ]
    assert len(lines(desk, "outside", "?to=abroad")) == 1
    assert len(lines(desk, "outside", "?to=mobile")) == 1
    assert len(lines(desk, "outside", "?now=1")) == 1
    assert len(lines(desk, "outside", "?new=1")) == 2
    assert len(lines(desk, "outside", "?q=33142685300")) == 1
    assert lines(desk, "outside", "?customer=laurier") == []
    assert need(desk, "outside").count == 2
    change(amelie, **{"away.divert_external": "voicemail", "away.divert_internal": "same"})
    assert need(desk, "outside").count == 1


def test_a_mobile_that_changes_sends_calls_elsewhere_from_then_on(boreale, felix):
    change(felix, mobile="514 555-0199")
    change(felix, **{"available.ring_mobile": True})
    week = timezone.now() - timedelta(days=7)
    later = timezone.now()
    change(felix, mobile="514 555-0177")
    assert [each.column for each in outside.news_since(week)] == ["mobile", "available.ring_mobile"]
    assert [each.column for each in outside.news_since(later)] == ["mobile"]
    (rule,) = ForwardingRule.objects.filter(outside.leads_outside()).select_related("user")
    (lead,) = outside.leads_of(rule)
    told = outside.since(felix.pk, [lead], outside.history_of([felix.pk]))[lead]
    assert lead.number == "+15145550177"
    assert told.at >= later


def test_a_mobile_that_isnt_there_is_no_way_outside(boreale, felix):
    ForwardingRule.objects.filter(user=felix, status="available").update(ring_mobile=True)
    assert not ForwardingRule.objects.filter(outside.leads_outside()).exists()


@pytest.mark.parametrize(
    ("number", "country", "line"),
    [
        ("+15145550123", "CA", Line.EITHER),
        ("+18005550199", "", Line.TOLL_FREE),
        ("+33612345678", "FR", Line.MOBILE),
        (ABROAD, "FR", Line.FIXED),
        ("+19005550123", "", Line.PREMIUM),
        ("+881612345678", "", Line.SATELLITE),
        ("+18765550123", "JM", Line.MOBILE),
        ("rien", "", Line.OTHER),
    ],
)
def test_a_number_says_where_it_is_and_what_answers_there(number, country, line):
    found = place_of(number)
    assert (found.country, found.line) == (country, line)


# --- People, departments, customers -------------------------------------------------------------------------------
def test_required_and_set_up_are_told_apart(desk, boreale, amelie, felix, ines):
    User.objects.filter(pk=amelie.pk).update(require_2fa=True)
    User.objects.filter(pk__in=[felix.pk, ines.pk]).update(require_2fa=False)
    TotpDevice.objects.create(user=ines, name="x", confirmed=True, key="00")
    said = {line[1]: line[3] for line in lines(desk, "second-factor")}
    assert said == {
        "101 Amélie Tremblay": "Exigé, non configuré",
        "102 Félix Gagnon": "Non exigé, non configuré",
    }
    assert [line[1] for line in lines(desk, "second-factor", "?factor=set_up")] == ["103 Inès Roy"]
    assert [line[1] for line in lines(desk, "second-factor", "?factor=missing")] == ["101 Amélie Tremblay"]
    Customer.objects.filter(pk=boreale.pk).update(require_2fa=True)
    assert len(lines(desk, "second-factor", "?factor=missing")) == 2


def test_a_department_without_a_number_shows_another_places_or_none(desk, boreale, ines):
    Department.objects.of(boreale).update(outbound_caller_id="")
    Did.objects.of(boreale).delete()
    assert {line[3] for line in lines(desk, "emergency")} == {"Aucun numéro"}
    assert need(desk, "emergency").tone == "bad"
    Department.objects.of(boreale).filter(name="Accueil").update(outbound_caller_id="+15145550100")
    (line,) = lines(desk, "emergency")
    assert line[1:] == ["Soins", "1", "514 555-0100 (Accueil)"]
    assert lines(desk, "emergency", "?shows=none") == []


def test_whoever_is_shut_out_is_named_until_they_are_let_in_again(desk, boreale, amelie):
    for _try in range(lockout.SIGN_IN.pair):
        Client().post("/sign-in", {"login": amelie.login, "password": "faux"})
    assert need(desk, "blocked").count == 1
    (line,) = lines(desk, "blocked")
    assert line[1] == "101 Amélie Tremblay"
    assert line[3:] == ["127.0.0.1", "5"]
    assert need(desk, "blocked").examples[0].customer == "Clinique Boréale"
    lockout.forget(account_key(amelie), "127.0.0.1")
    assert need(desk, "blocked").count == 0
    assert lines(desk, "blocked") == []


def test_a_block_ends_by_itself(boreale, amelie):
    now = timezone.now()
    for _try in range(lockout.SIGN_IN.pair):
        SignInAttempt.objects.create(login=account_key(amelie), address="192.0.2.1")
    assert blocked.blocks_of([amelie.pk], now)[amelie.pk].addresses == ("192.0.2.1",)
    assert blocked.blocks_of([amelie.pk], now + lockout.SHORT + timedelta(seconds=1)) == {}
    for number in range(lockout.SIGN_IN.account):
        SignInAttempt.objects.create(login=account_key(amelie), address=f"192.0.2.{number + 2}")
    assert blocked.blocks_of([amelie.pk], now + lockout.SHORT + timedelta(seconds=1))[amelie.pk].everywhere


def test_a_contract_is_told_from_nine_tenths_on_and_a_suspended_customer_apart(desk, boreale, amelie, felix):
    Customer.objects.filter(pk=boreale.pk).update(included_extensions=2)
    assert (need(desk, "contracts").count, need(desk, "contracts").examples[0].what) == (1, "2 / 2")
    assert lines(desk, "contracts", "?full=1")[0][3] == "100\xa0%"
    Customer.objects.filter(pk=boreale.pk).update(suspended=True)
    assert need(desk, "contracts").count == 0
    assert need(desk, "suspended").count == 1


# --- As files -----------------------------------------------------------------------------------------------------
def test_a_report_is_a_file_in_which_nothing_runs(desk, boreale, amelie):
    boreale.name = "=cmd|' /C calc'!A0"
    boreale.save()
    User.objects.filter(pk=amelie.pk).update(mobile="+15145550199")
    ForwardingRule.objects.filter(user=amelie, status="available").update(ring_mobile=True)
    for slug, report in REPORTS.items():
        answer = desk.get(f"/support/reports/{slug}/csv")
        assert answer["Content-Type"].startswith("text/csv")
        assert "attachment" in answer["Content-Disposition"]
        rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))
        assert rows[0] == report.header()
        assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row), slug
        assert len(rows) - 1 == len(lines(desk, slug)), slug
    book = b"".join(desk.get("/support/reports/outside/xlsx?customer=cmd").streaming_content)
    assert "cmd" in zipfile.ZipFile(io.BytesIO(book)).read("xl/sharedStrings.xml").decode()


def test_a_file_holds_what_was_asked_for_and_all_its_pages(desk, boreale, laurier):
    many_more(60)
    answer = desk.get("/support/reports/contracts/csv?suspended=1")
    assert len(b"".join(answer.streaming_content).splitlines()) == 1 + 12
    assert desk.get("/support/reports/phones/").context["page"].paginator.num_pages == 2
    assert len(b"".join(desk.get("/support/reports/phones/csv").streaming_content).splitlines()) == 61


def test_a_report_is_printed_at_a_terminal(boreale, amelie, capfdbinary):
    call_command("report", "second-factor", "--format", "csv")
    assert "Amélie Tremblay" in capfdbinary.readouterr().out.decode()


# --- Whatever somebody types --------------------------------------------------------------------------------------
@pytest.mark.parametrize("slug", list(REPORTS))
def test_no_address_breaks_a_report(desk, boreale, slug):
    hostile = ["%00", "'", "<script>alert(1)</script>", "9" * 40, "é" * 200, "%F0%9F%92%A9", "-1"]
    names = ["q", "page", "sort", *(each.name for each in REPORTS[slug].shape({}).filters)]
    for value in hostile:
        answer = desk.get(f"/support/reports/{slug}/?{'&'.join(f'{name}={value}' for name in names)}")
        assert answer.status_code == 200, value
        assert b"<script>alert" not in answer.content
    for address in (f"/support/reports/{slug}/pdf", "/support/reports/rien/", "/support/reports/rien/csv"):
        assert desk.get(address).status_code == 404
    assert desk.post(f"/support/reports/{slug}/").status_code == 405


def test_nobody_of_a_customer_reads_a_report(client, boreale, felix):
    sign_in_fully(client, felix)
    for address in ("/support/", "/support/reports/", *(f"/support/reports/{slug}/csv" for slug in REPORTS)):
        assert client.get(address).status_code == 403, address


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite plans otherwise")
def test_the_phones_at_which_something_is_under_way_are_found_by_an_index_of_them_alone(boreale):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        assert "phone_under_way" in Phone.objects.filter(UNDER_WAY).explain()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite plans otherwise")
def test_the_rules_that_lead_outside_are_found_by_an_index_of_them_alone(boreale):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        rules = ForwardingRule.objects.filter(outside.leads_outside())
        assert "rule_outside" in rules.explain()


def test_customers_are_offered_while_a_filter_of_a_report_is_typed(desk, boreale, laurier):
    shown = desk.get("/support/reports/outside/").content.decode()
    assert 'hx-get="/customers/pick?offer=customer"' in shown
    assert '<datalist id="offered-customer">' in shown
    offered = desk.get("/customers/pick?offer=customer&customer=bor").content.decode()
    assert '<option value="Clinique Boréale">' in offered
    assert "Laurier" not in offered
    # What was typed stands there again; in the history, where nothing is offered, too.
    for page in ("/support/reports/outside/", "/history"):
        assert 'value="Clinique Boréale"' in desk.get(f"{page}?customer=Clinique+Boréale").content.decode()
