"""What can be done to many records at once: an action says whom it may be done to, and does it; a page asks, a job repeats.

The page is `users.road.pages.chosen_action`, the job `users.road.jobs`. An app makes its actions known by `register`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.proof import Takeover
from users.models import Customer, Operation, User
from users.road.outcomes import Outcome

Settings = Mapping[str, Any]  # what was asked for beside the records, as JSON; never a secret


@dataclass(frozen=True)
class Trace:
    """What the history keeps of where something came from; `into`: the operation that it is a further part of."""

    facts: RequestFacts
    reason: str = ""
    into: Operation | None = None


@dataclass(frozen=True)
class Asked:
    """What an action's own part of the page said and shows."""

    settings: Settings = field(default_factory=dict)
    problem: str = ""  # why that isn't enough to begin
    refusals: Mapping[Any, str] = field(
        default_factory=dict
    )  # of the records: what only shows among those who are left
    facts: Mapping[str, Any] = field(default_factory=dict)  # for the template
    # What doing exactly this would let somebody keep who found a session open, where the action as a whole doesn't.
    takes_over: Takeover | None = None


@dataclass(frozen=True)
class Done:
    """How it ended. Nothing is done to anybody unless `outcome` is SAVED."""

    outcome: Outcome
    operation: Operation | None = None
    told: str = ""  # the sentence for whoever waits for it
    why_not: str = ""
    mend: bool = False  # whether other settings would help

    @property
    def well(self) -> bool:
        """Whether everything is as it was wanted."""
        return self.outcome in (Outcome.SAVED, Outcome.UNCHANGED)


@dataclass(frozen=True)
class Action:
    """One action: its words, and what it *may*, *asks* and *does*."""

    slug: str  # in addresses, and as the kind of a job
    # The records that it is about, as far as `actor` sees them, with all that the functions below read.
    records: Callable[[User, Customer], QuerySet]
    label: Text  # of the button that leads to it
    title: Callable[[int], str]  # of the page that asks, for so many records
    template: str
    # Why it can't be done to some of these records: {primary key: sentence}.
    may: Callable[[Scope, Sequence[Any]], dict[Any, str]]
    # What is to be said before: (scope, records that it may be done to, what was sent).
    ask: Callable[[Scope, Sequence[Any], QueryDict], Asked]
    # Does it to all of these records or to none, in one transaction.
    do: Callable[[Scope, Sequence[Any], Settings, Trace], Done]
    # Up to so many at once, and while one waits; more are a job's.
    at_once: int
    # Where a record is, for links in a report.
    url: Callable[[Customer, Any], str]
    # A page that comes before the one that asks: (request, customer, who was chosen, the list as it was) → its answer, or what was
    # sent with what it made of it.
    before: Callable[[Any, Customer, Any, tuple[Text, str]], Any] | None = None
    # What is to be read when it is done: the page's name for a link, and its address.
    after: Callable[[Customer, Operation], tuple[str, str]] | None = None
    # What it would let somebody keep who found a session open: its page takes a fresh proof, because a job has nobody to ask.
    takes_over: Takeover | None = None
    # What a job that does it is called, where the page's title is a question.
    job: Callable[[int], str] | None = None
    danger: bool = False
    # Whether the bar of the list offers it in the menu of what is done less often.
    seldom: bool = False

    def job_title(self, count: int) -> str:
        """What a job is called that does it to so many records."""
        return (self.job or self.title)(count)


ACTIONS: dict[str, Action] = {}


def register(action: Action) -> Action:
    """Make an action known under its slug, so that a job can go on with it in another process."""
    ACTIONS[action.slug] = action
    return action
