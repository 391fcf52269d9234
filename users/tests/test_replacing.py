"""Replacing: all of a leaver goes to whoever takes their place, in one operation that reads, and is undone, as one."""

from datetime import time

import pytest
from django.test import Client
from django.urls import reverse

from forwarding.models import ForwardingRule, Period, UserPeriod
from phones.models import Key, Phone
from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully
from users import road
from users.history import timeline
from users.models import Change, Customer, Department, Did, Letter, Operation, SystemExtension, User
from users.people import replacing
from users.people.replacing import Afterwards, Wish
from users.people.sections import user_sheet
from users.road import Outcome, undo
from users.tests.factories import FACTS, make_user
from voicemail.models import Greeting

pytestmark = pytest.mark.slow("makes somebody whole, and draws what would go over")

both_databases = pytest.mark.both_databases("rows that refer to somebody who is created with them")

ALL = frozenset(
    {"phones", "keys", "watchers", "numbers", "seats", "departments", "rules", "calls", "hours", "voicemail"}
)
ZOE = {"number": "", "first_name": "Zoé", "last_name": "Lavoie", "email": "zoe@boreale.example", "mobile": ""}


def edit(actor, person, **values):
    plan = road.plan(actor, person.customer, user_sheet(), [road.Row(person.pk, values)])
    assert not plan.refused, [row.errors or row.refusal for row in plan.refused]
    road.apply(plan, FACTS)


@pytest.fixture
def olivier(boreale, felix, amelie, ines):
    """Somebody with all that one can leave behind, and with colleagues who lead to him."""
    person = make_user(boreale, "104", "Olivier", "Bouchard", email="olivier@boreale.example")
    did, _other = Did.objects.of(boreale)
    edit(
        felix,
        person,
        dids=[did.pk],
        departments=["Accueil", "Soins"],
        recording="all",
        keys=[{"position": 1, "kind": "line"}, {"position": 2, "kind": "blf", "target": ines.pk}],
        visibility=[[Department.objects.of(boreale).get(name="Soins").pk, None, True, None, None]],
        **{
            "available.no_answer_external": "extension:101",
            "available.no_answer_seconds": 35,
            "away.divert_external": "extension:104?voicemail",
            "voicemail.email_option": "attach",
            "hours_mode": "own",
            "office_hours": "mon 8:00-12:00",
        },
    )
    make_phone(boreale, person, "805ec0001041")
    make_phone(boreale, person, "805ec0001042", "yealink-t43u")
    group = SystemExtension.objects.create(customer=boreale, number="180", name="Ventes")
    queue = SystemExtension.objects.create(customer=boreale, number="181", name="Soutien", kind="queue")
    group.members.set([person, amelie])
    queue.members.set([person])
    edit(
        felix,
        amelie,
        keys=[
            {"position": 3, "kind": "blf", "target": person.pk},
            {"position": 5, "kind": "speed_dial", "target": person.pk},
        ],
        **{
            "business_trip.divert_external": "extension:104",
            "business_trip.divert_internal": "extension:104?voicemail",
        },
    )
    make_phone(boreale, amelie, "805ec0001011")
    Phone.objects.update(stale_since=None)
    return again(person)


def again(user):
    return User.objects.select_related("customer", "role", "primary_department").get(pk=user.pk)


def plan(actor, leaver, heir=None, parts=ALL, afterwards=Afterwards.DISABLE, **identity):
    wish = Wish(heir, {} if heir else ZOE | identity, frozenset(parts), afterwards)
    return replacing.plan_replacement(actor, leaver.customer, leaver, wish)


def replaced(actor, leaver, heir=None, **settings):
    made = plan(actor, leaver, heir, **settings)
    assert made.refusals == []
    assert replacing.replace(made, FACTS) is Outcome.SAVED
    return User.objects.select_related("customer", "role", "primary_department").get(pk=made.heir.key)


def rule(person, status):
    return ForwardingRule.objects.get(user=person, status=status)


