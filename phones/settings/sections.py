"""The tab "Téléphone IP", and the sheet of the phones: their columns, and the rules between them."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from pbxadmin.common.columns import NOT_IN_FILES, Column, Pending, Scope, columns_of
from pbxadmin.common.contributions import Contribution
from pbxadmin.common.parts import Part
from pbxadmin.common.places import zone_said
from pbxadmin.common.proof import Takeover
from pbxadmin.common.sections import Section, Sheet
from pbxadmin.common.values import devices
from pbxadmin.common.values.devices import Device
from phones import build, in_lists, registered, selectors
from phones.commands import REPROVISION, RESTART
from phones.context import Codec
from phones.handing import KEEPS, LEGACIES, OFFERS, what_a_new_user_lacks
from phones.models import Phone, Settings
from phones.push.receivers import phones_that_reload
from phones.settings import logos
from phones.settings.columns import (
    DATE_FORMATS,
    LANGUAGES,
    LANGUAGES_OF_3CX,
    TIME_FORMATS,
    CodecsColumn,
    MacColumn,
    ModelColumn,
    OfferedColumn,
    RouterColumn,
    UserColumn,
    delay,
    people,
    read_people,
    ring,
    sbcs,
)
from phones.settings.connection import direct_phones_are_let_in, phones_that_are_shut_out
from phones.settings.macs import macs_are_free
from phones.settings.noted import NOTED
from phones.settings.resets import RESETS
from phones.vendors import Model, Offers
from users import rights, road
from users.models import User
from users.road.removal import GOING

VLAN_WARNING = gettext_lazy(
    "CAUTION: any change to these settings must be approved by your network administrator. A wrong configuration may require a "
    "local reset of the phone."
)
VLAN_ID = {
    "short": gettext_lazy("VLAN ID"),
    "help": gettext_lazy("Given by your network administrator: 1 to 4094."),
}
VLAN_PRIORITY = {
    "short": gettext_lazy("VLAN priority"),
    "help": gettext_lazy("0 to 7 (class of service): the higher, the more urgent; 5 or 6 suit voice."),
}


def _settings(name: str) -> Any:
    return Settings._meta.get_field(name)


LOGO = logos.LogoColumn(
    _settings("logo"),
    csv=NOT_IN_FILES,  # a picture
    locked=logos.needs_enterprise,
    more=gettext_lazy(
        "Depending on the terms of your contract, choosing the logo here may not be possible. The provider's support can however "
        "reach the phone system directly and install a wallpaper of your own there."
    ),
)
# Settings of which each model offers its own values; `OVERRIDES` says how those are called that the model field gives no names.
CHOICES = {
    setting.name: OfferedColumn(_settings(setting.name))
    for setting in fields(Offers)
    if isinstance(setting.default, tuple) and setting.name != "codecs"
}
OVERRIDES: Mapping[str, Mapping[str, Any] | Column] = {
    "sidecars": {
        "more": gettext_lazy("How many key modules are plugged in; their keys follow those of the phone.")
    },
    "connection": {
        "more": gettext_lazy(
            "Local network: the phone is on the phone system's own network. Direct: it connects over the Internet without a tunnel "
            "and keeps its connection through the site's router open by itself; the user's option “Block remote non-tunnelled "
            "connections” must then be off. Through an SBC or router phone: the device chosen below carries the calls of its whole "
            "site."
        )
    },
    "sbc": RouterColumn(
        _settings("sbc"),
        sbcs,
        csv="Router",
        more=gettext_lazy(
            "Some phones can act as an SBC; the others should ideally use one to reach the phone system."
        ),
    ),
    "language": OfferedColumn(
        _settings("language"),
        lambda value: LANGUAGES.get(value, str(value)),
        gettext_lazy("The department's"),
        codes=LANGUAGES_OF_3CX,
    ),
    "time_zone": OfferedColumn(
        _settings("time_zone"),
        zone_said,
        pgettext_lazy("time zone", "The department's"),
    ),
    "date_format": OfferedColumn(
        _settings("date_format"),
        lambda value: DATE_FORMATS.get(value, str(value)),
    ),
    "time_format": OfferedColumn(
        _settings("time_format"),
        lambda value: TIME_FORMATS.get(value, str(value)),
    ),
    "screensaver_seconds": OfferedColumn(_settings("screensaver_seconds"), delay),
    "backlight_seconds": OfferedColumn(_settings("backlight_seconds"), delay),
    "logo": LOGO,
    "ringtone": OfferedColumn(_settings("ringtone"), ring, csv="Ringtone"),
    "queue_ringtone": OfferedColumn(_settings("queue_ringtone"), ring, csv="QRingtone"),
    "codecs": CodecsColumn(
        _settings("codecs"),
        more=gettext_lazy(
            "PCMU (G.711u) isn't compressed: good sound, more bandwidth. PCMA (G.711a) is the European "
            "form of it. G.722 sounds "
            "better still with the same bandwidth, but not every device and network has it: try it "
            "before you use it widely. "
            "G.729 is compressed: less bandwidth, slightly less quality."
        ),
    ),
    "vlan_wan_id": VLAN_ID,
    "vlan_wan_priority": VLAN_PRIORITY,
    "vlan_pc_id": VLAN_ID,
    "vlan_pc_priority": VLAN_PRIORITY,
}
SETTINGS: tuple[Column, ...] = columns_of(Settings, **{**CHOICES, **OVERRIDES})
MAC = MacColumn(
    Phone._meta.get_field("mac"),
    at_creation_only=True,
    csv="MAC",
    help=gettext_lazy("Twelve digits and letters on the back of the phone, for example 80:5E:C0:12:34:56."),
)
MODEL = ModelColumn(Phone._meta.get_field("model"))
USER = UserColumn(
    Phone._meta.get_field("user"),
    label=gettext_lazy("User"),
    help=gettext_lazy("The person whose extension the phone uses. Blank: the phone is in stock."),
)


def offers(model: Model, column: Column) -> bool:
    """Whether a model has the option at all, so that a form shows it."""
    if column.name == "sidecars":
        return model.sidecar is not None
    if column.name == "logo":
        return model.logo is not None
    setting = build.SETTING_COLUMNS.get(column.name)
    return setting is None or bool(getattr(model.offers, setting))


# --- Rules across a row ---
def stock_is_the_companys(row: road.RowPlan, plan: road.Plan) -> None:
    """A phone that nobody uses is put there and taken from there by whoever may change what belongs to the
    company; that of somebody who is deleted goes there by itself."""
    plan.need("user")
    if not row.new and row.value("user") is None and row.before["user"] in plan.scope.found.get(GOING, ()):
        return
    actor, customer = plan.scope.actor, plan.scope.customer
    from_stock = not row.new and row.before["user"] is None
    if (from_stock or row.value("user") is None) and (
        refusal := rights.why_not(actor, rights.Verb.CUSTOMER, None, customer)
    ):
        row.refuse("", refusal)


def phone_is_identified(row: road.RowPlan, plan: road.Plan) -> None:
    """A new phone has a MAC and a model."""
    for name in ("mac", "model"):
        if row.new and not row.value(name) and name not in row.errors:
            row.refuse(name, _("This field is required."), "model_missing" if name == "model" else "required")


def phone_is_the_one_in_stock(row: road.RowPlan, plan: road.Plan) -> None:
    """A phone that is taken from the stock as a new one is the model that is in stock: nobody plugs in another than they think."""
    if row.new or "mac" not in row.raw or "user" not in row.changes or row.changes["user"][0] is not None:
        return
    if "model" in row.changes:
        row.refuse(
            "model",
            _("This phone is in stock as a %(model)s: choose that model. It can be changed afterwards.")
            % {"model": selectors.model_of(row.record).display_name},
            "unknown_model",
        )


def sbc_is_chosen(row: road.RowPlan, plan: road.Plan) -> None:
    """A phone that connects through an SBC says through which."""
    plan.need("connection", "sbc")
    if (
        {"connection", "sbc"} & row.changes.keys()
        and row.value("connection") == Phone.Connection.SBC
        and row.value("sbc") is None
    ):
        row.refuse("sbc", _("Choose the SBC or router phone."))


def phone_in_stock_keeps_its_line(row: road.RowPlan, plan: road.Plan) -> None:
    """What a phone holds when it goes into the stock isn't taken from it: nothing is served to it any more."""
    before, after = row.changes.get("user", (None, None))
    if not row.new and before is not None and after is None:
        row.warn(
            "user",
            _(
                "The phone no longer gets a configuration, and keeps the one it has. So that it can't call as %(user)s, reset it "
                "to factory settings, or reset the user's passwords."
            )
            % {"user": row.record.user},
        )


