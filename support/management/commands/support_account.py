"""`manage.py support_account`: the accounts of the provider's support staff, at a terminal: as its page "Support team" has them."""

import os
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from pbxadmin.common.fields import refuse_control_characters
from pbxadmin.common.http import RequestFacts
from pbxadmin.run.address import public_address
from signin import credentials
from users import rights, road
from users.models import Operation, StaffLevel, User
from users.people import access, team

FACTS = RequestFacts("terminal")
# What is done with an account that is there: one of these at a time.
WAYS = ("disable", "enable", "take_second_factor", "link")


class Command(BaseCommand):
    """Makes an account without a password and prints the one-time link at which it is set; lists, changes and helps the others."""

    help = "Accounts of support staff: make one and print the link that sets its password, list them, or change one that is there."

    def add_arguments(self, parser: CommandParser) -> None:
        """The address, which is also the login, and what is wanted."""
        parser.add_argument("email", help='of the account; or "list", which prints all of them')
        parser.add_argument("--first-name", default="", help="of a new account")
        parser.add_argument("--last-name", default="", help="of a new account")
        parser.add_argument(
            "--language", default="", choices=["fr", "en"], help="of the emails that a new account gets"
        )
        ways = parser.add_mutually_exclusive_group()
        ways.add_argument(
            "--level",
            default="",
            choices=StaffLevel.values,
            help="of a new account (by default a manager for the first, else a technician), or another one for an account that is there",
        )
        ways.add_argument("--disable", action="store_true", help="sign somebody out and let them in no more")
        ways.add_argument("--enable", action="store_true", help="let them in again")
        ways.add_argument(
            "--take-second-factor",
            action="store_true",
            help="of somebody who lost it: they set up another one at the next sign-in",
        )
        ways.add_argument(
            "--link", action="store_true", help="print a new one-time link that sets the password"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """One clear line for whatever is refused."""
        email = options["email"].strip()
        way = next((name for name in WAYS if options.get(name)), "")
        if email == "list":
            if way or options["level"]:
                raise CommandError(_("Name the account by its address; “list” only prints them."))
            self._list()
            return
        user = team.named(email)
        try:
            if user is not None and (way or options["level"]):
                self._change(user, way, options["level"])
            elif way:
                raise CommandError(_("No support account has the address %(email)s.") % {"email": email})
            else:
                self._invite(email, options)
        except team.TeamError as error:
            raise CommandError(str(error.why)) from error

    def _list(self) -> None:
        member: Any
        for member in team.members(rights.terminal_actor()):
            state = _("disabled") if member.disabled else ""
            factor = (
                _("second factor set up") if member.enrolled_at else _("second factor required, not set up")
            )
            seen = f"{member.last_login:%Y-%m-%d %H:%M}" if member.last_login else _("never signed in")
            facts = [
                member.email,
                member.full_name,
                str(member.get_staff_level_display()),
                factor,
                seen,
                state,
            ]
            self.stdout.write("  ".join(filter(None, facts)))

    def _invite(self, email: str, options: dict[str, Any]) -> None:
        names = (options["first_name"].strip(), options["last_name"].strip())
        try:
            validate_email(email)
            for name in names:
                User._meta.get_field("first_name").run_validators(name)
                refuse_control_characters(name)
            user = team.invite(
                rights.terminal_actor(),
                FACTS,
                email,
                names,
                options["level"],
                options["language"],
                mailed=False,
            )
        except ValidationError as error:
            raise CommandError(" ".join(str(message) for message in error.messages)) from error
        except credentials.EmailTakenError as error:
            raise CommandError(
                _("The email address %(email)s is already in use: enter another one.") % {"email": email}
            ) from error
        said = _("Account created for %(email)s. Set the password here, once, within three days:")
        self.stdout.write(said % {"email": email})
        self.stdout.write(credentials.set_password_link(user, _portal()))

    def _change(self, user: User, way: str, level: str) -> None:
        actor, name = rights.terminal_actor(), {"name": user.email}
        done: Operation | None = None
        if level:
            done = team.change(actor, user.pk, FACTS, level=level)
            self._say(
                done, _("%(name)s now has the level “%(level)s”."), name | {"level": StaffLevel(level).label}
            )
        elif way in ("disable", "enable"):
            done = team.change(actor, user.pk, FACTS, disabled=way == "disable")
            disabled = _("The account of %(name)s is disabled, and their sessions have ended.")
            self._say(
                done, disabled if way == "disable" else _("The account of %(name)s is enabled again."), name
            )
        elif way == "take_second_factor":
            done = access.take_factor(actor, None, [user.pk], FACTS)
            if done is None:
                raise CommandError(_("This person has no second factor set up."))
            self._say(done, _("The second factor of %(name)s was taken away."), name)
        elif way == "link":
            try:
                access.show_link(actor, None, user, FACTS)
            except road.RefusedError:
                raise CommandError(_("This account is disabled.")) from None
            self.stdout.write(_("Set the password of %(name)s here, once, within three days:") % name)
            self.stdout.write(credentials.set_password_link(user, _portal()))

    def _say(self, done: Operation | None, words: str, values: dict[str, Any]) -> None:
        self.stdout.write(words % values if done is not None else _("Nothing changed: it is so already."))


def _portal() -> str:
    """The address that the portal has: as the environment says, else where `./run` has it with this data folder now."""
    return "" if "PUBLIC_URL" in os.environ else public_address(settings.VAR_DIR)