def state(customer):
    """All that a replacement touches, as values."""
    people = User.objects.of(customer).order_by("pk")
    return (
        list(people.values_list("pk", "number", "disabled", "recording", "hours_mode", "role")),
        list(Phone.objects.of(customer).order_by("mac").values_list("mac", "user", "token_hash")),
        list(Key.objects.of(customer).order_by("user", "position").values_list("user", "position", "kind", "target")),
        list(Did.objects.of(customer).values_list("number", "user")),
        list(SystemExtension.objects.of(customer).order_by("number", "members").values_list("number", "members")),
        list(ForwardingRule.objects.of(customer).order_by("user", "status").values_list(
            "user", "status", "no_answer_external", "no_answer_seconds", "busy_external", "divert_external", "divert_internal"
        )),
        list(UserPeriod.objects.of(customer).order_by("user").values_list("user", "weekday", "start", "end")),
        list(people.order_by("pk", "memberships__department").values_list("pk", "memberships__department")),
    )  # fmt: skip


@pytest.mark.parametrize("afterwards", Afterwards)
@pytest.mark.parametrize("there", [True, False])
def test_greetings_of_the_leavers_own_stay_behind_and_are_told_and_the_companys_go_over(
    felix, olivier, ines, boreale, there, afterwards
):
    own = Greeting.objects.create(customer=boreale, user=olivier, name="Ici Olivier")
    companys = Greeting.objects.create(customer=boreale, name="Fermé")
    heirs = Greeting.objects.create(customer=boreale, user=ines, name="Ici Inès")
    edit(felix, ines, **{"voicemail.default_greeting": heirs.pk})
    edit(
        felix,
        olivier,
        **{"voicemail.default_greeting": own.pk, "away.greeting": own.pk, "lunch.greeting": companys.pk},
    )
    heir = ines if there else None
    made = plan(felix, again(olivier), heir, afterwards=afterwards)
    behind = [text for text in made.left_out if "Ici Olivier" in text]
    assert len(behind) == 2
    assert all("seul" in text for text in behind)
    came = replaced(felix, again(olivier), heir, afterwards=afterwards)
    assert came.mailbox.default_greeting == (heirs if there else None)
    assert rule(came, "lunch").greeting == companys
    assert not ForwardingRule.objects.filter(user=came, greeting=own).exists()
    assert Greeting.objects.filter(pk=own.pk).exists() is (afterwards is not Afterwards.DELETE)


@both_databases
def test_everything_goes_to_a_new_person_and_what_led_to_the_leaver_follows(
    felix, olivier, amelie, ines, boreale
):
    zoe = replaced(felix, olivier)
    assert (zoe.full_name, zoe.recording, zoe.primary_department.name) == ("Zoé Lavoie", "all", "Accueil")
    assert not zoe.disabled
    assert sorted(zoe.phones.values_list("mac", flat=True)) == ["805ec0001041", "805ec0001042"]
    assert list(zoe.keys.values_list("position", "kind", "target")) == [
        (1, "line", None),
        (2, "blf", ines.pk),
    ]
    assert list(zoe.dids.values_list("number", flat=True)) == [Did.objects.of(boreale).first().number]
    assert list(zoe.system_extensions.values_list("number", flat=True)) == ["180", "181"]
    assert set(zoe.memberships.values_list("department__name", flat=True)) == {"Accueil", "Soins"}
    assert zoe.visibilities.get().see_presence
    assert str(rule(zoe, "available").no_answer_external) == "extension:101"
    assert rule(zoe, "available").no_answer_seconds == 35
    assert zoe.mailbox.email_option == "attach"
    assert list(UserPeriod.objects.filter(user=zoe).values_list("kind", "weekday", "start", "end")) == [
        (Period.Kind.OPEN, 0, time(8), time(12))
    ]
    assert list(amelie.keys.values_list("position", "kind", "target")) == [
        (3, "blf", zoe.pk),
        (5, "speed_dial", zoe.pk),
    ]
    assert str(rule(amelie, "business_trip").divert_external) == f"extension:{zoe.number}"
    assert str(rule(amelie, "business_trip").divert_internal) == f"extension:{zoe.number}?voicemail"
    assert set(SystemExtension.objects.get(number="180").members.values_list("pk", flat=True)) == {
        zoe.pk,
        amelie.pk,
    }
    left = again(olivier)
    assert left.disabled
    assert not left.phones.exists()
    assert not left.dids.exists()
    assert not left.system_extensions.exists()


