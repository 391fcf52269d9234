"""The pages of call forwarding, schedules and the simulator."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from forwarding import hours, latest
from forwarding.simulator import ask
from forwarding.statutory import FIRST_YEAR, LAST_YEAR, statutory_holidays
from forwarding.tabs import facts as pages
from forwarding.tabs.schedule import HOLIDAYS
from forwarding.tabs.sections import FORWARDING, HOURS_OF_DEPARTMENT, SCHEDULE
from forwarding.tabs.week_columns import by_day
from pbxadmin.common.columns import Scope
from pbxadmin.common.http import PortalRequest, RequestFacts, safe_next
from pbxadmin.common.listing import ListState, Shape, show_list
from pbxadmin.common.searching import Folded
from pbxadmin.common.values.statuses import Status
from users import rights, road
from users.access import signed_in_user
from users.company.sheets import department_sheet
from users.models import Customer, Department, User
from users.people.sections import user_sheet
from users.people.sections.general import search_people
from users.people.views import editor
from users.people.views.own_tabs import own_section
from users.road import Outcome, finding
from users.road.pages import conflicts
from users.road.pages import sheet_pages as sheets
from users.road.pages.doors import in_customer, of_person, require


# --- The tabs ----------------------------------------------------------------------------------------------------
def forwarding_tab(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """The tab "Transfert d'appels"; the status whose rule was looked at stays in sight after saving."""
    if request.method == "POST" and "ask" in request.GET:
        return _ask_beside(request, customer, person)
    if request.method == "POST":
        return editor.save_tab(
            request, customer, person, FORWARDING, kept=pages.kept_in_address(request.POST)
        )
    form = FORWARDING.form(Scope(request.user, customer), initial=conflicts.values_of(FORWARDING, person))
    form.shown_status = request.GET.get("shown", "")  # type: ignore[attr-defined]  # what the address asks for, for the page's facts
    return editor.show_tab(request, customer, person, FORWARDING, form)


def _ask_beside(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """Where a call goes with what stands in the form, unsaved; htmx asks for the path alone."""
    require(request.user, rights.Verb.EDIT, person, customer)
    scope = Scope(request.user, customer)
    form = FORWARDING.form(scope, request.POST, initial=conflicts.values_of(FORWARDING, person))
    data = request.POST.copy()
    data[f"{pages.BESIDE}to"] = person.number
    asked = pages.Asked.of(data, request.user, customer, pages.BESIDE)
    shown = data.get("_shown", "")
    status = Status(shown) if asked.status == pages.SHOWN and shown in set(Status) else None
    plan = road.plan(request.user, customer, user_sheet(), [road.Row(person.pk, form.raw())], scope=scope)
    row, answer, error, waits = plan.rows[0], None, "", ""
    try:
        if row.errors or row.refusal:
            told = _("The path is shown once this is settled: %(why)s") % {"why": " ".join(row.sentences[:3])}
            if row.refusal or not all(_is_yet_to_type(data, name) for name in row.errors):
                raise ValidationError(told)
            waits = told
        else:
            question = asked.question(status, pages.typed_rules(row))
            answer = ask(customer, question, pages.sees(request.user, customer))
    except ValidationError as problem:
        error = " ".join(problem.messages)
    form.show_errors(row.errors)
    facts: dict[str, Any] = {
        "answer": answer,
        "error": error,
        "waits": waits,
        "offered_people": asked.offered(reverse("simulator", args=[customer.slug])),
    }
    if request.htmx and not request.htmx.boosted:
        return render(request, "forwarding/answer.html", facts)
    # As it came: neither saved nor lost.
    form.unsaved, form.asked = True, asked  # type: ignore[attr-defined]
    return editor.show_tab(
        request,
        customer,
        person,
        FORWARDING,
        form,
        seen=conflicts.seen_version(request.POST),
        **facts,
    )


def _is_yet_to_type(data: QueryDict, name: str) -> bool:
    """Whether a destination was chosen whose number isn't typed yet: no fault while nobody has saved it."""
    return not data.get(f"{name}.{data.get(name, '')}", "?").strip()


