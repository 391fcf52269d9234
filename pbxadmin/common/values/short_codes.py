"""Short numbers of the public network: what they reach everywhere in Canada, so that no extension may have them."""

import unicodedata

# 933 is the provider's test of 911.
EMERGENCY_NUMBERS = frozenset({"911", "933"})
# Community services, the city, directory, roads, repair, relay, health line, suicide crisis helpline.
SERVICE_NUMBERS = frozenset({"211", "311", "411", "511", "611", "711", "811", "988"})
SHORT_CODES = EMERGENCY_NUMBERS | SERVICE_NUMBERS
# No extension either: whoever dials 9 for an outside line, as they are used to, must get help.
RESERVED = SHORT_CODES | {f"9{number}" for number in EMERGENCY_NUMBERS}

# Blanks and control characters, dashes, brackets. A comma isn't among them: it is a pause, and what follows is no part of the number.
_SEPARATORS = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Pd", "Pc", "Ps", "Pe"})
_OTHER_SEPARATORS = frozenset("./·•")


def as_dialled(number: str) -> str:
    """A number without the separators that people write in it, its digits as a phone has them, whatever they were typed with."""
    if number.isascii() and number.isdecimal():
        return number
    return "".join(
        _digit(character)
        for character in unicodedata.normalize("NFKC", number)
        if unicodedata.category(character) not in _SEPARATORS and character not in _OTHER_SEPARATORS
    )


def _digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


def emergency_number(dialled: str) -> str:
    """The emergency number that was dialled, "" for none.

    "911" also as "+911", "9-911", "9911" (as after an outside line), "911#", "+1911" (as apps write what they take for a number of
    here), and "911,,1", where something is dialled after a pause.
    """
    text = as_dialled(dialled)
    national = text.lstrip().startswith("+1")
    for part in dict.fromkeys((text, text.partition(",")[0])):
        # Whatever stands between the digits: nobody who needs help is asked how they have written it.
        digits = "".join(sign for sign in part if sign.isalnum() or sign in "*#").rstrip("#")
        for number in EMERGENCY_NUMBERS:
            if digits in (number, f"9{number}") or (national and digits == f"1{number}"):
                return number
    return ""
