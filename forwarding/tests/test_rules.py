"""Forwarding rules: what they accept, what they refuse, and who is told when a destination goes."""

import re
from html import unescape
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.html import strip_tags

import forwarding
from forwarding.models import ForwardingRule
from forwarding.tests.road import change, planned, values
from pbxadmin.common.destination_field import DestinationField, references_to
from pbxadmin.common.values.destinations import SAME, VOICEMAIL, Destination, Kind
from pbxadmin.common.values.statuses import Status
from signin.tests.signing import sign_in_fully
from users import road
from users.models import Change, SystemExtension, User
from users.people.sections import user_sheet
from users.rights import Verb
from users.road import replacements
from users.tests.browser import posted
from users.tests.factories import FACTS, details, make_user, make_users


@pytest.fixture
def maude(boreale):
    return make_user(boreale, "105", "Maude", "Côté", role="managers", mobile="438 555-0145")


def test_everybody_has_five_rules_from_his_first_moment(boreale, amelie):
    rules = {rule.status: rule for rule in ForwardingRule.objects.filter(user=amelie)}
    assert set(rules) == set(Status)
    assert rules["available"].no_answer_seconds == 20
    assert (rules["available"].no_answer_external, rules["available"].no_answer_internal) == (VOICEMAIL, SAME)
    assert rules["available"].accept_push
    assert not rules["do_not_disturb"].accept_push


def test_a_status_that_came_later_brings_a_rule_for_everybody_who_was_there():
    """Its migration makes them: docs/how-to.md, "Add a status"."""
    of_the_beginning = {"available", "away", "do_not_disturb", "lunch", "business_trip"}
    folder = Path(forwarding.__file__).parent / "migrations"
    texts = [text for path in folder.glob("*.py") if "RunPython(" in (text := path.read_text("utf-8"))]
    later = [str(status) for status in Status if status not in of_the_beginning]
    assert [slug for slug in later if not any(f'status="{slug}"' in text for text in texts)] == []


@pytest.mark.parametrize(("typed", "kept"), [
    ("extension:105", "extension:105"), ("extension:105 Maude Côté", "extension:105"), ("extension:maude cote", "extension:105"),
    ("extension:105?voicemail", "extension:105?voicemail"), ("external:514 555-0199?bounce", "external:+15145550199?bounce"),
    ("voicemail", "voicemail"), ("busy", "busy"),
])  # fmt: skip
def test_a_destination_is_read_as_people_type_it(felix, amelie, maude, typed, kept):
    change(felix, amelie, available__busy_external=typed)
    assert str(values(amelie, "available.busy_external")[0]) == kept or kept == "voicemail"


@pytest.mark.parametrize("typed", [
    "extension:199", "extension:nobody at all", "system:801", "external:*72", "external:911", "external:1 900 555-0100",
    "external:+18095550100", "external:+881612345678", "external:514,,,555", "same", "extension:", "carrier:5", "extension:105?bounce", "",
    "external:514 555-0199?deflect", "mobile", "extension:101",
])  # fmt: skip
def test_what_calls_cannot_be_sent_to_is_refused(felix, amelie, maude, typed):
    row = planned(felix, amelie, away__divert_external=typed)
    assert row.outcome == "refused", row.changes
    assert "away.divert_external" in row.errors


def test_another_customers_extension_does_not_exist(felix, amelie, laurier):
    make_user(laurier, "205", "Alice", "Boucher")
    assert planned(felix, amelie, away__divert_external="extension:205").outcome == "refused"


def test_busy_is_written_together_with_not_registered(felix, amelie, maude):
    change(felix, amelie, available__busy_external="extension:105", available__busy_internal="busy")
    rule = ForwardingRule.objects.get(user=amelie, status="available")
    assert (rule.busy_external, rule.busy_internal) == (
        rule.not_registered_external,
        rule.not_registered_internal,
    )
    assert str(rule.not_registered_external) == "extension:105"


