"""Machines of the phone system at the support desk: how they are, where they are, and another token for one of them."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from asterisk import nodes
from asterisk.link.status import TROUBLES, as_known, status
from asterisk.models import Contact, Node
from asterisk.sheets import TOKEN, node_sheet
from pbxadmin.common.columns import Scope
from pbxadmin.common.crypto import random_token
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.templatetags.portal import moment
from support.cells import state
from support.pages.frame import page, show
from support.road import RoadAdmin
from support.sheets import NOBODY, SOURCE
from users import rights, road
from users.rights import Verb


class ConnectedFilter(admin.SimpleListFilter):
    """Whether there is a link to them."""

    title = _("link")
    parameter_name = "link"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Both."""
        return [("yes", _("connected")), ("no", _("not connected"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow."""
        now = nodes.connected(timezone.now())
        return {"yes": queryset.filter(now), "no": queryset.exclude(now)}.get(self.value() or "", queryset)


@admin.register(Node)
class NodeAdmin(RoadAdmin):
    """Machines of the phone system. Managers of the support team change them."""

    sheet = node_sheet
    new = _("New node")
    facts = ("doing", "heard", "why", "runs", "devices", "token")
    list_display = (
        "name",
        "host",
        "ami_port",
        "ari_port",
        "doing",
        "since",
        "heard",
        "why",
        "runs",
        "devices",
    )
    usual_columns = ("host", "doing", "since", "heard", "why", "devices")
    list_filter = (ConnectedFilter,)
    search_said: ClassVar[Any] = {"trouble": lambda: list(TROUBLES.items())}
    search_fields = ("name", "host", "ami_port", "ari_port", "trouble", "release")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """With how many devices are registered, and without passwords."""
        there = (
            Contact.objects.filter(node=OuterRef("pk")).order_by().values("node").annotate(found=Count("pk"))
        )
        found = super().get_queryset(request).defer("node_password")
        return found.annotate(registered=Coalesce(Subquery(there.values("found")), 0))

    def customer_of(self, record: Any) -> Any:
        """Nobody's: they carry everybody's calls."""
        return NOBODY

    def _asked_customer(self, request: HttpRequest) -> Any:
        return NOBODY

    def planned(self, scope: Scope, record: Any, raw: dict[str, Any], seen: int) -> road.Plan:
        """A new one has a token of its own, which its maker is shown."""
        if record is not None:
            return super().planned(scope, record, raw, seen)
        made = Scope(scope.actor, None, {TOKEN: random_token()})
        return road.plan(scope.actor, None, node_sheet(), [road.Row(None, raw)], scope=made)

    def written(self, plan: road.Plan, facts: RequestFacts) -> road.Commit:
        """Write it; of a new one, keep what is to be shown until it is."""
        done = super().written(plan, facts)
        if done.outcome is road.Outcome.SAVED and done.row.new:
            done.row.record.shown_once = nodes.is_shown_once(done.plan)
        return done

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        """What its environment needs, this once."""
        return _shown_once(request, obj, *obj.shown_once)

    @admin.display(description=_("Link"))
    def doing(self, record: Node) -> SafeString:
        """Whether there is a link to it."""
        now = status(record)
        return state("ok" if now.healthy else "bad", now.sentence)

    @admin.display(description=_("Connected since"), ordering="connected_at")
    def since(self, record: Node) -> str:
        """When the link was made."""
        return moment(record.connected_at) if status(record).healthy else ""

    @admin.display(description=_("Last heard"), ordering="heard_at")
    def heard(self, record: Node) -> str:
        """When it last said something."""
        return moment(record.heard_at)

    @admin.display(description=_("Trouble"), ordering="trouble")
    def why(self, record: Node) -> str:
        """Why there is no link, or what couldn't be done there."""
        return status(record).trouble or "—"

    @admin.display(description=_("Release"), ordering="release")
    def runs(self, record: Node) -> str:
        """What it says it runs, or said last."""
        return as_known(record.release, record) if record.release else ""

    @admin.display(description=_("Registered devices"), ordering="registered")
    def devices(self, record: Any) -> str:
        """How many are registered there now, or were when it was last heard."""
        return as_known(record.registered, record)

    @admin.display(description=_("Token"))
    def token(self, record: Node) -> SafeString:
        """Whether another one waits for its first use; and the way to another one."""
        waits = gettext("A new token waits for its first use.") if record.previous_token_hash else ""
        url = reverse("admin:node_token", args=[record.pk])
        return format_html('{} <a href="{}">{}</a>', waits, url, gettext("New token"))

    def facts_for(self, scope: Scope) -> Any:
        """Whoever may not change nodes is led to nothing that does."""
        may = rights.can(scope.actor, Verb.NODES)
        return self.facts if may else [name for name in self.facts if name != "token"]


def _shown_once(
    request: HttpRequest, node: Node, bearer: str, password: str, again: bool = False
) -> HttpResponse:
    """Token and password of a node, in plain text; no cache keeps the page."""
    lines = f"NODE_NAME={node.name}\nNODE_TOKEN={bearer}\nNODE_PASSWORD={password}"
    facts = {"title": str(node), "node": node, "lines": lines, "again": again}
    response = show(request, "support/node_token.html", facts)
    add_never_cache_headers(response)
    return response


@page("nodes/<int:key>/token", "node_token")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def node_token(request: HttpRequest, key: int) -> HttpResponse:
    """Asks whether a node is to have another token; a POST makes it, and shows it once."""
    actor: Any = request.user
    node = (
        Node.objects.visible_to(actor).defer("node_password").filter(pk=key).first() if key < 2**63 else None
    )
    if node is None:
        raise Http404
    if refusal := rights.why_not(actor, Verb.NODES):
        raise PermissionDenied(str(refusal))
    if request.method != "POST":
        return show(request, "support/node_token.html", {"title": str(node), "node": node})
    try:
        return _shown_once(
            request, *nodes.new_token(actor, key, RequestFacts.of(request, SOURCE)), again=True
        )
    except Node.DoesNotExist:
        raise Http404 from None