def test_the_leavers_own_mailbox_in_a_rule_becomes_the_heirs(felix, olivier):
    zoe = replaced(felix, olivier)
    assert str(rule(zoe, "away").divert_external) == "voicemail"


def test_phones_keep_their_address_and_all_that_are_concerned_are_told(felix, olivier, amelie, boreale):
    tokens = dict(Phone.objects.of(boreale).values_list("mac", "token_hash"))
    made = plan(felix, olivier)
    assert made.devices == 3, "two that change hands, and the one with a key about the leaver"
    assert replacing.replace(made, FACTS) is Outcome.SAVED
    assert dict(Phone.objects.of(boreale).values_list("mac", "token_hash")) == tokens
    assert Phone.objects.filter(stale_since=None).count() == 0


@both_databases
def test_it_is_one_operation_and_undoing_it_brings_everything_back(felix, olivier, boreale):
    before = state(boreale)
    last = Operation.objects.latest("pk").pk
    zoe = replaced(felix, olivier)
    (operation,) = Operation.objects.filter(pk__gt=last)
    assert operation.kind == Operation.Kind.EDIT
    undone = undo.undo(felix, boreale, operation, FACTS)
    assert not User.objects.filter(pk=zoe.pk).exists(), "who was created by it is gone again"
    assert state(boreale) == before
    assert undone.undoes == operation
    assert Operation.objects.filter(pk__gt=operation.pk).count() == 1, "the undo is one operation, too"


@both_databases
def test_what_went_to_somebody_who_was_there_comes_back_as_well(felix, olivier, ines, boreale):
    edit(
        felix,
        ines,
        keys=[{"position": 1, "kind": "blf", "target": olivier.pk}],
        **{"away.divert_external": "extension:104"},
    )
    before = state(boreale)
    replaced(felix, olivier, ines)
    assert state(boreale) != before
    undo.undo(felix, boreale, Operation.objects.latest("pk"), FACTS)
    assert state(boreale) == before


def test_somebody_who_was_there_keeps_their_own_numbers_seats_and_departments(felix, olivier, ines, boreale):
    _first, did = Did.objects.of(boreale)
    edit(felix, ines, dids=[did.pk])
    replaced(felix, olivier, ines)
    assert ines.dids.count() == 2
    assert set(ines.memberships.values_list("department__name", flat=True)) == {"Accueil", "Soins"}
    assert again(ines).primary_department.name == "Soins"
    assert again(ines).role_id == "group_admins", "the role is theirs"


def test_nobody_is_sent_to_or_watches_themselves(felix, olivier, ines):
    edit(
        felix,
        ines,
        keys=[{"position": 4, "kind": "blf", "target": olivier.pk}],
        **{"away.divert_external": "extension:104"},
    )
    replaced(felix, olivier, ines, parts=ALL - {"rules", "keys"})
    assert not ines.keys.exists()
    assert str(rule(ines, "away").divert_external) == "voicemail"
    assert not Key.objects.filter(target=olivier).exists()


def test_a_mobile_that_the_heir_has_not_is_told_and_not_dialled(felix, olivier):
    edit(
        felix,
        olivier,
        mobile="514 555-0142",
        **{"business_trip.divert_external": "mobile", "available.ring_mobile": True},
    )
    made = plan(felix, again(olivier))
    assert made.refusals == []
    assert sum("514" in sentence or "mobile" in sentence for sentence in made.left_out) == 2
    zoe = replaced(felix, again(olivier))
    assert str(rule(zoe, "business_trip").divert_external) == "voicemail"
    assert not rule(zoe, "available").ring_mobile


