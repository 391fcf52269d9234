"""What an operation of the history is called: "Caller ID of 101 Amélie Tremblay and 11 more"."""

import re
from collections.abc import Sequence

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from users.models import Operation

# As many columns are named; of more there is the first, and how many others.
NAMED = 2
# French says « d’Accueil », but « de 101 Amélie ».
VOWEL = re.compile(r"[aeiouàâäéèêëîïôöùûüœæ]", re.IGNORECASE)

# With these a label ends that goes on in its value: “Member of”.
LEADING_ON = frozenset({"de", "du", "des", "à", "par", "of", "to", "by", "from", "with"})


def title(
    kind: str, record: str, count: int, labels: Sequence[str], values: Sequence[str] = (), said: str = ""
) -> str:
    """In the reader's language: what was done to `record`, the first of `count`.

    `labels` are the columns that changed, each once, and `values` what was sent to a phone. `said`: what is known better than
    by the kind alone ("Password changed").
    """
    what = said or str(Operation.Kind(kind).label)
    if kind == Operation.Kind.EDIT and labels and record:
        text = of(_columns(labels), record)
    else:
        if kind != Operation.Kind.CREATE and (named := values or labels):
            what = _("%(what)s: %(which)s") % {"what": what, "which": _columns(named)}
        text = f"{what} · {record}" if record else what
    if count > 1:
        text = ngettext("%(what)s and %(count)s more", "%(what)s and %(count)s more", count - 1) % {
            "what": text,
            "count": count - 1,
        }
    return text


def of(what: str, record: str) -> str:
    """ "Caller ID of 101 Amélie", « Heures de bureau d’Accueil »."""
    if VOWEL.match(record) and (get_language() or "").startswith("fr"):
        return f"{what} d’{record}"
    return _("%(what)s of %(record)s") % {"what": what, "record": record}


def _whole(label: str) -> str:
    """A column's name; in quotes where it ends with a word that wants another one after it: « Membre de »."""
    return _("“%(message)s”") % {"message": label} if re.split("[ ’]", label)[-1] in LEADING_ON else label


def _columns(labels: Sequence[str]) -> str:
    first, *rest = map(_whole, labels)
    if len(rest) < NAMED:
        return _("%(first)s and %(last)s") % {"first": first, "last": rest[0]} if rest else first
    return ngettext(
        "%(first)s and %(count)s more field", "%(first)s and %(count)s more fields", len(rest)
    ) % {
        "first": first,
        "count": len(rest),
    }
