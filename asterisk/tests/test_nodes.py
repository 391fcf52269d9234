"""Nodes: by which token they are known, how that is replaced without a stop, who may change them, and what is remembered of it."""

import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from asterisk import nodes
from asterisk.models import Node
from asterisk.places import place_meant
from asterisk.sheets import node_sheet
from pbxadmin.common.crypto import fingerprint
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.proof import ProofNeededError
from users import road
from users.models import Change
from users.road import Outcome
from users.road.undo import undo
from users.tests.factories import FACTS, make_staff, make_user

pytestmark = pytest.mark.django_db
MONTREAL = {"name": "montreal", "host": "10.0.0.5", "ami_port": 5038, "ari_port": 8088}


@pytest.fixture(autouse=True)
def nothing_remembered():
    nodes.forget()
    yield
    nodes.forget()


@pytest.fixture
def manager():
    return make_staff("chef@tic.example", staff_level="manager")


def asked(token: str, address: str = "203.0.113.9"):
    return RequestFactory().get("/n/", REMOTE_ADDR=address, HTTP_AUTHORIZATION=f"Bearer {token}")


def later(monkeypatch, seconds: float) -> None:
    now = time.monotonic()
    monkeypatch.setattr(nodes.time, "monotonic", lambda: now + seconds)


@pytest.mark.both_databases("a statement that is written once")
def test_a_node_is_known_by_its_token_and_nobody_by_anything_else(manager):
    made = nodes.add(manager, MONTREAL, FACTS)
    assert nodes.node_of(made.bearer) == made.node
    for wrong in (
        "",
        " ",
        "x",
        fingerprint(made.bearer),
        f"{made.bearer} ",
        made.bearer[:-1],
        "é\0",
        "x" * 5000,
    ):
        assert nodes.node_of(wrong) is None, wrong


def test_who_asks_again_in_a_moment_asks_the_database_no_more(manager, monkeypatch):
    made = nodes.add(manager, MONTREAL, FACTS)
    with CaptureQueriesContext(connection) as asked_database:
        for _time in range(5):
            assert nodes.node_of(made.bearer) == made.node
    assert len(asked_database) == 2
    later(monkeypatch, nodes.REMEMBERED + 0.1)
    with CaptureQueriesContext(connection) as asked_database:
        nodes.node_of(made.bearer)
    assert len(asked_database) == 2


def test_a_node_comes_without_its_password(manager):
    made = nodes.add(manager, MONTREAL, FACTS)
    assert "node_password" in nodes.node_of(made.bearer).get_deferred_fields()
    assert len(made.password) >= 20


def test_the_previous_token_goes_on_until_the_new_one_is_used_and_two_seconds_at_most(manager, monkeypatch):
    first = nodes.add(manager, MONTREAL, FACTS)
    _node, second, _password = nodes.new_token(manager, first.node.pk, FACTS)
    assert nodes.node_of(first.bearer) == nodes.node_of(first.bearer) == first.node
    # Another one, before the node has used that: what it knows is still the first.
    _node, third, _password = nodes.new_token(manager, first.node.pk, FACTS)
    assert nodes.node_of(first.bearer) == first.node
    assert nodes.node_of(second) is None
    assert nodes.node_of(third) == first.node
    assert nodes.node_of(first.bearer) is None
    later(monkeypatch, nodes.REMEMBERED + 0.1)
    assert nodes.node_of(first.bearer) is None
    assert nodes.node_of(third) == first.node


def test_a_process_that_remembers_an_ended_token_forgets_it_within_two_seconds(manager, monkeypatch):
    first = nodes.add(manager, MONTREAL, FACTS)
    nodes.node_of(first.bearer)
    # Another process has seen the new one.
    Node.objects.update(token_hash=fingerprint("another"), previous_token_hash="")
    later(monkeypatch, nodes.REMEMBERED + 0.1)
    assert nodes.node_of(first.bearer) is None


