"""What the history notes of a phone beside its columns: what was sent to it, and which of its secrets was shown."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy

from pbxadmin.common.columns import Text
from pbxadmin.common.sections import Noted
from phones.models import Phone

# What may be shown to whoever has the right: name in the address → how it is called.
SECRETS: Mapping[str, Text] = {
    "sip": gettext_lazy("Authentication password"),
    "link": gettext_lazy("Provisioning link"),
    "web": gettext_lazy("Web console password"),
}
NOTED: Mapping[str, Noted] = {
    "command": Noted(gettext_lazy("Command"), dict(Phone.Command.choices)),
    **{name: Noted(label) for name, label in SECRETS.items()},
}
