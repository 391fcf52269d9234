"""The asterisk app: the phone system."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AsteriskConfig(AppConfig):
    """Nodes, trunks, calls."""

    name = "asterisk"
    verbose_name = _("Phone system")

    def ready(self) -> None:
        """Make known what the history is to name; listen to changes."""
        from django.urls import reverse

        from asterisk import receivers, sheets
        from asterisk.calls import ended, missed
        from asterisk.link import registered as devices
        from asterisk.mailboxes import arriving, leaving, mails, recording
        from asterisk.trunks import contract
        from asterisk.trunks import sheet as trunks
        from forwarding import latest
        from phones import registered
        from users.company import beside_contract

        latest.register(
            latest.Pages(
                of_user=lambda slug, number: reverse("user_calls", args=[slug, number]),
                own=lambda: reverse("own_calls"),
                of_colleague=lambda number: reverse("colleague_calls", args=[number]),
            )
        )
        registered.register(devices)
        sheets.register()
        trunks.register()
        receivers.connect()
        arriving.register()
        mails.register()
        leaving.connect()
        recording.register()
        ended.register()
        beside_contract.register(contract.panel)
        missed.register()