def logo_can_be_shown(row: road.RowPlan, plan: road.Plan) -> None:
    """A logo is chosen where the licence has it and the model a screen for it. A model without one keeps it, unseen."""
    if not {"logo", "model"} & row.changes.keys():
        return
    plan.need("logo", "model")
    model = selectors.model_called(row.value("model"))
    digest = row.value("logo")
    if not digest or "logo" in row.errors:
        return
    if "logo" not in row.changes:
        if model.logo is None:
            row.warn("model", _("The %(model)s shows no logo: it is kept for another model.") % {"model": model.display_name})  # fmt: skip
    elif refusal := plan.sheet.columns["logo"].locked(plan.scope, ""):
        row.refuse("logo", refusal)
    elif model.logo is None:
        row.refuse("logo", _("The %(model)s doesn't offer this.") % {"model": model.display_name})
    elif ("logo", digest) not in plan.scope.found and not logos.is_kept(row.key, digest):
        row.refuse("logo", _("The earlier picture isn't kept: choose it again."))


def model_can_do_it(row: road.RowPlan, plan: road.Plan) -> None:
    """What is chosen is offered by the phone's model.

    Choosing what the model doesn't have is refused. Where the model itself is changed, options that the new
    one doesn't have fall to its own default, and that is told: else nobody could change a model without
    visiting every option first.
    """
    plan.need("model", *(column.name for column in SETTINGS))
    if not row.value("model") or "model" in row.errors:
        return
    model = selectors.model_called(row.value("model"))
    replaced = "model" in row.changes
    for column in SETTINGS:
        if column.name in row.errors:
            continue
        value = row.value(column.name)
        instead = _instead(column, model, value)
        if instead == value:
            continue
        if column.name in row.changes and column.name in row.raw:
            row.refuse(column.name, _("The %(model)s doesn't offer this.") % {"model": model.display_name})
        elif replaced:
            row.put(column.name, instead)
            row.warn(
                column.name,
                _("The %(model)s doesn't offer “%(value)s” for “%(option)s”: it is now “%(instead)s”.")
                % {
                    "model": model.display_name,
                    "value": column.show(value, plan.scope),
                    "option": column.label,
                    "instead": column.show(instead, plan.scope),
                },
            )


