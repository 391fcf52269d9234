"""The form of a phone's settings: what its model offers, under the guide's headings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.forms import SectionForm
from phones import selectors
from phones.models import Phone
from phones.settings.columns import CODECS, CodecsColumn, OfferedColumn
from phones.settings.connection import SHUT_OUT, is_shut_out
from phones.settings.sections import MODEL, SETTINGS, VLAN_WARNING, offers
from phones.vendors import Model

# The numbers of a VLAN stand under the heading of their port; in the history, where there is none, the label names it.
LABELS: Mapping[str, Text] = {
    f"vlan_{port}_{name}": label
    for port in ("wan", "pc")
    for name, label in (("id", gettext_lazy("VLAN ID")), ("priority", gettext_lazy("VLAN priority")))
}


def settings_form(scope: Scope, phone: Phone, data: Any = None) -> SectionForm:
    """The form of a phone's settings: only the options, and of each only the values, that its model
    offers."""
    model = selectors.model_of(phone)
    columns = [MODEL, *(column for column in SETTINGS if offers(model, column) and not column.own_form)]
    form = SectionForm(columns, scope, data, initial={column.name: column.read(phone) for column in columns})
    for column in columns:
        made: Any = form.fields[column.name]
        made.label = LABELS.get(column.name, made.label)
        if isinstance(column, OfferedColumn):
            made.choices = _with_present(column, model, column.read(phone))
        elif isinstance(column, CodecsColumn):
            made.choices = [(codec.value, CODECS[codec]) for codec in model.codecs]
        elif column.name == "sidecars" and model.sidecar:
            made.help_text = _("%(name)s, up to %(count)s.") % {
                "name": model.sidecar.name,
                "count": model.sidecar.up_to,
            }
    if is_shut_out(phone.connection, phone.user):
        made = form.fields["connection"]
        made.warning = SHUT_OUT
    return form


def _with_present(column: OfferedColumn, model: Model, present: Any) -> list[tuple[Any, Any]]:
    """The menu; with the present value, should it not be offered any more, so that saving doesn't change it
    unseen."""
    offered = list(column.offered(model))
    return column.choices(
        offered if present in offered or (column.blank and not present) else [*offered, present]
    )


@dataclass(frozen=True)
class Part:
    """Some fields of a group (or the names of their columns), under a heading of their own where they have one."""

    fields: Sequence[Any]
    title: Text = ""
    intro: Text = ""
    warning: Text = ""


@dataclass(frozen=True)
class Group:
    """Some fields of the form under one heading; `logo`: the picture's own form stands there."""

    title: Text
    parts: Sequence[Part] = ()
    logo: bool = False

    @property
    def fields(self) -> list[Any]:
        """All of its fields, in their order."""
        return [bound for part in self.parts for bound in part.fields]


# The guide's headings, letter for letter; what it calls by one name and is two fields here stands under that name.
HEADINGS: tuple[Group, ...] = (
    Group(gettext_lazy("Phone model"), (Part(("model", "sidecars")),)),
    Group(gettext_lazy("Router device (SBC)"), (Part(("connection", "sbc")),)),
    Group(
        gettext_lazy("Options"),
        (
            Part(("language", "time_zone")),
            Part(
                ("date_format", "time_format"),
                gettext_lazy("Date and time format"),
                gettext_lazy("How the date and the time are shown on the phone's screen."),
            ),
            Part(("transfer_mode", "power_led", "screensaver_seconds", "backlight_seconds", "lldp")),
        ),
    ),
    Group(gettext_lazy("Select the logo for this phone"), logo=True),
    Group(
        gettext_lazy("Customise the call and queue ringtones"),
        (
            Part(
                ("ringtone", "queue_ringtone"),
                intro=gettext_lazy("For more advanced ringtones, your provider's support can help you."),
            ),
        ),
    ),
    Group(gettext_lazy("Codecs"), (Part(("codecs",)),)),
    Group(
        gettext_lazy("Advanced"),
        (
            Part(
                ("vlan_wan_enabled", "vlan_pc_enabled"),
                gettext_lazy("Enable VLAN for the WAN / PC port"),
                gettext_lazy(
                    "Keeps the calls apart from the rest of the network's traffic, which gives them better quality."
                ),
                VLAN_WARNING,
            ),
            Part(("vlan_wan_id", "vlan_wan_priority"), gettext_lazy("WAN port")),
            Part(("vlan_pc_id", "vlan_pc_priority"), gettext_lazy("PC port")),
        ),
    ),
)


def grouped(form: SectionForm, with_logo: bool = False) -> list[Group]:
    """The fields of the settings form under the guide's headings, without those that would stand over nothing."""
    groups = []
    for heading in HEADINGS:
        parts = [
            Part(
                [form[name] for name in part.fields if name in form.fields],
                part.title,
                part.intro,
                part.warning,
            )
            for part in heading.parts
        ]
        groups.append(
            Group(heading.title, [part for part in parts if part.fields], heading.logo and with_logo)
        )
    return [group for group in groups if group.parts or group.logo]
