"""Recording a greeting from a phone: what calls the phone is the phone system's, and makes itself known here."""

from typing import Any, Protocol

from django.utils.translation import gettext as _

from pbxadmin.common.columns import Text


class PhoneRecorder(Protocol):
    """What rings an extension, lets its user record, and gives the recording to `voicemail.greetings.making.receive`."""

    def why_not(self, customer: Any) -> Text | None:
        """Why it can't call this customer's extensions; None where it can."""


_known: list[PhoneRecorder] = []


def register(recorder: PhoneRecorder) -> None:
    """Make known what calls phones."""
    _known[:] = [recorder]


def why_not(customer: Any) -> Text | None:
    """Why no phone of this customer can be called to record; None where one can."""
    if not _known:
        return _("No phone system is connected to the portal yet: upload a file, or use the microphone.")
    return _known[0].why_not(customer)
