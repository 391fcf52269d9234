"""What a page of the desk over a sheet is without its form: who may do what there, and deleting by the one road of changes."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pbxadmin.common.columns import Scope
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.sections import Sheet
from pbxadmin.common.values.destinations import Kind
from pbxadmin.common.values.signs import plainly
from support.admins import SupportAdmin
from users import rights, road
from users.models import Customer
from users.rights import Verb
from users.road import Outcome
from users.road.replacements import Departure, plan_departure

SOURCE = "admin"
# Stands for the customer of what belongs to all of them, or to any.
NOBODY = Customer()


def planned_for(customer: Customer) -> Customer | None:
    """As the road takes what belongs to no customer."""
    return customer if customer.pk is not None else None


class SheetAdmin(SupportAdmin):
    """Pages over a `Sheet`: the road says who may, and deletes."""

    sheet: Callable[[], Sheet]
    may_delete = True
    # What sort of destination such a record is, where calls can be sent to it.
    destination: ClassVar[Kind | None] = None
    actions: Any = ("delete_chosen",)

    def customer_of(self, record: Any) -> Customer:
        """Whose record it is; `NOBODY`'s, where it is the provider's own."""
        return record.customer or NOBODY

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether they are deleted here, and by this reader."""
        return self.may_delete and self._may(request, Verb.DELETE, obj)

    def _may(self, request: HttpRequest, verb: Verb, record: Any = None) -> bool:
        """What the sheet says; without a record, of one that is any customer's."""
        actor: Any = request.user
        customer = self.customer_of(record) if record is not None else NOBODY
        sheet = type(self).sheet()
        if record is None and sheet.allowed is None:
            return rights.can(actor, verb, customer=customer)
        return road.why_not(sheet, Scope(actor, customer), verb, record) is None

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Through the entrance of tenancy."""
        manager: Any = self.model._default_manager
        return manager.visible_to(request.user).order_by(
            *self.get_ordering(request) or self.opts.ordering or ["pk"]
        )

    # --- Deleting -------------------------------------------------------------------------------------------------
    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Say what goes with a record; delete it by the road."""
        record = self.get_object(request, unquote(object_id))
        if record is None:
            raise Http404
        if not self.has_delete_permission(request, record):
            raise PermissionDenied
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[record.pk])
        return self._delete(request, [record], back)

    @admin.action(description=gettext_lazy("Delete the selected ones"))
    def delete_chosen(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        """The same for several, all of them or none."""
        if not self.has_delete_permission(request):
            raise PermissionDenied
        return self._delete(request, list(queryset), request.get_full_path())

    def get_actions(self, request: HttpRequest) -> Any:
        """Nothing for whoever only looks, and no deletion where nothing is deleted."""
        if not self._may(request, Verb.WORK):
            return {}
        found = super().get_actions(request)
        if not self.has_delete_permission(request):
            found.pop("delete_chosen", None)
        return found

    @staticmethod
    def _left(request: HttpRequest, departures: Sequence[Departure], typed: str) -> str:
        """Delete all of them or none, and send the calls where the form says; why it can't be, or "" when it is done."""

        def all_leave() -> Any:
            facts = RequestFacts.of(request, SOURCE)
            with transaction.atomic():
                return [departure.leave(departure.instead(typed), facts) for departure in departures]

        try:
            outcome, _operations = road.ended(all_leave)
        except ValidationError as unknown:
            return f"{_('Nothing was deleted.')} {' '.join(unknown.messages)}"
        if outcome is Outcome.CONFLICT:
            return _("Somebody else changed this in the meantime. Check it before you delete it.")
        reasons = dict.fromkeys(departure.reasons for departure in departures if departure.reasons)
        return f"{_('Nothing was deleted.')} {' '.join(reasons)}" if outcome is Outcome.REFUSED else ""

    def _delete(self, request: HttpRequest, records: Sequence[Any], back: str) -> HttpResponse:
        actor: Any = request.user
        by_customer: dict[Customer | None, list[Any]] = defaultdict(list)
        for record in records:
            by_customer[planned_for(self.customer_of(record))].append(record.pk)

        def planned() -> list[Departure]:
            return [
                plan_departure(actor, customer, type(self).sheet(), self.destination, keys).take_along(along)
                for customer, keys in by_customer.items()
            ]

        along = request.POST.getlist("along")

        departures = planned()
        error = ""
        typed = request.POST.get("instead", "")[:60]
        if request.method == "POST" and request.POST.get("confirmed") == "yes":
            names = [str(record) for record in records]
            if len(records) > 1 and plainly(request.POST.get("confirm", "")).strip() != str(len(records)):
                error = _("Type the number %(count)s to confirm.") % {"count": len(records)}
            else:
                error = self._left(request, departures, typed)
            if not error:
                messages.success(
                    request,
                    _("Deleted: %(names)s")
                    % {"names": ", ".join(names[:10]) + (" …" if len(names) > 10 else "")},
                )
                return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
            departures = planned()
        rows = [
            (record, departure.refusals.get(record.pk, ""), departure.removal.lost_with(record.pk))
            for departure in departures
            for record in departure.removal.records
        ]
        boxes = {
            keep.name: (keep, goes) for departure in departures for keep, goes in departure.removal.boxes
        }
        return TemplateResponse(
            request,
            "admin/road_delete.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": _("Delete"),
                "rows": rows,
                "error": error,
                "back": back,
                "possible": all(not refusal for _record, refusal, _losses in rows),
                "places": [place for departure in departures for place in departure.places],
                "staying": [sentence for departure in departures for sentence in departure.removal.staying],
                "boxes": boxes.values(),
                "customers": [
                    (customer, len(keys)) for customer, keys in by_customer.items() if customer is not None
                ],
                "internal": set(by_customer) == {None},
                "count": len(records),
                "instead": typed,
                "chosen": [record.pk for record in records],
                "action_name": helpers.ACTION_CHECKBOX_NAME,
            },
            status=422 if error else 200,
        )
