"""The pages of what belongs to a customer as a whole: departments, system extensions, settings, roles."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import BooleanField, Count, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from pbxadmin.common.columns import Text
from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.http import PortalRequest, RequestFacts
from pbxadmin.common.listing import Filter, ListState, Shape, show_list
from pbxadmin.common.places import city_said
from pbxadmin.common.searching import Folded, named
from pbxadmin.common.sections import Section
from pbxadmin.common.values.destinations import Kind
from pbxadmin.common.values.signs import folded, plainly
from users import rights, road
from users.company import beside_contract
from users.company.sheets import CONTRACT, customer_sheet, department_sheet, system_extension_sheet
from users.company.takers import takers_of
from users.models import Customer, Department, Membership, Role, SystemExtension, User
from users.people import emergency
from users.people.sections import user_sheet
from users.people.sections.general import search_people
from users.people.sections.talk import page_of, talk_url
from users.rights import Verb
from users.road import Outcome, finding
from users.road.pages.deleting import left
from users.road.pages.doors import in_customer
from users.road.pages.sheet_pages import Cell, SheetPages, Tab, edit_section
from users.road.replacements import Departure

# --- Talk links -------------------------------------------------------------------------------------------------
# So many of those who take a link's requests are named; the others are counted.
NAMED = 8


def _talk_link(actor: User, customer: Customer, record: Department | SystemExtension) -> Mapping[str, Any]:
    """Both addresses of a department's or group's Talk link, and whom its requests reach."""
    if not record.talk_name:
        return {"talk": None}
    takers = takers_of(record)
    return {
        "talk": {
            "url": talk_url(customer, record.talk_name),
            "page": page_of("talk", customer, record.talk_name),
            "answers": bool(takers) and not customer.suspended,
            "takers": takers[:NAMED],
            "more": max(0, len(takers) - NAMED),
        }
    }


# --- Departments ------------------------------------------------------------------------------------------------
def _facts_of_department(actor: User, customer: Customer, record: Department) -> Mapping[str, Any]:
    """Its Talk link, and what is missing for emergency calls."""
    return {
        **_talk_link(actor, customer, record),
        "emergency_gap": emergency.gap_of_department(actor, customer, record),
    }


def departments(actor: User, customer: Customer) -> QuerySet[Department]:
    """The departments that somebody sees: all of the customer, or their own."""
    found = Department.objects.visible_to(actor).of(customer)
    if not rights.acts_on_whole_customer(actor):
        found = found.filter(pk__in=actor.department_ids)
    return found.annotate(people=Count("memberships", distinct=True))


MEMBERS = Shape(
    search=search_people,
    search_label=gettext_lazy("Name, extension, email, mobile"),
    filters=[Filter("role", gettext_lazy("Role"), lambda role: Q(role=role), rights.role_names)],
    orders={
        "name": ("sort_name", "number"),
        "role": ("role__level", "role", "sort_name", "number"),
        "primary": (Folded("primary_department__name"), "sort_name", "number"),
    },
)


def members_tab(
    request: PortalRequest, customer: Customer, record: Department, frame: Mapping[str, Any]
) -> HttpResponse:
    """Who is in a department; adding and removing people is a change of these people."""
    actor = request.user
    error = typed = ""
    if request.method == "POST":
        if request.POST.get("do") == "add":
            typed = request.POST.get("numbers", "").replace("\0", "")[:500]
            found, unknown = _people_of(actor, customer, typed)
            error = (
                _("These extensions don't exist: %(numbers)s.") % {"numbers": unknown}
                if unknown
                else _move(request, customer, found, {record.pk}, set())
            )
        else:
            key = request.POST.get("person", "")
            one = (
                User.objects.visible_to(actor)
                .of(customer)
                .filter(pk=int(key) if key.isascii() and key.isdecimal() and len(key) < 18 else 0)
            )
            error = _move(request, customer, list(one), set(), {record.pk})
        if not error:
            return redirect(request.get_full_path())
    people = (
        User.objects.visible_to(actor)
        .of(customer)
        .filter(memberships__department=record)
        .select_related("role", "primary_department")
        .defer(*finding.NOT_IN_LISTS)
    )
    state = ListState.of(MEMBERS, request.GET, request.path)
    answer = show_list(
        request,
        "users/sheets/members.html",
        state,
        state.page_of(state.rows(people)),
        {
            **frame,
            "section": department_sheet().section("members"),
            "headings": [
                state.heading(_("Name"), "name"),
                state.heading(_("Role"), "role"),
                state.heading(_("Primary department membership"), "primary"),
            ],
            "error": error,
            "typed": typed,
            "may_add": rights.can(actor, Verb.WORK, customer=customer)
            and (rights.acts_on_whole_customer(actor) or record.pk in actor.department_ids),
        },
    )
    answer.status_code = 422 if error else 200
    return answer


MOST_NAMES = 20  # looked for one by one


def _people_of(actor: User, customer: Customer, typed: str) -> tuple[list[User], str]:
    """The people who are meant, and what is nobody's: picked ("105 Maude Côté"), called by their whole name, or extensions in a row."""
    people = User.objects.visible_to(actor).of(customer)
    numbers, names = [], []
    for part in plainly(typed).replace(";", ",").split(","):
        words = part.split()
        if words and words[0].isdecimal():
            numbers += words if all(word.isdecimal() for word in words) else words[:1]
        elif words:
            names.append(" ".join(words))
    found = list(people.filter(number__in=numbers))
    unknown = [number for number in numbers if number not in {user.number for user in found}]
    for name in names[:MOST_NAMES]:
        called = [
            user
            for user in people.filter(search_text__contains=folded(name))[:50]
            if folded(user.full_name) == folded(name)
        ]
        # Two people of one name are told apart by their extension.
        found += called if len(called) == 1 else []
        unknown += [] if len(called) == 1 else [name]
    unknown += names[MOST_NAMES:]
    return found, ", ".join(unknown)[:60] if numbers or names else "…"


