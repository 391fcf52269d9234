"""Over many customers: looked at first, done customer by customer in its own history, never twice, and taken back everywhere."""

from datetime import date

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from forwarding.hours import Holiday as Day
from forwarding.models import Holiday
from phones.models import Phone
from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully
from signin.tests.test_asking import let_the_proof_grow_old
from support.many.holidays import is_there
from support.tests.test_admin import filled
from users import road
from users.company.sheets import customer_sheet, department_sheet
from users.models import Customer, Department, Job, Operation, StaffLevel, User
from users.road import jobs
from users.tests.factories import FACTS, make_staff, make_user

pytestmark = [
    pytest.mark.both_databases("steps that claim their rows"),
    pytest.mark.slow("opens the pages over many customers"),
]

MANY = reverse("admin:many")
NOEL = {"what": "holiday", "first": "2026-12-25", "name": "Noël"}


@pytest.fixture(autouse=True)
def untold(monkeypatch):
    """No broker: what a worker would be told of."""
    told = []
    monkeypatch.setattr(jobs.run_job, "apply_async", lambda args, **options: told.append(args[0]))
    return told


@pytest.fixture
def desk(client, staff):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return sign_in_fully(client, staff)


@pytest.fixture
def ten(boreale, laurier):
    """Ten customers: Boréale, Laurier and eight with one department each."""
    rows = [
        Customer(name=f"Client {place}", slug=f"client-{place}", fqdn=f"client-{place}.example.com")
        for place in range(8)
    ]
    others = Customer.objects.bulk_create(rows)
    Department.objects.bulk_create(Department(customer=each, name="Siège") for each in others)
    return [boreale, laurier, *others]


def looked_at(desk, **asked):
    """The preview of what was asked for."""
    answer = desk.post(MANY, asked)
    assert answer.status_code == 302, answer.context["form"].errors
    return Job.objects.get(pk=answer.url.rpartition("/")[2])


def address(job):
    return reverse("admin:many_job", args=[job.pk])


def confirmed(desk, preview, **more):
    """The job that carries a preview out."""
    answer = desk.post(address(preview), {"do": "confirm", **more})
    assert answer.status_code == 302, answer.context["problem"]
    return Job.objects.get(pk=answer.url.rpartition("/")[2])


def finish(job):
    while jobs.run(job.pk):
        pass
    job.refresh_from_db()
    return job


def of(job, kind):
    """{customer: what the report has of it} of "done" or "refused"."""
    return {line[1]: line[2] for step in job.steps.all() for line in getattr(step, kind)}


def closed(customer):
    """The departments of a customer with their holidays by name."""
    found = {name: [] for name in Department.objects.of(customer).values_list("name", flat=True)}
    for name, day in Holiday.objects.filter(department__customer=customer).values_list(
        "department__name", "name"
    ):
        found[name].append(day)
    return found


def change(customer, sheet, record, **values):
    """What somebody else does meanwhile."""
    actor = make_staff("autre@tic.example")
    done = road.commit(road.plan(actor, customer, sheet(), [road.Row(record.pk, values)]), FACTS)
    assert done.outcome is road.Outcome.SAVED
    return done.operation


# --- A holiday ----------------------------------------------------------------------------------------------------
def test_a_holiday_is_given_to_every_department_of_all_customers_after_a_preview(desk, boreale, laurier):
    preview = looked_at(desk, **NOEL)
    assert (preview.state, preview.done, preview.refused) == ("done", 2, 0)
    assert not Holiday.objects.exists(), "a preview writes nothing"
    text = desk.get(address(preview)).content.decode()
    assert "Clinique Boréale" in text
    assert "Librairie Laurier" in text
    assert "4 departments" in text
    job = confirmed(desk, preview)
    assert (job.state, job.done) == ("done", 2)
    for customer in (boreale, laurier):
        assert closed(customer) == {"Accueil": ["Noël"], "Soins": ["Noël"]}
        operation = Operation.objects.of(customer).get(reason=f"job {job.pk}")
        assert operation.changes.count() == 2
        assert (
            reverse("operation", args=[customer.slug, operation.pk])
            in desk.get(address(job)).content.decode()
        )


def test_only_departments_whose_names_match_are_meant(desk, boreale, laurier):
    job = confirmed(desk, looked_at(desk, **NOEL, names="clinique", departments="soins"))
    assert closed(boreale) == {"Accueil": [], "Soins": ["Noël"]}
    assert closed(laurier) == {"Accueil": [], "Soins": []}
    assert job.total == 1


