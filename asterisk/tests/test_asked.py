"""What nodes are told, and that nobody else is told anything: rows of lines, plans of calls, PINs and codes."""

import re
import threading
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk import nodes
from asterisk.asked import learning, plan, rows, standing
from asterisk.asked.negatives import Negatives, negatives
from asterisk.asked.rows import UnsafeValueError
from asterisk.calls.planned import gathered
from asterisk.models import CallRecord, Errand, Node, PinEntry, Trunk
from asterisk.receivers import stamp
from asterisk.tests.saving import save
from forwarding.snapshot import CustomerDirectory
from pbxadmin.common.crypto import fingerprint
from pbxadmin.common.gathering import Gathered
from users.models import Did, Operation, User
from users.tests.factories import make_customer, make_user
from voicemail import audio
from voicemail.greetings import sounds
from voicemail.models import Mailbox
from voicemail.tests.sounds import ready_wav

TOKEN = "token-of-the-node-in-the-tests"


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch):
    # What is gathered is written where a test says so, and by no thread beside it.
    monkeypatch.setattr(Gathered, "_begin", lambda self: None)
    yield
    standing.forget()
    negatives.forget()
    learning.seen.forget()
    gathered.forget()
    nodes.forget()


@pytest.fixture
def node(db):
    return Node.objects.create(name="pbx", token_hash=fingerprint(TOKEN), host="127.0.0.1")


@pytest.fixture
def ask(client, node):
    """Ask as the node does: `ask("/n/rt/ps_auths/single", id="101@…")` sends, `ask("/n/call/…")` reads."""

    def asked(url, token=TOKEN, **body):
        headers = {"authorization": f"Bearer {token}"}
        if body:
            sent = "&".join(f"{key}={value}" for key, value in body.items())
            return client.post(url, sent, content_type="application/x-www-form-urlencoded", headers=headers)
        return client.get(url, headers=headers)

    return asked


def row(answer):
    return dict(parse_qsl(answer.content.decode().rstrip(), keep_blank_values=True))


# --- Rows -----------------------------------------------------------------------------------------------------------
@given(
    st.dictionaries(
        st.from_regex("[a-z_]{1,12}", fullmatch=True),
        st.text(st.characters(codec="utf-8"), max_size=40),
        min_size=1,
        max_size=5,
    )
)
def test_a_row_is_one_line_that_is_read_as_it_was_written(values):
    try:
        said = rows.encoded(values)
    except UnsafeValueError:
        assert any(sign < " " or sign == "\x7f" for value in values.values() for sign in value)
    else:
        assert said.count("\n") == 1
        assert dict(parse_qsl(said.rstrip("\n"), keep_blank_values=True)) == values
        assert "+" not in said


@given(st.text(max_size=30))
def test_no_word_of_a_plan_can_be_more_than_a_word(text):
    try:
        said = plan.line("ring", text)
    except plan.UnsafeWordError:
        return
    assert re.fullmatch(r"ring,[][A-Za-z0-9@.:+*#_&/-]*,", said)


# --- Who may ask ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("token", ["", "wrong", "x" * 5_000, TOKEN.upper()])
def test_whoever_has_no_token_learns_nothing(ask, amelie, token):
    answer = ask("/n/rt/ps_endpoints/single", token=token, id="101@boreale.example.com")
    assert (answer.status_code, answer.content) == (404, b"Not found\n")


def test_a_question_that_fails_is_an_empty_503_and_names_nothing(ask, amelie, monkeypatch, caplog):
    monkeypatch.setattr("asterisk.asked.lines.person_of", lambda name: 1 / 0)
    answer = ask("/n/rt/ps_endpoints/single", id="101@boreale.example.com")
    assert (answer.status_code, answer.content) == (503, b"")
    assert TOKEN not in caplog.text


