"""The sheet of SIP trunks: one customer's, or the provider's own (`Scope.customer` None), which support staff alone change."""

from functools import lru_cache
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from asterisk.models import Trunk
from asterisk.sheets import NOWHERE, PlaceColumn
from asterisk.trunks import addresses, rules
from pbxadmin.common.columns import NOT_IN_FILES, FieldColumn, Scope, Text, columns_of
from pbxadmin.common.contributions import Contribution
from pbxadmin.common.fields import refuse_control_characters
from pbxadmin.common.parts import Part
from pbxadmin.common.sections import Section, Sheet
from users import rights, road
from users.company.sheets import belongs_to_nobody
from users.models import Customer, User
from users.rights import Verb


class NetworksColumn(FieldColumn):
    """Networks, one after the other: kept in one way of writing, parted by commas."""

    def clean(self, raw: Any, scope: Scope) -> Any:
        """Each of them in order, once."""
        found = [_network(part) for part in addresses.parts_of(str(super().clean(raw, scope) or ""))]
        return ", ".join(dict.fromkeys(found))


def _network(part: str) -> str:
    found = addresses.network_meant(part)
    said = {"value": part[:60]}
    if found is None:
        raise ValidationError(
            _("“%(value)s” is neither an IP address nor a network: enter for example 203.0.113.7 or 203.0.113.0/28.") % said, "network"
        )  # fmt: skip
    if addresses.is_everybody(found):
        raise ValidationError(
            _("“%(value)s” is too wide: calls would be taken from strangers. Enter networks of /16 (IPv4) or /32 (IPv6) at most.") % said,
            "network_wide",
        )  # fmt: skip
    if not addresses.begins_with(part, found):
        raise ValidationError(
            _("“%(value)s” is no network: enter %(network)s for all of it, or the address alone.") % (said | {"network": str(found)}), "network"
        )  # fmt: skip
    if addresses.is_nobodys(found) in NOWHERE:
        raise ValidationError(_("“%(value)s”: no machine of others has an address there.") % said, "network")
    return str(found).removesuffix("/32") if found.version == 4 else str(found).removesuffix("/128")


class TrunkPassword(FieldColumn):
    """A password that is typed in and never shown again: what is left blank stays as it is (`rules.secret_goes_with_its_name`)."""

    def form_field(self, scope: Scope) -> forms.Field:
        """Dots, always empty."""
        return forms.CharField(
            label=self.label,
            help_text=self.help,
            required=False,
            strip=False,
            max_length=self.field.max_length,
            validators=[refuse_control_characters],
            widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=False),
        )


def support_changes_it(actor: User, verb: str, record: Any, customer: Customer | None) -> Text | None:
    """Who administers a customer sees its own trunks; the provider's support changes them."""
    return rights.why_not(actor, Verb.WHOLE if Verb(verb) is Verb.SEE else Verb.SUPPORT, None, customer)


GENERAL = Section(
    slug="general",
    title=gettext_lazy("General"),
    intro=gettext_lazy(
        "A customer's calls go over its own SIP trunks; over those for all customers where it has none in use."
    ),
    columns=columns_of(
        Trunk,
        name={"label": gettext_lazy("Name"), "identity": True},
        host=PlaceColumn(
            Trunk._meta.get_field("host"),
            label=gettext_lazy("Address"),
            help=gettext_lazy(
                "Host name or IP address of the other side, as it was given with the SIP trunk."
            ),
        ),
        port={"label": gettext_lazy("SIP port")},
        transport={"label": gettext_lazy("Transport")},
        networks=NetworksColumn(
            Trunk._meta.get_field("networks"),
            label=gettext_lazy("Addresses that it calls from"),
            help=gettext_lazy(
                "IP addresses or networks, parted by commas: only calls from there are taken. Blank: the addresses of the SIP trunk itself."
            ),
        ),
        username={
            "label": gettext_lazy("User name"),
            "help": gettext_lazy("Blank where the other side knows the phone system by its address."),
        },
        trunk_password=TrunkPassword(
            Trunk._meta.get_field("trunk_password"),
            label=gettext_lazy("Password"),
            help=gettext_lazy("Will not be shown again. Leave blank to keep the saved one."),
            csv=NOT_IN_FILES,
        ),
        registers={"label": gettext_lazy("The phone system registers there")},
        number_format={
            "label": gettext_lazy("Numbers are written"),
            "help": gettext_lazy(
                "As they are dialled there. Numbers that come in are understood in each of these ways."
            ),
        },
        channels={
            "label": gettext_lazy("Channels"),
            "help": gettext_lazy(
                "So many calls at once go over it, whoever makes them. Each customer's contract has its own limit."
            ),
        },
        position={
            "label": gettext_lazy("Order"),
            "help": gettext_lazy(
                "The smallest number is tried first, the others where that one doesn't answer."
            ),
        },
        enabled={"label": gettext_lazy("In use")},
    ),
    parts=(
        Part("name"),
        Part("username", gettext_lazy("Registration")),
        Part("number_format", gettext_lazy("Calls")),
    ),
    row_rules=(rules.host_is_the_other_side, rules.secret_goes_with_its_name),
    set_rules=(rules.names_are_there_once, rules.calls_come_from_one, rules.somebody_is_left_without),
    adds=Contribution(losses=rules.losses),
)


@lru_cache(maxsize=1)
def trunk_sheet() -> Sheet:
    """A way to the public network."""
    return Sheet(
        model=Trunk,
        identity="name",
        sections=(GENERAL,),
        subject=belongs_to_nobody,
        allowed=support_changes_it,
        related=("customer",),
    )


def register() -> None:
    """Tell the history how the columns of SIP trunks are called."""
    road.register(trunk_sheet())