def test_nobody_is_sent_to_a_tab_that_they_have_not(felix, boreale):
    olivier = make_user(boreale, "104", "Olivier", "Bélanger", email="")
    for column, wanted in (("available.ring_mobile", True), ("voicemail.email_option", "attach")):
        said = {}
        for actor, verb in ((felix, Verb.EDIT), (olivier, Verb.SELF)):
            row = road.plan(
                actor, boreale, user_sheet(), [road.Row(olivier.pk, {column: wanted})], verb
            ).rows[0]
            [said[verb]] = (row.errors | row.warnings)[column]
        assert "Général" in said[Verb.EDIT]
        assert "administrateur" in said[Verb.SELF]
        assert "Général" not in said[Verb.SELF]


@pytest.mark.parametrize(("language", "others"), [
    ("en", r"(?i)\b(the|this) (user|person)\b|\btabs?\b"), ("fr-ca", r"(?i)\b(l’|cet |ce même )utilisateur\b|\bonglets?\b"),
])  # fmt: skip
def test_ones_own_pages_speak_to_their_reader_and_name_no_tab(boreale, amelie, language, others):
    browser = sign_in_fully(Client(), amelie)
    for name in ("own_page", "own_forwarding", "own_voicemail", "own_greetings_page", "own_app"):
        page = browser.get(reverse(name), headers={"accept-language": language}).content.decode()
        # A colleague's mailbox is a colleague's.
        said = unescape(strip_tags(page)).replace("boîte vocale de cet utilisateur", "")
        assert [line for line in said.splitlines() if re.search(others, line)] == [], name


def test_the_mobile_rings_and_is_a_destination_only_where_there_is_one(felix, amelie, maude):
    assert "available.ring_mobile" in planned(felix, amelie, available__ring_mobile=True).errors
    change(felix, maude, available__ring_mobile=True, away__divert_external="mobile?bounce")
    row = planned(felix, maude, mobile="")
    assert "mobile" in row.errors
    both = planned(felix, maude, mobile="", available__ring_mobile=False, away__divert_external="voicemail")
    assert both.outcome == "changed"


def test_a_mobile_that_somebody_earns_on_is_refused(felix, amelie):
    assert "mobile" in planned(felix, amelie, mobile="1 900 555-0100").errors


def test_302_is_refused_where_the_trunk_does_not_take_it_and_accepted_where_it_does(boreale, felix, amelie):
    assert planned(felix, amelie, away__divert_external="external:514 555-0199?deflect").outcome == "refused"
    boreale.supports_deflection = True
    boreale.save()
    felix.refresh_from_db()
    amelie.customer.refresh_from_db()
    assert planned(felix, amelie, away__divert_external="external:514 555-0199?deflect").outcome == "changed"


def test_hidden_and_disabled_people_are_not_chosen_anew_but_stay_where_they_were(
    boreale, felix, amelie, maude
):
    change(felix, amelie, away__divert_external="extension:105")
    User.objects.filter(pk=maude.pk).update(hidden=True)
    assert planned(felix, amelie, away__divert_external="extension:105?voicemail").outcome == "changed"
    assert planned(felix, amelie, away__divert_internal="extension:105").outcome == "refused"


def test_two_who_send_calls_to_each_other_are_told(boreale, felix, amelie, maude):
    change(felix, maude, available__no_answer_external="extension:101")
    row = planned(felix, amelie, available__busy_external="extension:105")
    assert row.outcome == "changed"
    assert "101" in " ".join(row.warnings["available.busy_external"])
    third = make_user(boreale, "106", "Xavier", "Lévesque")
    change(felix, third, away__divert_internal="extension:105")
    assert planned(felix, amelie, lunch__busy_external="extension:106").warnings


def test_nobody_is_disabled_while_calls_are_sent_to_him(boreale, felix, amelie, maude):
    change(felix, amelie, away__divert_external="extension:105")
    row = planned(felix, maude, disabled=True)
    assert "101" in " ".join(row.errors["disabled"])
    hidden = planned(felix, maude, hidden=True)
    assert hidden.outcome == "changed"
    assert hidden.warnings["hidden"]


