"""Where phones stand: SBCs and router phones, and what a change of a department, a system extension or a customer means for its phones."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pbxadmin.common.columns import FieldColumn, Scope, columns_of
from pbxadmin.common.contributions import Contribution
from pbxadmin.common.sections import Section, Sheet
from pbxadmin.common.values import network
from pbxadmin.common.values.signs import folded
from phones import build, selectors
from phones.keys.sections import keys_about_a_deleted_system_extension
from phones.models import Phone, Sbc
from phones.settings.columns import HEX, identifier_said
from users import road
from users.company.sheets import belongs_to_nobody, names_are_there_once, of_the_company


# --- SBCs -------------------------------------------------------------------------------------------------------
def address_is_reachable(row: road.RowPlan, plan: road.Plan) -> None:
    """Phones of the site send their calls there: an address that is no host's can't be it."""
    if address := row.changes.get("address", ("", ""))[1]:
        found = network.read(address)
        if isinstance(found, network.Why) or network.refusal(found):
            row.refuse(
                "address", _("Phones can't reach this address: enter the one that the SBC has at its site.")
            )


class IdentifierColumn(FieldColumn):
    """By which files call an SBC: 3CX's ID of it, or the MAC of a router phone, however that is written."""

    def clean(self, raw: Any, scope: Scope) -> Any:
        """The text; a MAC as twelve digits in capitals."""
        return identifier_said(super().clean(raw, scope))


class AddressColumn(FieldColumn):
    """The local address; None while nobody knows it."""

    def clean(self, raw: Any, scope: Scope) -> Any:
        """The address, or None."""
        return super().clean(raw, scope) or None


def address_is_known(row: road.RowPlan, plan: road.Plan) -> None:
    """An SBC's address is there from the start; a router phone's may be found out later."""
    plan.need("kind", "address")
    missing = row.value("kind") == Sbc.Kind.SBC and not row.value("address") and "address" not in row.errors
    if missing and (row.new or {"kind", "address"} & row.changes.keys()):
        row.refuse("address", _("This field is required."), "required")


def router_phones_are_known_by_their_mac(row: road.RowPlan, plan: road.Plan) -> None:
    """A router phone's identifier, where it has one, is its MAC."""
    plan.need("kind", "identifier")
    identifier = row.value("identifier")
    if not {"kind", "identifier"} & row.changes.keys() or row.value("kind") != Sbc.Kind.ROUTER_PHONE:
        return
    if identifier and not (len(identifier) == 12 and HEX.match(identifier.lower())):
        row.refuse(
            "identifier", _("A router phone is known by its MAC address: enter that, or leave it blank.")
        )


def identifiers_are_there_once(plan: road.Plan) -> None:
    """What a file says leads to one SBC: neither two identifiers nor one's identifier and another one's name are the same, in any case."""
    rows = [row for row in plan.rows if {"name", "identifier"} & row.changes.keys()]
    if not rows:
        return
    plan.need("name", "identifier")
    others = Sbc.objects.of(plan.scope.customer).exclude(pk__in=[row.key for row in rows if row.key])
    known: list[tuple[Any, str, str]] = list(others.values_list("pk", "name", "identifier"))
    known += [(id(row), row.value("name") or "", row.value("identifier")) for row in rows]
    called, identified = defaultdict(set), defaultdict(set)
    for owner, name, identifier in known:
        called[folded(name)].add(owner)
        if identifier:
            identified[folded(identifier)].add(owner)
    for row in rows:
        identifier, name = row.value("identifier"), row.value("name") or ""
        if identifier and (called[folded(identifier)] | identified[folded(identifier)]) - {id(row)}:
            row.refuse("identifier", _("Another SBC or router phone is called “%(name)s” already.") % {"name": identifier}, "name_taken")  # fmt: skip
        if "name" in row.changes and identified[folded(name)] - {id(row)}:
            row.refuse("name", _("Another SBC or router phone is called “%(name)s” already.") % {"name": name}, "name_taken")  # fmt: skip


def phones_reload(rows: Sequence[road.RowPlan], columns: Sequence[str], counts: dict[Any, int]) -> None:
    """Tell how many phones load their configuration anew, where one of `columns` changes."""
    for row in rows:
        count = counts.get(row.key, 0)
        if count and not row.new and not row.changes.keys().isdisjoint(columns):
            row.warn("", ngettext(
                "%(count)s phone will reload its configuration.", "%(count)s phones will reload their configuration.", count
            ) % {"count": count})  # fmt: skip


def _counts(path: str, rows: Sequence[road.RowPlan]) -> dict[Any, int]:
    """How many phones in use each of these rows has: {key: count}, one query."""
    keys = [row.key for row in rows if row.key]
    used = Phone.objects.filter(user__isnull=False, **{f"{path}__in": keys}).order_by()
    return dict(used.values_list(path).annotate(count=Count("pk", distinct=True)))


def _changed(plan: road.Plan, columns: Sequence[str]) -> list[road.RowPlan]:
    return [row for row in plan.rows if not row.new and not row.changes.keys().isdisjoint(columns)]


def phones_behind_it_reload(plan: road.Plan) -> None:
    """A moved SBC is told to the phones behind it."""
    if rows := _changed(plan, build.SBC_COLUMNS):
        phones_reload(rows, build.SBC_COLUMNS, _counts("sbc", rows))


