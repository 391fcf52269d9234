"""One library as its pages show it: whose it is, what is in it, what is on its way, and what else may be chosen and heard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import Q
from django.http import Http404
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Scope, Text
from users import rights
from users.models import Customer, Job, User
from users.people.selectors import departments_for_filter
from users.rights import Verb
from voicemail import standard_greetings
from voicemail.greetings import recorder, sounds
from voicemail.greetings.sheet import of_library
from voicemail.greetings.usage import Use, places, uses
from voicemail.models import Greeting, Incoming


@dataclass(frozen=True)
class Shown:
    """A greeting as a line of a library."""

    greeting: Greeting
    used: Sequence[Use]
    url: str  # of its sound; "" where none can be heard


@dataclass(frozen=True)
class Library:
    """The greetings of a person, of whoever is signed in, or (`person` None) of the company, before one reader.

    `verb` is how that reader changes it: EDIT, or SELF for one's own. `name` is what its addresses are called.
    """

    scope: Scope
    person: User | None
    verb: Verb
    name: str
    parts: Sequence[Any]  # of its addresses

    # --- Whose ---
    @classmethod
    def of_person(cls, actor: User, customer: Customer, person: User) -> "Library":
        """A person's, on their tab "Messagerie vocale"."""
        return cls(Scope(actor, customer), person, Verb.EDIT, "greetings", (customer.slug, person.number))

    @classmethod
    def of_company(cls, actor: User, customer: Customer) -> "Library":
        """The company's."""
        return cls(Scope(actor, customer), None, Verb.EDIT, "company_greetings", (customer.slug,))

    @classmethod
    def of_oneself(cls, person: User) -> "Library":
        """One's own, on one's own pages."""
        assert person.customer is not None, "support staff have no mailbox"
        return cls(Scope(person, person.customer), person, Verb.SELF, "own_greetings", ())

    def address(self, page: str, *rest: Any) -> str:
        """Of one of its pages."""
        return reverse(f"{self.name}_{page}", args=[*self.parts, *rest])

    @property
    def home(self) -> str:
        """Where it is shown: the tab, or its own page."""
        return self.address("page")

    @property
    def back(self) -> str:
        """Where it is found among the other things of its owner."""
        if self.person is None:
            return self.home
        if self.verb is Verb.SELF:
            return reverse("own_voicemail")
        return reverse("user_tab", args=[*self.parts, "voicemail"])

    @property
    def path(self) -> list[tuple[str, str | None]]:
        """The pages above it, down to itself."""
        if self.person is None:
            return []
        above = (
            [(_("My page"), reverse("own_page")), (_("Voicemail"), self.back)]
            if self.verb is Verb.SELF
            else [(_("Users"), reverse("users", args=self.parts[:1])), (self.person.full_name, self.back)]
        )
        return [*above, (_("Greetings"), None)]

    @property
    def company_url(self) -> str:
        """Where whoever administers finds the company's, beside a person's; "" for everybody else."""
        if self.person is None or self.verb is Verb.SELF:
            return ""
        return Library.of_company(self.scope.actor, self.scope.customer).home

    @cached_property
    def why_not_edit(self) -> Text | None:
        """Why its reader may not change it; None where they may."""
        return of_library(self.scope.actor, self.verb, self.person, self.scope.customer)

    @property
    def why_no_phone(self) -> Text | None:
        """Why no phone can record one; None where the phone system calls it."""
        return recorder.why_not(self.scope.customer)

    @property
    def own_extension(self) -> str:
        """The extension that rings unless another one is asked for: its person's, or its reader's; "" for neither."""
        return self.person.number if self.person else self.scope.actor.number if self._is_theirs else ""

    @property
    def _is_theirs(self) -> bool:
        return self.scope.actor.customer_id == self.scope.customer.pk

    @cached_property
    def may_give(self) -> bool:
        """Whether its reader may give one of the company's to many of its people, as far as these are theirs to change."""
        return self.person is None and rights.can(self.scope.actor, Verb.WORK, None, self.scope.customer)

    # --- What ---
    def _own(self) -> Any:
        return (
            Greeting.objects.in_library()
            .filter(customer=self.scope.customer, user=self.person)
            .select_related("sound")
        )

    @cached_property
    def greetings(self) -> list[Shown]:
        """What is in it, with who uses it."""
        found = list(self._own())
        return self._shown(found, uses(self.scope.customer.pk, found))

    @cached_property
    def shared(self) -> list[Shown]:
        """What else its person may choose: the company's, then the provider's."""
        found = Greeting.objects.shared(self.scope.customer.pk).select_related("sound")
        return self._shown([each for each in found if self.person or not each.customer_id], {})

    def _shown(self, found: Sequence[Greeting], used: Mapping[int, Sequence[Use]]) -> list[Shown]:
        return [
            Shown(
                greeting,
                used.get(greeting.pk, ()),
                self.address("sound", greeting.pk)
                if greeting.sound_id or standard_greetings.is_heard(greeting)
                else "",
            )
            for greeting in found
        ]

    @cached_property
    def incoming(self) -> list[Incoming]:
        """What is being converted, and what was refused and not yet put away."""
        found = (
            Incoming.objects.of(self.scope.customer).filter(user=self.person).select_related("job", "starter")
        )
        return list(found)

    @cached_property
    def calls(self) -> Sequence[recorder.PhoneCall]:
        """The calls by which somebody records for it."""
        return recorder.calls(self.scope.customer, self.person)

    @property
    def waiting(self) -> str:
        """The keys of what still is on its way: while there are any, the page asks again."""
        calls = [f"t{each.pk}" for each in self.calls if not each.over]
        return ",".join(calls + [str(each.pk) for each in self.incoming if not phase_of(each).over])

    @cached_property
    def quota(self) -> sounds.Quota:
        """The room of the customer's greetings."""
        return sounds.quota_of(self.scope.customer.pk)

    @cached_property
    def places(self) -> Sequence[tuple[str, Text]]:
        """Where its person may use a greeting; nowhere, of a company's."""
        return places(self.scope, self.verb) if self.person and not self.why_not_edit else ()

    @cached_property
    def departments(self) -> list[tuple[str, str]]:
        """Whose people can be given one of the company's greetings, as the list of people is narrowed to them."""
        return departments_for_filter(self.scope)

    # --- One of them ---
    def greeting_or_404(self, pk: int) -> Greeting:
        """One that is in it."""
        found = self._own().filter(pk=pk).first() if pk < 2**63 else None
        if found is None:
            raise Http404
        return found

    def heard_or_404(self, pk: int) -> Greeting:
        """One that its reader may hear: of this library, or one that everybody may choose."""
        everybodys = Q(customer=self.scope.customer, user=None) | Q(customer=None)
        own = Q(customer=self.scope.customer, user=self.person)
        found = Greeting.objects.in_library().filter(own | everybodys).select_related("sound", "user")
        greeting = found.filter(pk=pk).first() if pk < 2**63 else None
        if greeting is None:
            raise Http404
        return greeting

    def content_of(self, greeting: Greeting) -> bytes:
        """Its sound. Raises `sounds.StorageError`; 404 for one of the provider's that has none here."""
        if greeting.sound is not None:
            return sounds.read(greeting.sound)
        content = standard_greetings.content_of(greeting, self.language)
        if content is None:
            raise Http404
        return content

    @property
    def language(self) -> str:
        """In which the provider's greetings are played here: the reader's."""
        return (get_language() or "fr")[:2]


class Phase(NamedTuple):
    """How far a recording on its way is: in words, in hundredths; over means that it was refused."""

    words: str
    share: int
    over: bool


def phase_of(incoming: Incoming) -> Phase:
    """What stands beside a recording on its way."""
    job = incoming.job
    if job is None or job.state == Job.State.WAITING:
        return Phase(_("Waiting for its turn"), 0, False)
    if job.is_over:
        return Phase(job.words or _("It was cancelled."), 100, True)
    return Phase(_("Converting…"), job.position // 10, False)


def url_of_incoming(incoming: Incoming) -> str:
    """Where a recording that came in is followed."""
    if incoming.user is None:
        return Library.of_company(incoming.starter, incoming.customer).home
    if incoming.user_id == incoming.starter_id and not incoming.starter.role.administer_users:
        return Library.of_oneself(incoming.user).home
    return Library.of_person(incoming.starter, incoming.customer, incoming.user).home