def test_somebody_to_whom_calls_are_sent_is_deleted_only_with_a_replacement(boreale, felix, amelie, maude):
    change(
        felix, amelie, away__divert_external="extension:105", lunch__busy_external="extension:105?voicemail"
    )
    removal = road.plan_removal(felix, boreale, user_sheet(), [maude.pk])
    assert "101" in removal.refusals[maude.pk]
    references = replacements.calls_sent_to(boreale, Kind.EXTENSION, [maude])
    assert {reference.column for reference in references} == {"away.divert_external", "lunch.busy_external"}
    replacements.remove_with_replacement(removal, references, "extension:102", FACTS)
    assert not User.objects.filter(pk=maude.pk).exists()
    assert [str(value) for value in values(amelie, "away.divert_external", "lunch.busy_external")] == [
        "extension:102",
        "extension:102?voicemail",
    ]
    assert "extension:102" in str(Change.objects.filter(object_pk=amelie.pk).first().cells)


def test_a_replacement_that_goes_too_or_does_not_exist_leaves_everything_as_it_was(
    boreale, felix, amelie, maude
):
    change(felix, amelie, away__divert_external="extension:105")
    references = replacements.calls_sent_to(boreale, Kind.EXTENSION, [maude])
    for instead in ("extension:105", "extension:199", "mobile"):
        removal = road.plan_removal(felix, boreale, user_sheet(), [maude.pk])
        with pytest.raises(road.RefusedError):
            replacements.remove_with_replacement(removal, references, instead, FACTS)
        assert removal.refusals
    assert User.objects.filter(pk=maude.pk).exists()
    assert str(values(amelie, "away.divert_external")[0]) == "extension:105"


def test_a_system_extension_that_is_a_destination_is_found(boreale, felix, amelie):
    SystemExtension.objects.create(customer=boreale, number="801", name="Accueil", kind="ring_group")
    change(felix, amelie, available__no_answer_external="system:801")
    (reference,) = references_to(boreale, Kind.SYSTEM, ["801"])
    assert (reference.owner, reference.column) == (amelie.pk, "available.no_answer_external")
    assert references_to(boreale, Kind.SYSTEM, ["802"]) == []


@pytest.mark.parametrize("target", ["extension:105", "extension:105?voicemail"])
def test_among_as_many_targets_as_a_file_has_the_same_is_found_as_among_few(
    boreale, felix, amelie, maude, target
):
    change(felix, amelie, away__divert_external=target)
    few = references_to(boreale, Kind.EXTENSION, ["105"])
    assert few
    assert references_to(boreale, Kind.EXTENSION, ["105", *map(str, range(1_000, 1_200))]) == few
    assert references_to(boreale, Kind.EXTENSION, list(map(str, range(1_000, 1_200)))) == []


def test_every_destination_of_the_installation_is_looked_through(boreale, felix, amelie, maude):
    for field in ForwardingRule._meta.concrete_fields:
        if not isinstance(field, DestinationField):
            continue
        ForwardingRule.objects.filter(user=amelie).update(**{field.name: Destination(Kind.EXTENSION, "105")})
        assert references_to(boreale, Kind.EXTENSION, ["105"]), field.name
        ForwardingRule.objects.filter(user=amelie).update(**{field.name: VOICEMAIL})


def test_a_key_for_somebody_is_told_and_does_not_hold_him(boreale, felix, amelie, maude):
    change(felix, amelie, keys='[{"position": 3, "kind": "blf", "target": "105"}]')
    removal = road.plan_removal(felix, boreale, user_sheet(), [maude.pk])
    assert maude.pk not in removal.refusals
    assert any("3" in sentence and "101" in sentence for sentence in removal.losses[maude.pk])


