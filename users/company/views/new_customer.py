"""A new customer in one page: contract, numbers as people list them, departments with hours, and the first owner."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.http import PortalRequest, RequestFacts
from signin import credentials as signin
from users import rights
from users.company import onboarding
from users.company.number_list import LONGEST_TEXT, READERS, Listed, numbers_in
from users.company.onboarding import NotCreatedError
from users.company.proposals import proposed
from users.company.sheets import CONTRACT, DEPARTMENT
from users.models import Customer, Letter, User
from users.people.sections import user_sheet
from users.road.finding import customer_or_404
from users.road.pages.doors import require
from users.road.pages.saving import show_refusal
from users.road.pages.sheet_pages import default_values

# Session key: whose welcome link waits to be shown, once.
WELCOME = "welcome_of"
DEPARTMENT_ROWS = 5
# What is asked of the contract first; the rest stands below, with what is usual.
FIRST = ("name", "slug", "fqdn", "edition", "included_extensions")
OWNER = ("first_name", "last_name", "email", "mobile", "number")
# Reasons shown at the field of the numbers; the others are counted by the reader's patience.
REASONS_SHOWN = 8


class NumberListColumn(Column):
    """Numbers as people list them, on the page of a new customer alone."""

    def form_field(self, scope: Scope) -> forms.Field:
        """Lines, which the page reads aloud while one types."""
        widget = forms.Textarea(
            attrs={
                "rows": 3,
                "spellcheck": "false",
                "hx-post": reverse("customer_numbers"),
                "hx-trigger": "input changed delay:300ms",
                "hx-target": "#number-list",
                "hx-swap": "innerHTML",
            }
        )
        return forms.CharField(label=self.label, help_text=self.help, required=False, widget=widget)


NUMBERS = NumberListColumn(
    "list",
    label=pgettext_lazy("heading", "DID numbers"),
    help=gettext_lazy(
        "One or more lines, for example 514 555-0130 to 0139. A name may follow after a tab, a comma or a semicolon."
    ),
)


def said_in(upload: UploadedFile) -> str:
    """The text of a list that was sent as a file, a workbook or text; raises `ValidationError` where it isn't one."""
    content = upload.read(LONGEST_TEXT * 4 + 1)
    if len(content) > LONGEST_TEXT * 4:
        raise ValidationError(_("The list is too long: import a file of numbers afterwards."))
    for reader in READERS:
        if (text := reader(content)) is not None:
            return text
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content:
        raise ValidationError(
            _("This file is neither text nor a workbook (XLSX): save it as one of them, or type the numbers.")
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


class NewCustomer:
    """The forms of a new customer: the contract, the numbers, a row for each department, and the owner."""

    def __init__(self, actor: User, data: Any = None, upload: UploadedFile | None = None) -> None:
        scope = Scope(actor, Customer())
        columns = user_sheet().columns
        self.scope = scope
        self.listed: list[Listed] = []
        unread: list[str] = []
        if data is not None and upload:
            data = data.copy()
            try:
                # Into the field: whoever is refused elsewhere doesn't choose the file again.
                data["numbers-list"] = "\n".join(
                    filter(None, (data.get("numbers-list", "").strip(), said_in(upload)))
                )
            except ValidationError as error:
                unread = error.messages
        self.data = data
        self.customer = CONTRACT.form(
            scope, data, initial=default_values(CONTRACT), creating=True, prefix="customer"
        )
        for name in ("slug", "fqdn"):
            self.customer.fields[name].help_text = _("Blank: as proposed from the name.")
            self.customer.fields[name].required = False
        self.customer.fields["name"].widget.attrs |= {
            "hx-get": reverse("customer_proposal"),
            "hx-trigger": "input changed delay:200ms",
            "hx-target": "#proposal",
            "hx-swap": "innerHTML",
        } | ({"autofocus": True} if data is None else {})
        self.numbers = SectionForm([NUMBERS], scope, data, prefix="numbers")
        names = {"name", "outbound_caller_id"}
        self.departments = [
            SectionForm(
                [column for column in DEPARTMENT.columns if column.name in names],
                scope,
                data,
                {} if place else {"name": _("Reception")},
                prefix=f"department-{place}",
            )
            for place in range(DEPARTMENT_ROWS)
        ]
        self.owner = SectionForm([columns[name] for name in OWNER], scope, data, prefix="owner")
        self.starts = [
            (
                start,
                start.choices(scope),
                data.get(f"start-{start.name}", "") if data is not None else start.usual,
            )
            for start in onboarding.starts()
        ]
        self.welcome = data is None or "welcome" in data
        if data is not None:
            self._read(unread)

    def _read(self, unread: list[str]) -> None:
        if unread:
            self.numbers.show_errors({"list": unread})
            return
        try:
            self.listed = numbers_in(self.numbers.raw()["list"] or "")
        except ValidationError as error:
            self.numbers.show_errors({"list": error.messages})

    @property
    def first(self) -> list[Any]:
        """What is asked of the contract first."""
        return [self.customer[name] for name in FIRST]

    @property
    def more(self) -> list[Any]:
        """What stands below it."""
        return [bound for bound in self.customer if bound.name not in FIRST]

    @property
    def more_refused(self) -> bool:
        """Whether something in there was refused, so that it is shown."""
        return any(bound.errors for bound in self.more)

    @property
    def proposal(self) -> Any:
        """The addresses that a blank answer means."""
        return proposed(str(self.customer["name"].value() or ""))

    @property
    def all(self) -> list[SectionForm]:
        """Every form, for the summary of what is wrong."""
        return [self.customer, self.numbers, *self.departments, self.owner]

    @property
    def refused(self) -> bool:
        """Whether something was refused."""
        return any(form.errors for form in self.all)

    def create(self, request: PortalRequest) -> onboarding.Created | None:
        """Make the customer; None where something was refused, which the forms then show."""
        departments = self._filled(self.departments)
        if not departments:
            self.departments[0].show_errors(
                {"name": [_("A customer needs at least one department: enter one.")]}
            )
        if self.refused:
            return None
        wanted = onboarding.Wanted(
            self.customer.raw(),
            [{"number": each.number, "name": each.name} for each in self.listed],
            [form.raw() for form in departments],
            self.owner.raw(),
            {start.name: chosen for start, _choices, chosen in self.starts},
            self.welcome,
        )
        try:
            return onboarding.customer_create(request.user, wanted, RequestFacts.of(request))
        except NotCreatedError as error:
            self._show(error, departments)
        return None

    def _show(self, error: NotCreatedError, departments: list[SectionForm]) -> None:
        """Each reason at its field; of the numbers, all at theirs."""
        if error.part == "numbers":
            reasons = list(dict.fromkeys(text for row in error.rows for text in row.sentences))
            more = [_("and %(count)s more") % {"count": len(reasons) - REASONS_SHOWN}]
            self.numbers.show_errors(
                {"list": reasons[:REASONS_SHOWN] + (more if len(reasons) > REASONS_SHOWN else [])}
            )
            return
        if not error.part:
            self.customer.show_errors(
                {
                    "": [
                        _(
                            "Somebody else took an address or a number of this list in the same moment. Check it and create again."
                        )
                    ]
                }
            )
            return
        parts = {"customer": [self.customer], "departments": departments, "owner": [self.owner]}
        for form, row in zip(parts[error.part], error.rows, strict=True):
            show_refusal(form, row)

    @staticmethod
    def _filled(forms: list[SectionForm]) -> list[SectionForm]:
        return [form for form in forms if any(str(value or "").strip() for value in form.raw().values())]


@require_http_methods(["GET", "HEAD", "POST"])
def customer_create(request: PortalRequest) -> HttpResponse:
    """A new customer with its departments, numbers and first owner."""
    require(request.user, rights.Verb.SUPPORT)
    sent = request.method == "POST"
    made = NewCustomer(
        request.user, request.POST if sent else None, request.FILES.get("numbers-file") if sent else None
    )
    if sent and request.FILES:
        # The file's numbers stand in their field by now: a proof that is asked for sends back what was typed, and can send no file.
        request.POST = made.data
        request.FILES.clear()
    looking = request.POST.get("do") == "look"
    if sent and not looking and (created := made.create(request)):
        for sentence in created.told:
            messages.warning(request, sentence)
        request.session[WELCOME] = created.owner.pk
        return redirect("customer_created", created.customer.slug)
    return render(
        request,
        "users/customer_create.html",
        {
            "forms": made,
            "listed": made.listed,
            "proposal": made.proposal,
            "breadcrumbs": [(_("Customers"), reverse("customers")), (_("New customer"), None)],
        },
        status=422 if made.refused else 200,
    )


@require_safe
@never_cache
def customer_proposal(request: PortalRequest) -> HttpResponse:
    """The addresses that a name would get, while one types."""
    require(request.user, rights.Verb.SUPPORT)
    proposal = proposed(request.GET.get("customer-name", "").replace("\0", ""))
    return render(request, "users/customer_proposal.html", {"proposal": proposal})


@require_POST
def customer_numbers(request: PortalRequest) -> HttpResponse:
    """The numbers that a list means, while one types. Nothing is written."""
    require(request.user, rights.Verb.SUPPORT)
    problems, listed = [], []
    try:
        listed = numbers_in(request.POST.get("numbers-list", ""))
    except ValidationError as error:
        problems = error.messages
    return render(request, "users/number_list.html", {"listed": listed, "problems": problems})


@require_safe
@never_cache
def customer_created(request: PortalRequest, slug: str) -> HttpResponse:
    """What was made; with the owner's welcome link, the first time only."""
    require(request.user, rights.Verb.SUPPORT)
    customer = customer_or_404(request.user, slug)
    owner = User.objects.of(customer).filter(pk=request.session.pop(WELCOME, 0)).first()
    if owner is not None and owner.has_usable_password():
        # Opened only after they have signed in: another link is shown on their own page, with a proof and a line in the history.
        owner = None
    return render(
        request,
        "users/customer_created.html",
        {
            "made": customer,
            "owner": owner,
            "link": signin.set_password_link(owner) if owner else "",
            "mailed": owner is not None
            and Letter.objects.filter(user=owner, kind=Letter.Kind.WELCOME).exists(),
            "breadcrumbs": [(_("Customers"), reverse("customers")), (customer.name, None)],
        },
    )
