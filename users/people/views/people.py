"""The list of users, and what begins or ends one: creating, deleting."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pbxadmin.common.columns import Scope
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.http import PortalRequest, RequestFacts, safe_next
from pbxadmin.common.listing import ListState, show_list
from pbxadmin.common.proof import Takeover
from pbxadmin.common.values.destinations import Kind
from signin.second_factor import step_up
from users import rights, road
from users.models import Customer, User
from users.people import beginnings, copying, exports, list_columns, selectors
from users.people.sections import GENERAL, departments_of, user_sheet
from users.people.sections.visualiser import VISUALISER, matrix
from users.people.views import chosen, editor
from users.road import Outcome, finding, replacements
from users.road.pages.deleting import Words, delete_page
from users.road.pages.doors import in_customer, of_person, require
from users.road.pages.saving import tell_warnings


@require_safe
@in_customer()
def users(request: PortalRequest, customer: Customer) -> HttpResponse:
    """The list, searched, filtered and sorted by its address; htmx asks for the same address and takes the results."""
    scope = Scope(request.user, customer)
    state = ListState.of(selectors.shape(request.user, customer, scope), request.GET, request.path)
    offered = list_columns.offered(scope)
    columns = list_columns.chosen(request.user, offered)
    listing = selectors.list_users(request.user, customer, state, columns)
    people: list[User] = list(listing.page.object_list)
    status = (
        editor.contributed("status_url")
        if rights.can(request.user, rights.Verb.WORK, customer=customer)
        else ""
    )
    cells = list_columns.cells(
        columns,
        people,
        customer=customer,
        status_menu=editor.contributed("status_menu"),
        csrf=get_token(request),
        here=request.get_full_path(),
    )

    def of(name: str, person: User, *more: str) -> str:
        return reverse(name, args=[customer.slug, person.number, *more]) if name else ""

    usual = not request.user.list_columns
    return show_list(
        request,
        "users/list.html",
        state,
        listing.page,
        {
            "title": _("Users"),
            "gauge": listing.gauge,
            "steps": state.steps(listing.page),
            "rows": [
                (person, of("user_tab", person, GENERAL.slug), cells(person, of(status, person)))
                for person in people
            ],
            "headings": [
                state.heading(_("Name"), "name", "lead-cell"),
                state.heading(_("Extension"), "number", "number-cell"),
                # Whoever chose their columns sees all of them; the usual ones give way where there is no room.
                *(state.heading(each.label, each.name, each.gives_way if usual else "") for each in columns),
            ],
            "usual": usual,
            "columns": [(each, each in columns) for each in offered],
            "export_url": exports.url(customer),
            "actions": chosen.bar(customer, rights.facts(request.user, customer)),
            "breadcrumbs": [(_("Users"), None)],
        },
    )


@require_POST
@in_customer()
def users_columns(request: PortalRequest, customer: Customer) -> HttpResponse:
    """Remember which columns the list has for its reader, and go back to it."""
    names = request.POST.getlist("column")
    offered = list_columns.offered(Scope(request.user, customer))
    if "usual" in request.POST:
        names = [column.name for column in offered if column.usual]
    list_columns.remember(request.user, names, offered)
    return redirect(safe_next(request, request.POST.get("next")) or _list_url(customer))


@require_http_methods(["GET", "HEAD", "POST"])
@in_customer(rights.Verb.CREATE)
def user_create(request: PortalRequest, customer: Customer) -> HttpResponse:
    """A new person: the General tab with the extension, and the contract's gauge in sight. `?copy=104`: with their settings."""
    scope = Scope(request.user, customer)
    source = _source_of_copy(request, customer)
    copied = copying.settings_of(source, scope) if source else None
    offered = beginnings.offers(scope, request.POST)
    status = 200
    if request.method == "POST":
        form = GENERAL.form(scope, request.POST, creating=True)
        raw = (copied.values if copied else {}) | form.raw()
        plan = road.plan(request.user, customer, user_sheet(), [road.Row(None, raw)])
        row = plan.rows[0]
        plans = [plan, *beginnings.plan_beside(scope, plan, offered)]
        reason = f"copy {source.number}" if source else ""
        outcome = beginnings.create(plans, RequestFacts.of(request), reason, "welcome" in request.POST)
        if outcome is Outcome.SAVED:
            tell_warnings(request, row)
            told = [
                _("%(user)s was created.") % {"user": row.record},
                beginnings.welcome_told(row.record, "welcome" in request.POST),
            ]
            messages.success(request, " ".join(filter(None, told)))
            return redirect(f"{_tab_url(customer, row.record)}?created=1")
        errors = _with_labels(row.errors, form)
        besides = [text for each in plans[1:] for text in each.sentences]
        if outcome is Outcome.CONFLICT:
            besides.append(_("Somebody else changed this in the meantime. Try again."))
        if on_top := [*([row.refusal] if row.refusal else []), *errors.get("", ()), *besides]:
            errors[""] = on_top
        form.show_errors(errors)
        status = 422
    else:
        initial = _initial_for_new(request.user, customer, scope)
        if copied:
            initial |= {
                name: value
                for name, value in copied.values.items()
                if name in {column.name for column in GENERAL.columns}
            }
        form = GENERAL.form(scope, initial=initial, creating=True)
    gauge = finding.gauge(customer)
    return render(
        request,
        "users/create.html",
        {
            "form": form,
            "gauge": gauge,
            "full": gauge.used >= gauge.included,
            "source": source,
            "left_out": copied.left_out if copied else [],
            "offered": offered,
            "welcome": request.method != "POST" or "welcome" in request.POST,
            "breadcrumbs": [(_("Users"), _list_url(customer)), (_("New user"), None)],
        },
        status=status,
    )