def test_statutory_holidays_are_added_where_they_are_missing_in_each_departments_language(desk, boreale):
    Department.objects.of(boreale).filter(name="Soins").update(language="en")
    year = timezone.localdate().year
    accueil = Department.objects.of(boreale).get(name="Accueil")
    Holiday.objects.create(department=accueil, first=date(year, 7, 1), last=date(year, 7, 1), name="Congé")
    confirmed(desk, looked_at(desk, what="holiday", statutory=str(year)))
    found = closed(boreale)
    assert "Canada Day" in found["Soins"]
    assert "Congé" in found["Accueil"]
    assert "Fête du Canada" not in found["Accueil"]
    assert len(found["Accueil"]) == len(found["Soins"])


def test_who_is_closed_then_already_is_told_so_and_left_alone(desk, boreale, laurier):
    confirmed(desk, looked_at(desk, **NOEL, names="Boréale"))
    preview = looked_at(desk, **NOEL)
    assert {name: told["changed"] for name, told in of(preview, "done").items()} == {
        "Clinique Boréale": 0,
        "Librairie Laurier": 2,
    }
    job = confirmed(desk, preview)
    assert list(of(job, "done")) == ["Librairie Laurier"]


@pytest.mark.parametrize(
    ("wanted", "there", "closed_then"),
    [
        (Day(date(2026, 12, 25), date(2026, 12, 25), "Noël"), Day(date(2026, 12, 24), date(2027, 1, 2), ""), True),
        (Day(date(2026, 12, 24), date(2027, 1, 2), ""), Day(date(2026, 12, 25), date(2026, 12, 25), ""), False),
        (Day(date(2026, 12, 25), date(2026, 12, 25), "", True), Day(date(2026, 12, 25), date(2026, 12, 25), ""), False),
        (Day(date(2026, 12, 25), date(2026, 12, 25), ""), Day(date(2020, 12, 25), date(2020, 12, 25), "", True), True),
    ],
)  # fmt: skip
def test_a_holiday_is_there_where_all_of_its_days_are_closed(wanted, there, closed_then):
    assert is_there(wanted, [there]) is closed_then


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"first": ""}, "Enter a date"),
        ({"first": "25 décembre"}, "enter a date, for example 2026-12-25"),
        ({"first": "2026-12-25", "last": "2026-12-24"}, "the last day comes before the first"),
        ({"first": "2026-12-25", "statutory": "2026"}, "Choose one"),
        ({"statutory": "1850"}, "1850"),
        ({"first": "2026-12-25", "names": "Nobody at all"}, "There is no customer “Nobody at all”"),
        ({"first": "2026-12-25", "departments": "nirgends"}, "Nothing matches"),
        ({"first": "2026-12-25", "edition": "gold"}, "gold"),
    ],
)
def test_what_cant_be_meant_is_said_beside_what_was_typed(desk, boreale, asked, said):
    answer = desk.post(MANY, {"what": "holiday", **asked})
    assert answer.status_code == 422
    assert said.casefold() in answer.content.decode().casefold()
    assert not Job.objects.exists()


@pytest.mark.parametrize("what", ["holiday", "departments"])
def test_departments_that_were_selected_in_their_list_are_meant_and_no_others(desk, boreale, laurier, what):
    soins = Department.objects.of(boreale).get(name="Soins")
    action = {"holiday": "give_holiday", "departments": "change_settings"}[what]
    chosen = {"action": action, "_selected_action": [soins.pk]}
    form = desk.post(reverse("admin:users_department_changelist"), chosen, follow=True)
    assert "1 was selected in the list." in form.content.decode()
    sent = filled(desk, form.redirect_chain[-1][0], **{"first": "2026-12-25", "to-language": "en"})
    confirmed(desk, looked_at(desk, **sent))
    if what == "holiday":
        assert (closed(boreale), closed(laurier)) == (
            {"Accueil": [], "Soins": [""]},
            {"Accueil": [], "Soins": []},
        )
    else:
        assert list(Department.objects.filter(language="en")) == [soins]


# --- Settings and licences ----------------------------------------------------------------------------------------
def test_a_licence_is_given_to_the_customers_of_another_one(desk, boreale, laurier):
    Customer.objects.filter(pk=laurier.pk).update(edition="enterprise")
    preview = looked_at(
        desk, what="customers", edition="pro", **{"to-edition": "enterprise", "to-sip_trunk_channels": "12"}
    )
    assert list(of(preview, "done")) == ["Clinique Boréale"]
    text = desk.get(address(preview)).content.decode()
    assert "Pro → <strong>Enterprise</strong>" in text
    confirmed(desk, preview)
    boreale.refresh_from_db()
    assert (boreale.edition, boreale.sip_trunk_channels) == ("enterprise", 12)


