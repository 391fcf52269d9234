"""What stands below a customer's contract, of apps above: each gives a panel."""

from collections.abc import Callable

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from users.models import Customer, User

# (reader, customer) → HTML, for whoever sees the contract.
Panel = Callable[[User, Customer], SafeString]
_known: list[Panel] = []


def register(panel: Panel) -> None:
    """Make a panel known; once, however often it is made known."""
    if panel not in _known:
        _known.append(panel)


def panels(reader: User, customer: Customer) -> SafeString:
    """All of them, one below the other."""
    return format_html_join("", "{}", ((panel(reader, customer),) for panel in _known))