def test_with_a_mobile_of_their_own_the_heir_keeps_these_rules(felix, olivier):
    edit(felix, olivier, mobile="514 555-0142", **{"business_trip.divert_external": "mobile"})
    zoe = replaced(felix, again(olivier), mobile="514 555-0143")
    assert str(rule(zoe, "business_trip").divert_external) == "mobile"
    assert zoe.mobile == "+15145550143"


def test_a_rule_that_led_to_somebody_disabled_is_left_out_and_told(felix, olivier, boreale):
    gone = make_user(boreale, "119", "Rémi", "Caron")
    edit(felix, olivier, **{"available.busy_external": "extension:119?voicemail"})
    User.objects.filter(pk=gone.pk).update(disabled=True)
    made = plan(felix, olivier)
    assert made.refusals == []
    assert any("119" in sentence for sentence in made.left_out)
    assert replacing.replace(made, FACTS) is Outcome.SAVED


def test_only_what_is_ticked_goes(felix, olivier, amelie):
    zoe = replaced(felix, olivier, parts={"phones"}, afterwards=Afterwards.KEEP)
    assert zoe.phones.count() == 2
    assert not zoe.keys.exists()
    assert not zoe.dids.exists()
    assert not zoe.system_extensions.exists()
    assert str(rule(amelie, "business_trip").divert_external) == "extension:104"
    assert str(rule(zoe, "available").no_answer_external) == "voicemail"
    assert not again(olivier).disabled


def test_the_leaver_stays_enabled_where_calls_still_lead_there(felix, olivier):
    made = plan(felix, olivier, parts=ALL - {"calls"})
    assert any("Amélie Tremblay" in sentence for sentence in made.refusals)
    deleted = plan(felix, olivier, parts=ALL - {"calls"}, afterwards=Afterwards.DELETE)
    assert any("Amélie Tremblay" in sentence for sentence in deleted.refusals)


@both_databases
def test_the_leaver_is_deleted_where_that_is_chosen(felix, olivier, boreale):
    zoe = replaced(felix, olivier, afterwards=Afterwards.DELETE)
    assert not User.objects.filter(pk=olivier.pk).exists()
    assert zoe.phones.count() == 2
    operation = Operation.objects.latest("pk")
    assert set(operation.changes.values_list("kind", flat=True)) == {"create", "edit", "delete"}
    with pytest.raises(undo.NotUndoableError):
        undo.undo(felix, boreale, operation, FACTS)


def test_a_full_contract_has_room_for_who_replaces_somebody_who_is_deleted(felix, olivier, boreale):
    Customer.objects.filter(pk=boreale.pk).update(included_extensions=User.objects.of(boreale).count())
    full = again(olivier)
    assert plan(felix, full).refusals
    assert replaced(felix, full, afterwards=Afterwards.DELETE).pk


def test_the_last_owner_may_be_replaced_by_a_new_one(staff, felix, boreale):
    zoe = replaced(staff, felix)
    assert zoe.role_id == "system_owners"
    assert again(felix).disabled


def test_the_last_owner_is_not_replaced_by_somebody_who_is_none(staff, felix, amelie, boreale):
    assert plan(staff, felix, amelie).refusals


def test_what_one_may_not_change_stays_and_is_told(ines, felix, olivier, amelie, boreale):
    edit(felix, olivier, primary_department="Soins", departments=["Soins"])
    made = plan(ines, again(olivier), afterwards=Afterwards.KEEP)
    assert made.refusals == []
    assert any("180 Ventes" in sentence for sentence in made.left_out), "a group belongs to the company"
    assert any("Amélie" in sentence for sentence in made.left_out), "she isn't of Inès's department"
    assert replacing.replace(made, FACTS) is Outcome.SAVED
    assert SystemExtension.objects.get(number="180").members.filter(pk=olivier.pk).exists()
    assert str(rule(amelie, "business_trip").divert_external) == "extension:104"


