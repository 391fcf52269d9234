"""Why something is refused: a sentence for people, with a code for programs that is the same in every language."""

from typing import TYPE_CHECKING, Union

from django.core.exceptions import ValidationError

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# What has no code of its own.
REFUSED = "refused"


class Reason(str):
    """A sentence in the reader's language; `code` says which one it is."""

    code: str

    def __new__(cls, sentence: Union[str, "_StrPromise"], code: str = "") -> "Reason":
        """A reason; one that was given keeps its code where none is named here."""
        made = super().__new__(cls, str(sentence))
        made.code = code or getattr(sentence, "code", "") or REFUSED
        return made


def reasons_of(error: ValidationError) -> list[Reason]:
    """The sentences of a refused value, each with its code."""
    return [
        Reason(message, each.code or "")
        for each in error.error_list
        for message in ValidationError([each]).messages
    ]
