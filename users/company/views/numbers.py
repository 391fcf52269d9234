"""The pages of a customer's DID numbers: the list, a number, and whom it rings."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST

from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.http import PortalRequest, RequestFacts
from pbxadmin.common.listing import Filter
from pbxadmin.common.searching import Folded, named, number_sought
from pbxadmin.common.values.signs import plainly, words_of
from users import rights, road
from users.company.sheets import did_sheet
from users.company.views.company import SYSTEM_EXTENSIONS
from users.models import Customer, Did, SystemExtension, User
from users.people.sections import user_sheet
from users.rights import Verb
from users.road import Outcome, finding
from users.road.meant import Callee, callee_meant
from users.road.pages.doors import in_customer
from users.road.pages.sheet_pages import Cell, SheetPages


def numbers(actor: User, customer: Customer) -> QuerySet[Did]:
    """The customer's numbers with whom they ring."""
    return (
        Did.objects.visible_to(actor)
        .of(customer)
        .select_related("user", "system_extension")
        .defer(*(f"user__{name}" for name in finding.NOT_IN_LISTS))
    )


def _search_numbers(text: str) -> Q:
    # A few digits are sought as they stand; beside a word they are a word among others.
    few = "" if any(map(str.isalpha, text)) else "".join(sign for sign in plainly(text) if sign.isdigit())
    digits = number_sought(text) or few
    person = Q()
    for word in words_of(text):
        person &= Q(user__search_text__contains=word)
    found = named("name", text) | person | named("system_extension__name", text)
    found |= Q(system_extension__number=plainly(text))
    return found | Q(number__contains=digits) if digits else found


def _rings(actor: User, customer: Customer, record: Did) -> Mapping[str, Any]:
    # What rings nobody, or a ring group, is the whole company's.
    verb = Verb.EDIT if record.user else Verb.CUSTOMER
    may = rights.why_not(actor, verb, record.user, customer)
    return {
        "rings_url": reverse("did_assign", args=[customer.slug, record.pk]),
        "may_assign": may is None,
        "answers_url": _answers_url(customer, record),
    }


def _answers_url(customer: Customer, record: Did) -> str:
    """The page of whoever, or whatever, a number rings."""
    if record.user:
        return reverse("user_tab", args=[customer.slug, record.user.number, "general"])
    if record.system_extension:
        return SYSTEM_EXTENSIONS.url(customer, record.system_extension)
    return ""


NUMBERS = SheetPages(
    name="did",
    path="numbers",
    sheet=did_sheet,
    icon="number",
    title=pgettext_lazy("heading", "DID numbers"),
    new=gettext_lazy("New number"),
    lead=lambda record: phone_number_national(record.number),
    cells=(
        Cell(gettext_lazy("Number"), str, order="number"),
        Cell(gettext_lazy("Name"), lambda record: record.name, order="name", by=Folded("name")),
        Cell(
            gettext_lazy("Rings"),
            lambda record: record.answers or _("nobody directly"),
            _answers_url,
        ),
    ),
    filters=(Filter.switch("free", gettext_lazy("Rings nobody"), Q(user=None, system_extension=None)),),
    rows=numbers,
    search=_search_numbers,
    search_label=gettext_lazy("Number, name or person"),
    empty=gettext_lazy("Numbers of the public network are added by your provider's support."),
    below="users/sheets/rings.html",
    below_facts=_rings,
)


@require_POST
@in_customer()
def did_assign(request: PortalRequest, customer: Customer, pk: int) -> HttpResponse:
    """Let a number ring somebody, a ring group, queue or IVR, or nobody: a change of these people and of the number, both or neither."""
    record = NUMBERS.record_or_404(request.user, customer, pk)
    typed = request.POST.get("extension", "").replace("\0", "")
    url = f"{NUMBERS.url(customer, record)}#rings"
    holder: Callee | None = None
    if plainly(typed).strip():
        try:
            holder = callee_meant(request.user, customer, typed)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect(url)
    if holder == record.answers:
        return redirect(url)
    done: list[road.Commit] = []
    with transaction.atomic():
        for step in _steps_of_assigning(customer, record, holder):
            done.append(road.commit(step(request.user), RequestFacts.of(request)))
            if done[-1].outcome in (Outcome.CONFLICT, Outcome.REFUSED):
                transaction.set_rollback(True)
                break
    number = phone_number_national(record.number)
    if done[-1].outcome is Outcome.CONFLICT:
        messages.error(request, _("Somebody else changed this in the meantime. Try again."))
    elif done[-1].outcome is Outcome.REFUSED:
        for sentence in {text for row in done[-1].plan.refused for text in row.sentences}:
            messages.error(request, sentence)
    elif holder:
        _told(request, done[-1])
        messages.success(request, _("%(number)s rings %(user)s.") % {"number": number, "user": holder})
    else:
        _told(request, done[-1])
        messages.success(request, _("%(number)s no longer rings anyone directly.") % {"number": number})
    return redirect(url)


def _told(request: PortalRequest, done: road.Commit) -> None:
    """What the last step is told: what holds of the steps before it ends with them."""
    for sentence in {text for row in done.plan.rows for texts in row.warnings.values() for text in texts}:
        messages.warning(request, sentence)


def _steps_of_assigning(
    customer: Customer, record: Did, holder: Callee | None
) -> Iterator[Callable[[User], road.Plan]]:
    """The plans, one after the other: a number leaves whoever has it before somebody else takes it."""

    def leading_to(system: SystemExtension | None) -> Callable[[User], road.Plan]:
        values = {"system_extension": system.pk if system else None}
        return lambda actor: road.plan(actor, customer, did_sheet(), [road.Row(record.pk, values)])

    if record.system_extension and not isinstance(holder, SystemExtension):
        yield leading_to(None)
    people = [person for person in (record.user, holder) if isinstance(person, User)]
    if people:
        yield lambda actor: _numbers_moved(actor, customer, record, people)
    if isinstance(holder, SystemExtension):
        yield leading_to(holder)


def _numbers_moved(actor: User, customer: Customer, record: Did, people: Sequence[User]) -> road.Plan:
    """The number leaves the person who has it, and goes to the last of these people where that is somebody else."""
    wanted: dict[int, set[int]] = {person.pk: set() for person in people}
    for key, user in Did.objects.of(customer).filter(user__in=wanted).values_list("pk", "user"):
        wanted[user].add(key)
    if record.user_id:
        wanted[record.user_id].discard(record.pk)
    if people[-1].pk != record.user_id:
        wanted[people[-1].pk].add(record.pk)
    rows = [road.Row(key, {"dids": sorted(keys)}) for key, keys in wanted.items()]
    return road.plan(actor, customer, user_sheet(), rows)