def test_nobody_replaces_by_somebody_whom_they_may_not_edit(ines, felix, olivier, amelie):
    edit(felix, olivier, primary_department="Soins", departments=["Soins"])
    assert plan(ines, again(olivier), amelie).refusals


@both_databases
def test_who_was_quicker_is_seen_and_nothing_is_half_done(felix, olivier, boreale):
    made = plan(felix, olivier)
    edit(felix, olivier, recording="off")
    before = state(boreale)
    assert replacing.replace(made, FACTS) is Outcome.CONFLICT
    assert state(boreale) == before


def test_an_undo_leaves_a_person_who_was_changed_since(felix, olivier, boreale):
    zoe = replaced(felix, olivier)
    operation = Operation.objects.latest("pk")
    edit(felix, zoe, first_name="Zoey")
    with pytest.raises(undo.NotUndoableError):
        undo.undo(felix, boreale, operation, FACTS)
    assert again(zoe).first_name == "Zoey"


def test_it_asks_as_many_queries_for_many_colleagues(felix, olivier, boreale, django_assert_max_num_queries):
    with django_assert_max_num_queries(400) as few:
        plan(felix, olivier)
    for number in range(20):
        person = make_user(boreale, str(320 + number), f"P{number}", "Roy")
        edit(
            felix,
            person,
            keys=[{"position": 1, "kind": "blf", "target": olivier.pk}],
            **{"away.divert_external": "extension:104"},
        )
    with django_assert_max_num_queries(len(few.captured_queries)):
        plan(felix, olivier)


# --- The page -----------------------------------------------------------------------------------------------------
def url(number="104"):
    return reverse("user_replace", args=["boreale", number])


def form(**values):
    return {"who": "new", "part": sorted(ALL), "afterwards": "disable", "welcome": "1"} | ZOE | values


def seen(page):
    return page.context["preview"]["seen"]


@pytest.fixture
def owner(client, felix):
    sign_in_fully(client, felix)
    return client


def test_the_page_shows_what_would_happen_and_then_does_it(owner, olivier, boreale):
    before = state(boreale)
    assert owner.get(url()).status_code == 200
    page = owner.post(url(), form(preview="1"))
    text = page.content.decode()
    assert page.status_code == 200
    assert state(boreale) == before, "only looked"
    assert page.context["preview"]["devices"] == 3
    assert "101 Amélie Tremblay" in text
    answer = owner.post(url(), form(replace="1", seen=seen(page)))
    zoe = User.objects.get(first_name="Zoé")
    assert answer["Location"] == reverse("user_tab", args=["boreale", zoe.number, "general"]) + "?created=1"
    assert zoe.phones.count() == 2
    assert Letter.objects.filter(user=zoe, kind=Letter.Kind.WELCOME).exists()


@pytest.mark.parametrize(
    ("afterwards", "becomes"),
    [
        ("disable", "reste au poste 104 et ne répond plus"),
        ("delete", "est supprimé avec le poste 104"),
        ("keep", "reste à 104 Olivier Bouchard"),
    ],
)
def test_what_becomes_of_the_leavers_talk_link_is_said_before_and_after(
    owner, felix, olivier, boreale, afterwards, becomes
):
    link = "https://boreale.example.com/olivier"
    assert link not in owner.post(url(), form(preview="1", afterwards=afterwards)).content.decode()
    edit(felix, olivier, talk_enabled=True, talk_name="olivier")
    page = owner.post(url(), form(preview="1", afterwards=afterwards))
    before = page.content.decode()
    assert f"Le lien Talk {link} {becomes}" in before
    # The heir's own is named beside it.
    heirs = "https://boreale.example.com/zoelavoie"
    assert (f"celui de 100 Zoé Lavoie\xa0: {heirs}" in before) is (afterwards != "keep")
    typed = form(replace="1", afterwards=afterwards, confirm="104", seen=seen(page))
    report = owner.post(url(), typed, follow=True).content.decode()
    assert f"Le lien Talk {link} {becomes}" in report
    assert User.objects.get(first_name="Zoé").talk_name == "zoelavoie"


