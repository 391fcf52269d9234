"""Many users changed at once: only what is ticked, told before, all or nothing, one operation that is undone as one."""

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from signin.tests.signing import sign_in_fully
from users.models import Change, Department, Job, Operation, User
from users.tests.factories import details, make_user, make_users

pytestmark = [pytest.mark.django_db, pytest.mark.slow("pages and previews over many people")]
URL = "/c/boreale/users/chosen/edit"


@pytest.fixture
def people(boreale):
    return make_users(boreale, *(details(f"15{place}", "Personne", f"Numéro {place}") for place in range(3)))


def keys(people):
    return [each.pk for each in people]


def form(people, *ticked, **typed):
    """What the page sends: the boxes and the fields."""
    return {"chosen": keys(people), "edited": "1", "preview": "1", "_change": list(ticked)} | typed


def carried(page):
    """What the preview's form sends when it is confirmed."""
    text = page.content.decode()
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text):
        if name != "csrfmiddlewaretoken":
            value = (
                value.replace("&quot;", '"').replace("&#x27;", "'").replace("&lt;", "<").replace("&amp;", "&")
            )
            found.setdefault(name, []).append(value)
    return found


def seen(client, people, *ticked, **typed):
    return client.post(URL, form(people, *ticked, **typed))


def saved(client, people, *ticked, **typed):
    return client.post(URL, carried(seen(client, people, *ticked, **typed)))


def mailboxes(people):
    return [User.objects.get(pk=each.pk).mailbox.enabled for each in people]


# --- The page -----------------------------------------------------------------------------------------------------
def test_the_page_has_the_nine_tabs_and_a_box_before_each_field(client, felix, people):
    page = sign_in_fully(client, felix).post(URL, {"chosen": keys(people)}).content.decode()
    tabs = re.findall(r'name="_tab"\s+value="(\w+)"', page)
    assert tabs == [
        "general",
        "talk",
        "forwarding",
        "schedule",
        "phone",
        "blf",
        "voicemail",
        "visualiser",
        "options",
    ]
    for name in (
        "role",
        "voicemail.enabled",
        "available.no_answer_seconds",
        "hidden",
        "office_hours",
        "talk_ask",
    ):
        assert f'value="{name}"' in page, name
    for name in ("number", "first_name", "email", "mobile", "dids", "voicemail.pin", "status", "talk_name"):
        assert f'name="{name}"' not in page, name


def test_what_differs_says_so(client, felix, people):
    User.objects.filter(pk=people[0].pk).update(hidden=True)
    page = sign_in_fully(client, felix).post(URL, {"chosen": keys(people)}).content.decode()
    row = page.split('id="id_hidden_row"')[1].split("</div>")[0]
    assert "Valeurs différentes" in page.split('id="id_hidden_row"')[1][:900], row
    assert page.count("Valeurs différentes") == 1


def test_nothing_ticked_is_told_and_nothing_is_lost(client, felix, people):
    answer = seen(sign_in_fully(client, felix), people, outbound_caller_id="514 555-0199")
    assert answer.status_code == 422
    assert "514 555-0199" in answer.content.decode()


def test_what_cant_be_read_is_marked_in_its_tab(client, felix, people):
    answer = seen(
        sign_in_fully(client, felix),
        people,
        "available.no_answer_seconds",
        **{"available.no_answer_seconds": "soon"},
    )
    assert answer.status_code == 422
    assert 'id="show-tab-forwarding" checked' in answer.content.decode()


# --- The preview --------------------------------------------------------------------------------------------------
def test_the_preview_says_who_changes_from_what_to_what_and_writes_nothing(client, felix, people):
    User.objects.get(pk=people[0].pk).mailbox.__class__.objects.filter(user=people[0]).update(enabled=False)
    before = Operation.objects.count()
    page = " ".join(seen(sign_in_fully(client, felix), people, "voicemail.enabled").content.decode().split())
    assert "2 utilisateurs changent" in page
    assert '<span class="was">Oui</span> → <span class="is">Non</span>' in page
    assert "1 reste tel quel" in page
    assert "150 Personne" not in page.split("changes")[1]
    assert Operation.objects.count() == before


