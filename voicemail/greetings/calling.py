"""Asking for a greeting to be recorded by phone: whose phones may ring, how the greeting is called, and what keeps it from being taken."""

from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _

from pbxadmin.common.clock import moment_said
from pbxadmin.common.columns import Text
from pbxadmin.common.http import RequestFacts, one_line
from users import rights
from users.models import User
from users.rights import Verb
from voicemail.greetings import making, recorder, sounds
from voicemail.greetings.library import Library
from voicemail.greetings.making import RefusedError, Wanted
from voicemail.greetings.words import NO_ROOM
from voicemail.models import Greeting, Incoming, Made


def why_not(library: Library, number: str, facts: RequestFacts) -> list[str]:
    """Have the phones of an extension ring (blank: the usual one's); why not, where none does: nobody records for nothing."""
    phone = _phone_of(library, number or library.own_extension)
    if not isinstance(phone, User):
        return [str(phone)]
    name = new_name(library)
    try:
        making.check(library.scope, Wanted(name, Made.PHONE, library.person), library.verb)
        sounds.check_room(library.scope.customer, 1)
    except RefusedError as refused:
        return refused.sentences
    except sounds.NoRoomError:
        return [str(NO_ROOM)]
    why = recorder.call(recorder.Asked(library.scope, library.verb, library.person, name, phone), facts)
    return [str(why)] if why else []


def _phone_of(library: Library, number: str) -> User | Text:
    """Whose phones ring: one's own, or those of somebody whom one may change; else why not."""
    actor, customer = library.scope.actor, library.scope.customer
    if library.verb is Verb.SELF:
        return actor
    if not number:
        return _("Enter the extension whose phones are to ring.")
    found = User.objects.visible_to(actor).of(customer).filter(number=number[:10]).first()
    if found is None:
        return _("There is no user with the extension %(number)s.") % {"number": number[:10]}
    why = None if found.pk == actor.pk else rights.why_not(actor, Verb.EDIT, found, customer)
    return found if why is None else why


def new_name(library: Library) -> str:
    """A name for what was given none: when it was asked for, by the clock of whoever asks."""
    actor = library.scope.actor
    now = timezone.localtime(timezone.now(), ZoneInfo(actor.time_zone) if actor.customer_id else None)
    # As it is kept, without the blanks that no line ends at.
    name = one_line(_("Recorded by phone, %(when)s") % {"when": moment_said(now, today=False)})
    own = {"customer": library.scope.customer, "user": library.person, "name__startswith": name}
    taken = {
        *Greeting.objects.in_library().filter(**own).values_list("name", flat=True),
        *Incoming.objects.filter(**own).values_list("name", flat=True),
        *(each.name for each in recorder.calls(library.scope.customer, library.person)),
    }
    return next(
        each for count in range(1, 999) if (each := f"{name} ({count})" if count > 1 else name) not in taken
    )