def _source_of_copy(request: PortalRequest, customer: Customer) -> User | None:
    """The person whose settings a new one gets; 404 and 403 as for their own pages."""
    number = request.GET.get("copy", "")
    if not number:
        return None
    source = finding.user_or_404(request.user, customer, number)
    require(request.user, rights.Verb.SEE, source, customer)
    return source


def _with_labels(errors: Mapping[str, Sequence[str]], form: SectionForm) -> dict[str, Sequence[str]]:
    """Errors of columns that aren't on this form say on top which column they are about."""
    columns = user_sheet().columns
    return {
        name: texts
        if name in form.fields or name not in columns
        else [f"{columns[name].label}: {text}" for text in texts]
        for name, texts in errors.items()
    }


def _initial_for_new(actor: User, customer: Customer, scope: Scope) -> dict[str, Any]:
    """What the form of a new person offers: the creator's own department, or the only one there is."""
    options = [department.pk for department in departments_of(scope)]
    department = actor.primary_department_id or (options[0] if len(options) == 1 else None)
    return {
        "role": "users",
        "primary_department": department,
        "departments": [department],
        "require_2fa": True,
    }


def _list_url(customer: Customer) -> str:
    return reverse("users", args=[customer.slug])


@require_http_methods(["GET", "HEAD", "POST"])
@of_person(rights.Verb.DELETE)
def user_delete(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """Says what goes with the person, asks to type the extension, and deletes."""
    return delete_page(
        request,
        person,
        lambda: replacements.plan_departure(
            request.user, customer, user_sheet(), Kind.EXTENSION, [person.pk]
        ),
        Words(
            title=_("Delete %(name)s?") % {"name": person.full_name},
            typed=person.number,
            mistyped=_("Type the extension %(number)s to confirm.") % {"number": person.number},
            deleted=_("%(user)s was deleted.") % {"user": person},
            meanwhile=_("Somebody else changed this user in the meantime. Check it before you delete it."),
        ),
        done_url=_list_url(customer),
        cancel_url=_tab_url(customer, person),
        losses=[
            _("Extension %(number)s with its settings and its unread voicemail messages.")
            % {"number": person.number}
        ],
        heading=_("Delete a user"),
        replace_url=reverse("user_replace", args=[customer.slug, person.number])
        if rights.can(request.user, rights.Verb.EDIT, person, customer)
        else "",
        button=_("Delete %(name)s") % {"name": person.full_name},
        breadcrumbs=[
            (_("Users"), _list_url(customer)),
            (person.full_name, _tab_url(customer, person)),
            (_("Delete"), None),
        ],
    )


def _tab_url(customer: Customer, person: User) -> str:
    return reverse("user_tab", args=[customer.slug, person.number, GENERAL.slug])


@require_http_methods(["GET", "HEAD", "POST"])
@of_person(rights.Verb.EDIT)
@step_up(Takeover.RESET)
def user_reset(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """Reset one person: seven boxes, explained in place."""
    return chosen.reset_person(request, customer, person)


@require_POST
@of_person()
def visualiser_answer(request: PortalRequest, customer: Customer, person: User) -> HttpResponse:
    """What a person would see with the choices that stand in the form; nothing is saved."""
    scope = Scope(request.user, customer)
    initial = {"visibility": VISUALISER.columns[0].store.load([person])[person.pk]["visibility"]}  # type: ignore[attr-defined]
    facts = matrix(scope, person, VISUALISER.form(scope, request.POST, initial=initial))
    return render(request, "users/visualiser_answer.html", {"answers": facts["answers"]})