def test_it_is_saved_as_one_operation_and_undone_as_one(client, felix, people):
    sign_in_fully(client, felix)
    answer = saved(client, people, "voicemail.enabled", "hidden", hidden="on")
    assert answer.status_code == 302
    assert mailboxes(people) == [False] * 3
    operation = Operation.objects.latest("pk")
    assert operation.changes.count() == 3
    client.post(reverse("undo", args=["boreale", operation.pk]), {"confirmed": "1"})
    assert mailboxes(people) == [True] * 3
    assert not User.objects.filter(hidden=True).exists()


def test_the_same_edit_again_writes_nothing_and_says_so(client, felix, people):
    sign_in_fully(client, felix)
    saved(client, people, "hidden", hidden="on")
    before = Operation.objects.count()
    page = seen(client, people, "hidden", hidden="on")
    assert "Rien ne change" in page.content.decode()
    assert 'name="confirmed"' not in page.content.decode()
    client.post(URL, carried(page) | {"confirmed": "1"})
    assert Operation.objects.count() == before


def test_who_was_changed_in_between_is_told_before_it_is_saved(client, felix, people):
    sign_in_fully(client, felix)
    shown = carried(seen(client, people, "hidden", hidden="on"))
    User.objects.filter(pk=people[0].pk).update(hidden=True)
    answer = client.post(URL, shown)
    assert answer.status_code == 422
    assert User.objects.filter(hidden=True).count() == 1
    assert client.post(URL, carried(answer)).status_code == 302
    assert User.objects.filter(hidden=True).count() == 3


def led_to(number):
    """What the form sends for "when I don't answer: to this extension"."""
    return {
        "available.no_answer_internal": "extension",
        "available.no_answer_internal.extension": number,
    }


def test_a_destination_whose_number_went_to_somebody_else_is_told_before_calls_go_there(
    client, felix, people, boreale
):
    heir = make_user(boreale, "160", "Ancienne", "Titulaire")
    sign_in_fully(client, felix)
    page = seen(client, people, "available.no_answer_internal", **led_to("160"))
    shown = carried(page)
    assert "Ancienne Titulaire" in page.content.decode()
    heir.delete()
    make_user(boreale, "160", "Nouveau", "Venu")
    answer = client.post(URL, shown)
    assert answer.status_code == 422
    assert "Nouveau Venu" in answer.content.decode()
    assert not Change.objects.filter(subject_pk__in=keys(people), kind="edit").exists()
    # Whoever wants that too says so.
    assert client.post(URL, carried(answer)).status_code == 302


def test_a_job_leads_no_calls_to_somebody_who_got_the_number_since(
    client, felix, people, boreale, monkeypatch
):
    from users.people.editing.action import EDIT
    from users.road import jobs

    monkeypatch.setitem(EDIT.__dict__, "at_once", 2)
    heir = make_user(boreale, "160", "Ancienne", "Titulaire")
    sign_in_fully(client, felix)
    assert saved(client, people, "available.no_answer_internal", **led_to("160")).status_code == 302
    heir.delete()
    make_user(boreale, "160", "Nouveau", "Venu")
    job = Job.objects.get()
    while jobs.run(job.pk):
        pass
    assert not Change.objects.filter(subject_pk__in=keys(people), kind="edit").exists()
    page = client.get(f"/c/boreale/jobs/{job.pk}").content.decode()
    assert "n’est plus là" in page or "choisissez" in page


def test_all_that_match_are_found_again_and_whoever_came_in_between_is_told(client, felix, people, boreale):
    sign_in_fully(client, felix)
    sent = {
        "all_matching": "1",
        "q": "personne",
        "edited": "1",
        "preview": "1",
        "_change": "hidden",
        "hidden": "on",
    }
    shown = carried(client.post(URL, sent))
    assert shown["expected"] == ["3"]
    make_user(boreale, "160", "Personne", "De plus")
    answer = client.post(URL, shown)
    assert answer.status_code == 409
    assert not User.objects.filter(hidden=True).exists()
    client.post(URL, carried(answer))
    assert User.objects.filter(hidden=True).count() == 4