def test_yes_and_no_are_answers_and_blank_is_none(desk, boreale):
    confirmed(desk, looked_at(desk, what="customers", **{"to-supports_deflection": "1", "to-has_google": ""}))
    boreale.refresh_from_db()
    assert (boreale.supports_deflection, boreale.has_google) == (True, False)
    confirmed(desk, looked_at(desk, what="customers", **{"to-supports_deflection": "0"}))
    boreale.refresh_from_db()
    assert boreale.supports_deflection is False
    assert desk.post(MANY, {"what": "customers"}).status_code == 422


def test_what_is_of_one_customer_is_not_offered_and_not_taken(desk, boreale):
    text = desk.get(MANY, {"what": "customers"}).content.decode()
    for name in ("name", "slug", "fqdn", "suspended", "microsoft_tenant_id", "google_client_secret"):
        assert f'name="to-{name}"' not in text
    answer = desk.post(MANY, {"what": "customers", "to-fqdn": "evil.example.com", "to-suspended": "1"})
    assert answer.status_code == 422
    assert 'name="to-outbound_caller_id"' not in desk.get(MANY, {"what": "departments"}).content.decode()


def test_office_hours_and_language_are_given_to_departments(desk, boreale):
    preview = looked_at(
        desk,
        what="departments",
        **{"to-language": "en", **{f"to-office_hours.{day}": "8:00-16:00" for day in range(5)}},
    )
    confirmed(desk, preview)
    assert set(Department.objects.of(boreale).values_list("language", flat=True)) == {"en"}
    soins = Department.objects.of(boreale).get(name="Soins")
    assert soins.departmentperiod_set.count() == 5 if hasattr(soins, "departmentperiod_set") else True


def test_what_takes_a_fresh_proof_asks_for_it_before_the_job_begins(desk, boreale):
    Customer.objects.filter(pk=boreale.pk).update(require_2fa=True)
    preview = looked_at(desk, what="customers", **{"to-require_2fa": "0"})
    let_the_proof_grow_old(desk)
    answer = desk.post(address(preview), {"do": "confirm"})
    assert (
        answer.status_code,
        "You are no longer requiring a second factor." in answer.content.decode(),
    ) == (403, True)
    assert Job.objects.filter(preview=preview).count() == 0
    boreale.refresh_from_db()
    assert boreale.require_2fa


# --- What happens meanwhile ---------------------------------------------------------------------------------------
def test_a_customer_where_something_changed_since_the_preview_is_left_out_and_named(desk, boreale, laurier):
    preview = looked_at(desk, what="customers", **{"to-edition": "enterprise"})
    change(laurier, customer_sheet, laurier, edition="standard")
    job = confirmed(desk, preview)
    assert of(job, "refused") == {
        "Librairie Laurier": "Something changed here since the preview: look at it again."
    }
    assert list(of(job, "done")) == ["Clinique Boréale"]
    laurier.refresh_from_db()
    assert laurier.edition == "standard"


def test_a_department_that_goes_meanwhile_stops_its_customer_and_no_other(desk, boreale, laurier):
    preview = looked_at(desk, **NOEL)
    Department.objects.of(laurier).get(name="Soins").delete()
    job = confirmed(desk, preview)
    assert of(job, "refused") == {"Librairie Laurier": "This item no longer exists. Reload the page."}
    assert closed(laurier) == {"Accueil": []}
    assert closed(boreale) == {"Accueil": ["Noël"], "Soins": ["Noël"]}


def test_the_reason_that_is_given_stands_in_the_history_of_each_customer(desk, boreale, laurier):
    preview = looked_at(desk, **NOEL, why="Billet 4711")
    assert 'value="Billet 4711"' in desk.get(address(preview)).content.decode()
    job = confirmed(desk, preview, why="Billet 4712")
    for customer in (boreale, laurier):
        assert Operation.objects.of(customer).get(reason=f"job {job.pk}").note == "Billet 4712"


