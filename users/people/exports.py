"""Where people are taken out as a file. The app above that writes files makes its page known here; the list, the page of a person and
the page that asks before a deletion lead there.

The page takes what the list was asked for as parameters of its address, the rows that were chosen as the forms of the list send them, and
`only`, an extension. `then` names the action that goes on with the same people afterwards.
"""

from django.urls import reverse

from users.models import Customer

_pages: list[str] = []


def register(address: str) -> None:
    """Make the name of the page's address known; it takes the customer's."""
    _pages[:] = [address]


def url(customer: Customer) -> str:
    """The page of a customer; "" where there is none."""
    return reverse(_pages[0], args=[customer.slug]) if _pages else ""