# --- Who is left out ----------------------------------------------------------------------------------------------
def test_who_cant_be_changed_is_named_and_left_out_only_on_purpose(client, felix, people):
    sign_in_fully(client, felix)
    page = seen(client, [*people, felix], "role", role="receptionists")
    refused = page.content.decode().split('id="refused-title"')[1].split("</section>")[0]
    assert refused.count("Félix Gagnon") == 1
    shown = carried(page)
    assert client.post(URL, shown).status_code == 409
    assert not User.objects.filter(pk__in=keys(people), role="receptionists").exists()
    assert client.post(URL, shown | {"without": "1"}).status_code == 302
    assert User.objects.filter(pk__in=keys(people), role="receptionists").count() == 3
    assert User.objects.get(pk=felix.pk).role_id == "system_owners"


def test_the_last_owners_are_not_lowered_together(client, staff, felix, boreale):
    second = make_user(boreale, "110", "Zoé", "Lavoie", role="system_owners")
    sign_in_fully(client, staff)
    page = seen(client, [felix, second], "role", role="users")
    assert "0 utilisateurs" in page.content.decode() or page.content.decode().count('id="refused-title"') == 1
    client.post(URL, carried(page) | {"confirmed": "1", "without": "1"})
    assert User.objects.filter(role="system_owners").count() == 2


def test_a_department_administrator_changes_nobody_elses_people(client, ines, felix, people, boreale):
    mine = make_user(boreale, "170", "Zoé", "Lavoie", department="Soins")
    sign_in_fully(client, ines)
    page = seen(client, [mine, *people], "hidden", hidden="on")
    shown = carried(page)
    assert client.post(URL, shown).status_code == 409
    assert client.post(URL, shown | {"without": "1"}).status_code == 302
    assert list(User.objects.filter(hidden=True)) == [mine]


# --- Hostile ------------------------------------------------------------------------------------------------------
HOSTILE = [
    "", "null", "[]", "{", "1e999", "[" * 5_000, '{"general": []}', '{"general": {"first_name": "X"}}',
    '{"general": {"number": "999"}}', '{"general": {"email": "thief@evil.example"}}', '{"general": {"dids": ["1"]}}',
    '{"voicemail": {"voicemail.pin": "4821"}}', '{"forwarding": {"status": "lunch"}}', '{"options": {"hidden": {"a": 1}}}',
    '{"options": {"sip_id": "x"}}', '{"visualiser": {"1-see_calls": true}}', '{"visualiser": {"999999-see_calls": "yes"}}',
    '{"blf": {"from": 0, "to": 999, "keys": []}}', '{"blf": {"from": true, "to": 3, "keys": [[1]]}}',
    '{"phone": {"model": "x", "values": {}}}', '{"phone": {"model": ["x"], "values": {"mac": "1"}}}',
    '{"phone": {"model": "yealink-t54w", "values": {"mac": "805ec0000000", "user": "1", "model": "yealink-t46u", "logo": "x"}}}',
    '{"nothing": {"hidden": "on"}}', '{"options": {"nothing": "on"}}',
]  # fmt: skip


@pytest.mark.parametrize("wanted", HOSTILE)
def test_what_isnt_in_the_form_cant_be_wanted(client, felix, people, wanted):
    before = Operation.objects.count()
    sent = {"chosen": keys(people), "confirmed": "1", "expected": "3", "_wanted": wanted, "seen": "x"}
    assert sign_in_fully(client, felix).post(URL, sent).status_code in (200, 409, 422)
    assert Operation.objects.count() == before


def test_what_is_sent_twice_or_for_no_field_changes_nothing_more(client, felix, people):
    sign_in_fully(client, felix)
    typed = {"hidden": ["on", "off"], "first_name": "X", "number": "9"}
    saved(client, people, "hidden", "hidden", "first_name", "number", "nothing", **typed)
    names = {
        cell["column"]
        for change in Change.objects.filter(operation=Operation.objects.latest("pk"))
        for cell in change.cells
    }
    assert names == {"hidden"}


def test_another_customers_people_arent_there(client, felix, people, laurier):
    stranger = make_user(laurier, "201", "Rosalie", "Beaulieu")
    page = seen(sign_in_fully(client, felix), [*people, stranger], "hidden", hidden="on")
    assert "Rosalie" not in page.content.decode()
    client.post(URL, carried(page) | {"without": "1"})
    assert not User.objects.get(pk=stranger.pk).hidden


def test_another_customers_department_cant_be_given(client, felix, people, laurier):
    theirs = Department.objects.create(customer=laurier, name="Ailleurs")
    answer = seen(
        sign_in_fully(client, felix), people, "primary_department", primary_department=str(theirs.pk)
    )
    assert answer.status_code == 422