def test_what_the_road_refuses_at_one_customer_is_told_with_its_name(desk, boreale, laurier):
    full = Department.objects.of(laurier).get(name="Soins")
    Holiday.objects.bulk_create(
        Holiday(department=full, first=date(2027, 1, 1), last=date(2027, 1, 1), name=str(place))
        for place in range(200)
    )
    preview = looked_at(desk, **NOEL)
    assert list(of(preview, "refused")) == ["Librairie Laurier"]
    assert "Librairie Laurier" in desk.get(address(preview)).content.decode()
    assert list(of(confirmed(desk, preview), "done")) == ["Clinique Boréale"]
    assert closed(laurier)["Accueil"] == [], "all of a customer or nothing of it"


def test_a_preview_is_carried_out_once_however_often_its_button_is_pressed(desk, boreale):
    preview = looked_at(desk, **NOEL)
    first, second = confirmed(desk, preview), confirmed(desk, preview)
    assert first == second
    assert Operation.objects.of(boreale).filter(reason=f"job {first.pk}").count() == 1
    assert str(first.pk) in desk.get(address(preview)).content.decode()


def test_a_step_that_dies_with_its_worker_has_done_nothing_and_is_done_once(desk, ten, monkeypatch):
    preview = finish(looked_at(desk, **NOEL))
    job = confirmed(desk, preview)
    assert job.state == "waiting", "so many are a worker's"
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "TURN", 0.0)
        assert jobs.run(job.pk)
        written = jobs._note

        def dies(*arguments):
            written(*arguments)
            raise OperationalError("the worker is killed")

        patch.setattr(jobs, "_note", dies)
        with pytest.raises(OperationalError):
            jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.position, Operation.objects.filter(reason=f"job {job.pk}").count()) == (1, 1)
    finish(job)
    assert (job.state, job.done) == ("done", 10)
    operations = Operation.objects.filter(reason=f"job {job.pk}")
    assert operations.count() == operations.values("customer").distinct().count() == 10
    assert Holiday.objects.count() == Department.objects.count()


def test_whoever_may_no_more_stops_where_they_are(desk, staff, ten, monkeypatch):
    job = confirmed(desk, finish(looked_at(desk, **NOEL)))
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "TURN", 0.0)
        assert jobs.run(job.pk)
    type(staff).objects.filter(pk=staff.pk).update(disabled=True)
    finish(job)
    assert (job.state, job.done, job.left) == ("stopped", 1, 9)
    assert "disabled" in job.words or "désactivé" in job.words


def test_the_rest_is_cancelled_and_what_was_done_stays(desk, ten, monkeypatch):
    job = confirmed(desk, finish(looked_at(desk, **NOEL)))
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "TURN", 0.0)
        assert jobs.run(job.pk)
    text = desk.get(address(job)).content.decode()
    assert "Cancel the rest" in text
    assert desk.get(address(job), headers={"HX-Request": "true"}).status_code == 200
    desk.post(address(job), {"do": "cancel"})
    finish(job)
    assert (job.state, job.left) == ("cancelled", 9)
    assert Holiday.objects.count() == 1, "of the one that comes first"


# --- Back ---------------------------------------------------------------------------------------------------------
def test_it_is_taken_back_at_all_of_them_except_where_somebody_decided_anew(desk, boreale, laurier):
    job = confirmed(desk, looked_at(desk, **NOEL))
    soins = Department.objects.of(laurier).get(name="Soins")
    change(laurier, department_sheet, soins, holidays='[["2027-01-01","","Jour de l\'an",false]]')
    answer = desk.post(address(job), {"do": "undo"})
    preview = Job.objects.get(pk=answer.url.rpartition("/")[2])
    assert list(of(preview, "refused")) == ["Librairie Laurier"]
    back = confirmed(desk, preview)
    assert list(of(back, "done")) == ["Clinique Boréale"]
    assert closed(boreale) == {"Accueil": [], "Soins": []}
    assert closed(laurier) == {"Accueil": ["Noël"], "Soins": ["Jour de l'an"]}
    assert Operation.objects.of(boreale).latest("id").undoes.reason == f"job {job.pk}"
    again = desk.post(address(job), {"do": "undo"})
    assert list(of(Job.objects.get(pk=again.url.rpartition("/")[2]), "refused")) == ["Librairie Laurier"]


# --- Phones -------------------------------------------------------------------------------------------------------
def press(desk, action, phones, **more):
    """The preview that the list of phones leads to."""
    answer = desk.post(
        reverse("admin:phones_phone_changelist"),
        {"action": action, "_selected_action": [phone.pk for phone in phones], **more},
    )
    assert answer.status_code == 302
    return Job.objects.get(pk=answer.url.rpartition("/")[2])