def _instead(column: Column, model: Model, value: Any) -> Any:
    """The value itself where the model can have it, else the one that it has instead."""
    if isinstance(column, OfferedColumn):
        offered = column.offered(model)
        # An option that the model doesn't have stays as it is: nothing is written for it.
        return (
            value
            if not offered or value in offered or (column.blank_label and value == "")
            else column.nearest(model, value)
        )
    if isinstance(column, CodecsColumn):
        kept = [name for name in value.split(",") if name in model.offers.codecs]
        return ",".join(kept or [codec.value for codec in Codec if codec in model.offers.codecs])
    if column.name == "sidecars":
        return min(value, model.sidecar.up_to if model.sidecar else 0)
    if isinstance(value, bool) and value and not offers(model, column):
        return False
    return value


# --- Rules across the set: one query each ---
def people_are_within_reach(plan: road.Plan) -> None:
    """A phone is given to a person of the customer whom the actor may edit."""
    moving = [row for row in plan.rows if "user" in row.changes]
    wanted = {key for row in moving for key in row.changes["user"] if isinstance(key, int)}
    if not wanted:
        return
    read_people(plan.scope, wanted)
    known = people(plan.scope)
    for row in moving:
        key = row.changes["user"][1]
        if key is None or isinstance(key, Pending):
            continue  # somebody who is created with it: asked again when they are there
        if key not in known:
            row.refuse(
                "user", _("“%(value)s” is not one of the choices: choose one from the list.") % {"value": key}
            )
        elif refusal := rights.why_not(plan.scope.actor, rights.Verb.EDIT, known[key], plan.scope.customer):
            row.refuse("user", refusal)
        elif row.record is not None and row.new:
            row.record.user = known[key]


def zones_are_known(plan: road.Plan) -> None:
    """A phone that follows its department has a model that knows the department's time zone."""
    columns = ("time_zone", "model", "user")
    plan.need(*columns)
    rows = [
        row for row in plan.rows if row.outcome in ("new", "changed") and row.changes.keys() & set(columns)
    ]
    rows = [row for row in rows if not row.value("time_zone")]
    holders = {row.value("user") for row in rows} - {None}
    if not holders:
        return
    known = {key for key in holders if isinstance(key, int)}
    zones: dict[Any, str] = dict(
        User.objects.of(plan.scope.customer)
        .filter(pk__in=known)
        .values_list("pk", "primary_department__time_zone")
    )
    for row in rows:
        zone = zones.get(row.value("user"))
        model = selectors.model_called(row.value("model"))
        if zone and zone not in model.offers.time_zone:
            row.refuse(
                "time_zone",
                _("The %(model)s doesn't know the department's time zone, %(zone)s: choose one.")
                % {"model": model.display_name, "zone": zone},
            )


# --- Deleting ---
def stock_stays(records: Sequence[Phone], scope: Scope) -> dict[Any, Any]:
    """A phone in stock is deleted by whoever may change what belongs to the company."""
    refusal = rights.why_not(scope.actor, rights.Verb.CUSTOMER, None, scope.customer)
    return {record.pk: refusal for record in records if record.user_id is None} if refusal else {}


