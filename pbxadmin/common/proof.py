"""What somebody who found a session open could make lasting: it takes a proof of who one is that is ten minutes old at most.

What changes is judged where it is written, so that no page, list, job or desk is a way around: the facts of a request
(`RequestFacts.proven`) say whether it was proved, and what isn't raises `ProofNeededError`, which `signin.middleware` answers
with the question, keeping what was typed. Whatever is no request (a job that was begun with a proof, the clock) has nobody to ask.
"""

from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from pbxadmin.common.columns import Text


class Takeover(StrEnum):
    """What would let somebody stay who found a session open."""

    ADDRESS = "address"
    ROLE = "role"
    REACH = "reach"
    RETURN = "return"
    PHONE = "phone"
    MAIL = "mail"
    RESET = "reset"
    SIGN_ON = "sign_on"
    SECOND_FACTOR = "second_factor"
    FACTOR = "factor"
    SECRET = "secret"  # noqa: S105 - what is shown, by its kind
    ACCOUNT = "account"
    TRIES = "tries"
    TEAM = "team"
    OWNERSHIP = "ownership"
    NODE = "node"


WHY: "dict[Takeover, Text]" = {
    Takeover.ADDRESS: _(
        "You are changing an email address with which somebody signs in and resets their password."
    ),
    Takeover.ROLE: _("You are giving a role that administers users."),
    Takeover.REACH: _("You are giving more departments to somebody who administers the users there."),
    Takeover.RETURN: _("You are giving access back to somebody who administers users."),
    Takeover.PHONE: _(
        "You are giving somebody's phone to somebody else: whoever holds it then calls as that person."
    ),
    Takeover.MAIL: _("You are sending a link with which somebody sets their password."),
    Takeover.RESET: _("You are resetting the passwords or links of other people."),
    Takeover.SIGN_ON: _("You are changing how the people of this company sign in."),
    Takeover.SECOND_FACTOR: _("You are no longer requiring a second factor."),
    Takeover.FACTOR: _(
        "You are taking away somebody's second factor: their password alone then opens their account."
    ),
    Takeover.SECRET: _("You are showing a secret: whoever reads it can use it."),
    Takeover.ACCOUNT: _("You are changing with which account you sign in."),
    Takeover.TRIES: _("You are forgetting failed sign-ins: passwords of this person can be tried again."),
    Takeover.OWNERSHIP: _("You are making somebody else the owner of this company's phone system."),
    Takeover.NODE: _(
        "You are changing which machines carry calls: such a machine learns everybody's SIP passwords."
    ),
    Takeover.TEAM: _("You are changing who is in the support team, where every customer is seen."),
}


class ProofNeededError(Exception):
    """Nothing was written: whoever asks must first prove who they are."""

    def __init__(self, what: Takeover) -> None:
        super().__init__(what.value)
        self.what = what
