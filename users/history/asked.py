"""What the history can be asked for: words, who, when, what was done, on which tab, to which record; of one customer or of all."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from pbxadmin.common.clock import date_said
from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.listing import NOTHING, Filter, Shape
from pbxadmin.common.searching import found_in, named, number_sought
from users import road
from users.models import Change, Customer, Did, Mention, Operation

SOURCES: Mapping[str, Any] = {
    "portal": _("portal"),
    "admin": _("support"),
    "csv": _("import"),
    "self": _("own page"),
    "system": _("automatic"),
    "demo": _("demo data"),
    "pbx": _("phone system"),
    "terminal": _("terminal"),
}
# How far back the menu looks, in days.
PERIODS: Mapping[str, tuple[Any, int]] = {
    "day": (_("the last 24 hours"), 1),
    "week": (_("the last 7 days"), 7),
    "month": (_("the last 30 days"), 30),
}
# Digits of a number in full: of fewer, too much would be found in what was saved.
WHOLE_NUMBER = 10


def shape(changes_of: QuerySet[Change], *, everywhere: bool = False) -> Shape:
    """What may be asked of operations; `changes_of`: the rows in which what was changed is searched. `everywhere`: of all customers."""

    def changed(condition: Q) -> Q:
        return Q(Exists(changes_of.filter(condition, operation=OuterRef("pk"))))

    def search(text: str) -> Q:
        wanted = found_in("search_text", text)
        found = found_in("search_text", text)
        if (digits := number_sought(text)) and len(digits) == WHOLE_NUMBER:
            # Whose values are closed to the reader, is found by none of them.
            open_to_reader = Q(closed=False) if "closed" in changes_of.query.annotations else Q()
            wanted |= Q(search_text__contains=phone_number_national(f"+1{digits}"))
            wanted |= Q(numbers__contains=digits) & open_to_reader
            found |= Q(pk__in=_mentions_of_number(digits, changes_of).values("operation"))
        # The rows are asked for the operations that they find: once, and not once more for every operation there is.
        found |= Q(pk__in=changes_of.filter(wanted).order_by().values("operation"))
        return found | _customer_called(text) if everywhere else found

    filters = [
        Filter("kind", _("Action"), lambda kind: Q(kind=kind), lambda: Operation.Kind.choices),
        Filter("table", _("What was changed"), lambda label: changed(Q(model=label)), tables),
        Filter("source", _("Source"), lambda source: Q(source=source), lambda: list(SOURCES.items())),
        Filter(
            "period",
            _("When"),
            _lately,
            lambda: [(name, label) for name, (label, _days) in PERIODS.items()],
        ),
        Filter("by", _("Done by"), lambda text: found_in("actor_text", text), typed="text"),
        Filter("from", pgettext_lazy("first day", "From"), _from, typed="date", said=_day_said),
        Filter("until", pgettext_lazy("last day", "Until"), _until, typed="date", said=_day_said),
    ]
    if everywhere:
        filters += [
            Filter("customer", _("Customer"), _customer_called, typed="text"),
            # Of one record, as pages of that lead here: "users.role:3".
            Filter("of", _("Record"), _of_record, typed="hidden", said=_record_said),
        ]
    return Shape(
        search=search,
        search_label=_("Person, number, changed item, reason or ticket"),
        filters=filters,
        orders={"newest": ["-id"]},
    )


def tables() -> list[tuple[str, Any]]:
    """The kinds of records that have a history, by table, in words."""
    return [(label, sheet.model._meta.verbose_name) for label, sheet in road.SHEETS.items()]


def about_record(label: str, key: int) -> Q:
    """The rows of the history about one record, as a condition over them: what it was itself changed in, and what others say of it."""
    mentioned = Mention.objects.filter(
        operation=OuterRef("operation"), by_model=OuterRef("model"), by_pk=OuterRef("object_pk"),
        model=label, object_pk=key,
    )  # fmt: skip
    return Q(model=label, object_pk=key) | Q(Exists(mentioned))


def operations_about(label: str, key: int) -> Q:
    """The operations that are about one record, as a condition over them."""
    own = Change.objects.filter(model=label, object_pk=key)
    others = Mention.objects.filter(model=label, object_pk=key)
    return Q(pk__in=own.order_by().values("operation")) | Q(pk__in=others.values("operation"))


def record_key(text: str) -> tuple[str, int] | None:
    """Table and key of a record as an address names it ("users.role:3"); None where it names none."""
    label, colon, key = text.partition(":")
    if label in road.SHEETS and colon and key.isascii() and key.isdecimal() and len(key) < 19:
        return label, int(key)
    return None


def _of_record(text: str) -> Q:
    found = record_key(text)
    return operations_about(*found) if found else NOTHING


def _record_said(text: str) -> str:
    found = record_key(text)
    told = Change.objects.filter(model=found[0], object_pk=found[1]) if found else Change.objects.none()
    return told.values_list("object_name", flat=True).first() or text


def _mentions_of_number(digits: str, changes_of: QuerySet[Change]) -> QuerySet[Mention]:
    """What changes of others say of a number of ten digits, as far as the reader may read those."""
    mine = Did.objects.filter(number=f"+1{digits}").values("pk")
    read = changes_of.filter(
        operation=OuterRef("operation"), model=OuterRef("by_model"), object_pk=OuterRef("by_pk")
    )
    return Mention.objects.filter(Exists(read), model=Did._meta.label_lower, object_pk__in=mine)


def _customer_called(text: str) -> Q:
    """Of the customers with this name: each name is read once, however many operations there are."""
    return Q(customer__in=Customer.objects.filter(named("name", text)))


def _lately(period: str) -> Q:
    if period not in PERIODS:
        return NOTHING
    return Q(at__gte=timezone.now() - timedelta(days=PERIODS[period][1]))


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _begin(day: date) -> datetime | None:
    """The midnight at which a day begins on the portal's own clock; None where no clock has it."""
    try:
        begin = timezone.make_aware(datetime.combine(day, time.min))
        begin.astimezone(timezone.get_fixed_timezone(0))
    except (OverflowError, ValueError):
        return None
    return begin


def _from(text: str) -> Q:
    day = _day(text)
    begin = _begin(day) if day else None
    return Q(at__gte=begin) if begin else NOTHING


def _until(text: str) -> Q:
    day = _day(text)
    end = _begin(day + timedelta(days=1)) if day and day < date.max else None
    return Q(at__lt=end) if end else NOTHING


def _day_said(text: str) -> str:
    day = _day(text)
    return date_said(day, "DATE_FORMAT") if day else text