def test_an_heir_without_a_talk_link_is_told(felix, olivier, ines):
    edit(felix, olivier, talk_enabled=True, talk_name="olivier")
    edit(felix, ines, talk_enabled=False)
    assert "103 Inès Roy n’a pas de lien Talk" in plan(felix, again(olivier), ines).link
    edit(felix, ines, talk_enabled=True, talk_name="ines")
    assert plan(felix, again(olivier), again(ines)).link.endswith("https://boreale.example.com/ines.")


def test_nothing_is_done_before_it_was_shown(owner, olivier, boreale):
    before = state(boreale)
    assert owner.post(url(), form(replace="1")).status_code == 422
    page = owner.post(url(), form(preview="1"))
    assert owner.post(url(), form(replace="1", seen=seen(page), part=["phones"])).status_code == 422, (
        "another choice"
    )
    assert state(boreale) == before


def test_deleting_asks_to_type_the_extension(owner, olivier):
    page = owner.post(url(), form(preview="1", afterwards="delete"))
    wanted = form(replace="1", seen=seen(page), afterwards="delete")
    assert owner.post(url(), wanted).status_code == 422
    assert owner.post(url(), wanted | {"confirm": "104"}).status_code == 302
    assert not User.objects.filter(number="104").exists()


def test_somebody_who_is_there_is_named_by_extension_or_name(owner, olivier, ines):
    page = owner.post(url(), form(preview="1", who="existing", heir="ines"))
    assert page.context["preview"]["heir"] == "103 Inès Roy"
    for wrong in ("104", "nobody", ""):
        assert owner.post(url(), form(preview="1", who="existing", heir=wrong)).status_code == 422


def test_what_is_wrong_with_the_new_person_stands_at_its_field(owner, olivier):
    page = owner.post(url(), form(preview="1", first_name="", last_name="", number="101"))
    assert page.status_code == 422
    assert {"first_name", "number"} <= page.context["form"].errors.keys()
    assert page.context["problems"] == []


def test_the_history_says_who_was_replaced_by_whom_and_offers_to_undo_it(owner, felix, olivier, boreale):
    zoe = replaced(felix, olivier)
    operation = Operation.objects.latest("pk")
    (told,) = timeline.latest(felix, boreale, 1)
    assert "104 Olivier Bouchard" in told.what
    assert f"{zoe.number} Zoé Lavoie" in told.what
    assert told.undo_url == reverse("undo", args=["boreale", operation.pk])
    page = owner.get(told.undo_url)
    assert f"{zoe.number} Zoé Lavoie" in page.content.decode()
    assert owner.post(told.undo_url).status_code == 302
    assert not User.objects.filter(pk=zoe.pk).exists()


def test_the_actions_of_a_person_lead_there(owner, olivier):
    page = owner.get(reverse("user_tab", args=["boreale", "104", "general"])).content.decode()
    assert f'href="{url()}"' in page


def test_a_secret_is_in_no_part_of_it(felix, olivier):
    made = plan(felix, olivier)
    assert not any(
        column.secret
        for legacy in replacing.legacies()
        for name in legacy.columns
        for column in [user_sheet().columns[name]]
    )
    assert olivier.sip_password not in repr(made.told())
    replaced(felix, olivier)
    assert olivier.sip_password not in repr(list(Change.objects.values_list("cells", flat=True)))


def test_somebody_else_reaches_the_page_of_nobody(laurier, client: Client, olivier):
    stranger = make_user(laurier, "102", "Théo", "Côté", role="system_owners", password="Boréale-2026-matin")
    sign_in_fully(client, stranger)
    assert client.get(url()).status_code == 404
