"""The provider's customers, for its support staff: the list, and a new one in one go."""

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from pbxadmin.common.columns import Scope
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.http import PortalRequest, RequestFacts
from pbxadmin.common.listing import Filter, ListState, Shape, show_list
from signin import credentials as signin
from users.company import onboarding, picking
from users.company.onboarding import NotCreatedError
from users.company.sheets import CONTRACT, DEPARTMENT, DID
from users.models import Customer, User
from users.people.sections import user_sheet
from users.road.finding import customer_or_404
from users.road.pages.saving import show_refusal
from users.road.pages.sheet_pages import default_values

# Session key: whose welcome link waits to be shown, once.
WELCOME = "welcome_of"
DEPARTMENT_ROWS = 5
NUMBER_ROWS = 6


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
    page = state.page_of(state.rows(Customer.objects.visible_to(request.user).annotate(used=Count("users"))))
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
    """The customers that are meant by what is being typed, as the options of a list.

    They lead into the portal; where `as` names a parameter, to the page itself that asks, with the customer's address there and
    its other parameters as they are.
    """
    only_support(request)
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


class NewCustomer:
    """The forms of a new customer: one for the contract and the owner, a row each for departments and numbers."""

    def __init__(self, actor: User, data: Any = None) -> None:
        scope = Scope(actor, Customer())
        columns = user_sheet().columns
        self.customer = CONTRACT.form(
            scope, data, initial=default_values(CONTRACT), creating=True, prefix="customer"
        )
        names = {"name", "outbound_caller_id"}
        self.departments = [
            SectionForm(
                [column for column in DEPARTMENT.columns if column.name in names],
                scope,
                data,
                prefix=f"department-{place}",
            )
            for place in range(DEPARTMENT_ROWS)
        ]
        self.numbers = [
            SectionForm(
                [each for each in DID.columns if not each.own_form], scope, data, prefix=f"number-{place}"
            )
            for place in range(NUMBER_ROWS)
        ]
        self.owner = SectionForm(
            [columns[name] for name in ("first_name", "last_name", "email", "number", "mobile")],
            scope,
            data,
            prefix="owner",
        )

    @property
    def all(self) -> list[SectionForm]:
        """Every form, for the summary of what is wrong."""
        return [self.customer, *self.departments, *self.numbers, self.owner]

    @property
    def refused(self) -> bool:
        """Whether something was refused."""
        return any(form.errors for form in self.all)

    def create(self, request: PortalRequest) -> onboarding.Created | None:
        """Make the customer; None where something was refused, which the forms then show."""
        departments, numbers = self._filled(self.departments), self._filled(self.numbers)
        if not departments:
            self.departments[0].show_errors(
                {"name": [_("A customer needs at least one department: enter one.")]}
            )
            return None
        parts = {
            "customer": [self.customer],
            "departments": departments,
            "numbers": numbers,
            "owner": [self.owner],
        }
        try:
            return onboarding.customer_create(
                request.user,
                self.customer.raw(),
                [form.raw() for form in departments],
                [form.raw() for form in numbers],
                self.owner.raw(),
                RequestFacts.of(request),
            )
        except NotCreatedError as error:
            for form, row in zip(parts[error.part], error.rows, strict=True):
                show_refusal(form, row)
        return None

    @staticmethod
    def _filled(forms: list[SectionForm]) -> list[SectionForm]:
        return [form for form in forms if any(str(value or "").strip() for value in form.raw().values())]


@require_http_methods(["GET", "HEAD", "POST"])
def customer_create(request: PortalRequest) -> HttpResponse:
    """A new customer with its departments, numbers and first owner."""
    only_support(request)
    forms = NewCustomer(request.user, request.POST if request.method == "POST" else None)
    if request.method == "POST" and (created := forms.create(request)):
        request.session[WELCOME] = created.owner.pk
        return redirect("customer_created", created.customer.slug)
    return render(
        request,
        "users/customer_create.html",
        {
            "forms": forms,
            "breadcrumbs": [(_("Customers"), reverse("customers")), (_("New customer"), None)],
        },
        status=422 if request.method == "POST" else 200,
    )


@require_safe
@never_cache
def customer_created(request: PortalRequest, slug: str) -> HttpResponse:
    """What was made; with the owner's welcome link, the first time only."""
    only_support(request)
    customer = customer_or_404(request.user, slug)
    owner = User.objects.of(customer).filter(pk=request.session.pop(WELCOME, 0)).first()
    return render(
        request,
        "users/customer_created.html",
        {
            "made": customer,
            "owner": owner,
            "link": signin.set_password_link(owner) if owner else "",
            "breadcrumbs": [(_("Customers"), reverse("customers")), (customer.name, None)],
        },
    )
