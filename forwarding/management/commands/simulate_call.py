"""`manage.py simulate_call SLUG TO --from 104 --at 2026-11-01T08:30`: where a call goes, at a terminal."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation

from forwarding.simulator import Question, State, ask, local_moment
from forwarding.whom import number_meant
from users.models import Customer, User


class Command(BaseCommand):
    """Says the path of a call in words, or all of its plan as JSON."""

    help = "Say where a call to an extension or DID number of a customer goes, and why."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The call and its circumstances."""
        parser.add_argument("slug", help="address of the customer in the portal")
        parser.add_argument("to", help="extension or number that is called")
        parser.add_argument(
            "--from",
            dest="caller",
            default="",
            help="extension, or outside number (+15145550100); default: withheld",
        )
        parser.add_argument(
            "--at", default="", help="local time of the customer, 2026-11-01T08:30; default: now"
        )
        states = parser.add_mutually_exclusive_group()
        for state in State:
            if state is not State.NO_ANSWER:
                states.add_argument(f"--{state}", dest="state", action="store_const", const=state)
        parser.add_argument("--json", action="store_true", help="the whole plan")
        parser.add_argument("--language", default="fr-ca", choices=["fr-ca", "en"])

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask and tell."""
        customer = Customer.objects.filter(slug=options["slug"]).first()
        if customer is None:
            raise CommandError(f"There is no customer {options['slug']}.")
        with translation.override(options["language"]):
            try:
                to, caller = (
                    number_meant(customer, typed, User.objects.of(customer))
                    for typed in (options["to"], options["caller"])
                )
                at = local_moment(options["at"], customer.time_zone) if options["at"] else timezone.now()
                answer = ask(
                    customer,
                    Question(to, caller, at, options["state"] or State.NO_ANSWER),
                )
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from None
            if options["json"]:
                self.stdout.write(json.dumps(answer.as_data(), ensure_ascii=False, indent=1, default=str))
                return
            for number, step in enumerate(answer.steps, start=1):
                self.stdout.write(
                    f"{number}. {step.title}"
                    + (f"  ({step.reason})" if step.reason else "")
                    + (f"  {step.at}" if step.at else "")
                )
