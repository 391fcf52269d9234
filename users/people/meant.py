"""Who is meant by what somebody typed: an extension, or a name that one person alone has."""

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from pbxadmin.common.values.signs import words_of
from users.models import Customer, User


def person_meant(actor: User, customer: Customer, typed: str) -> User:
    """The person of the customer that a text means: "103 Inès Roy", an extension, or a name that only one has.

    Raises `ValidationError` in the reader's language. Whether `actor` may act on them is for the plan to say.
    """
    text = typed.replace("\0", "").strip()[:100]
    words = words_of(text)
    people = User.objects.visible_to(actor).of(customer).order_by("number")
    if not words:
        raise ValidationError(_("Enter an extension or a name."), code="required")
    if by_number := people.filter(number=words[0]).first():
        return by_number
    condition = Q()
    for word in words:
        condition &= Q(search_text__contains=word)
    found = list(people.filter(condition)[:2])
    if not found:
        raise ValidationError(
            _("Nobody has the extension or the name “%(typed)s”."), params={"typed": text[:60]}
        )
    if len(found) > 1:
        raise ValidationError(
            _("Several people match “%(typed)s”: enter the extension."), params={"typed": text[:60]}
        )
    return found[0]
