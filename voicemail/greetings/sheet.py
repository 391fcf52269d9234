"""The sheet of greetings: what may be changed of one, by whom, and the rules of a library."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pbxadmin.common.columns import NOT_IN_FILES, FieldColumn, Scope, Text
from pbxadmin.common.sections import Section, Sheet
from pbxadmin.common.values.signs import folded
from users import rights, road
from users.company.sheets import of_the_company
from users.models import Customer, User
from users.rights import Own, Verb
from voicemail.models import Greeting, Made, Sound

# Greetings that one library holds: whoever has more doesn't find any.
MOST = 100


def _field(name: str) -> Any:
    return Greeting._meta.get_field(name)


# --- Columns ----------------------------------------------------------------------------------------------------
class LibraryColumn(FieldColumn):
    """In whose library a greeting is, from its beginning on: a person's key, or None for the company's."""

    own_form = True

    def clean(self, raw: Any, scope: Scope) -> Any:
        """The key of somebody of this customer, or None."""
        if raw in (None, ""):
            return None
        found = User.objects.visible_to(scope.actor).of(scope.customer).filter(pk=raw).first()
        if found is None:
            raise ValidationError(_("This item no longer exists. Reload the page."), code="not_there")
        scope.found["library", found.pk] = found
        return found.pk

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """The person's name."""
        known = scope.found.get(("library", value)) if scope else None
        return str(known or User.objects.filter(pk=value).first() or "—") if value else _("The company's")


class SoundColumn(FieldColumn):
    """The recording: one of the customer's sounds, kept before the greeting names it. In words, its length in seconds."""

    own_form = True

    def clean(self, raw: Any, scope: Scope) -> Any:
        """The key of a sound that is there."""
        found = (
            Sound.objects.of(scope.customer).filter(pk=raw).first() if str(raw or "").isdecimal() else None
        )
        if found is None:
            raise ValidationError(_("This recording isn't kept any more."), code="not_there")
        scope.found["sound", found.pk] = found
        return found.pk

    def look_up(self, values: Iterable[Any], scope: Scope) -> None:
        """Read all of these at once."""
        keys = {value for value in values if value and ("sound", value) not in scope.found}
        scope.found |= (
            {("sound", sound.pk): sound for sound in Sound.objects.filter(pk__in=keys)} if keys else {}
        )

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """How long it is."""
        if not value:
            return super().show("")
        known = scope.found.get(("sound", value)) if scope else None
        known = known or Sound.objects.filter(pk=value).first()
        if known is None:
            return _("a recording that isn't kept any more")
        return _("%(count)s s") % {"count": number_format(known.seconds, 1)}


class TakenOutColumn(FieldColumn):
    """When a greeting was taken out of its library; blank again, it is back."""

    own_form = True

    def clean(self, raw: Any, scope: Scope) -> datetime | None:
        """A moment in UTC, to the second, as the history keeps it; True is now."""
        if raw in (None, "", False):
            return None
        found = (
            timezone.now() if raw is True else raw if isinstance(raw, datetime) else parse_datetime(str(raw))
        )
        if found is None:
            raise ValidationError(_("Enter a date and a time."), code="invalid")
        return found.astimezone(UTC).replace(microsecond=0)


class ByItselfColumn(FieldColumn):
    """What nobody types: how the recording was made."""

    own_form = True


# --- Rules ------------------------------------------------------------------------------------------------------
def why_not(actor: User, verb: str, record: Any, customer: Customer) -> Text | None:
    """Why `actor` may not do this with a greeting: a person's library is as their tab "Messagerie vocale", the company's as its departments.

    Whose library a new one goes into isn't known here: `libraries_are_ones_to_change` asks.
    """
    verb = Verb(verb)
    if record is None and verb is Verb.CREATE:
        # Everybody has a library of their own; whoever is of no customer, or of another one, has what their rights give them here.
        if actor.customer_id == customer.pk:
            return rights.why_not(actor, Verb.SELF, actor, customer)
        return rights.why_not(actor, Verb.EDIT, None, customer)
    if record is None:
        return rights.why_not(actor, Verb.ADMINISTER, None, customer)
    return of_library(actor, verb, record.user if record.user_id else None, customer)


def of_library(actor: User, verb: Verb, person: User | None, customer: Customer) -> Text | None:
    """The same of a library: a person's, or the company's."""
    if person is not None:
        # Whoever may open the tab may hear what callers hear; nobody deletes a person by deleting a greeting, and whoever may
        # change somebody's status has nothing to do with what callers hear.
        asked = Verb.EDIT if verb in (Verb.CREATE, Verb.DELETE, Verb.STATUS) else verb
        return rights.why_not(actor, asked, person, customer)
    if verb is Verb.SELF:
        return rights.why_not(actor, Verb.ADMINISTER, None, customer)
    return of_the_company()(actor, verb, None, customer)


