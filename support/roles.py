"""The table of roles at the desk: a change says first whom it touches, and is taken back from the role's own history."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from pbxadmin.common.columns import Scope
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.templatetags.portal import moment
from support.asking import SHOWN, sent_along
from support.cells import yes_no
from support.pages.frame import page, show
from support.road import RoadAdmin
from support.sheets import NOBODY, SOURCE
from users import rights, road
from users.company import roles
from users.company.sheets import role_sheet
from users.history.timeline import UNDO_AT, cells_in_words
from users.models import Customer, Operation, Role
from users.rights import Verb
from users.road import Outcome
from users.road.undo import NotUndoableError
from users.road.wide import mark_of

# What the page that asks sends beside what was typed and the mark of what was shown there: how many people were typed.
COUNT = "_count"
LATEST = 5


UNDO_AT[Role._meta.label_lower] = "admin:role_undo"


@admin.register(Role)
class RoleAdmin(RoadAdmin):
    """The table of roles, the same for all customers."""

    sheet = role_sheet
    may_add = False
    may_delete = False
    facts = ("slug", "latest")
    search_fields = ("name_fr", "name_en", "level")
    list_display = (
        "name_fr",
        "name_en",
        "level",
        *(
            yes_no(Role, name)
            for name in (
                "whole_customer",
                "administer_users",
                "administer_hours",
                "call_handling",
                "voice_and_chat",
                "reports",
            )
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """The seven."""
        return Role.objects.all()

    def customer_of(self, record: Role) -> Customer:
        """None: an empty one stands for all."""
        return NOBODY

    def planned(self, scope: Scope, record: Any, raw: dict[str, Any], seen: int) -> road.Plan:
        """Roles have a small road of their own."""
        return roles.plan(scope.actor, record, raw)

    def asked_first(self, request: HttpRequest, plan: road.Plan) -> HttpResponse | None:
        """Whom the change touches, before it is written; again where that isn't any more what was shown."""
        if plan.refused:
            return None
        touched = roles.touched_by(plan)
        if touched is None or _is_confirmed(request, plan, touched):
            return None
        return _ask(request, plan, touched, sent_along(request, COUNT), request.get_full_path())

    def written(self, plan: road.Plan, facts: RequestFacts) -> road.Commit:
        """Write it, and how it ended."""
        return roles.commit(plan, facts)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """This role's changes alone."""
        role = self.get_object(request, object_id)
        if role is None:
            raise Http404
        return redirect(f"{reverse('audit')}?{urlencode({'of': f'{self.opts.label_lower}:{role.number}'})}")

    def facts_for(self, scope: Scope) -> Sequence[Any]:
        """Whoever may not change roles is led to nothing that does."""
        if rights.can(scope.actor, Verb.ROLES):
            return self.facts
        return ["latest_told" if name == "latest" else name for name in self.facts]

    @admin.display(description=_("Latest changes"))
    def latest_told(self, record: Role) -> SafeString | str:
        """What was changed of it lately."""
        lines = ((*_told(change)[:3], "") for change in roles.changes_of(record)[:LATEST])
        return format_html_join("", "<div>{} · {}: {}{}</div>", lines) or "—"

    @admin.display(description=_("Latest changes"))
    def latest(self, record: Role) -> SafeString | str:
        """What was changed of it lately, with the way to take it back."""
        return (
            format_html_join("", "<div>{} · {}: {}{}</div>", map(_told, roles.changes_of(record)[:LATEST]))
            or "—"
        )


def _told(change: Any) -> tuple[Any, ...]:
    operation = change.operation
    what = "; ".join(
        f"{cell['label']} {cell['old'] or '—'} → {cell['new'] or '—'}"
        for cell in cells_in_words(change, None)
    )
    url = reverse("admin:role_undo", args=[operation.pk])
    undo = "" if change.undone else format_html(' <a href="{}">{}</a>', url, gettext("Undo"))
    return moment(operation.at), operation.actor_name, what, undo


def _shown(plan: road.Plan, touched: roles.Touched) -> str:
    """A mark of what the page that asks says."""
    return f"{mark_of([plan])}-{touched.people}-{touched.customers}"


def _is_confirmed(request: HttpRequest, plan: road.Plan, touched: roles.Touched) -> bool:
    typed = request.POST.get(COUNT, "").strip()
    enough = not touched.unadministering or typed == str(touched.people)
    return request.POST.get(SHOWN) == _shown(plan, touched) and enough


def _ask(
    request: HttpRequest, plan: road.Plan, touched: roles.Touched | None, sent: Any, back: str, **facts: Any
) -> HttpResponse:
    """The page that says what changes of a role, and whom that touches."""
    row, columns, scope = plan.rows[0], plan.sheet.columns, plan.scope
    again = SHOWN in request.POST
    wrong = (
        again
        and touched is not None
        and touched.unadministering
        and request.POST.get(SHOWN) == _shown(plan, touched)
    )
    problem = ""
    if wrong:
        problem = gettext("Type the number of people to confirm.")
    elif again and touched is not None:
        problem = gettext("Something changed since: look at it again.")
    context: Mapping[str, Any] = {
        "title": str(row.record),
        "role_key": row.key,
        "changes": [
            (columns[name].label, columns[name].show(old, scope), columns[name].show(new, scope))
            for name, (old, new) in row.changes.items()
        ],
        "touched": touched,
        "sent": sent,
        "shown": _shown(plan, touched) if touched else "",
        "back": back,
        "problem": problem,
        **facts,
    }
    return show(request, "support/role.html", context, 422 if problem or facts.get("refusals") else 200)


@page("roles/<int:operation>/undo", "role_undo")
@require_http_methods(["GET", "HEAD", "POST"])
def undo_role(request: HttpRequest, operation: int) -> HttpResponse:
    """What taking a change of a role back would do, and to whom; a POST does it."""
    actor: Any = request.user
    found = (
        Operation.objects.visible_to(actor).filter(pk=operation, customer=None) if operation < 2**63 else None
    )
    undone = found.first() if found is not None else None
    if undone is None or not undone.changes.filter(model=role_sheet().label).exists():
        raise Http404
    try:
        plan = roles.plan_undo(actor, undone)
    except NotUndoableError as error:
        return show(request, "support/role.html", {"title": gettext("Undo"), "refusals": [str(error)]}, 409)
    row = plan.rows[0]
    if row.refusal:
        raise PermissionDenied(str(row.refusal))
    back = reverse("admin:users_role_change", args=[row.key])
    touched = roles.touched_by(plan)
    if plan.refused or not row.changes:
        return _ask(
            request,
            plan,
            touched,
            [],
            back,
            refusals=plan.sentences or [gettext("Nothing to undo: everything is as it was before.")],
        )
    if request.method != "POST" or (touched is not None and not _is_confirmed(request, plan, touched)):
        return _ask(request, plan, touched, [], back, undoing=True)
    done = roles.commit(plan, RequestFacts.of(request, SOURCE), undone)
    if done.outcome is not Outcome.SAVED:
        messages.warning(request, gettext("Somebody else changed this in the meantime. Check it again."))
        return redirect(request.get_full_path())
    messages.success(request, gettext("%(who)s's change was undone.") % {"who": undone.actor_name})
    return redirect(back)
