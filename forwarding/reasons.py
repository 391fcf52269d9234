"""The reasons of a call plan as sentences, in the language of the reader: words are put on here, a plan holds keys alone."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from forwarding.decisions import Reason, Why
from pbxadmin.common.clock import moment_said
from pbxadmin.common.fields import phone_number_said
from pbxadmin.common.values import dial_codes
from pbxadmin.common.values.devices import Device
from pbxadmin.common.values.statuses import Status

SYSTEM_LABELS: Mapping[str, Promise] = {
    "ring_group": pgettext_lazy("call destination", "ring group"),
    "queue": pgettext_lazy("call destination", "queue"),
    "ivr": pgettext_lazy("call destination", "digital receptionist"),
}
_PHRASES: Mapping[Why, Promise] = {
    Why.STATUS_CHOSEN: gettext_lazy("%(person)s: status %(status)s"),
    Why.STATUS_TEMPORARY: gettext_lazy("%(person)s: status %(status)s until %(until)s"),
    Why.STATUS_OPEN: gettext_lazy("%(person)s: status %(status)s, automatic during office hours"),
    Why.STATUS_BREAK: gettext_lazy("%(person)s: status %(status)s, automatic during a break"),
    Why.STATUS_CLOSED: gettext_lazy("%(person)s: status %(status)s, automatic outside office hours"),
    Why.STATUS_HOLIDAY: gettext_lazy("%(person)s: status %(status)s, automatic on a holiday"),
    Why.DIVERTED_EXTERNAL: gettext_lazy("Status %(status)s, outside calls forwarded at once"),
    Why.DIVERTED_INTERNAL: gettext_lazy("Status %(status)s, internal calls forwarded at once"),
    Why.OUT_OF_HOURS: gettext_lazy("Status %(status)s, voicemail outside office hours"),
    Why.ON_A_CALL: gettext_lazy("Status %(status)s, already on a call and accepts only one"),
    Why.NO_DEVICE: gettext_lazy("Status %(status)s, no device registered"),
    Why.NO_PUSH: gettext_lazy("Status %(status)s, only apps registered and PUSH notifications not accepted"),
    Why.NO_ANSWER: gettext_lazy("Status %(status)s, no answer after %(seconds)s s"),
    Why.PHONE_BUSY: gettext_lazy("Status %(status)s, phone busy"),
    Why.DECLINED: gettext_lazy("Status %(status)s, call declined"),
    Why.UNREACHABLE: gettext_lazy("Status %(status)s, devices can't be reached"),
    Why.NOT_ACCEPTED: gettext_lazy("Status %(status)s, not accepted at %(number)s"),
    Why.RING_GROUP_NOT_ACCEPTED: gettext_lazy("Status %(status)s, calls from ring groups not accepted"),
    Why.LOGGED_OUT: gettext_lazy("Status %(status)s, logged out of the queues"),
    Why.RINGS: gettext_lazy("%(extension)s rings for %(seconds)s s: %(targets)s"),
    Why.TO_VOICEMAIL: gettext_lazy("voicemail of %(extension)s"),
    Why.TO_OUTSIDE: gettext_lazy("outside number %(number)s"),
    Why.TO_OUTSIDE_BOUNCE: gettext_lazy("outside number %(number)s, to be accepted or rejected"),
    Why.TO_OUTSIDE_SCREENED: gettext_lazy(
        "outside number %(number)s, to be accepted or rejected after the caller's name"
    ),
    Why.TO_OUTSIDE_DEFLECTED: gettext_lazy("outside number %(number)s, deflected by the SIP trunk (302)"),
    Why.TO_SYSTEM: gettext_lazy("%(kind)s %(person)s"),
    Why.BUSY_TONE: gettext_lazy("busy tone"),
    Why.NOT_RUNG: gettext_lazy("the group doesn't ring %(person)s"),
    Why.NOT_OFFERED: gettext_lazy("the queue doesn't ring %(person)s"),
    Why.DISABLED: gettext_lazy("extension %(person)s is disabled"),
    Why.SUSPENDED: gettext_lazy("the company is suspended, nobody there can be called"),
    Why.MAILBOX_DISABLED: gettext_lazy("the voicemail of %(person)s is disabled"),
    Why.NO_MOBILE: gettext_lazy("%(person)s has no mobile number"),
    Why.NO_DESTINATION: gettext_lazy("no valid destination is set for %(person)s in this case"),
    Why.UNKNOWN_EXTENSION: gettext_lazy("extension %(extension)s doesn't exist"),
    Why.UNKNOWN_NUMBER: gettext_lazy(
        "%(number)s is not one of this company's numbers: enter one of its DID numbers."
    ),
    Why.LEADS_NOWHERE: gettext_lazy("%(number)s doesn't ring anyone directly."),
    Why.LOOP: gettext_lazy("the call would come back to %(person)s and go round in circles"),
    Why.BACK_TO_CALLER: gettext_lazy("the call would come back to the caller, %(person)s"),
    Why.TOO_MANY_HOPS: gettext_lazy("forwarded more than %(hops)s times"),
    Why.TOO_MANY_WAYS: gettext_lazy("the forwarding rules send this call in too many directions"),
    Why.EMERGENCY: gettext_lazy("Emergency call to %(number)s, always allowed, shown as %(caller_id)s"),
    Why.INTERNAL_CALL: gettext_lazy("Internal call to %(number)s"),
    Why.OUTSIDE_CALL: gettext_lazy("Outside call to %(number)s, shown as %(caller_id)s"),
    Why.PIN_CODE: gettext_lazy(
        "Code %(number)s: the phone system asks for the voicemail PIN, after which outside calls are open for a while"
    ),
    Why.DIAL_CODE: gettext_lazy("Code %(number)s: the phone system itself answers"),
    Why.BAD_NUMBER: gettext_lazy("Refused: “%(number)s” is not a phone number"),
    Why.NO_SUCH_EXTENSION: gettext_lazy("Refused: there is no extension %(number)s"),
    Why.CALLER_DISABLED: gettext_lazy("Refused: the extension is disabled"),
    Why.CALLER_SUSPENDED: gettext_lazy(
        "Refused: the company is suspended, only emergency numbers can be called"
    ),
    Why.OUTSIDE_CALLS_DISABLED: gettext_lazy("Refused: outside calls are disabled for this user"),
    Why.OUTSIDE_CALLS_OUT_OF_HOURS: gettext_lazy("Refused: outside calls are blocked outside office hours"),
    Why.PIN_NEEDED: gettext_lazy(
        "Refused: outside calls need the PIN first. Dial %(code)s, enter the voicemail PIN and #, hang up, then call the number again."
    ),
    Why.PREMIUM_NUMBER: gettext_lazy("Refused: premium and satellite numbers can't be called"),
}
# How long a ringing lasts at most that ends before, and one that no device takes part in.
_RINGS_AT_MOST = gettext_lazy("%(extension)s rings for up to %(seconds)s s: %(targets)s")
_RINGS_NOWHERE = gettext_lazy("%(extension)s doesn't ring")
# What the phone system answers by itself, where it can be said what that does.
_STATUS_CODE = gettext_lazy("Code %(number)s: sets the status %(status)s")
_CODES: Mapping[str, Promise] = dict.fromkeys(dial_codes.STATUSES, _STATUS_CODE) | {
    dial_codes.VOICEMAIL: gettext_lazy("Code %(number)s: plays the messages of the voicemail"),
}
_NO_PIN_ASKED = gettext_lazy(
    "Refused: there is no extension %(number)s; it opens outside calls for users with PIN protection alone"
)
_GREETING = gettext_lazy("%(phrase)s, greeting “%(greeting)s”")


# What people call the greetings of a call plan: {key: name}.
Names = Mapping[str, str]
NO_NAMES: Names = {}


def sentence(reason: Reason, greetings: Names = NO_NAMES) -> str:
    """A reason with what led to it: "Status Lunch, no answer after 20 s → voicemail of 105"."""
    causes = []
    step: Reason | None = reason
    while step is not None:
        causes.append(phrase(step, greetings))
        step = step.cause
    return " → ".join(reversed(causes))


def phrase(reason: Reason, greetings: Names = NO_NAMES) -> str:
    """A reason alone, without what led to it. A greeting that `greetings` doesn't name isn't spoken of."""
    said = str(_template(reason)) % _words(reason.data)
    if name := greetings.get(reason.data.get("greeting", "")):
        return str(_GREETING) % {"phrase": said, "greeting": name}
    return said


def _template(reason: Reason) -> Promise:
    number = reason.data.get("number", "")
    if reason.why is Why.RINGS and (reason.data.get("silent") or reason.data.get("at_most")):
        return _RINGS_NOWHERE if reason.data.get("silent") else _RINGS_AT_MOST
    if reason.why is Why.DIAL_CODE and (known := _CODES.get(number)):
        return known
    if reason.why is Why.NO_SUCH_EXTENSION and number == dial_codes.pin_code(len(number)):
        return _NO_PIN_ASKED
    return _PHRASES[reason.why]


def _words(data: Mapping[str, Any]) -> dict[str, str]:
    """The data of a reason as words: statuses by their label, numbers nationally, times as said."""
    words = {name: str(value) for name, value in data.items()}
    words["person"] = " ".join(filter(None, (words.get("extension"), words.get("name"))))
    status = data.get("status") or dial_codes.STATUSES.get(data.get("number", ""))
    if status:
        words["status"] = _(Status(status).record.label)
    if "kind" in data:
        words["kind"] = str(SYSTEM_LABELS.get(data["kind"], data["kind"]))
    if "until" in data:
        words["until"] = moment_said(data["until"], today=data["today"])
    if "targets" in data:
        words["targets"] = ", ".join(_target(target) for target in data["targets"])
    for name in ("number", "caller_id"):
        if name in data:
            words[name] = phone_number_said(str(data[name])) or _("no number")
    return words


def _target(target: Device | str) -> str:
    """A device by its label, an app without one as "app"; a mobile by its number."""
    if isinstance(target, Device):
        return target.label or _("app")
    return phone_number_said(target)
