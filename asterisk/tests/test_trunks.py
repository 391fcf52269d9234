"""SIP trunks: what may be entered, whose calls take which, what a deletion means, who changes them, and what nodes say of them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from asterisk import nodes
from asterisk.models import Node, Trunk
from asterisk.trunks import states, ways
from asterisk.trunks.sheet import trunk_sheet
from pbxadmin.common.crypto import MASK
from users import road
from users.models import Change, Customer
from users.road import Outcome
from users.road.undo import NotUndoableError, undo
from users.tests.factories import FACTS, make_staff

pytestmark = pytest.mark.django_db
LIAISON = {"name": "Liaison Nord", "host": "sip.nord.example", "networks": "203.0.113.0/28"}


def planned(actor, customer, key=None, **values):
    return road.plan(actor, customer, trunk_sheet(), [road.Row(key, values)])


def saved(actor, customer, key=None, **values) -> Trunk:
    done = road.commit(planned(actor, customer, key, **values), FACTS)
    assert done.outcome is Outcome.SAVED, done.row.sentences
    return done.row.record


def why_not(actor, customer=None, key=None, **values) -> dict[str, str]:
    done = road.commit(planned(actor, customer, key, **values), FACTS)
    assert done.outcome is Outcome.REFUSED
    return {name: str(reasons[0]) for name, reasons in done.row.reasons.items() if reasons}


# --- What may be entered ------------------------------------------------------------------------------------------------
@pytest.mark.both_databases("what belongs to no customer is locked by hand")
def test_a_trunk_is_one_customers_or_the_providers(staff, boreale):
    own = saved(staff, boreale, **LIAISON)
    providers = saved(staff, None, name="Liaison Sud", host="sip.sud.example")
    assert (own.customer, providers.customer) == (boreale, None)
    told = list(Change.objects.filter(model="asterisk.trunk").order_by("id").select_related("operation"))
    assert [(change.operation.customer, change.operation.actor_pk) for change in told] == [
        (boreale, staff.pk),
        (None, staff.pk),
    ]


@pytest.mark.parametrize(
    "host",
    [
        "",
        "127.1",
        "127.0.0.2/8",
        "169.254.169.254",
        "0.0.0.0",
        "240.0.0.1",
        "a b",
        "sip:x@y",
        "sip.nord.example:5060",
        "x\r\ny",
    ],
)
def test_an_address_that_is_nobodys_is_refused(staff, host):
    assert "host" in why_not(staff, **LIAISON | {"host": host})
    assert not Trunk.objects.exists()


def test_the_phone_system_is_no_other_side(staff, boreale, settings):
    settings.SIP_SERVER = "pbx.tic.example"
    Node.objects.create(name="montreal", host="198.51.100.7", token_hash="x")
    for host in ("pbx.tic.example", "PBX.tic.example.", boreale.fqdn, "198.51.100.7"):
        assert "host" in why_not(staff, **LIAISON | {"host": host}), host
    saved(staff, None, **LIAISON | {"host": "198.51.100.7", "port": 5080})


def test_this_machine_is_the_other_side_where_the_installation_says_so_alone(staff, settings):
    settings.NOTIFY_EXTRA_NETWORKS = []
    assert "host" in why_not(staff, **LIAISON | {"host": "127.0.0.2"})
    settings.NOTIFY_EXTRA_NETWORKS = ["127.0.0.0/8"]
    saved(staff, None, **LIAISON | {"host": "127.0.0.2", "networks": ""})


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""), ("203.0.113.7", "203.0.113.7"), ("203.0.113.7/32", "203.0.113.7"), ("203.0.113.0/28 198.51.100.1", "203.0.113.0/28, 198.51.100.1"),
        ("203.0.113.7; 203.0.113.7,", "203.0.113.7"), ("2001:db8:5::/48,10.0.0.0/16", "2001:db8:5::/48, 10.0.0.0/16"),
        ("2001:db8::5/128", "2001:db8::5"),
    ],
)  # fmt: skip
def test_networks_have_one_way_of_writing(staff, typed, kept):
    assert saved(staff, None, **LIAISON | {"networks": typed}).networks == kept


@pytest.mark.parametrize(
    "typed",
    [
        "0.0.0.0/0", "10.0.0.0/15", "::/0", "2001::/16", "203.0.113.5/28", "203.0.113.0/33", "203.0.113.0/-1", "203.0.113.0/ 28", "203.0.113.0/028",
        "203.0.113", "010.0.0.1", "sip.nord.example", "224.0.0.0/24", "169.254.0.0/16", "203.0.113.0/255.255.255.0", "203.0.113.7, x", "/", "٣",
    ],
)  # fmt: skip
def test_what_is_no_network_or_everybodys_is_refused(staff, typed):
    assert list(why_not(staff, **LIAISON | {"networks": typed})) == ["networks"]


def test_a_call_that_comes_in_is_one_trunks(staff, boreale, laurier):
    first = saved(staff, boreale, **LIAISON)
    clash = {"name": "Liaison Sud", "host": "sip.sud.example", "networks": "203.0.113.7"}
    for customer in (None, laurier, boreale):
        assert "Liaison Nord" in why_not(staff, customer, **clash)["networks"]
    of_its_host = why_not(staff, None, **clash | {"host": "203.0.113.7", "networks": ""})
    assert "203.0.113.0/28" in of_its_host["networks"]
    # Two that say no networks are told apart by their hosts.
    second = saved(staff, None, **clash | {"networks": ""})
    assert "networks" in why_not(staff, None, name="Liaison Est", host="sip.sud.example", networks="")
    # One that isn't in use takes nothing; it can't come back while another has its addresses.
    off = saved(staff, None, **clash | {"name": "Liaison Est", "enabled": False})
    assert "networks" in why_not(staff, None, off.pk, enabled=True)
    saved(staff, boreale, first.pk, enabled=False)
    saved(staff, None, off.pk, enabled=True)
    rows = [
        road.Row(None, {"name": name, "host": "192.0.2.9", "networks": ""})
        for name in ("Liaison A", "Liaison B")
    ]
    assert len(road.plan(staff, None, trunk_sheet(), rows).refused) == 2
    assert second.enabled


def test_names_are_there_once_whoever_has_them(staff, boreale):
    saved(staff, boreale, **LIAISON)
    assert "name" in why_not(staff, None, name="liaison NORD", host="sip.sud.example")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("channels", 0), ("channels", -1), ("channels", 10**12), ("position", 0), ("position", 100), ("port", 0), ("port", 65536), ("transport", "sctp"),
        ("number_format", "x"), ("username", "a b"), ("username", "a;b"), ("username", "a\r\nb"), ("username", "é"), ("username", "a" * 81),
        ("name", ""), ("name", "a\nb"), ("enabled", "perhaps"), ("version", 5), ("id", 1), ("trunk_password", "a\nb"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_refused_and_changes_nothing(staff, name, value):
    assert why_not(staff, **LIAISON | {"username": "nord", "trunk_password": "s"} | {name: value})
    assert not Trunk.objects.exists()


# --- The password -------------------------------------------------------------------------------------------------------
def test_who_registers_has_a_name_and_a_password(staff):
    assert list(why_not(staff, **LIAISON, registers=True)) == ["username"]
    assert list(why_not(staff, **LIAISON, registers=True, username="nord")) == ["trunk_password"]
    assert list(why_not(staff, **LIAISON, trunk_password="s3cret")) == ["username"]
    trunk = saved(staff, None, **LIAISON, registers=True, username="nord", trunk_password="s3cret")
    assert Trunk.objects.get().trunk_password == "s3cret"
    # Left blank it stays; another name takes its own; without a name it goes.
    saved(staff, None, trunk.pk, trunk_password="", channels=5)
    assert Trunk.objects.get().trunk_password == "s3cret"
    assert list(why_not(staff, None, trunk.pk, username="sud", trunk_password="")) == ["trunk_password"]
    saved(staff, None, trunk.pk, username="sud", trunk_password="other")
    assert Trunk.objects.get().trunk_password == "other"
    assert list(why_not(staff, None, trunk.pk, username="", trunk_password="")) == ["username"]
    saved(staff, None, trunk.pk, username="", registers=False, trunk_password="")
    assert Trunk.objects.get().trunk_password == ""


def test_the_history_has_dots_for_a_password_and_it_can_not_be_put_back(staff, boreale):
    trunk = saved(staff, boreale, **LIAISON, username="nord", trunk_password="s3cret")
    done = road.commit(planned(staff, boreale, trunk.pk, trunk_password="geheim"), FACTS)
    cells = str(list(Change.objects.values_list("cells", flat=True)))
    assert MASK in cells
    assert "s3cret" not in cells
    assert "geheim" not in cells
    with pytest.raises(NotUndoableError):
        undo(staff, boreale, done.operation, FACTS)


@pytest.mark.both_databases("what belongs to no customer is locked by hand")
def test_a_change_is_taken_back(staff, boreale):
    for customer, name in ((boreale, "Liaison Nord"), (None, "Liaison Sud")):
        trunk = saved(staff, customer, name=name, host=f"{name[8:].lower()}.example")
        done = road.commit(planned(staff, customer, trunk.pk, channels=7), FACTS)
        undo(staff, customer, done.operation, FACTS)
        trunk.refresh_from_db()
        assert trunk.channels == 30


# --- Who may --------------------------------------------------------------------------------------------------------------
def test_the_support_alone_changes_trunks_and_an_administrator_sees_the_companys(
    staff, boreale, felix, amelie
):
    own, providers = (
        saved(staff, boreale, **LIAISON),
        saved(staff, None, name="Liaison Sud", host="sip.sud.example"),
    )
    reader = make_staff("lecture@tic.example", staff_level="read_only")
    for actor in (felix, amelie, reader):
        assert planned(actor, boreale, own.pk, channels=5).refused
        assert planned(actor, boreale, **LIAISON | {"name": "x"}).refused
        assert planned(actor, None, providers.pk, channels=5).refused
        assert planned(actor, None, **LIAISON | {"name": "x"}).refused
        for customer, key in ((boreale, own.pk), (None, providers.pk)):
            removal = road.plan_removal(actor, customer, trunk_sheet(), [key])
            assert not removal.records or removal.refusals
    assert list(Trunk.objects.visible_to(felix)) == [own]
    # Under another customer's name, or the provider's, it isn't there.
    assert planned(staff, None, own.pk, channels=5).refused
    assert planned(staff, boreale, providers.pk, channels=5).refused


# --- Whose calls take which -------------------------------------------------------------------------------------------------
def test_a_customer_calls_over_their_own_trunks_in_order_else_over_the_providers(staff, boreale, laurier):
    def made(customer, name, **values):
        return saved(staff, customer, name=name, host=f"{name.lower()}.example", **values).pk

    far, near = made(boreale, "B2", position=2), made(boreale, "B1", position=1)
    off = made(boreale, "B0", enabled=False)
    last, first = made(None, "P2", position=2), made(None, "P1")
    with CaptureQueriesContext(connection) as asked:
        assert [line.id for line in ways.of(boreale)] == [near, far]
    assert len(asked) == 1
    assert [line.id for line in ways.of(laurier.pk)] == [first, last]
    assert ways.to("911", ways.of(laurier)) == (
        f"trunk-{first}/30/sip:911@p1.example:5060&trunk-{last}/30/sip:911@p2.example:5060"
    )
    assert {line.id for line in ways.at_node()} == {far, near, last, first}
    assert ways.one(off) is None
    for key in (near, far):
        saved(staff, boreale, key, enabled=False)
    assert [line.id for line in ways.of(boreale)] == [first, last]


def test_calls_know_all_of_a_trunk_but_its_password(staff, boreale):
    saved(
        staff,
        boreale,
        **LIAISON,
        username="nord",
        trunk_password="s3cret",
        number_format="national",
        channels=4,
        transport="tls",
        port=5061,
    )
    [line] = ways.of(boreale)
    assert "s3cret" not in repr(line)
    assert (line.host, line.port, line.transport, line.networks) == (
        "sip.nord.example",
        5061,
        "tls",
        ("203.0.113.0/28",),
    )
    assert (line.username, line.channels, line.customer, line.dialled("+15145550123")) == (
        "nord",
        4,
        boreale.pk,
        "5145550123",
    )


# --- What a deletion means ------------------------------------------------------------------------------------------------
def lost(staff, trunk) -> str:
    return " ".join(
        road.plan_removal(staff, trunk.customer, trunk_sheet(), [trunk.pk]).losses.get(trunk.pk, [])
    )


def test_a_deletion_says_who_is_left_without_a_way_out(staff, boreale, laurier):
    own = saved(staff, boreale, **LIAISON)
    assert boreale.name in lost(staff, own)
    providers = saved(staff, None, name="Liaison Sud", host="sip.sud.example")
    assert boreale.name not in lost(staff, own)
    assert "Liaison Sud" in lost(staff, own)
    assert laurier.name in lost(staff, providers)
    assert boreale.name not in lost(staff, providers)
    other = saved(staff, None, name="Liaison Est", host="sip.est.example")
    assert lost(staff, providers) == ""
    both = road.plan_removal(staff, None, trunk_sheet(), [providers.pk, other.pk])
    assert all(laurier.name in " ".join(sentences) for sentences in both.losses.values())
    assert len(both.losses) == 2


def test_taking_the_last_one_out_of_use_says_so_too(staff, boreale):
    own = saved(staff, boreale, **LIAISON)
    assert boreale.name in str(planned(staff, boreale, own.pk, enabled=False).rows[0].warnings)


def test_a_thousand_customers_cost_no_more_questions(staff, boreale):
    providers = saved(staff, None, name="Liaison Sud", host="sip.sud.example")
    Customer.objects.bulk_create(
        Customer(
            name=f"Client {n}", slug=f"client-{n}", fqdn=f"client-{n}.example.com", sort_name=f"client {n:04}"
        )
        for n in range(1000)
    )
    with CaptureQueriesContext(connection) as asked:
        said = lost(staff, providers)
    assert len(asked) <= 4
    assert "1001" in said.replace("\u202f", "").replace("\xa0", "")
    assert said.count("Client ") <= 5


@pytest.mark.both_databases("what belongs to no customer is locked by hand")
def test_a_trunk_is_deleted_with_its_history(staff, boreale):
    trunk = saved(staff, None, **LIAISON)
    assert (
        road.commit_removal(road.plan_removal(staff, None, trunk_sheet(), [trunk.pk]), FACTS) is Outcome.SAVED
    )
    assert not Trunk.objects.exists()
    assert Change.objects.order_by("id").last().kind == "delete"


# --- What nodes say ---------------------------------------------------------------------------------------------------------
@pytest.mark.both_databases("rows that are there or not")
def test_a_trunk_is_as_the_connected_nodes_say(staff):
    now = timezone.now()
    trunk = saved(staff, None, **LIAISON)
    manager = make_staff("chef@tic.example", staff_level="manager")
    where = {"host": "10.0.0.5", "ami_port": 5038, "ari_port": 8088}
    one, two = (nodes.add(manager, {"name": name, **where}, FACTS).node for name in ("a", "b"))
    Node.objects.update(connected_at=now, heard_at=now)

    def state(at=now):
        return states.state_of(states.with_state(Trunk.objects.filter(pk=trunk.pk), at).get())

    assert state() is states.State.UNKNOWN
    states.tell(one, {trunk.pk: (True, ""), 999999: (True, "")}, now)
    assert state() is states.State.ANSWERS
    states.tell(two, {trunk.pk: (False, "408 Request Timeout")}, now)
    assert state() is states.State.PARTLY
    states.tell(one, {trunk.pk: (False, "x" * 500)}, now)
    assert state() is states.State.SILENT
    assert states.with_state(Trunk.objects.all(), now).filter(states.silent(now)).count() == 1
    # A node that isn't connected any more knows nothing.
    assert state(now + timedelta(minutes=1)) is states.State.UNKNOWN
    states.forget(one)
    states.forget(two)
    assert state() is states.State.UNKNOWN
