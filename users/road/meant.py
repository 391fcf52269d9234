"""Who is meant by what somebody typed: an extension, or a name that one person (or ring group, queue, digital receptionist) alone has."""

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from pbxadmin.common.values.destinations import Kind
from pbxadmin.common.values.signs import folded, words_of
from users.models import Customer, SystemExtension, User

Callee = User | SystemExtension


def person_meant(actor: User, customer: Customer, typed: str) -> User:
    """The person of the customer that a text means: "103 Inès Roy", an extension, or a name that only one has.

    Raises `ValidationError` in the reader's language. Whether `actor` may act on them is for the plan to say.
    """
    return _meant(actor, customer, typed, ())  # type: ignore[return-value]  # there is nothing else among them


def callee_meant(actor: User, customer: Customer, typed: str) -> Callee:
    """The same of whatever calls can be led to: a person, or a ring group, queue or digital receptionist."""
    return _meant(
        actor,
        customer,
        typed,
        list(SystemExtension.objects.visible_to(actor).of(customer).order_by("number")),
    )


def _meant(
    actor: User, customer: Customer, typed: str, systems: "list[SystemExtension] | tuple[()]"
) -> Callee:
    text = typed.replace("\0", "").strip()[:100]
    words = words_of(text)
    people = User.objects.visible_to(actor).of(customer).order_by("number")
    if not words:
        raise ValidationError(_("Enter an extension or a name."), code="required")
    if by_number := people.filter(number=words[0]).first():
        return by_number
    for system in systems:
        if system.number == words[0]:
            return system
    condition = Q()
    for word in words:
        condition &= Q(search_text__contains=word)
    called = [system for system in systems if all(word in folded(system.name) for word in words)]
    # Whoever is called exactly so is meant before whoever is called so as well.
    exactly: list[Callee] = [system for system in called if words_of(system.name) == words]
    found: list[Callee] = exactly if len(exactly) == 1 else [*people.filter(condition)[:2], *called[:2]]
    if not found:
        raise ValidationError(
            _("Nobody has the extension or the name “%(typed)s”."), params={"typed": text[:60]}
        )
    if len(found) > 1:
        several = (
            _("Several match “%(typed)s”: choose one of them, or enter the extension.")
            if systems
            else _("Several people match “%(typed)s”: enter the extension.")
        )
        raise ValidationError(several, params={"typed": text[:60]})
    return found[0]


# --- Remembered by key: a number may be somebody else's by the time it is asked for. --------------------------------
def key_of(callee: Callee | None) -> str:
    """Who was meant, as text that no later holder of the extension inherits: "extension:12", "system:4", "" for nobody."""
    if callee is None:
        return ""
    return f"{Kind.EXTENSION if isinstance(callee, User) else Kind.SYSTEM}:{callee.pk}"


def callee_of(customer: Customer, key: str) -> Callee | None:
    """Whom `key_of` remembered, of this customer; None where they are gone, or nobody was meant."""
    kind, _colon, number = key.partition(":")
    if not (number.isascii() and number.isdecimal() and len(number) < 18):
        return None
    if kind == Kind.EXTENSION:
        return User.objects.of(customer).filter(pk=int(number)).first()
    return (
        SystemExtension.objects.of(customer).filter(pk=int(number)).first() if kind == Kind.SYSTEM else None
    )