def test_wrong_tokens_of_an_address_are_counted_and_keep_no_node_out(manager, caplog):
    made = nodes.add(manager, MONTREAL, FACTS)
    assert nodes.asking(asked(made.bearer)) == made.node
    for _time in range(nodes.FAILURES.tries + 5):
        assert nodes.asking(asked("wrong")) is None
    assert caplog.text.count("limit node reached") == 1
    assert "wrong" not in caplog.text
    nodes._right.clear()
    assert nodes.asking(asked(made.bearer)) == made.node
    # One that was never there before, at its own address, and from elsewhere.
    other = nodes.add(manager, MONTREAL | {"name": "quebec", "host": "203.0.113.9"}, FACTS)
    assert nodes.asking(asked(other.bearer)) == other.node
    third = nodes.add(manager, MONTREAL | {"name": "gatineau"}, FACTS)
    assert nodes.asking(asked(third.bearer)) is None
    assert nodes.asking(asked(third.bearer, "198.51.100.7")) == third.node


def test_a_token_anywhere_but_in_its_header_is_none(manager):
    made = nodes.add(manager, MONTREAL, FACTS)
    for request in (
        RequestFactory().get(f"/n/?token={made.bearer}"),
        RequestFactory().get("/n/", HTTP_AUTHORIZATION=made.bearer),
        RequestFactory().get("/n/", HTTP_AUTHORIZATION=f"Basic {made.bearer}"),
        RequestFactory().get("/n/", HTTP_COOKIE=f"Authorization=Bearer {made.bearer}"),
    ):
        assert nodes.asking(request) is None
    assert nodes.asking(RequestFactory().get("/n/", HTTP_AUTHORIZATION=f"bearer {made.bearer}")) == made.node


def test_managers_of_the_support_alone_change_nodes(manager, boreale, staff):
    made = nodes.add(manager, MONTREAL, FACTS)
    reader = make_staff("lecture@tic.example", staff_level="read_only")
    owner = make_user(boreale, "150", role="system_owners")
    for actor in (staff, reader, owner):
        assert nodes.add(actor, MONTREAL | {"name": "autre"}, FACTS).outcome is Outcome.REFUSED
        assert nodes.change(actor, made.node, {"host": "10.9.9.9"}, FACTS).outcome is Outcome.REFUSED
        assert nodes.remove(actor, made.node, FACTS) is not Outcome.SAVED
        with pytest.raises(road.RefusedError):
            nodes.new_token(actor, made.node.pk, FACTS)
    assert list(Node.objects.values_list("name", "host")) == [("montreal", "10.0.0.5")]
    assert not Node.objects.visible_to(owner).exists()


def test_it_takes_a_fresh_proof(manager):
    made = nodes.add(manager, MONTREAL, FACTS)
    stale = RequestFacts(proved=lambda: False)
    for way in (
        lambda: nodes.add(manager, MONTREAL | {"name": "autre"}, stale),
        lambda: nodes.change(manager, made.node, {"host": "10.9.9.9"}, stale),
        lambda: nodes.new_token(manager, made.node.pk, stale),
    ):
        with pytest.raises(ProofNeededError):
            way()


def test_the_history_has_who_did_it_and_no_secret(manager):
    made = nodes.add(manager, MONTREAL, FACTS)
    nodes.change(manager, made.node, {"host": "pbx.example.com"}, FACTS)
    _node, token, _password = nodes.new_token(manager, made.node.pk, FACTS)
    nodes.remove(manager, Node.objects.get(), FACTS)
    told = list(Change.objects.order_by("id").select_related("operation"))
    assert [change.kind for change in told] == ["create", "edit", "edit", "delete"]
    assert {change.operation.actor_pk for change in told} == {manager.pk}
    assert {change.operation.customer for change in told} == {None}
    cells = " ".join(str(change.cells) for change in told)
    assert "pbx.example.com" in cells
    for secret in (made.bearer, token, made.password, fingerprint(token)):
        assert secret not in cells
    assert nodes.node_of(token) is None