def schedule_tab(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """The tab "Planifier"; its tools (add to all days, copy, clear, draw) change what is typed and save nothing.

    Nor is a first choice of specific hours saved while the week is blank: the page shows the department's hours to start from.
    """
    scope = Scope(request.user, customer)
    typed = pages.begun_with_department(request.POST, person) if request.method == "POST" else request.POST
    if request.method == "POST" and (
        request.POST.get("_week") or "draw" in request.GET or typed is not request.POST
    ):
        form = SCHEDULE.form(
            scope, pages.with_week_tool(typed), initial=conflicts.values_of(SCHEDULE, person)
        )
        form.show_errors({})
        seen = conflicts.seen_version(request.POST)
        form.unsaved = True  # type: ignore[attr-defined]  # the page says so
        return editor.show_tab(request, customer, person, SCHEDULE, form, seen=seen)
    if request.method == "POST":
        return editor.save_tab(request, customer, person, SCHEDULE)
    return editor.show_tab(
        request,
        customer,
        person,
        SCHEDULE,
        SCHEDULE.form(scope, initial=conflicts.values_of(SCHEDULE, person)),
    )


def department_hours_tab(
    request: PortalRequest, customer: Customer, record: Department, frame: Mapping[str, Any]
) -> HttpResponse:
    """The office hours of a department, with the same tools."""
    scope = Scope(request.user, customer)
    section = HOURS_OF_DEPARTMENT
    if request.method == "POST" and (request.POST.get("_week") or "draw" in request.GET):
        locked = sheets.locked_columns(department_sheet(), scope, record, section)
        form = section.form(
            scope,
            pages.with_week_tool(request.POST),
            initial=conflicts.values_of(section, record),
            locked=locked,
        )
        form.show_errors({})
        return render(request, section.template, {
            **frame, "section": section, "form": form, "seen": conflicts.seen_version(request.POST), "may_save": not locked,
            **pages.hours_of_department(scope, record, form), "unsaved": True,
        })  # fmt: skip
    return sheets.edit_section(
        request, customer, department_sheet(), record, section, frame, reverse("department_tab", args=[customer.slug, record.pk, section.slug]),
        reload=lambda: Department.objects.visible_to(request.user).of(customer).get(pk=record.pk),
    )  # fmt: skip


@require_POST
@in_customer(rights.Verb.ADMINISTER)
def add_statutory_holidays(request: PortalRequest, customer: Customer, key: int) -> HttpResponse:
    """Add the statutory holidays of Québec of one year to a department: those that aren't there yet."""
    department = (
        Department.objects.visible_to(request.user).of(customer).filter(pk=key).first()
        if key < 2**63
        else None
    )
    if department is None:
        raise Http404
    if refusal := rights.why_not(request.user, rights.Verb.HOURS, None, customer, department.pk):
        raise PermissionDenied(str(refusal))
    text = request.POST.get("year", "")
    year = int(text) if text.isascii() and text.isdecimal() and len(text) == 4 else 0
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Http404
    now = HOLIDAYS.load([department])[department.pk]["holidays"]
    new = [
        hours.Holiday(day, day, name)
        for day, name in statutory_holidays(year, department.language)
        if not any(each.covers(day) for each in now)
    ]
    plan = road.plan(
        request.user,
        customer,
        department_sheet(),
        [road.Row(department.pk, {"holidays": by_day([*now, *new])})],
    )
    done = road.commit(plan, RequestFacts.of(request))
    if done.outcome is Outcome.REFUSED:
        raise PermissionDenied(" ".join(done.row.sentences))
    if done.outcome is Outcome.CONFLICT:
        messages.warning(request, _("Somebody else changed this in the meantime. Try again."))
    else:
        said = ngettext(
            "%(count)s holiday of %(year)s was added.", "%(count)s holidays of %(year)s were added.", len(new)
        )
        messages.success(request, said % {"count": len(new), "year": year})
    return redirect("department_tab", customer.slug, department.pk, "holidays")


# --- The status --------------------------------------------------------------------------------------------------
@require_POST
@of_person(rights.Verb.EDIT)
def user_status(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """Give a person another status, now or until a time."""
    _take_status(request, customer, person, rights.Verb.EDIT, RequestFacts.of(request))
    return redirect(_back(request, reverse("user_tab", args=[customer.slug, person.number, FORWARDING.slug])))


@require_POST
def own_status(request: PortalRequest) -> HttpResponse:
    """Take another status oneself."""
    person = finding.own_person(signed_in_user(request))
    _take_status(request, person.customer, person, rights.Verb.SELF, RequestFacts.of(request, "self"))
    return redirect(_back(request, reverse("own_page")))


COLLEAGUES = Shape(
    search=search_people,
    search_label=gettext_lazy("Name, extension, email, mobile"),
    orders={
        "name": ("sort_name", "number"),
        "department": (Folded("primary_department__name"), "sort_name", "number"),
    },
)


@require_safe
def colleagues(request: PortalRequest) -> HttpResponse:
    """The company's directory: whom one can call, on the mobile too, and the presence of those whose presence one sees."""
    person = finding.own_person(signed_in_user(request))
    found = (
        finding.with_status_message(User.objects.visible_to(person).of(person.customer))
        .filter(rights.in_directory())
        .exclude(pk=person.pk)
        .select_related("primary_department", "customer", "role")
        .defer(*finding.NOT_IN_LISTS)
    )
    state = ListState.of(COLLEAGUES, request.GET, request.path)
    page = state.page_of(state.rows(found))
    people = list(page.object_list)
    seen = rights.sights(person, people)
    sets_status = person.role.receptionist
    return show_list(request, "forwarding/colleagues.html", state, page, {
        "customer": person.customer,
        "rows": [
            (
                each, seen[each.pk].presence, sets_status and seen[each.pk].presence,
                latest.of_colleague(each.number) if seen[each.pk].calls else "",
            )
            for each in people
        ],
        "headings": [
            state.heading(_("Name"), "name"), state.heading(_("Status")), state.heading(_("Department"), "department"),
            state.heading(_("Mobile")),
        ],
        "breadcrumbs": [(_("My page"), reverse("own_page")), (_("Colleagues"), None)],
    })  # fmt: skip


@require_POST
def colleague_status(request: PortalRequest, number: str) -> HttpResponse:
    """A receptionist gives a colleague another status."""
    person = finding.own_person(signed_in_user(request))
    colleague = (
        User.objects.visible_to(person)
        .of(person.customer)
        .filter(rights.in_directory(), number=number)
        .exclude(pk=person.pk)
        .select_related("role", "customer", "primary_department")
        .first()
    )
    if colleague is None:
        raise Http404
    require(person, rights.Verb.STATUS, colleague, person.customer)
    _take_status(request, person.customer, colleague, rights.Verb.STATUS, RequestFacts.of(request, "self"))
    return redirect(_back(request, reverse("own_colleagues")))


def _take_status(
    request: PortalRequest, customer: Any, person: User, verb: rights.Verb, facts: RequestFacts
) -> None:
    asked = {"status": request.POST.get("status", ""), "status_until": request.POST.get("status_until", "")}
    plan = road.plan(request.user, customer, user_sheet(), [road.Row(person.pk, asked)], verb)
    done = road.commit(plan, facts)
    if done.outcome is Outcome.REFUSED:
        for sentence in done.row.sentences:
            messages.error(request, sentence)
    elif done.outcome is Outcome.CONFLICT:
        messages.warning(request, _("Somebody else changed this in the meantime. Try again."))
    else:
        now = User.objects.select_related("primary_department").get(pk=person.pk)
        messages.success(
            request, _("%(name)s: %(status)s") % {"name": now.full_name, "status": now.status_in_words}
        )
        for sentence in [text for texts in done.row.warnings.values() for text in texts]:
            messages.info(request, sentence)


def _back(request: PortalRequest, otherwise: str) -> str:
    return safe_next(request, request.POST.get("next")) or otherwise


# --- The simulator -----------------------------------------------------------------------------------------------
@require_safe
@in_customer()
def simulator(request: PortalRequest, customer: Customer) -> HttpResponse:
    """Where a call goes: the question in the address, the path below it; htmx asks for the path alone."""
    asked = pages.Asked.of(request.GET, request.user, customer)
    answer, error = None, ""
    if asked.to:
        try:
            answer = ask(customer, asked.question(), pages.sees(request.user, customer))
        except ValidationError as problem:
            error = " ".join(problem.messages)
    facts = {
        "asked": asked,
        "answer": answer,
        "error": error,
        "offered_people": asked.offered(reverse("simulator", args=[customer.slug])),
        "states": pages.state_choices(),
        "supposed": pages.status_choices(),
        "customer": customer,
    }
    if request.htmx and not request.htmx.boosted:
        return render(request, "forwarding/answer.html", facts)
    return render(request, "forwarding/simulator.html", {
        **facts, "people": pages.colleagues(request.user, customer), "dids": pages.dids(customer), "gauge": finding.gauge(customer),
        "breadcrumbs": [(_("Where does this call go?"), None)],
    })  # fmt: skip


# --- One's own ---------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def own_forwarding(request: PortalRequest) -> HttpResponse:
    """Forwarding rules of the signed-in person, unless these are hidden from them."""
    person = finding.own_person(signed_in_user(request))
    if not rights.sees_own_forwarding(person):
        raise PermissionDenied(_("Your forwarding rules are managed by your administrator."))
    return own_section(
        request, person, FORWARDING, reverse("own_forwarding"), "forwarding/own.html", kept=pages.kept_in_address(request.POST),
    )  # fmt: skip