def libraries_are_ones_to_change(plan: road.Plan) -> None:
    """A new greeting goes into a library that the actor may change: their own, where they change but themselves."""
    verb = Verb.SELF if plan.verb is Verb.SELF else Verb.EDIT
    for row in plan.rows:
        if not row.new:
            continue
        owner = row.after.get("user")
        if verb is Verb.SELF and owner is None:
            row.refuse("", _("You can do this for yourself only."), "not_yours")
        elif refusal := of_library(
            plan.scope.actor, verb, plan.scope.found["library", owner] if owner else None, plan.scope.customer
        ):
            row.refuse("", refusal, "not_yours")


def new_greetings_are_whole(row: road.RowPlan, plan: road.Plan) -> None:
    """Nothing is in a library that can't be heard."""
    coming = plan.scope.found.get("recording comes", False)
    if row.new and not row.after.get("sound") and "sound" not in row.errors and not coming:
        row.refuse("sound", _("Choose a file, or record the greeting."), "required")
    if row.new and not row.after.get("name") and "name" not in row.errors:
        row.refuse("name", _("This field is required."), "required")


def names_are_there_once(plan: road.Plan) -> None:
    """A library has each name once, whatever its accents and capitals, and no more greetings than people find their way among."""
    plan.need("name", "user", "deleted_at")
    rows = [
        row
        for row in plan.rows
        if row.record is not None
        and {"name", "deleted_at"} & row.changes.keys()
        and not row.value("deleted_at")
    ]
    if not rows:
        return
    there: dict[Any, dict[str, Any]] = defaultdict(dict)
    others = Greeting.objects.in_library().filter(customer=plan.scope.customer.pk)
    libraries = {row.value("user") for row in rows}
    if None not in libraries:
        others = others.filter(user__in=libraries)
    for key, owner, name in others.exclude(pk__in=[row.key for row in rows if row.key]).values_list(
        "pk", "user", "name"
    ):
        there[owner][folded(name)] = key
    for row in rows:
        names = there[row.value("user")]
        word = folded(row.value("name") or "")
        if word in names:
            row.refuse(
                "name",
                _("There is a greeting called “%(name)s” already.") % {"name": row.value("name")},
                "name_taken",
            )
        elif len(names) >= MOST:
            row.refuse(
                "",
                _("A library holds %(count)s greetings at most: delete one first.") % {"count": MOST},
                "library_full",
            )
        names[word] = id(row)


GREETING = Section(
    slug="greeting",
    title=gettext_lazy("Greeting"),
    columns=(
        FieldColumn(
            _field("name"), label=gettext_lazy("Name"), own=Own.VOICEMAIL, csv=NOT_IN_FILES, identity=True
        ),
        LibraryColumn(
            _field("user"),
            label=gettext_lazy("Library"),
            own=Own.VOICEMAIL,
            csv=NOT_IN_FILES,
            at_creation_only=True,
        ),
        SoundColumn(
            _field("sound"),
            label=gettext_lazy("Recording"),
            own=Own.VOICEMAIL,
            csv=NOT_IN_FILES,
            identity=True,
        ),
        ByItselfColumn(_field("made"), label=gettext_lazy("Made"), own=Own.VOICEMAIL, csv=NOT_IN_FILES),
        TakenOutColumn(
            _field("deleted_at"),
            label=gettext_lazy("Deleted"),
            own=Own.VOICEMAIL,
            csv=NOT_IN_FILES,
            identity=True,
        ),
    ),
    row_rules=(new_greetings_are_whole,),
    set_rules=(libraries_are_ones_to_change, names_are_there_once),
)


@lru_cache(maxsize=1)
def greeting_sheet() -> Sheet:
    """A greeting of a company or of a person. The provider's own come with the portal and are nobody's to change."""
    return Sheet(
        model=Greeting,
        identity="name",
        sections=(GREETING,),
        subject=lambda greeting: greeting.user if greeting.user_id else None,
        allowed=why_not,
        related=("user__role", "user__customer"),
        taken_out="deleted_at",
        made_by_oneself=True,
    )


def register() -> None:
    """Tell the history how the columns of greetings are called."""
    road.register(greeting_sheet())


__all__ = ["GREETING", "MOST", "Made", "greeting_sheet", "of_library", "register", "why_not"]