# --- A tab's own ways ---------------------------------------------------------------------------------------------
def test_one_cell_of_the_view_changes_and_all_others_stay(client, felix, people, boreale):
    department = Department.objects.get(customer=boreale, name="Accueil")
    name = f"view-{department.pk}"
    sign_in_fully(client, felix)
    saved(client, people[:1], **{f"{name}-see_presence": "no"})
    saved(client, people, **{f"{name}-see_calls": "yes"})
    found = {each.pk: list(each.visibilities.values_list("see_presence", "see_calls")) for each in people}
    assert found == {
        people[0].pk: [(False, True)],
        people[1].pk: [(None, True)],
        people[2].pk: [(None, True)],
    }


def test_a_schedule_is_given_to_many(client, felix, people):
    week = {f"office_hours.{day}": "8:00-12:00" for day in range(5)}
    sign_in_fully(client, felix)
    answer = saved(client, people, "hours_mode", "office_hours", hours_mode="own", **week)
    assert answer.status_code == 302
    assert {User.objects.get(pk=each.pk).hours_mode for each in people} == {"own"}


# --- A fresh proof ------------------------------------------------------------------------------------------------
def test_a_role_that_administers_takes_a_fresh_proof_and_keeps_the_choice(client, felix, people):
    sign_in_fully(client, felix)
    shown = carried(seen(client, people, "role", role="group_admins"))
    session = client.session
    for name in list(session.keys()):
        if isinstance(session[name], int) and session[name] > 1_000_000_000:
            session[name] -= 3_600
    session.save()
    asked = client.post(URL, shown)
    assert asked.status_code == 403
    assert json.loads(shown["_wanted"][0]) == {"general": {"role": "group_admins"}}
    assert 'name="_wanted"' in asked.content.decode()
    assert not User.objects.filter(role="group_admins", pk__in=keys(people)).exists()


# --- Many ---------------------------------------------------------------------------------------------------------
def test_more_than_a_step_is_a_job_with_what_is_wanted(client, felix, people, monkeypatch):
    from users.people.editing.action import EDIT

    monkeypatch.setitem(EDIT.__dict__, "at_once", 2)
    sign_in_fully(client, felix)
    answer = saved(client, people, "hidden", hidden="on")
    job = Job.objects.get()
    assert answer["Location"].endswith(f"/jobs/{job.pk}")
    assert job.settings["wanted"] == {"options": {"hidden": True}}
    from users.road import jobs

    while jobs.run(job.pk):
        pass
    assert User.objects.filter(hidden=True).count() == 3
    assert Change.objects.filter(operation=Job.objects.get().operation).count() == 3


@pytest.mark.parametrize(
    "sent", [{}, {"edited": "1", "preview": "1", "_change": ["hidden", "voicemail.enabled"], "hidden": "on"}]
)
def test_page_and_preview_cost_as_many_queries_for_many_as_for_few(
    client, felix, people, boreale, django_assert_max_num_queries, sent
):
    more = make_users(boreale, *(details(f"4{place}", "De", f"Plus {place}") for place in range(20, 50)))
    sign_in_fully(client, felix)
    client.post(URL, {"chosen": keys(people)} | sent)
    with CaptureQueriesContext(connection) as few:
        client.post(URL, {"chosen": keys(people)} | sent)
    with django_assert_max_num_queries(len(few)):
        client.post(URL, {"chosen": keys(more)} | sent)


def test_a_field_that_is_called_as_a_filter_of_the_list_narrows_nobody_and_the_list_is_the_same_afterwards(
    client, felix, people
):
    sign_in_fully(client, felix)
    page = client.post(URL, {"all_matching": "1", "q": "personne"})
    asked = carried(page)
    assert "3 utilisateurs" in page.content.decode()
    # The tab "Général" has a role, and the list a filter of that name.
    sent = asked | {
        "edited": "1",
        "preview": "1",
        "_change": ["hidden"],
        "role": "group_admins",
        "hidden": "on",
    }
    preview = client.post(URL, sent)
    assert "3 utilisateurs" in preview.content.decode()
    done = client.post(URL, carried(preview) | {"role": "group_admins"})
    assert done["Location"] == "/c/boreale/users/?q=personne"
    assert User.objects.filter(pk__in=keys(people), hidden=True).count() == 3
