"""The provider's customers, for its support staff: their list, and how one is picked."""

from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from pbxadmin.common.http import PortalRequest
from pbxadmin.common.listing import Filter, ListState, Shape, show_list
from users.company import picking
from users.models import Customer
from users.road.finding import in_use

CUSTOMERS = Shape(
    search=picking.named_by,
    search_label=gettext_lazy("Name or host name"),
    filters=[Filter.switch("suspended", gettext_lazy("Suspended"), Q(suspended=True))],
    orders={
        "name": ("sort_name", "pk"),
        "host": ("fqdn", "pk"),
        "licence": ("edition", "sort_name", "pk"),
        "extensions": ("used", "sort_name", "pk"),
    },
)


def only_support(request: PortalRequest) -> None:
    """403 for everybody but the provider's support staff."""
    if not request.user.is_staff:
        raise PermissionDenied(_("This page is for the provider's support staff."))


@require_safe
def customers(request: PortalRequest) -> HttpResponse:
    """Every customer with its contract's gauge."""
    only_support(request)
    state = ListState.of(CUSTOMERS, request.GET, request.path)
    page = state.page_of(state.rows(Customer.objects.visible_to(request.user).annotate(used=in_use())))
    return show_list(
        request,
        "users/customers.html",
        state,
        page,
        {
            "headings": [
                state.heading(_("Customer"), "name"),
                state.heading(_("Host name"), "host"),
                state.heading(_("Licence"), "licence"),
                state.heading(_("Extensions"), "extensions"),
            ],
            "breadcrumbs": [(_("Customers"), None)],
        },
    )


@require_safe
def customers_pick(request: PortalRequest) -> HttpResponse:
    """The customers that are meant by what is being typed, as the options of a list; where `offer` names the field, their names for it.

    Options lead into the portal; where `as` names a parameter, to the page itself that asks, with the customer's address there and
    its other parameters as they are.
    """
    only_support(request)
    if field := request.GET.get("offer", "")[:40]:
        few = picking.meant(request.user, picking.typed(request.GET, field)).few
        return render(request, "users/customers_named.html", {"few": few})
    name = request.GET.get("as", "")[:40]
    text = picking.typed(request.GET, name or "q")
    kept = [(key, value) for key, value in request.GET.items() if key not in (name, "as", "p") and name]

    def leads_to(slug: str) -> str:
        return f"?{urlencode([*kept, (name, slug)])}" if name else reverse("users", args=[slug])

    found = picking.meant(request.user, text)
    return render(
        request,
        "users/customers_offered.html",
        {
            "text": text,
            "found": [(each, leads_to(each.slug)) for each in found.few],
            "all_url": leads_to(text) if name else f"{reverse('customers')}?{urlencode({'q': text})}",
            "more": found.more,
            "prefix": name or "go",
        },
    )
