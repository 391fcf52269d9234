"""Whether a phone is there: its last sign of life, whichever it was. Another fact than whether it has the latest configuration.

A sign of life is a fetch (`Phone.fetched_at`), an answer to a NOTIFY, or a registration at the phone system (both
`Phone.heard_at`). The two are kept apart so that a fetch, of which ten thousand may come at once, writes nothing more for this.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from phones.models import Phone
from phones.selectors import SENDING_LASTS, PhoneState, duration, state

# How long a phone that is plugged in may say nothing. Every file makes it fetch once a night, within half an hour that is the same
# every night (`phones.context.nightly_time`, Yealink's `NIGHT_WINDOW`): 24 h 30 min at most from one fetch to the next, an hour more when
# the clocks go back, and half an hour for a call that keeps it from fetching.
# Phones fetch until half past five: one that was unplugged yesterday shows before an office opens.
FETCHES_WITHIN = timedelta(hours=26)

NO_ANSWER = (Phone.Outcome.SILENT, Phone.Outcome.UNREACHABLE)

# Answers to a NOTIFY that a machine between us and the phone gives because it can't reach the phone.
ANSWERED_BY_OTHERS = frozenset({404, 408, 480, 502, 503, 504})


@dataclass(frozen=True)
class Presence:
    """Whether a phone is there, for people.

    `kind` is "seen", "missing" (nothing for too long), "unanswered" (it was asked and didn't answer), "never", or "unasked" where
    nothing is to be expected: nobody uses it, or its user gets no configuration. `tone` as `PhoneState`'s; `lasting` is the sentence
    without what changes by itself.
    """

    kind: str
    tone: str
    sentence: str
    lasting: str

    @property
    def away(self) -> bool:
        """Whether it ought to be there and isn't."""
        return self.kind in ("missing", "unanswered")


def last_seen(phone: Phone) -> datetime | None:
    """Its last sign of life; None for a phone that never gave one."""
    signs = [moment for moment in (phone.fetched_at, phone.heard_at) if moment is not None]
    return max(signs, default=None)


def last_seen_column() -> Greatest:
    """The same as a column of the database, blank where there was none."""
    # SQLite's greatest of a time and nothing is nothing.
    return Greatest(Coalesce("fetched_at", "heard_at"), Coalesce("heard_at", "fetched_at"))


def presence(phone: Phone, now: datetime | None = None) -> Presence:
    """Whether a phone (from `selectors.light`) is there at `now`; no query is made."""
    now = now or timezone.now()
    seen = last_seen(phone)
    if seen is None:
        return Presence("never", "off", _("never connected"), _("never connected"))
    ago = {"time": duration(now - seen)}
    if phone.user is None or not phone.user.is_active:
        return Presence("unasked", "off", _("seen %(time)s ago") % ago, _("seen"))
    if _asked_in_vain(phone, seen):
        return Presence(
            "unanswered", "bad", _("doesn't answer; seen %(time)s ago") % ago, _("doesn't answer")
        )
    if now - seen > FETCHES_WITHIN:
        return Presence("missing", "bad", _("not seen for %(time)s") % ago, _("not seen"))
    return Presence("seen", "ok", _("seen %(time)s ago") % ago, _("seen"))


def _asked_in_vain(phone: Phone, seen: datetime) -> bool:
    """Whether it was told something since its last sign, and said nothing. It may have fetched while the answer was awaited."""
    told = phone.notified_at
    return told is not None and phone.outcome in NO_ANSWER and told - seen > SENDING_LASTS


def away(now: datetime) -> Q:
    """The same condition over phones as `Presence.away`."""
    expected = Q(user__isnull=False, user__disabled=False, user__customer__suspended=False)
    seen = Q(fetched_at__isnull=False) | Q(heard_at__isnull=False)
    long_ago = now - FETCHES_WITHIN
    missing = (Q(fetched_at__isnull=True) | Q(fetched_at__lt=long_ago)) & (
        Q(heard_at__isnull=True) | Q(heard_at__lt=long_ago)
    )
    unanswered = (
        Q(outcome__in=NO_ANSWER)
        & (Q(fetched_at__isnull=True) | Q(notified_at__gt=F("fetched_at") + SENDING_LASTS))
        & (Q(heard_at__isnull=True) | Q(notified_at__gt=F("heard_at") + SENDING_LASTS))
    )
    return expected & seen & (missing | unanswered)


def in_brief(phone: Phone, now: datetime | None = None) -> PhoneState:
    """How a phone is doing where one line says everything: one that isn't there is never merely "up to date"."""
    now = now or timezone.now()
    configuration, there = state(phone, now), presence(phone, now)
    if not there.away or configuration.tone not in ("ok", "wait"):
        return configuration
    return replace(
        configuration,
        kind="away",
        tone="bad",
        sentence=f"{there.sentence} · {configuration.sentence}",
        lasting=f"{there.lasting} · {configuration.aloud}",
    )


# --- What tells it ------------------------------------------------------------------------------------------------
def proves_presence(code: int | None) -> bool:
    """Whether this final answer to a NOTIFY came from the phone itself: also a refusal, or that it is busy, says that it is plugged in."""
    return code is not None and code not in ANSWERED_BY_OTHERS


def heard_from(signs: Mapping[str, datetime]) -> int:
    """Note when phones were heard of otherwise than by a fetch: one UPDATE for any number of them; returns how many it was news of.

    `signs`: the moment (aware) of each phone's last sign, by MAC (twelve hex digits, lower case). This is the way by which the phone
    system tells of registrations, as often as it likes: an older sign changes nothing, a MAC that is nobody's is left out, and
    neither the phone's version nor its outbox is touched.
    """
    found = dict(Phone.objects.filter(mac__in=list(signs)).order_by("pk").values_list("pk", "mac"))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(HEARD, [list(found), list(found), [signs[mac] for mac in found.values()]])
            return cursor.rowcount
    news = 0
    for key, mac in found.items():
        older = Q(heard_at__isnull=True) | Q(heard_at__lt=signs[mac])
        news += Phone.objects.filter(older, pk=key).update(heard_at=signs[mac])
    return news


# As `phones.serving.fetches.WRITE`: locked in the order of their keys, and only what is later.
HEARD = """
WITH held AS (SELECT id FROM phones_phone WHERE id = ANY(%s) ORDER BY id FOR UPDATE)
UPDATE phones_phone AS phone SET heard_at = seen.at
FROM held JOIN unnest(%s::bigint[], %s::timestamptz[]) AS seen(id, at) ON seen.id = held.id
WHERE phone.id = held.id AND (phone.heard_at IS NULL OR phone.heard_at < seen.at)
"""