@pytest.fixture
def fleet(boreale, laurier, amelie, felix):
    """Two phones of Boréale that have fetched, one of Laurier that never has."""
    phones = [
        make_phone(boreale, amelie),
        make_phone(boreale, felix),
        make_phone(laurier, make_user(laurier, "101", "Luc", "Roy")),
    ]
    Phone.objects.filter(customer=boreale).update(fetched_from="192.0.2.7")
    Phone.objects.update(command="", command_at=None)
    return phones


def test_phones_of_several_customers_restart_after_the_count_is_typed_and_once(desk, fleet, boreale):
    preview = press(desk, "restart", fleet)
    assert not Phone.objects.exclude(command_at=None).exists()
    assert of(preview, "done")["Clinique Boréale"]["changed"] == 2
    assert "never fetched" in of(preview, "refused")["Librairie Laurier"]
    assert desk.post(address(preview), {"do": "confirm", "count": "3"}).status_code == 422
    assert not Phone.objects.exclude(command_at=None).exists()
    job = confirmed(desk, preview, count="2")
    assert set(Phone.objects.filter(command="restart").exclude(command_at=None)) == set(fleet[:2])
    pressed = set(Phone.objects.values_list("command_at", flat=True))
    confirmed(desk, preview, count="2")
    assert set(Phone.objects.values_list("command_at", flat=True)) == pressed
    operation = Operation.objects.of(boreale).get(reason=f"job {job.pk}")
    assert (operation.kind, operation.changes.count()) == ("command", 2)


def test_all_phones_that_the_list_shows_are_reprovisioned(desk, fleet):
    preview = press(desk, "reprovision", fleet[:1], select_across="1")
    assert preview.total == 2
    confirmed(desk, preview)
    assert Phone.objects.filter(command="resync").count() == 2


# --- Who sees it --------------------------------------------------------------------------------------------------
def test_the_bell_leads_to_the_desk_and_no_customer_sees_any_of_it(desk, client_of, felix, boreale):
    job = looked_at(desk, **NOEL)
    assert address(job) in desk.get(reverse("bell")).content.decode()
    assert address(job) in desk.get(reverse("own_jobs")).content.decode()
    assert not Job.objects.visible_to(felix).exists()
    Job.objects.update(starter=felix)
    assert not Job.objects.visible_to(felix).exists()
    other = client_of(felix)
    assert other.get(address(job)).status_code == 403
    assert other.post(address(job), {"do": "confirm"}).status_code == 403
    assert other.get(reverse("job", args=["boreale", job.pk])).status_code == 404
    assert desk.get(reverse("job", args=["boreale", job.pk])).status_code == 404
    assert desk.get(reverse("admin:many_job", args=[10**17])).status_code == 404


def test_read_only_staff_look_and_change_nothing_here(desk, staff, boreale, fleet):
    preview = looked_at(desk, **NOEL)
    job = confirmed(desk, looked_at(desk, **NOEL, names="Laurier"))
    User.objects.filter(pk=staff.pk).update(staff_level=StaffLevel.READ_ONLY)
    before = Job.objects.count()
    assert desk.get(MANY).status_code == 200
    assert desk.post(MANY, NOEL).status_code == 403
    for found, what in ((preview, "confirm"), (job, "undo"), (job, "cancel")):
        assert 'name="do"' not in desk.get(address(found)).content.decode()
        assert desk.post(address(found), {"do": what}).status_code == 403
    chosen = {"action": "restart", "_selected_action": [fleet[0].pk]}
    desk.post(reverse("admin:phones_phone_changelist"), chosen)
    assert (Job.objects.count(), closed(boreale)) == (before, {"Accueil": [], "Soins": []})
    assert jobs.confirm(preview, staff, FACTS).words, "a step asks again"
    assert closed(boreale) == {"Accueil": [], "Soins": []}


@pytest.fixture
def client_of(client):
    from django.test import Client

    return lambda user: sign_in_fully(Client(), user)


def test_the_pages_ask_as_many_queries_for_ten_customers_as_for_two(desk, boreale, laurier, request):
    def queries(url):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert desk.get(url).status_code == 200
        return len(asked)

    two = looked_at(desk, **NOEL)
    few = [queries(address(two)), queries(MANY), queries(address(confirmed(desk, two)))]
    request.getfixturevalue("ten")
    many = finish(looked_at(desk, **NOEL, departments="siege"))
    assert many.total == 8
    done = finish(confirmed(desk, many))
    assert [queries(address(many)), queries(MANY), queries(address(done))] == [few[0], few[1], few[2]]
    assert max(few) <= 8
