"""`manage.py support_account EMAIL`: an account for one of the provider's support staff."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from pbxadmin.common.fields import refuse_control_characters
from signin import credentials as signin
from users.models import StaffLevel, User


class Command(BaseCommand):
    """Creates somebody without a password and prints the one-time link at which they set it."""

    help = "Create an account for support staff and print the one-time link at which its password is set."

    def add_arguments(self, parser: CommandParser) -> None:
        """The address, which is also the login, and the name."""
        parser.add_argument("email")
        parser.add_argument(
            "--level",
            default="",
            choices=StaffLevel.values,
            help="by default a manager for the first account, else a technician",
        )
        parser.add_argument("--first-name", default="")
        parser.add_argument("--last-name", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        """One clear line for whatever is refused."""
        email = options["email"].strip()
        names = (options["first_name"].strip(), options["last_name"].strip())
        try:
            validate_email(email)
            for name in names:
                User._meta.get_field("first_name").run_validators(name)
                refuse_control_characters(name)
            user = signin.create_support_account(email, *names, options["level"])
        except ValidationError as error:
            raise CommandError(" ".join(str(message) for message in error.messages)) from error
        except signin.EmailTakenError as error:
            raise CommandError(
                _("The email address %(email)s is already in use: enter another one.") % {"email": email}
            ) from error
        self.stdout.write(
            _("Account created for %(email)s. Set the password here, once, within three days:")
            % {"email": email}
        )
        self.stdout.write(signin.set_password_link(user))
