"""What the tests of the phone system share."""

import pytest

from asterisk.tests.engine import asterisk, engine, engine_portal, gate, portal
from asterisk.tests.fixed import fixed
from asterisk.tests.mailboxes import inbox, leave, link, prompts
from asterisk.tests.phones import phone_store, phones

__all__ = [
    "asterisk",
    "engine",
    "engine_portal",
    "fixed",
    "gate",
    "inbox",
    "leave",
    "link",
    "phone_store",
    "phones",
    "portal",
    "prompts",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The test that takes as long as ten others begins first: whoever came to it last would be waited for by all."""
    items.sort(key=lambda item: item.path.name != "test_differential.py")