def phones_need_it(records: Sequence[Any], scope: Scope) -> dict[Any, Any]:
    """An SBC through which phones connect stays."""
    behind: dict[Any, list[Phone]] = defaultdict(list)
    for phone in selectors.light(Phone.objects.filter(sbc__in=[record.pk for record in records])):
        behind[phone.sbc_id].append(phone)
    return {
        key: ngettext(
            "%(count)s phone connects through it: %(phones)s. Choose another connection for it first.",
            "%(count)s phones connect through it: %(phones)s. Choose another connection for them first.", len(phones),
        ) % {"count": len(phones), "phones": ", ".join(_name(phone) for phone in phones[:5]) + (" …" if len(phones) > 5 else "")}
        for key, phones in behind.items()
    }  # fmt: skip


def _name(phone: Phone) -> str:
    return f"{phone.mac_with_colons} ({phone.user or _('in stock')})"


SBC = Section(
    slug="general",
    title=gettext_lazy("SBC"),
    columns=columns_of(
        Sbc,
        name={"label": gettext_lazy("Name"), "identity": True},
        kind={"label": gettext_lazy("Type")},
        identifier=IdentifierColumn(
            Sbc._meta.get_field("identifier"),
            label=gettext_lazy("ID in files"),
            identity=True,
            help=gettext_lazy(
                "How files call it: the ID that the phone system gives an SBC, or the MAC address of a router phone. May be blank."
            ),
        ),
        address=AddressColumn(
            Sbc._meta.get_field("address"),
            label=gettext_lazy("Local address"),
            help=gettext_lazy(
                "On its local network, for example 192.168.1.20: the phones at the same site send their calls to it. A router phone's "
                "may be entered later."
            ),
        ),
        port={"label": gettext_lazy("SIP port")},
    ),
    row_rules=(address_is_reachable, address_is_known, router_phones_are_known_by_their_mac),
    set_rules=(names_are_there_once, identifiers_are_there_once, phones_behind_it_reload),
    adds=Contribution(
        removal_rules=(phones_need_it,),
    ),
)


@lru_cache(maxsize=1)
def sbc_sheet() -> Sheet:
    """An SBC or router phone of a customer."""
    return Sheet(
        model=Sbc,
        identity="name",
        sections=(SBC,),
        subject=belongs_to_nobody,
        allowed=of_the_company("voice_and_chat"),
    )


# --- Departments, system extensions and customers ----------------------------------------------------------------------------------
def phones_know_the_zone(plan: road.Plan) -> None:
    """A department's new time zone is one that the phones know which follow it: else their file couldn't be written."""
    rows = {row.key: row for row in plan.rows if not row.new and "time_zone" in row.changes}
    if not rows:
        return
    unable: dict[Any, list[str]] = defaultdict(list)
    following = Phone.objects.filter(user__primary_department__in=rows, time_zone="").select_related("user")
    for phone in following.only(
        "mac",
        "model",
        "user__number",
        "user__first_name",
        "user__last_name",
        "user__email",
        "user__primary_department",
    ):
        assert phone.user is not None  # filtered by their department
        row = rows[phone.user.primary_department_id]
        if row.value("time_zone") not in selectors.model_of(phone).offers.time_zone:
            unable[row.key].append(_name(phone))
    for key, names in unable.items():
        rows[key].refuse("time_zone", _("These phones don't know this time zone; choose one of their own for them first: %(phones)s") % {
            "phones": ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
        })  # fmt: skip


def phones_of_departments_reload(plan: road.Plan) -> None:
    """Language and time zone stand in the files of the phones of whom the department is the primary one."""
    if rows := _changed(plan, build.DEPARTMENT_COLUMNS):
        phones_reload(rows, build.DEPARTMENT_COLUMNS, _counts("user__primary_department", rows))


def phones_of_customers_reload(plan: road.Plan) -> None:
    """The host name stands in every file; a suspended customer's phones get none."""
    plan.need("suspended")
    rows = [row for row in _changed(plan, build.CUSTOMER_COLUMNS) if not row.value("suspended")]
    if rows:
        phones_reload(rows, build.CUSTOMER_COLUMNS, _counts("customer", rows))


def phones_with_keys_about_it_reload(plan: road.Plan) -> None:
    """The name of a ring group, a queue or a digital receptionist stands beside the keys that are about it."""
    if rows := _changed(plan, build.WATCHED_SYSTEM_COLUMNS):
        phones_reload(rows, build.WATCHED_SYSTEM_COLUMNS, _counts("user__keys__system", rows))


PHONES_OF_A_SYSTEM_EXTENSION = Section(
    slug="phones",
    title=gettext_lazy("Phones"),
    columns=(),
    set_rules=(phones_with_keys_about_it_reload,),
    adds=Contribution(
        losses=keys_about_a_deleted_system_extension,
    ),
)
PHONES_OF_A_DEPARTMENT = Section(
    slug="phones",
    title=gettext_lazy("Phones"),
    columns=(),
    set_rules=(phones_know_the_zone, phones_of_departments_reload),
)
PHONES_OF_A_CUSTOMER = Section(
    slug="phones", title=gettext_lazy("Phones"), columns=(), set_rules=(phones_of_customers_reload,)
)


def register() -> None:
    """Tell the history how the columns of SBCs are called."""
    road.register(sbc_sheet())