def _move(
    request: PortalRequest,
    customer: Customer,
    people: list[User],
    into: set[int],
    out_of: set[int],
    primary: int | None = None,
) -> str:
    """Put people into departments and take them out of others, in one operation; why not, or "" when it is done."""
    now: dict[int, set[int]] = {user.pk: set() for user in people}
    for key, department in Membership.objects.filter(user__in=now).values_list("user", "department"):
        now[key].add(department)
    rows = []
    for user in people:
        values: dict[str, Any] = {"departments": sorted((now[user.pk] | into) - out_of)}
        if primary and user.primary_department_id in out_of:
            values["primary_department"] = primary
        rows.append(road.Row(user.pk, values, label=str(user)))
    plan = road.plan(request.user, customer, user_sheet(), rows)
    outcome = road.commit(plan, RequestFacts.of(request)).outcome
    if outcome is Outcome.CONFLICT:
        return _("Somebody else changed this in the meantime. Try again.")
    return " ".join(plan.sentences[:5]) if outcome is Outcome.REFUSED else ""


def department_deletion(request: PortalRequest, customer: Customer, record: Department) -> dict[str, Any]:
    """Where people are in a department, they are moved to another one in the same step."""
    others = Department.objects.of(customer).exclude(pk=record.pk)
    people = list(User.objects.visible_to(request.user).of(customer).filter(memberships__department=record))

    def leave(departure: Departure) -> str:
        if not people:
            return left(request, departure)
        key = request.POST.get("replacement", "")
        known = key.isascii() and key.isdecimal() and len(key) < 18
        replacement = others.filter(pk=int(key)).first() if known else None
        if replacement is None:
            return _("Choose another department for its people.")
        with transaction.atomic():
            error = _move(request, customer, people, {replacement.pk}, {record.pk}, replacement.pk)
            error = error or left(request, DEPARTMENTS.departure(request.user, customer, record))
            if error:
                transaction.set_rollback(True)
        return error

    return {
        "leave": leave,
        "replacements": others if people else [],
        "losses": [_("The department %(name)s with its office hours and holidays.") % {"name": record.name}],
    }


DEPARTMENTS = SheetPages(
    name="department",
    path="departments",
    sheet=department_sheet,
    icon="departments",
    title=pgettext_lazy("heading", "Departments"),
    new=gettext_lazy("New department"),
    lead=lambda record: record.name,
    cells=(
        Cell(gettext_lazy("Name"), str, order="name"),
        Cell(
            gettext_lazy("Members"),
            lambda record: record.people,
            lambda customer, record: reverse("department_tab", args=[customer.slug, record.pk, "members"]),
            order="people",
        ),
        Cell(
            gettext_lazy("Language"),
            lambda record: record.get_language_display(),
            css="hide-narrow",
            order="language",
        ),
        Cell(
            gettext_lazy("Time zone"),
            lambda record: city_said(record.time_zone),
            css="hide-narrow",
            order="time_zone",
        ),
        Cell(
            gettext_lazy("Default outbound caller ID"),
            lambda record: phone_number_national(record.outbound_caller_id),
            order="outbound_caller_id",
        ),
    ),
    rows=departments,
    search=lambda text: named("name", text) | named("talk_name", text),
    search_label=gettext_lazy("Name or Talk link"),
    empty=gettext_lazy(
        "A department sets its members' language, office hours, holidays, time zone and caller ID."
    ),
    deletion=department_deletion,
    initial=lambda customer: {"language": customer.language, "time_zone": customer.time_zone},
    below="users/sheets/talk_link.html",
    below_facts=_facts_of_department,
)