def phones_that_ring(people: Sequence[User]) -> dict[Any, list[Device]]:
    """The phones of these people, for the plan of a call, and the app of whoever has one registered beside them: two queries."""
    found: dict[Any, list[Device]] = {}
    rows = Phone.objects.filter(user__in=[person.pk for person in people]).order_by("pk")
    for holder, mac, model, fetched_at in rows.values_list("user", "mac", "model", "fetched_at"):
        name, seen = selectors.model_called(model).name, fetched_at is not None
        found.setdefault(holder, []).append(devices.phone(mac, name, seen=seen))
    apps = set(registered.with_app(found.keys()))
    for person in people:
        if person.pk in apps:
            found[person.pk].append(devices.app(person.number))
    return found


PHONES = Section(
    slug="phone",
    title=gettext_lazy("IP phone"),
    columns=(),
    intro=gettext_lazy(
        "The user's IP phones: their settings, a restart or a new configuration, and some advanced options."
    ),
    view="phones.views.tab.phone_tab",
    set_rules=(phones_that_are_shut_out,),
    adds=Contribution(
        listed=in_lists.LISTED,
        search=in_lists.search_by_mac,
        rings=phones_that_ring,
        filters={
            "no_phone": (gettext_lazy("No phone"), Q(~Exists(Phone.objects.filter(user=OuterRef("pk")))))
        },
        keeps=KEEPS,
        resets=RESETS,
        head_url="phones_state",
        devices=registered.panel,
        followed_url="push_status",
        offers=OFFERS,
        left_to_do=what_a_new_user_lacks,
        hands_over=LEGACIES,
        reloads=phones_that_reload,
        actions=(REPROVISION, RESTART),
        for_many="phones.for_many.PHONES",
    ),
)

# The form of a new phone: what is asked first of the columns below.
ADDING = Section(slug="phone-new", title=gettext_lazy("Add a phone"), columns=(MAC, MODEL))
# All that may be changed, and its rules.
PHONE_SETTINGS = Section(
    slug="phone-settings",
    title=gettext_lazy("IP phone"),
    columns=(MAC, USER, MODEL, *SETTINGS),
    # The guide's headings, letter for letter; what it calls by one name and is two fields here stands under that name.
    parts=(
        Part("model", gettext_lazy("Phone model")),
        Part("connection", gettext_lazy("Router device (SBC)")),
        Part(
            "language",
            gettext_lazy("Options"),
            parts=(
                Part(
                    "date_format",
                    gettext_lazy("Date and time format"),
                    intro=gettext_lazy("How the date and the time are shown on the phone's screen."),
                ),
                Part("transfer_mode"),
            ),
        ),
        Part("logo", gettext_lazy("Select the logo for this phone"), above="phones/logo.html"),
        Part(
            "ringtone",
            gettext_lazy("Customise the call and queue ringtones"),
            intro=gettext_lazy("For more advanced ringtones, your provider's support can help you."),
        ),
        Part("codecs", gettext_lazy("Codecs")),
        Part(
            title=gettext_lazy("Advanced"),
            parts=(
                Part(
                    "vlan_wan_enabled",
                    gettext_lazy("Enable VLAN for the WAN / PC port"),
                    intro=gettext_lazy(
                        "Keeps the calls apart from the rest of the network's traffic, which gives them better quality."
                    ),
                    warning=VLAN_WARNING,
                ),
            ),
        ),
    ),
    row_rules=(
        phone_is_identified,
        stock_is_the_companys,
        phone_in_stock_keeps_its_line,
        phone_is_the_one_in_stock,
        sbc_is_chosen,
        logo_can_be_shown,
        model_can_do_it,
    ),
    set_rules=(macs_are_free, people_are_within_reach, zones_are_known, direct_phones_are_let_in),
    adds=Contribution(
        removal_rules=(stock_stays,),
    ),
)


def what_lasts(row: road.RowPlan, scope: Scope) -> Takeover | None:
    """A phone that goes from one person to another: whoever holds it, and its address, has that person's account then.

    From the stock it is the same, if it ever fetched: it may have been put there a minute ago. One that never did is nobody's yet.
    """
    before, after = row.changes.get("user", (None, None))
    if row.new or after is None:
        return None
    return Takeover.PHONE if before is not None or row.record.fetched_at is not None else None


@lru_cache(maxsize=1)
def phone_sheet() -> Sheet:
    """Everything that may be changed of a phone. What the phone and the push write themselves isn't here."""
    return Sheet(
        model=Phone,
        identity="mac",
        noted=NOTED,
        sections=(PHONE_SETTINGS,),
        subject=lambda phone: phone.user,
        complete=lambda phone, scope: phone.complete(),
        related=("customer", "user__role", "user__customer"),
        named_by=("mac", "model"),
        takes_over=what_lasts,
    )


def register() -> None:
    """Tell the history how the columns of phones are called."""
    road.register(phone_sheet())
