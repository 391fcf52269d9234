"""SIP trunks and nodes at the desk: made for one customer or for all, changed by the road, taken back, and tokens shown once."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from asterisk import nodes
from asterisk.models import Contact, Node, Trunk
from asterisk.trunks import states
from pbxadmin.common.crypto import fingerprint
from signin.second_factor import VERIFIED_AT
from signin.tests.signing import sign_in_fully
from support.tests.test_admin import filled, page
from users.models import Change, Operation
from users.tests.factories import make_staff

pytestmark = pytest.mark.slow("pages of the support desk")
NEW = page("asterisk_trunk", "add")


@pytest.fixture
def desk(client, staff):
    return sign_in_fully(client, staff)


@pytest.fixture
def managers_desk(db):
    return sign_in_fully(Client(), make_staff("chef@tic.example", staff_level="manager"))


def made(desk, address=f"{NEW}?for_all=1", **values) -> Trunk:
    answer = desk.post(
        address, filled(desk, address, **{"name": "Liaison Nord", "host": "sip.nord.example", **values})
    )
    assert answer.status_code == 302, answer.context["errors"]
    return Trunk.objects.get(name=values.get("name", "Liaison Nord"))


# --- SIP trunks -----------------------------------------------------------------------------------------------------
def test_a_new_one_is_for_one_customer_or_for_all(desk, boreale):
    asked = desk.get(NEW).content.decode()
    assert "?for_all=1" in asked
    assert "?customer=boreale" in asked
    for_all = made(desk, registers="on", username="nord", trunk_password="s3cret")
    own = made(desk, f"{NEW}?customer=boreale", name="Liaison Sud", host="sip.sud.example")
    assert (for_all.customer, own.customer) == (None, boreale)
    told = Change.objects.filter(model="asterisk.trunk").order_by("id").select_related("operation")
    assert [change.operation.customer for change in told] == [None, boreale]
    assert "s3cret" not in desk.get(page("asterisk_trunk", "change", for_all.pk)).content.decode()


def test_the_list_says_whose_they_are_and_what_nodes_say(desk, boreale):
    for_all, own = (
        made(desk),
        made(desk, f"{NEW}?customer=boreale", name="Liaison Sud", host="sip.sud.example"),
    )
    now = timezone.now()
    node = Node.objects.create(
        name="montreal",
        host="10.0.0.5",
        token_hash="x",
        connected_at=now,
        heard_at=now,
    )
    states.tell(node, {for_all.pk: (True, ""), own.pk: (False, "503 Service Unavailable")}, now)
    text = unescape(desk.get(page("asterisk_trunk")).content.decode())
    assert "sip.nord.example" in text
    assert "Ne répond pas" in text
    for asked, names in {
        "state=silent": ["Liaison Sud"], "state=answers": ["Liaison Nord"], "state=unknown": [], "whose=all": ["Liaison Nord"],
        "whose=one": ["Liaison Sud"], "customer=boreale": ["Liaison Sud"], "state=x": ["Liaison Nord", "Liaison Sud"],
    }.items():  # fmt: skip
        found = desk.get(f"{page('asterisk_trunk')}?{asked}").context["cl"].result_list
        assert sorted(each.name for each in found) == names, asked
    assert "503 Service Unavailable" in desk.get(page("asterisk_trunk", "change", own.pk)).content.decode()


def test_a_change_for_all_is_saved_told_in_the_history_and_taken_back(desk):
    trunk = made(desk)
    address = page("asterisk_trunk", "change", trunk.pk)
    assert desk.post(address, filled(desk, address)).status_code == 302
    assert Operation.objects.count() == 1, "nothing changed"
    assert desk.post(address, filled(desk, address, channels="7")).status_code == 302
    assert Trunk.objects.get().channels == 7
    history = desk.get(page("asterisk_trunk", "history", trunk.pk), follow=True).content.decode()
    undo = reverse("admin:undo_for_all", args=[Operation.objects.latest("pk").pk])
    assert undo in history
    assert "30" in desk.get(undo).content.decode()
    assert Trunk.objects.get().channels == 7, "looking changes nothing"
    assert desk.post(undo).status_code == 302
    assert Trunk.objects.get().channels == 30
    assert desk.post(undo).status_code == 409, "twice"


def test_a_customers_own_is_taken_back_where_the_customers_changes_are(desk, boreale):
    trunk = made(desk, f"{NEW}?customer=boreale")
    address = page("asterisk_trunk", "change", trunk.pk)
    desk.post(address, filled(desk, address, channels="7"))
    operation = Operation.objects.latest("pk")
    history = desk.get(page("asterisk_trunk", "history", trunk.pk), follow=True).content.decode()
    assert reverse("undo", args=["boreale", operation.pk]) in history
    assert desk.get(reverse("admin:undo_for_all", args=[operation.pk])).status_code == 404
    assert desk.post(reverse("undo", args=["boreale", operation.pk])).status_code == 302
    assert Trunk.objects.get().channels == 30


def test_what_is_refused_stands_beside_its_field(desk):
    address = f"{NEW}?for_all=1"
    answer = desk.post(
        address, filled(desk, address, name="Liaison", host="127.1", networks="0.0.0.0/0", channels="0")
    )
    assert answer.status_code == 422
    assert {"host", "networks", "channels"} <= set(answer.context["errors"])
    assert not Trunk.objects.exists()


def test_a_deletion_says_who_is_left_without_a_way_out(desk, boreale):
    trunk, own = made(desk), made(desk, f"{NEW}?customer=boreale", name="Liaison Sud", host="sip.sud.example")
    address = page("asterisk_trunk", "delete", trunk.pk)
    Trunk.objects.filter(pk=own.pk).update(enabled=False)
    assert "Clinique Boréale" in desk.get(address).content.decode()
    assert Trunk.objects.count() == 2
    assert desk.post(address, {"confirmed": "yes"}).status_code == 302
    chosen = {"action": "delete_chosen", "_selected_action": [own.pk], "confirmed": "yes"}
    assert desk.post(page("asterisk_trunk"), chosen).status_code == 302
    assert not Trunk.objects.exists()


def test_the_last_way_out_is_asked_about_before_it_is_put_out_of_use(desk, boreale):
    made(desk)
    own = made(desk, f"{NEW}?customer=boreale", name="Liaison Sud", host="sip.sud.example")
    address = page("asterisk_trunk", "change", own.pk)
    out_of_use = filled(desk, address, channels="7") | {"enabled": ""}
    assert desk.post(address, out_of_use).status_code == 302, "others take its calls: nobody is asked"
    trunk = Trunk.objects.get(customer=None)
    address = page("asterisk_trunk", "change", trunk.pk)
    typed = filled(desk, address, channels="7") | {"enabled": "", "why": "Billet 12"}
    asked = desk.post(address, typed)
    text = unescape(asked.content.decode())
    assert asked.status_code == 200
    assert "Clinique Boréale se retrouvera sans liaison SIP" in text
    assert 'value="Billet 12"' in text
    assert Trunk.objects.filter(pk=trunk.pk, enabled=True, channels=30).exists(), "nothing is written yet"
    wanted = dict(asked.context["sent"]) | {"_shown": asked.context["shown"], "why": "Billet 12"}
    again = desk.post(address, wanted | {"channels": "8"})
    assert again.status_code == 422, "something else than what was shown"
    assert desk.post(address, wanted).status_code == 302
    assert Trunk.objects.filter(pk=trunk.pk, enabled=False, channels=7).exists()
    assert Operation.objects.latest("pk").note == "Billet 12"


def test_taking_back_says_first_who_is_left_without_a_way_out(desk, boreale):
    trunk = made(desk, f"{NEW}?customer=boreale", enabled="")
    address = page("asterisk_trunk", "change", trunk.pk)
    assert desk.post(address, filled(desk, address, enabled="on")).status_code == 302
    undo = reverse("undo", args=["boreale", Operation.objects.latest("pk").pk])
    assert "sans liaison SIP" in unescape(desk.get(undo).content.decode())


def test_who_only_reads_changes_nothing(desk):
    trunk = made(desk)
    reader = sign_in_fully(Client(), make_staff("lecture@tic.example", staff_level="read_only"))
    address = page("asterisk_trunk", "change", trunk.pk)
    values = filled(desk, address, channels="7")
    assert reader.get(address).status_code == 200
    for forbidden in (address, page("asterisk_trunk", "delete", trunk.pk), f"{NEW}?for_all=1"):
        assert reader.post(forbidden, values | {"confirmed": "yes"}).status_code == 403
    assert Trunk.objects.get().channels == 30


def test_the_search_over_everything_finds_them(desk, boreale):
    made(desk), made(desk, f"{NEW}?customer=boreale", name="Liaison d’été", host="sip.sud.example")
    for words, expected in {
        "liaison nord": "Liaison Nord",
        "LIAISON ETE": "Liaison d’été",
        "sip.sud": "Liaison d’été",
    }.items():
        text = unescape(desk.get(reverse("search_everywhere"), {"q": words}).content.decode())
        assert expected in text, words


# --- Nodes ---------------------------------------------------------------------------------------------------------------
def lines_of(answer) -> dict[str, str]:
    found = re.search(r'<pre id="lines"[^>]*>(.*?)</pre>', answer.content.decode(), re.S)
    return dict(line.split("=", 1) for line in unescape(found[1]).splitlines())


def test_a_manager_adds_a_node_and_sees_its_token_once(managers_desk):
    address = page("asterisk_node", "add")
    values = filled(managers_desk, address, name="montreal", host="10.0.0.5")
    answer = managers_desk.post(address, values)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    lines = lines_of(answer)
    nodes.forget()
    node = nodes.node_of(lines["NODE_TOKEN"])
    assert (node.name, node.ami_port) == ("montreal", 5038)
    assert Node.objects.get().node_password == lines["NODE_PASSWORD"]
    again = managers_desk.get(page("asterisk_node", "change", node.pk)).content.decode()
    for secret in (lines["NODE_TOKEN"], lines["NODE_PASSWORD"], fingerprint(lines["NODE_TOKEN"])):
        assert secret not in again
        assert secret not in str(list(Change.objects.values_list("cells", flat=True)))
    assert managers_desk.post(address, values).status_code == 422, "the page loaded again makes no second one"


def test_a_manager_says_whose_a_node_is_and_takes_it_back(managers_desk, boreale, laurier):
    Node.objects.create(name="montreal", host="10.0.0.5", token_hash="x")
    node = Node.objects.get()
    address = page("asterisk_node", "change", node.pk)
    assert "Clients" in managers_desk.get(address).content.decode()
    values = filled(managers_desk, address, customers=[str(boreale.pk)])
    assert managers_desk.post(address, values).status_code == 302
    assert list(node.customers.all()) == [boreale]
    assert "Clinique Boréale" in str(list(Change.objects.values_list("cells", flat=True)))
    undo = reverse("admin:undo_for_all", args=[Operation.objects.latest("pk").pk])
    assert managers_desk.post(undo).status_code == 302
    assert not node.customers.exists()


def test_another_token_is_shown_once_and_the_first_goes_on(managers_desk):
    first = nodes.add(
        make_staff("b@tic.example", staff_level="manager"),
        {"name": "montreal", "host": "10.0.0.5"},
        nodes.RequestFacts(),
    )
    address = reverse("admin:node_token", args=[first.node.pk])
    assert "NODE_TOKEN" not in managers_desk.get(address).content.decode()
    lines = lines_of(managers_desk.post(address))
    nodes.forget()
    assert nodes.node_of(first.bearer) == nodes.node_of(lines["NODE_TOKEN"]) == first.node
    nodes.forget()
    assert nodes.node_of(first.bearer) is None
    undo = reverse("admin:undo_for_all", args=[Operation.objects.latest("pk").pk])
    assert managers_desk.get(undo).status_code == 409
    assert managers_desk.post(undo).status_code == 409


def test_a_session_that_is_ten_minutes_old_is_asked_who_it_is_first(managers_desk):
    node = Node.objects.create(name="montreal", host="10.0.0.5", token_hash="x")
    session = managers_desk.session
    session[VERIFIED_AT] -= 11 * 60
    session.save()
    add = page("asterisk_node", "add")
    for address, values in (
        (reverse("admin:node_token", args=[node.pk]), {}),
        (add, filled(managers_desk, add, name="quebec", host="10.0.0.6")),
        (
            page("asterisk_node", "change", node.pk),
            {"host": "10.9.9.9", "ami_port": 1, "ari_port": 2, "seen": 1},
        ),
    ):
        assert "NODE_TOKEN" not in managers_desk.post(address, values).content.decode()
    assert list(Node.objects.values_list("name", "host", "token_hash")) == [("montreal", "10.0.0.5", "x")]


def test_others_of_the_support_only_see_nodes(desk):
    node = Node.objects.create(
        name="montreal", host="10.0.0.5", token_hash="x", trouble="refused", release="22.10.1"
    )
    change, token = page("asterisk_node", "change", node.pk), reverse("admin:node_token", args=[node.pk])
    text = unescape(desk.get(page("asterisk_node")).content.decode() + desk.get(change).content.decode())
    assert "jamais connecté" in text
    assert "Rien ne répond à son adresse" in text
    assert token not in text
    assert desk.get(token).status_code == 403
    for address in (change, token, page("asterisk_node", "delete", node.pk), page("asterisk_node", "add")):
        assert desk.post(address, {"host": "10.9.9.9", "name": "x", "confirmed": "yes"}).status_code == 403
    assert Node.objects.get().token_hash == "x"


def test_what_a_node_told_is_as_last_known_once_nobody_hears_it(desk, boreale, amelie):
    now = timezone.now()
    node = Node.objects.create(
        name="montreal", host="10.0.0.5", token_hash="x", connected_at=now, heard_at=now
    )
    Contact.objects.create(node=node, user=amelie, uri="sip:101@192.0.2.7", since=now)
    trunk = made(desk)
    states.tell(node, {trunk.pk: (True, "")}, now)
    pages = page("asterisk_node"), page("asterisk_trunk", "change", trunk.pk)

    def told():
        return [
            unescape(desk.get(address).content.decode()).count("dernier état connu\xa0: ")
            for address in pages
        ]

    assert told() == [0, 0]
    Node.objects.update(heard_at=now - timedelta(minutes=5), connected_at=None)
    assert told() == [1, 1]


def test_a_reason_is_said_to_be_read_by_the_customer_only_where_there_is_one(managers_desk, boreale):
    node = Node.objects.create(name="montreal", host="10.0.0.5", token_hash="x")
    for_all, own = (
        made(managers_desk),
        made(managers_desk, f"{NEW}?customer=boreale", name="Sud", host="sip.sud.example"),
    )
    read = {
        page(model, kind, record.pk): "le client peut le lire"
        in unescape(managers_desk.get(page(model, kind, record.pk)).content.decode())
        for model, record in (("asterisk_node", node), ("asterisk_trunk", for_all), ("asterisk_trunk", own))
        for kind in ("change", "delete")
    }
    assert list(read.values()) == [False, False, False, False, True, True]


def test_a_node_is_changed_and_deleted(managers_desk):
    node = Node.objects.create(name="montreal", host="10.0.0.5", token_hash="x")
    address = page("asterisk_node", "change", node.pk)
    assert (
        managers_desk.post(address, filled(managers_desk, address, host="pbx.example.com")).status_code == 302
    )
    assert Node.objects.get().host == "pbx.example.com"
    undo = reverse("admin:undo_for_all", args=[Operation.objects.latest("pk").pk])
    assert managers_desk.post(undo).status_code == 302
    assert Node.objects.get().host == "10.0.0.5"
    assert (
        managers_desk.post(page("asterisk_node", "delete", node.pk), {"confirmed": "yes"}).status_code == 302
    )
    assert not Node.objects.exists()
    for nothing in (
        address,
        reverse("admin:node_token", args=[node.pk]),
        reverse("admin:node_token", args=[2**63]),
    ):
        assert managers_desk.get(nothing).status_code in (302, 404)
