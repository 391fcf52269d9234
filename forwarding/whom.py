"""Who is meant by what somebody typed: an extension, a number however it is written, or a name."""

import re
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from forwarding.routing import is_extension
from pbxadmin.common.values.short_codes import as_dialled
from pbxadmin.common.values.signs import folded, plainly
from users.models import Customer, SystemExtension, User
from users.people.sections.general import search_people

# So many are offered where several are called so.
MOST_OFFERED = 8
# "105 Maude Côté", as lists offer it: the extension comes first.
_EXTENSION_AND_NAME = re.compile(r"(?P<extension>[0-9]{2,5})\s+(?P<name>\D.*)")
# "514 555-0123 · Accueil": a whole number beside words.
_NUMBER_AND_WORDS = re.compile(r"[+(]?[0-9][0-9 ().-]{8,}[0-9]")


class SeveralMeantError(ValidationError):
    """Several people are called so: `offered` are their extensions with their names."""

    def __init__(self, text: str, offered: Sequence[tuple[str, str]]) -> None:
        self.text = text
        self.offered = offered
        super().__init__(
            _("Several are called “%(text)s”: choose one of them, or enter the extension."),
            params={"text": text[:40]},
        )


def number_meant(customer: Customer, text: str, people: "QuerySet[User]") -> str:
    """The extension or number that is meant; a number is given back as it was typed, an extension without separators.

    `people` are those whom the reader may find by name. Raises `ValidationError` for a name that nobody has, and
    `SeveralMeantError`.
    """
    typed, text = text, plainly(text.strip())
    if not any(sign.isalpha() for sign in text):
        bare = as_dialled(text)
        return bare if is_extension(bare) else text
    if found := _EXTENSION_AND_NAME.fullmatch(text):
        return found["extension"]
    if number := _NUMBER_AND_WORDS.search(text):
        return number[0]
    return _number_of_name(customer, typed.strip(), people)


def _number_of_name(customer: Customer, text: str, people: "QuerySet[User]") -> str:
    wanted = folded(text)
    candidates = (
        people.filter(search_people(text)).only("number", "first_name", "last_name").order_by("number")
    )
    found = [(person.number, person.full_name) for person in candidates[: MOST_OFFERED + 1]]
    systems = SystemExtension.objects.of(customer).order_by("number").values_list("number", "name")
    found += [(number, name) for number, name in systems if wanted in folded(name)]
    if not found:
        raise ValidationError(
            _("Nobody is called “%(text)s”: enter a name, an extension or a phone number, for example 514 555-0123."),
            params={"text": text[:40]},
        )  # fmt: skip
    exactly = [each for each in found if folded(each[1]) == wanted]
    if len(exactly or found) == 1:
        return (exactly or found)[0][0]
    raise SeveralMeantError(text, [(number, f"{number} {name}") for number, name in found[:MOST_OFFERED]])