def test_a_change_of_an_address_is_taken_back(manager):
    made = nodes.add(manager, MONTREAL, FACTS)
    done = nodes.change(manager, made.node, {"host": "pbx.example.com"}, FACTS)
    undo(manager, None, done.operation, FACTS)
    assert Node.objects.get().host == "10.0.0.5"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sip.example.com", "sip.example.com"), (" SIP.Example.COM. ", "sip.example.com"), ("pbx1", "pbx1"), ("10.0.0.5", "10.0.0.5"),
        ("2001:db8::5", "2001:db8::5"), ("[2001:db8::5]", "2001:db8::5"), ("[10.0.0.5]", ""), ("127.1", ""), ("2130706433", ""),
        ("0x7f000001", ""), ("0x7f.1", ""), ("010.0.0.1", ""), ("fe80::1%eth0", ""), ("2001:DB8:0::5", ""), ("a b", ""), ("a..b", ""),
        ("-a.example.com", ""), ("a/b", ""), ("sip.example.com:5060", ""), ("user@host", ""), ("", ""), ("a\r\nb", ""), ("é.com", ""),
    ],
)  # fmt: skip
def test_a_place_has_one_way_of_writing(typed, meant):
    assert place_meant(typed) == meant


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "127.1", "http://x", "a b", ""])
def test_what_is_no_machines_address_is_refused(manager, host):
    made = nodes.add(manager, MONTREAL | {"host": host}, FACTS)
    assert made.outcome is Outcome.REFUSED
    assert made.plan.rows[0].errors["host"]
    assert not Node.objects.exists()


def test_two_nodes_are_not_called_the_same(manager):
    nodes.add(manager, MONTREAL, FACTS)
    assert nodes.add(manager, MONTREAL | {"host": "10.0.0.6"}, FACTS).outcome is Outcome.REFUSED
    rows = [road.Row(None, MONTREAL | {"name": "jumeau"}), road.Row(None, MONTREAL | {"name": "jumeau"})]
    assert len(road.plan(manager, None, node_sheet(), rows).refused) == 2


# --- At a terminal ----------------------------------------------------------------------------------------------------
def run(*words: str) -> str:
    out = StringIO()
    call_command("pbx_node", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_the_command_makes_a_node_and_prints_lines_of_an_environment():
    lines = dict(line.split("=", 1) for line in run("montreal").splitlines())
    assert lines.keys() == {"NODE_NAME", "NODE_TOKEN", "NODE_PASSWORD"}
    node = nodes.node_of(lines["NODE_TOKEN"])
    assert (node.name, node.host, node.ami_port, node.ari_port) == ("montreal", "127.0.0.1", 5038, 8088)
    assert node.node_password == lines["NODE_PASSWORD"]


def test_the_command_changes_lists_renews_and_deletes():
    first = run("montreal", "--host", "10.0.0.5", "--ami-port", "24010")
    run("montreal", "--ari-port", "24011")
    assert "montreal  10.0.0.5:24010  ARI 24011" in run("list")
    again = run("montreal", "--new-token")
    assert first.splitlines()[1] != again.splitlines()[1]
    assert first.splitlines()[2] == again.splitlines()[2]
    run("montreal", "--delete")
    assert run("list") == ""


def test_the_command_says_whose_a_node_is(boreale, laurier):
    run("montreal", "--customer", "laurier", "--customer", "boreale")
    assert "montreal  127.0.0.1:5038  ARI 8088  boreale, laurier" in run("list")
    run("montreal", "--customer", "boreale")
    token = run("montreal", "--new-token").split("NODE_TOKEN=")[1].split()[0]
    node = nodes.node_of(token)
    assert (nodes.serves(node, boreale.pk), nodes.serves(node, laurier.pk)) == (True, False)
    with pytest.raises(CommandError, match="nobody"):
        run("montreal", "--customer", "nobody")
    assert list(nodes.customers_of(node.pk)) == [boreale]
    run("montreal", "--customer", "all")
    assert set(nodes.customers_of(node.pk)) == {boreale, laurier}


@pytest.mark.parametrize(
    "words",
    [
        ["montreal", "--host", "127.1"],
        ["mont réal"],
        ["montreal", "--ami-port", "70000"],
        ["montreal", "--delete"],
        ["montreal", "--new-token", "--delete"],
        ["là"],
    ],
)
def test_the_command_says_in_one_line_what_it_refuses(words):
    with pytest.raises(CommandError) as refused:
        run(*words)
    assert "\n" not in str(refused.value)
    assert not Node.objects.exists()


def test_the_command_makes_no_node_twice():
    run("montreal")
    with pytest.raises(CommandError, match="montreal"):
        run("montreal")
