"""What the tests of the phone system share."""

from asterisk.tests.engine import asterisk, engine, portal
from asterisk.tests.fixed import fixed
from asterisk.tests.phones import phone_store, phones

__all__ = ["asterisk", "engine", "fixed", "phone_store", "phones", "portal"]
