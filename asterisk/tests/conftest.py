"""What the tests of the phone system share."""

from asterisk.tests.engine import asterisk, engine, portal

__all__ = ["asterisk", "engine", "portal"]