def test_many_people_cost_as_many_queries_as_few(boreale, felix):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    people = make_users(boreale, *(details(str(number), "Gens", str(number)) for number in range(110, 121)))
    counts = []
    for some in (people[:2], people[2:]):
        rows = [
            road.Row(person.pk, {"lunch.busy_external": "extension:102", "lunch.accept_push": False})
            for person in some
        ]
        with CaptureQueriesContext(connection) as captured:
            plan = road.plan(felix, boreale, user_sheet(), rows)
            assert not plan.refused
            road.apply(plan, FACTS)
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_bulk_change_is_undone_as_it_was(boreale, felix, amelie):
    from users.models import Operation
    from users.road import undo

    change(felix, amelie, away__divert_external="busy", available__no_answer_seconds="45")
    undo.undo(felix, boreale, Operation.objects.first(), FACTS)
    assert values(amelie, "away.divert_external", "available.no_answer_seconds") == [VOICEMAIL, 20]


def test_the_history_says_destinations_in_the_readers_words(boreale, felix, amelie, maude):
    column = user_sheet().columns["away.divert_external"]
    from pbxadmin.common.columns import Scope

    with translation.override("en"):
        assert (
            column.show(Destination.parse("extension:105?voicemail"), Scope(felix, boreale))
            == "Extension number 105 Maude Côté (Voicemail)"
        )
        assert column.show("external:+15145550199?bounce") == "External number 514 555-0199 (Bounce)"


def test_every_destination_is_explained_where_it_is_chosen(boreale, felix, amelie):
    page = sign_in_fully(Client(), felix).get("/c/boreale/users/101/forwarding").content.decode()
    pickers = [each.split('class="picker"')[0] for each in page.split('<div class="picker"')[1:]]
    assert len(pickers) >= 10
    for picker in pickers:
        menu = picker.split("</select>")[0]
        for kind in filter(None, re.findall(r'<option value="(\w*)"', menu)):
            assert re.search(rf'<p class="for field-help" data-for="{kind}">\S', picker), kind
        for help_of_box in re.findall(r'\.bounce"[^>]*aria-describedby="([^" ]+)', picker):
            told = picker.split(f'id="{help_of_box}">')[1].split("</p>")[0]
            assert "pendant que l’appelant est en attente" in told
    assert "_bounce_help" in page


def test_a_destination_that_was_changed_meanwhile_is_marked_with_who_did_it_and_its_status_is_in_sight(
    client, boreale, amelie, felix
):
    """Each field names who changed it last; one's own other window is told to be that."""
    url = "/c/boreale/users/101/forwarding"
    one, other = (
        sign_in_fully(client, felix),
        sign_in_fully(Client(), make_user(boreale, "190", "Odile", "Roy", role="system_owners")),
    )
    typed = posted(one.get(url).content.decode()) | {
        "available.custom_message": "Dîner",
        "_shown": "available",
    }
    for window, name in ((other, "away.divert_internal"), (one, "lunch.no_answer_external")):
        fields = posted(window.get(url).content.decode())
        assert window.post(url, fields | {name: "busy"}).status_code == 302
    answer = one.post(url, typed, headers={"accept-language": "en"})
    assert answer.status_code == 409
    text = " ".join(unescape(answer.content.decode()).split())
    marks = re.findall(r'id="id_([\w.]+)_theirs">.*?<span>\s*(.*?)</span>', text)
    assert marks == [
        ("away.divert_internal", "190 Odile Roy saved “Send busy” here in the meantime."),
        (
            "lunch.no_answer_external",
            "102 Félix Gagnon (you, in another window) saved “Send busy” here in the meantime.",
        ),
    ]
    rules = {rule.status: (rule.theirs, rule.shown) for rule in answer.context["rules"]}
    assert [each for each, (theirs, _shown) in rules.items() if theirs] == ["away", "lunch"]
    assert [each for each, (_theirs, shown) in rules.items() if shown] == ["away"]
    assert text.count("changed meanwhile") == 2