# --- System extensions ------------------------------------------------------------------------------------------
SYSTEM_EXTENSIONS = SheetPages(
    name="system_extension",
    path="system-extensions",
    sheet=system_extension_sheet,
    icon="loop",
    title=pgettext_lazy("heading", "System extensions"),
    new=gettext_lazy("New system extension"),
    lead=str,
    cells=(
        Cell(gettext_lazy("Extension"), str, order="number"),
        Cell(gettext_lazy("Type"), lambda record: record.get_kind_display(), order="kind"),
        Cell(gettext_lazy("Members"), lambda record: record.people, order="people"),
    ),
    filters=(
        Filter("kind", gettext_lazy("Type"), lambda kind: Q(kind=kind), lambda: SystemExtension.Kind.choices),
    ),
    rows=lambda actor, customer: (
        SystemExtension.objects.visible_to(actor).of(customer).annotate(people=Count("members"))
    ),
    search=lambda text: Q(number__startswith=plainly(text)) | named("name", text),
    search_label=gettext_lazy("Extension or name"),
    empty=gettext_lazy(
        "Ring groups, queues and digital receptionists (IVR): extensions that don't belong to a person."
    ),
    destination=Kind.SYSTEM,
    below="users/sheets/talk_link.html",
    below_facts=_talk_link,
)


# --- The customer itself ----------------------------------------------------------------------------------------
def _parts_of_settings(actor: User) -> list[Section]:
    """The parts of the settings; support staff, who come for the contract, have it first."""
    found = [section for section in customer_sheet().sections if section.columns]
    return sorted(found, key=lambda section: section is not CONTRACT) if actor.is_staff else found


def _settings_frame(actor: User, customer: Customer, current: str) -> dict[str, Any]:
    tabs = []
    if rights.can(actor, Verb.WHOLE, customer=customer):
        tabs = [
            Tab(
                section.title,
                reverse("customer_settings", args=[customer.slug, section.slug]),
                section.slug == current,
            )
            for section in _parts_of_settings(actor)
        ]
    tabs.append(Tab(pgettext("heading", "Roles"), reverse("roles", args=[customer.slug]), current == "roles"))
    return {
        "title": _("Settings"),
        "tabs": tabs if len(tabs) > 1 else (),
        "record": customer,
        "gauge": finding.gauge(customer),
        "breadcrumbs": [(_("Settings"), None)],
    }


@require_safe
@in_customer()
def settings_start(request: PortalRequest, customer: Customer) -> HttpResponse:
    """To the first part of the settings that somebody may open."""
    if rights.can(request.user, Verb.WHOLE, customer=customer):
        return redirect("customer_settings", customer.slug, _parts_of_settings(request.user)[0].slug)
    return redirect("roles", customer.slug)


@sensitive_post_parameters("microsoft_client_secret", "google_client_secret")
@require_http_methods(["GET", "HEAD", "POST"])
@in_customer(Verb.WHOLE)
def customer_settings(request: PortalRequest, customer: Customer, tab: str) -> HttpResponse:
    """The customer's own settings; and the contract, which support staff alone change."""
    section = customer_sheet().section(tab)
    if section is None or not section.columns:
        raise Http404
    return edit_section(
        request,
        customer,
        customer_sheet(),
        customer,
        section,
        _settings_frame(request.user, customer, tab) | _beside(request.user, customer, section),
        reverse("customer_settings", args=[customer.slug, tab]),
        reload=lambda: Customer.objects.get(pk=customer.pk),
    )


def _beside(actor: User, customer: Customer, section: Section) -> dict[str, Any]:
    """What stands below the contract; asked once the page is drawn."""
    return {"panels": partial(beside_contract.panels, actor, customer)} if section is CONTRACT else {}


def role_rights() -> list[tuple[Text, list[bool]]]:
    """The guide's table: each right with a mark for every role, in the order of the roles."""
    roles = list(Role.objects.all())
    fields = [
        field
        for field in Role._meta.local_fields
        if isinstance(field, BooleanField) and field.name != "whole_customer"
    ]
    scope = Role._meta.get_field("whole_customer")
    return [(field.verbose_name, [getattr(role, field.name) for role in roles]) for field in [*fields, scope]]


@require_safe
@in_customer()
def roles(request: PortalRequest, customer: Customer) -> HttpResponse:
    """What every role may do."""
    return render(
        request,
        "users/sheets/roles.html",
        {
            **_settings_frame(request.user, customer, "roles"),
            "roles": Role.objects.all(),
            "rights": role_rights(),
            "breadcrumbs": [
                (_("Settings"), reverse("settings_start", args=[customer.slug])),
                (pgettext("heading", "Roles"), None),
            ],
        },
    )