def test_a_node_that_has_customers_of_its_own_learns_nothing_of_others(
    ask, node, boreale, laurier, amelie, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    node.customers.add(laurier)
    theirs = Trunk.objects.create(name="À Boréale", host="sip.example.com", customer=boreale)
    line = f"101%40{boreale.fqdn}"
    for table in ("ps_endpoints", "ps_auths", "ps_aors"):
        assert ask(f"/n/rt/{table}/single", id=line).content == b""
    assert ask("/n/rt/ps_auths/single", id=f"trunk-{theirs.pk}").content == b""
    assert b"sip.example.com" not in ask("/n/rt/ps_identifies/multi", id="%25").content
    assert ask("/n/rt/voicemail/single", mailbox="101", context=f"u{amelie.pk}").content == b""
    assert ask(f"/n/call/{boreale.fqdn}/101/102/1").content == plan.refused().encode()
    assert ask("/n/code", line=line, code="*31").content == b"0"
    # What is theirs in every other way.
    Mailbox.objects.filter(user=amelie).update(pin="246810")
    User.objects.filter(pk=amelie.pk).update(sip_id="amelie")
    sound = sounds.keep(boreale, audio.convert(ready_wav(), level=False, trim=False))
    Trunk.objects.filter(pk=theirs.pk).update(username="u", trunk_password="p", registers=True)
    assert ask("/n/pin", line=line, pin="246810").content == b"0"
    assert ask(f"/n/sound/g-{sound.key}").status_code == 404
    for table in ("ps_endpoints", "ps_aors", "ps_registrations"):
        for said in (
            ask(f"/n/rt/{table}/single", id=f"trunk-{theirs.pk}"),
            ask(f"/n/rt/{table}/multi", id="%25"),
        ):
            assert not re.search(rb"sip\.example\.com|boreale", said.content), table
    for kind in ("", "long/"):
        for question in (
            f"call/{boreale.fqdn}/101/4185550177/1", f"in/{theirs.pk}/-/+15145550100/1", f"in/{theirs.pk}/-/101/1", f"sip/{boreale.fqdn}/amelie/1",
        ):  # fmt: skip
            assert ask(f"/n/{kind}{question}").content in (plan.refused().encode(), plan.nobody().encode()), (
                question
            )
    assert not PinEntry.objects.exists()
    node.customers.add(boreale)
    nodes.forget()
    assert ask("/n/rt/ps_auths/single", id=line).content != b""
    assert ask(f"/n/sound/g-{sound.key}").status_code == 200
    assert ask("/n/pin", line=line, pin="246810", **{"for": "outside"}).content == b"1"


# --- Lines ---------------------------------------------------------------------------------------------------------------
def test_a_line_is_told_as_the_tabs_have_it(ask, boreale, amelie):
    User.objects.filter(pk=amelie.pk).update(srtp="enforced", pbx_delivers_audio=True, block_remote=False)
    said = row(ask("/n/rt/ps_endpoints/single", id=f"101@{boreale.fqdn}"))
    assert said["id"] == f"101@{boreale.fqdn}"
    assert said["callerid"] == '"Amélie Tremblay" <101>'
    assert (said["media_encryption"], said["media_encryption_optimistic"]) == ("sdes", "no")
    assert (said["direct_media"], said["allow"], said["context"]) == ("no", "g722,ulaw,alaw,g729", "phones")
    assert "permit" not in said
    # A device that lost its network in a call holds no channel for ever.
    assert said["rtp_timeout"] == "300"


def test_the_password_itself_never_leaves_the_portal(ask, boreale, amelie):
    answer = ask("/n/rt/ps_auths/single", id=f"101@{boreale.fqdn}").content.decode()
    assert amelie.sip_password not in answer
    assert re.fullmatch(
        r"[0-9a-f]{32}", row(ask("/n/rt/ps_auths/single", id=f"101@{boreale.fqdn}"))["md5_cred"]
    )


def test_a_name_with_quotes_and_brackets_stays_one_name(ask, boreale, amelie):
    User.objects.filter(pk=amelie.pk).update(last_name='Trem"blay" <911>')
    said = row(ask("/n/rt/ps_endpoints/single", id=f"101@{boreale.fqdn}"))
    assert said["callerid"] == '"Amélie Tremblay 911" <101>'


def test_on_a_disabled_line_nothing_registers_and_its_emergency_number_stays(ask, boreale, amelie):
    User.objects.filter(pk=amelie.pk).update(disabled=True)
    assert row(ask("/n/rt/ps_aors/single", id=f"101@{boreale.fqdn}"))["max_contacts"] == "0"
    assert "EMERGENCY=" in ask(
        "/n/rt/ps_endpoints/single", id=f"101@{boreale.fqdn}"
    ).content.decode().replace("%3D", "=")


def test_who_tries_names_asks_the_tables_for_each_only_once(
    ask, boreale, amelie, django_assert_num_queries, monkeypatch
):
    def answers(name):
        return [
            ask(f"/n/rt/{table}/single", id=name).content for table in ("ps_endpoints", "ps_auths", "ps_aors")
        ]

    monkeypatch.setattr("asterisk.asked.negatives.FRESH", 60)
    stamp([boreale.pk])
    for each in ("199@boreale.example.com", "199@elsewhere.example"):
        answers(each)
        answers(each)
    with django_assert_num_queries(0):
        assert answers("199@boreale.example.com") == answers("199@elsewhere.example") == [b""] * 3
        # Nobody has anything there.
        assert answers("200@elsewhere.example") == [b""] * 3
    with django_assert_num_queries(1):
        answers("198@boreale.example.com")
    # A line's own three rows, and the trunks: not one more.
    with django_assert_num_queries(4):
        answers("101@boreale.example.com")


def test_somebody_new_has_a_line_with_the_first_question_after_the_save(ask, boreale, amelie, monkeypatch):
    monkeypatch.setattr("asterisk.asked.negatives.FRESH", 0)
    stamp([boreale.pk])
    name = "199@boreale.example.com"
    for _ in range(4):
        assert ask("/n/rt/ps_aors/single", id=name).content == b""
    make_user(boreale, "199", "Zoé", "Lavoie")
    assert ask("/n/rt/ps_aors/single", id=name).content
    for _ in range(4):
        assert ask("/n/rt/ps_aors/single", id="101@nouveau.example.com").content == b""
    make_user(make_customer("nouveau", fqdn="nouveau.example.com"), "101", "Zoé", "Lavoie")
    assert ask("/n/rt/ps_aors/single", id="101@nouveau.example.com").content


def test_who_is_saved_while_somebody_looks_for_them_is_not_taken_for_nobody(boreale, db):
    """What is noted holds for what was read before the look, whatever others read meanwhile."""
    known = Negatives()
    known.missed("199", boreale.fqdn, known.look("199", boreale.fqdn))
    stamp([boreale.pk])
    before = known.look("199", boreale.fqdn)
    known.missed("199", boreale.fqdn, before)
    before = known.look("199", boreale.fqdn)
    stamp([boreale.pk])  # the person is saved
    known._read(boreale.fqdn)  # by another question
    known.missed("199", boreale.fqdn, before)
    assert not known.look("199", boreale.fqdn).nobody


def test_what_is_remembered_of_strangers_is_bounded(boreale, db, monkeypatch):
    monkeypatch.setattr("asterisk.asked.negatives.MOST", 50)
    known = Negatives()
    for number in range(300):
        for fqdn in (f"h{number}.example", boreale.fqdn):
            known.missed(str(number), fqdn, known.look(str(number), fqdn))
        assert len(known._hosts) <= 50
        assert len(known._names) <= 50


@pytest.mark.parametrize("table", ["ps_endpoints", "ps_auths", "ps_aors"])
def test_a_line_is_one_statement_and_what_is_no_line_none(
    ask, boreale, amelie, table, django_assert_num_queries
):
    Trunk.objects.create(name="Fournisseur", host="sip.example.com")
    ask("/n/rt/ps_aors/single", id="1@x")
    with django_assert_num_queries(0):
        for name in (
            "sip:101@10.0.0.1:5060",
            "101",
            "x" * 3_000,
            "101@10.0.0.1",
            "amelie@boreale.example.com",
            "",
        ):
            assert ask(f"/n/rt/{table}/single", id=name).content == b""
    with django_assert_num_queries(
        2 if table == "ps_endpoints" else 1
    ):  # the second one: which trunks lead out
        ask(f"/n/rt/{table}/single", id=f"101@{boreale.fqdn}")


def test_of_all_lines_only_those_are_named_that_a_node_is_learning(ask, node, boreale, amelie, felix):
    assert ask("/n/rt/ps_endpoints/multi", id="%25").content == b""
    Errand.objects.create(node=node, kind=Errand.Kind.LEARN, doing=True, subject=f"102@{boreale.fqdn}")
    name = f"102@{boreale.fqdn}"
    assert row(ask("/n/rt/ps_endpoints/multi", id="%25")) == {"id": name, "aors": name}


def test_where_a_line_calls_from_is_answered_without_a_query(
    ask, node, boreale, amelie, django_assert_num_queries
):
    trunks = [
        Trunk.objects.create(name=f"Fournisseur {each}", host=f"sip{each}.example.com") for each in (1, 2)
    ]
    ask("/n/rt/ps_identifies/multi", id="%25")
    with django_assert_num_queries(0):
        assert ask("/n/rt/ps_identifies/multi", endpoint=f"101@{boreale.fqdn}").content == b""
    assert (
        row(ask("/n/rt/ps_identifies/multi", endpoint=f"trunk-{trunks[1].pk}"))["endpoint"]
        == f"trunk-{trunks[1].pk}"
    )


def test_a_start_names_the_trunks_and_learning_a_line_only_the_line(ask, node, boreale, amelie):
    trunk = Trunk.objects.create(name="Fournisseur", host="sip.example.com")
    for table in ("ps_endpoints", "ps_aors"):
        assert row(ask(f"/n/rt/{table}/multi", id="%25"))["id"] == f"trunk-{trunk.pk}"
    errand = Errand.objects.create(
        node=node, kind=Errand.Kind.LEARN, doing=True, subject=f"101@{boreale.fqdn}"
    )
    assert row(ask("/n/rt/ps_endpoints/multi", id="%25"))["id"] == f"101@{boreale.fqdn}"
    Errand.objects.filter(pk=errand.pk).update(subject=f"trunk-{trunk.pk}")
    assert row(ask("/n/rt/ps_aors/multi", id="%25"))["contact"].startswith("sip:sip.example.com")


def test_the_first_question_for_a_line_has_the_node_learn_it_once(ask, boreale, amelie):
    for _time in range(3):
        ask("/n/rt/ps_aors/single", id=f"101@{boreale.fqdn}")
    learning.seen.write()
    assert [each.subject for each in Errand.objects.all()] == [f"101@{boreale.fqdn}"]


def test_strangers_are_known_by_what_every_request_has_after_all_trunks_and_reach_sip_ids_alone(ask, node):
    Trunk.objects.create(name="Fournisseur", host="sip.example.com")
    *_trunks, last = ask("/n/rt/ps_identifies/multi", id="%25").content.decode().splitlines()
    assert dict(parse_qsl(last)) == {"id": "strangers", "endpoint": "anonymous", "match_header": "From: /./"}
    said = row(ask("/n/rt/ps_endpoints/single", id="anonymous"))
    assert (said["context"], said["allow_transfer"]) == ("from-internet", "no")
    for table in ("ps_auths", "ps_aors"):
        assert ask(f"/n/rt/{table}/single", id="anonymous").content == b""


# --- Plans -----------------------------------------------------------------------------------------------------------------
def test_a_plan_asks_one_statement_once_its_customer_is_known(
    ask, boreale, amelie, felix, django_assert_num_queries
):
    url = f"/n/call/{boreale.fqdn}/101/102/17.5"
    first = ask(url).content.decode()
    assert first.startswith(
        f"ok,+15145550100,{boreale.sip_trunk_channels},2,{boreale.fqdn},boreale,fr,ring,102,20,0,1,,"
    )
    with django_assert_num_queries(1):
        assert ask(url).content.decode() == first


def test_a_call_from_outside_asks_one_statement_as_soon_as_it_is_known_how_its_trunk_writes_numbers(
    ask, boreale, amelie, django_assert_num_queries
):
    Did.objects.create(customer=boreale, number="+15145550123", user=amelie)
    trunk = Trunk.objects.create(name="Fournisseur", host="sip.example.com", number_format="plain")
    # With a country code that reads as an area code: another number where numbers are written in another way.
    Did.objects.create(customer=boreale, number="+3544104000", user=amelie)
    urls = [f"/n/in/{trunk.pk}/-/{did}/1" for did in ("15145550123", "3544104000")]
    for url in urls:
        assert "ring,101" in ask(url).content.decode()
    with django_assert_num_queries(2):
        for url in urls:
            assert "ring,101" in ask(url).content.decode()
    Trunk.objects.filter(pk=trunk.pk).update(number_format="national")
    assert "ring,101" in ask(urls[0]).content.decode()
    assert "ss-noservice" in ask(urls[1]).content.decode()
    Trunk.objects.filter(pk=trunk.pk).update(enabled=False)
    assert "ss-noservice" in ask(urls[0]).content.decode()


def test_the_first_call_of_a_large_company_reads_whom_it_concerns_and_its_first_hundred_calls_read_everybody(
    boreale, amelie, monkeypatch
):
    people = User.objects.bulk_create(
        User(
            customer=boreale,
            number=f"{number}",
            primary_department=amelie.primary_department,
            role_id="users",
        )
        for number in range(200, 400)
    )
    Mailbox.objects.bulk_create(Mailbox(user=person) for person in people)
    there, reads, load = standing.Standing(boreale, 1), [], CustomerDirectory._load

    def read(self, extensions):
        load(self, extensions)
        reads.append(len(self._callers))

    monkeypatch.setattr(CustomerDirectory, "_load", read)
    assert there.caller("200", "201")[1].extension == "200"
    assert reads == [2]
    for number in range(200, 400, 2):
        assert there.caller(f"{number}", f"{number + 1}")[1].extension == f"{number}"
    assert len(reads) < 10
    assert reads[-1] > 200


def test_what_was_saved_is_in_the_next_plan(ask, boreale, amelie, felix):
    url = f"/n/call/{boreale.fqdn}/101/102/17.5"
    assert "|ring,102," in ask(url).content.decode()
    User.objects.filter(pk=felix.pk).update(status="do_not_disturb")
    stamp([boreale.pk])
    assert "|ring,102," not in ask(url).content.decode()


def test_who_is_being_loaded_for_one_call_is_not_nobody_for_another(boreale, amelie, felix, monkeypatch):
    there, complete, seen = standing.Standing(boreale, 1), standing.Standing._complete, []
    other = threading.Thread(target=lambda: seen.append((there.user("102"), there.caller("101", "102"))))

    def while_another_call_asks(self, people, rules):
        other.start()
        other.join(0.1)
        complete(self, people, rules)

    monkeypatch.setattr(standing.Standing, "_complete", while_another_call_asks)
    there.caller("101", "102")
    other.join(5)
    [(called, caller)] = seen
    assert called.extension == "102"
    assert caller[1].extension == "101"


def test_a_call_of_nobody_is_refused_and_not_left_to_the_node(ask, node, boreale, laurier, amelie):
    for url in (f"/n/call/{boreale.fqdn}/199/102/1", "/n/call/nowhere.example/101/102/1"):
        assert ask(url).content == b"ok,,0,2,,,,|say,ss-noservice,21,"
    node.customers.add(laurier)
    nodes.forget()
    assert ask(f"/n/call/{boreale.fqdn}/101/102/1").content == b"ok,,0,2,,,,|say,ss-noservice,21,"


def test_a_customers_own_trunk_brings_calls_to_that_customer_alone(ask, boreale, laurier, amelie):
    Did.objects.create(customer=boreale, number="+15145550123", user=amelie)
    theirs = Trunk.objects.create(name="À Laurier", host="sip.example.com", customer=laurier)
    provider = Trunk.objects.create(name="Fournisseur", host="sip.example.net")
    assert "ss-noservice" in ask(f"/n/in/{theirs.pk}/-/5145550123/1").content.decode()
    assert "ring,101" in ask(f"/n/in/{provider.pk}/-/5145550123/1").content.decode()


def test_a_caller_from_outside_who_says_to_be_an_extension_is_nobody(ask, boreale, amelie):
    Did.objects.create(customer=boreale, number="+15145550123", user=amelie)
    trunk = Trunk.objects.create(name="Fournisseur", host="sip.example.com")
    assert ask(f"/n/in/{trunk.pk}/102/5145550123/1").content.decode().startswith("ok,,")


def test_a_plan_that_no_variable_holds_is_asked_for_once_more_with_a_step_a_line(
    ask, boreale, amelie, monkeypatch
):
    monkeypatch.setattr("asterisk.asked.calls.LONGEST_VARIABLE", 40)
    assert ask(f"/n/call/{boreale.fqdn}/101/102/1").content == b"long"
    assert ask(f"/n/long/call/{boreale.fqdn}/101/102/1").content.decode().count("\n") >= 1


def test_the_phone_systems_own_codes_are_steps_of_the_plan(ask, boreale, amelie):
    def step(dialled):
        return ask(f"/n/call/{boreale.fqdn}/101/{dialled}/1").content.decode().partition("|")[2]

    assert step("*97") == f"mailbox,1,101@u{amelie.pk},"
    assert step("*31") == "code,*31,"
    for nothing_yet in ("*62", "*20*"):
        assert step(nothing_yet) == "say,feature-not-avail-line,21,"
    save(amelie, voicemail__pin_disabled="1")
    assert step("*97") == f"mailbox,0,101@u{amelie.pk},"
    save(amelie, voicemail__enabled="0")
    assert step("*97") == "say,feature-not-avail-line,21,"


def test_a_call_for_help_names_every_way_and_how_many_calls_each_takes_like_any_call_to_the_outside(
    ask, boreale, amelie
):
    key = Trunk.objects.create(name="Fournisseur", host="sip.example.com", number_format="plain").pk
    way = f"trunk-{key}/30/sip:%s@sip.example.com:5060"
    for dialled, expected in (
        ("9911", f"emergency,{way % 911},"),
        ("4185550100", f"out,{way % 14185550100},,"),
    ):
        plan_of_it = ask(f"/n/call/{boreale.fqdn}/101/{dialled}/1").content.decode()
        assert plan_of_it.partition("|")[2] == expected


def test_a_planned_call_is_written_a_moment_later_with_whom_it_concerns(ask, boreale, amelie, felix):
    ask(f"/n/call/{boreale.fqdn}/101/102/17.5")
    gathered.write()
    call = CallRecord.objects.get()
    assert (call.unique_id, call.from_extension, call.dialled) == ("pbx/17.5", "101", "102")
    assert {party.user for party in call.parties.all()} == {amelie, felix}
    gathered.write()
    assert CallRecord.objects.count() == 1


# --- PINs and codes --------------------------------------------------------------------------------------------------------
def test_the_right_pin_opens_outside_calls_and_wrong_ones_are_limited(ask, boreale, amelie):
    User.objects.filter(pk=amelie.pk).update(pin_protected=True)
    line, pin = f"101%40{boreale.fqdn}", Mailbox.objects.get(user=amelie).pin
    assert ask("/n/pin", line=line, pin="0", **{"for": "outside"}).content == b"0"
    assert not PinEntry.objects.exists()
    assert ask("/n/pin", line=line, pin=pin, **{"for": "outside"}).content == b"1"
    assert PinEntry.objects.get().user == amelie
    for _time in range(12):
        ask("/n/pin", line=line, pin="0", **{"for": "outside"})
    assert ask("/n/pin", line=line, pin=pin, **{"for": "outside"}).content == b"0"


def test_of_many_guesses_at_once_no_more_are_looked_at_than_one_after_the_other(
    ask, boreale, amelie, monkeypatch
):
    guesses = []

    def slow(person, typed):
        guesses.append(typed)
        if len(guesses) < 40:
            ask("/n/pin", line=f"101%40{boreale.fqdn}", pin="0", **{"for": "mailbox"})
        return False

    monkeypatch.setattr("asterisk.asked.pins.is_right", slow)
    ask("/n/pin", line=f"101%40{boreale.fqdn}", pin="0", **{"for": "mailbox"})
    assert len(guesses) == 12


def test_a_right_pin_costs_no_try(ask, boreale, amelie):
    line, pin = f"101%40{boreale.fqdn}", Mailbox.objects.get(user=amelie).pin
    assert {ask("/n/pin", line=line, pin=pin, **{"for": "mailbox"}).content for _time in range(20)} == {b"1"}


def test_whatever_is_dialled_is_judged_here(ask, boreale, amelie):
    for dialled in ("102%0A", "%0D102", "1%0A0%0A2", "102%00", "102%E2%80%A8"):
        said = ask(f"/n/call/{boreale.fqdn}/101/{dialled}/1").content
        assert said.startswith(b"ok,"), dialled


def test_a_status_that_is_dialled_stands_in_the_history_as_the_phone_systems(ask, boreale, amelie):
    assert ask("/n/code", line=f"101%40{boreale.fqdn}", code="*31").content == b"1"
    amelie.refresh_from_db()
    assert amelie.status == "away"
    assert Operation.objects.latest("pk").source == "pbx"
    assert ask("/n/code", line=f"101%40{boreale.fqdn}", code="*99").content == b"0"


# --- Whoever means harm -------------------------------------------------------------------------------------------------
ODD_NAMES = (
    "101@boreale.example.com%00", "%00", "101%40boreale.example.com%0A", "%C0%AE%C0%AE", "%ff%fe", "１０１@boreale.example.com",
    "%EF%BC%91%EF%BC%90%EF%BC%91@boreale.example.com",
    "101@BOREALE.example.com.", "101@boreale.example.com'--", "1" * 10_000, "trunk-0", "trunk--1", "trunk-99999999999", "trunk-1%00", "%", "%zz",
)  # fmt: skip


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_nobodys(client, node, boreale, amelie, name, caplog):
    headers = {"authorization": f"Bearer {TOKEN}"}
    for table in ("ps_endpoints", "ps_auths", "ps_aors"):
        answer = client.post(
            f"/n/rt/{table}/single",
            f"id={name}",
            content_type="application/x-www-form-urlencoded",
            headers=headers,
        )
        assert (answer.status_code, answer.content) == (200, b"")
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options", "head", "trace", "get"])
def test_no_other_method_is_answered(client, node, amelie, method):
    answer = getattr(client, method)("/n/rt/ps_auths/single", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 404
    assert b"md5" not in answer.content


@pytest.mark.parametrize(
    "said", [f"Bearer x,Bearer {TOKEN}", f"Bearer {TOKEN},Bearer x", f"Bearer {TOKEN} x", f"Basic {TOKEN}", TOKEN, f"Bearer  {TOKEN}"]
)  # fmt: skip
def test_several_tokens_at_once_are_none(client, node, amelie, said):
    answer = client.post(
        "/n/rt/ps_auths/single?id=101@boreale.example.com", "id=101@boreale.example.com",
        content_type="application/x-www-form-urlencoded", headers={"authorization": said, "x-forwarded-for": "127.0.0.1"},
    )  # fmt: skip
    assert (answer.status_code, answer.content) == (404, b"Not found\n")
