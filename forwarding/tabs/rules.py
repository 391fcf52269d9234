"""The columns of the five forwarding rules, and what is refused or told when they change."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from forwarding.models import ForwardingRule
from forwarding.tabs.columns import DestinationColumn, remember, systems_of
from pbxadmin.common.columns import FieldColumn, Scope, Text, columns_of
from pbxadmin.common.companions import CompanionColumn, CompanionStore
from pbxadmin.common.destination_field import DestinationField, Reference, tells_references
from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.parts import Part
from pbxadmin.common.personal import PersonalColumn, refuse_what_is_anothers
from pbxadmin.common.values.destinations import Destination, Kind
from pbxadmin.common.values.statuses import Status
from pbxadmin.common.values.tolls import Toll, toll_of
from users import road
from users.models import User
from users.rights import Own, Verb
from users.road.replacements import leading_to

RULES = CompanionStore(
    ForwardingRule, prefixes=tuple(str(status) for status in Status), prefix_field="status",
    together={"busy_external": ("not_registered_external",), "busy_internal": ("not_registered_internal",)},
    defaults=lambda status: {
        "accept_push": Status(status).record.wakes_app, "accept_ring_group_calls": Status(status).record.rings_in_groups,
    },
)  # fmt: skip

# The fields that only a status of one type has; every other one belongs to all five.
ONLY_RINGING = frozenset(
    {
        "no_answer_seconds",
        "no_answer_external",
        "no_answer_internal",
        "busy_external",
        "busy_internal",
        "ring_mobile",
        "accept_multiple_calls",
    }
)
ONLY_DIVERTING = frozenset(
    {
        "divert_external",
        "voicemail_out_of_hours_external",
        "divert_internal",
        "voicemail_out_of_hours_internal",
    }
)


def _library() -> Any:
    """The library of greetings, asked of the field: it is another app's."""
    related: Any = ForwardingRule._meta.get_field("greeting").related_model
    return related._default_manager


class GreetingColumn(PersonalColumn):
    """Which greeting a status has; blank plays the mailbox's default one."""

    def form_field(self, scope: Scope) -> forms.Field:
        """A menu, the default first."""
        choices = [("", gettext_lazy("Play the default options")), *self.choices(scope)]
        return forms.ChoiceField(label=self.label, help_text=self.help, choices=choices, required=False)

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """The greeting's name."""
        return super().show(value, scope) if value else _("Play the default options")


def _field(name: str) -> Any:
    return ForwardingRule._meta.get_field(name)


EXTERNAL = gettext_lazy("Forward external calls to")
INTERNAL = gettext_lazy("Forward internal calls to")
# Both halves of "Busy or not registered" are one choice: `RULES` writes them together.
NOT_BY_THEMSELVES = {"not_registered_external": None, "not_registered_internal": None}
FIELDS = columns_of(
    ForwardingRule,
    **NOT_BY_THEMSELVES,
    no_answer_seconds={"unit": gettext_lazy("s")},
    no_answer_external=DestinationColumn(
        _field("no_answer_external"),
        short=EXTERNAL,
        more=gettext_lazy("The destination of unanswered calls from outside."),
    ),
    no_answer_internal=DestinationColumn(
        _field("no_answer_internal"),
        short=INTERNAL,
        more=gettext_lazy("The destination of unanswered calls from other users."),
    ),
    busy_external=DestinationColumn(
        _field("busy_external"),
        short=EXTERNAL,
        more=gettext_lazy(
            "The destination of calls from outside while the user is on a call and “Accept multiple calls” is off, or while no device "
            "is connected to the extension."
        ),
    ),
    busy_internal=DestinationColumn(
        _field("busy_internal"),
        short=INTERNAL,
        more=gettext_lazy(
            "The destination of calls from another user while the user is on a call and “Accept multiple calls” is off, or while no "
            "device is connected to the extension."
        ),
    ),
    divert_external=DestinationColumn(
        _field("divert_external"),
        short=EXTERNAL,
        more=gettext_lazy("In this status the phone doesn't ring: calls from outside go there at once."),
    ),
    voicemail_out_of_hours_external={
        "help": gettext_lazy("External calls"),
        "more": gettext_lazy(
            "Sends calls to the voicemail when they arrive outside the office hours that are set."
        ),
    },
    divert_internal=DestinationColumn(
        _field("divert_internal"),
        short=INTERNAL,
        more=gettext_lazy("In this status the phone doesn't ring: calls from other users go there at once."),
    ),
    voicemail_out_of_hours_internal={
        "help": gettext_lazy("Internal calls"),
        "more": gettext_lazy("The same for calls from other users."),
    },
    ring_mobile={
        "more": gettext_lazy(
            "Calls ring the number in the field “Mobile” of the tab “General” together with the devices of the extension. If the "
            "mobile answers, the call takes two channels for as long as it lasts."
        )
    },
    accept_multiple_calls={
        "more": gettext_lazy(
            "The user can answer several calls without ending the first one. Off: the destination “Busy or not registered” is used while "
            "the user is on a call."
        )
    },
    log_out_of_queues={
        "more": gettext_lazy(
            "With this option, a queue agent has to log in again by hand after each switch to this status."
        )
    },
    accept_ring_group_calls={"more": gettext_lazy("Calls to a ring group ring the user's extension.")},
    accept_push={
        "more": gettext_lazy(
            "The mobile app is told of calls and messages even when it isn't open. Needed to answer with the app; switch it off "
            "for the statuses in which the user shouldn't be notified."
        )
    },
    greeting=GreetingColumn(
        _field("greeting"),
        lambda scope: _library().options(scope),
        lambda scope: _library().of_people(scope),
        more=gettext_lazy("“Play the default options” uses the recording chosen in the Voicemail tab."),
    ),
)


def columns_for(status: Status) -> tuple[CompanionColumn, ...]:
    """The columns of one status: what its type has, in the order of the tab."""
    without = ONLY_DIVERTING if status.rings else ONLY_RINGING
    return tuple(
        CompanionColumn(
            RULES,
            str(status),
            column,
            label=format_lazy(
                "{status} · {label}", status=gettext_lazy(status.record.label), label=column.label
            ),
            short=column.short or column.label,
            own=Own.FORWARDING,
        )
        for column in FIELDS
        if isinstance(column, FieldColumn) and column.name not in without
    )


def part_for(status: Status) -> Part:
    """One status on the page, under the guide's headings."""
    label = gettext_lazy(status.record.label)
    if status.rings:
        return Part(
            title=label,
            parts=(
                Part(f"{status}.custom_message"),
                Part(f"{status}.no_answer_seconds", gettext_lazy("Unanswered calls")),
                Part(f"{status}.busy_external", gettext_lazy("Busy or not registered")),
                Part(f"{status}.ring_mobile", gettext_lazy("General options")),
            ),
        )
    return Part(
        title=label,
        parts=(
            Part(f"{status}.custom_message"),
            Part(f"{status}.divert_external", gettext_lazy("Calls are forwarded at once")),
            Part(f"{status}.log_out_of_queues", gettext_lazy("General options")),
        ),
    )


RULE_COLUMNS = tuple(column for status in Status for column in columns_for(status))
PARTS = tuple(part_for(status) for status in Status)
GREETINGS_ARE_ONES_OWN = refuse_what_is_anothers(RULE_COLUMNS)

DESTINATIONS = {column.name: column for column in RULE_COLUMNS if isinstance(column.inner, DestinationColumn)}
RING_MOBILE = frozenset(column.name for column in RULE_COLUMNS if column.attribute == "ring_mobile")
_NEED_MOBILE = (*DESTINATIONS, *RING_MOBILE)
_TOUCHING = frozenset(_NEED_MOBILE)


# --- Rules across a row ------------------------------------------------------------------------------------------
TOLL_SENTENCES = {
    Toll.PREMIUM: gettext_lazy(
        "%(number)s is a premium-rate number: calls can't be sent there. Choose another number."
    ),
    Toll.SATELLITE: gettext_lazy(
        "%(number)s is a satellite or international-network number: calls can't be sent there. Choose another number."
    ),
    Toll.CARIBBEAN: gettext_lazy(
        "Calls to %(number)s are charged as international, although the number looks local: calls can't be sent there."
    ),
    Toll.COUNTRY: gettext_lazy(
        "%(number)s is in a country that calls can't be forwarded to: your provider's support can allow it."
    ),
}


def _refuse_tolls(
    row: road.RowPlan, column: str, number: str, countries: Collection[str] | None = None
) -> None:
    if toll := toll_of(number, countries):
        row.refuse(column, TOLL_SENTENCES[toll] % {"number": phone_number_national(number)})


def destinations_can_be_reached(row: road.RowPlan, plan: road.Plan) -> None:
    """The mobile is there, the trunk can do what is asked, and nobody earns on forwarded calls."""
    mobile_changes = row.changes.get("mobile")
    touched = not row.after.keys().isdisjoint(_TOUCHING)
    if not touched and not mobile_changes:
        return
    # A mobile abroad is a way to reach somebody; what costs its own money is none.
    if mobile_changes and mobile_changes[1]:
        _refuse_tolls(row, "mobile", mobile_changes[1])
    open_to = plan.scope.customer.open_countries
    loses_mobile = (
        mobile_changes is not None
        and not row.new
        and (not mobile_changes[1] or toll_of(mobile_changes[1], open_to) is not None)
    )
    if not touched and not loses_mobile:
        return
    plan.need("mobile")
    if loses_mobile:
        plan.need(*_NEED_MOBILE)
    if mobile := row.value("mobile"):
        if toll := toll_of(mobile, open_to):
            _mobile_is_missed(
                row, loses_mobile, TOLL_SENTENCES[toll] % {"number": phone_number_national(mobile)}
            )
    else:
        missed = (
            _("You have no mobile number: an administrator of your company can enter one.")
            if plan.verb is Verb.SELF
            else _("There is no mobile number: enter one in the General tab first.")
        )
        _mobile_is_missed(row, loses_mobile, missed)
    _nobody_opens_the_outside_for_himself(row, plan)
    for name in DESTINATIONS.keys() & row.changes.keys():
        value = row.changes[name][1]
        if not isinstance(value, Destination):
            continue
        if value.kind is Kind.EXTERNAL:
            _refuse_tolls(row, name, value.value, open_to)
        if value.deflect and not plan.scope.customer.supports_deflection:
            row.refuse(name, _("Note that this option isn't supported by your provider's lines."))
        if (
            value.kind is Kind.EXTENSION
            and not value.voicemail
            and value.value == row.value_of_record("number")
        ):
            row.refuse(
                name,
                _("The call would come back to this same extension. Choose the voicemail, or somebody else."),
            )


def _nobody_opens_the_outside_for_himself(row: road.RowPlan, plan: road.Plan) -> None:
    """Whoever may not call outside, or only with a PIN, doesn't send calls there either: they would call themselves and be outside."""
    if row.new or row.key != plan.scope.actor.pk:
        return
    chosen = [name for name in _NEED_MOBILE if name in row.changes and _leads_outside(row.changes[name][1])]
    if not chosen:
        return
    plan.need("outbound_disabled", "pin_protected")
    if row.value("outbound_disabled") or row.value("pin_protected"):
        for name in chosen:
            row.refuse(
                name,
                _("Your outside calls are restricted: an administrator can choose this destination for you."),
            )


def _leads_outside(value: Any) -> bool:
    """Whether a rule's value sends calls to an outside number: such a destination, or the mobile that rings too."""
    return value is True or (isinstance(value, Destination) and value.kind in (Kind.MOBILE, Kind.EXTERNAL))


def _mobile_is_missed(row: road.RowPlan, loses_mobile: bool, why: Text) -> None:
    """Refuse what needs a mobile where there is none: the choice that is made now, or taking the number away."""
    using = []
    for name in _NEED_MOBILE:
        if name not in row.after and name not in row.before:
            continue
        value = row.value(name)
        uses = (
            value is True
            if name in RING_MOBILE
            else isinstance(value, Destination) and value.kind is Kind.MOBILE
        )
        if not uses:
            continue
        if name in row.changes:
            row.refuse(name, why)
        else:
            using.append(str(column_label(name)))
    if using and loses_mobile:
        row.refuse(
            "mobile",
            _("Forwarding rules use this number: %(where)s. Choose another destination there first.")
            % {"where": ", ".join(using[:4])},
        )


def column_label(name: str) -> Text:
    """What a column of the rules is called, its status included."""
    return RULES.columns[name].label


# --- Rules across the set ----------------------------------------------------------------------------------------
def destinations_exist(plan: road.Plan) -> None:
    """Colleagues and system extensions are the customer's; nobody disabled or hidden from directories is chosen anew."""
    wanted: dict[Kind, set[str]] = defaultdict(set)
    chosen = list(_chosen(plan))
    for _row, _name, value, _kept in chosen:
        wanted[value.kind].add(value.value)
    people = _reachable_by_then(plan, wanted[Kind.EXTENSION]) if wanted[Kind.EXTENSION] else {}
    systems = systems_of(plan.scope) if wanted[Kind.SYSTEM] else {}
    for row, name, value, kept in chosen:
        if value.kind is Kind.SYSTEM:
            if value.value not in systems:
                row.refuse(
                    name,
                    _("“%(number)s” is not a system extension of this company.") % {"number": value.value},
                )
            continue
        person = people.get(value.value)
        if person is None:
            row.refuse(name, _("“%(text)s” is not an extension of this company.") % {"text": value.value})
        elif person.disabled and not kept:
            row.refuse(
                name,
                _("Extension %(number)s is disabled: callers would hear the busy tone.")
                % {"number": value.value},
            )
        elif person.hidden and not kept:
            row.refuse(
                name, _("Extension %(number)s is hidden from the directory.") % {"number": value.value}
            )


class _Reachable(NamedTuple):
    """Whether calls may be sent to somebody."""

    hidden: bool
    disabled: bool


def _reachable_by_then(plan: road.Plan, numbers: Collection[str]) -> dict[str, _Reachable]:
    """Who has these extensions once the plan is written: whoever it creates, enables or disables counts as it leaves them."""
    people = User.objects.of(plan.scope.customer).filter(number__in=numbers).order_by()
    there = list(people.only("number", "hidden", "disabled", "first_name", "last_name"))
    # The history says who they are. Under the lock this is asked again, and then it is certain.
    remember(plan.scope, numbers, there)
    found = {person.number: _Reachable(person.hidden, person.disabled) for person in there}
    for row in plan.rows:
        if row.record is None or not (row.new or row.changes.keys() & {"hidden", "disabled"}):
            continue
        number = row.value_of_record("number")
        if number in numbers:
            hidden, disabled = (row.value_of_record(name) for name in ("hidden", "disabled"))
            found[number] = _Reachable(bool(hidden), bool(disabled))
    return found


def _chosen(plan: road.Plan) -> Iterable[tuple[road.RowPlan, str, Destination, bool]]:
    """Every colleague or system extension that is chosen now; and whether this person was chosen before in the same row."""
    names = [name for name in DESTINATIONS if name in plan.columns]
    if not names:
        return
    for row in plan.rows:
        if row.record is None:
            continue
        for name in names:
            if name not in row.changes:
                continue
            before, value = row.changes[name]
            if isinstance(value, Destination) and value.kind in (Kind.EXTENSION, Kind.SYSTEM):
                kept = isinstance(before, Destination) and (before.kind, before.value) == (
                    value.kind,
                    value.value,
                )
                yield row, name, value, kept


def people_called_by_others_stay_reachable(plan: road.Plan) -> None:
    """Nobody is disabled while calls of others are sent to them; whoever is hidden stays reachable, and that is told."""
    if not {"disabled", "hidden"} & plan.columns.keys():
        return
    leaving = {
        row.record.number: row
        for row in plan.rows
        if row.record is not None and row.changes.get("disabled") == (False, True)
    }
    hiding = {
        row.record.number: row
        for row in plan.rows
        if row.record is not None and row.changes.get("hidden") == (False, True)
    }
    if not leaving and not hiding:
        return
    rows = {row.key: row for row in plan.rows if not row.new}
    for number, references in by_target(
        leading_to(plan.scope.customer, Kind.EXTENSION, [*leaving, *hiding])
    ).items():
        if number in leaving:
            row = leaving[number]
            # Whoever is disabled in the same breath takes no calls, so their rules lead nowhere.
            gone = {other.key for other in leaving.values()}
            calls = [each for each in references if each.owner not in gone and not leads_away(each, rows)]
            if calls:
                row.refuse("disabled", _("Calls are sent to this extension: %(where)s. Choose another destination there first.") % {
                    "where": in_words(calls)
                })  # fmt: skip
        if number in hiding:
            hiding[number].warn(
                "hidden",
                _("This user is still the destination of: %(where)s. Choose another destination there first.")
                % {"where": in_words(references)},
            )


def leads_away(reference: Reference, rows: Mapping[Any, road.RowPlan]) -> bool:
    """Whether the plan itself sends the calls of this rule elsewhere."""
    row = rows.get(reference.owner)
    if row is None or reference.column not in row.changes:
        return False
    value, before = row.changes[reference.column][1], reference.value
    return not (
        isinstance(value, Destination)
        and before is not None
        and (value.kind, value.value) == (before.kind, before.value)
    )


# --- Who points at whom ------------------------------------------------------------------------------------------
def by_target(references: Iterable[Reference]) -> dict[str, list[Reference]]:
    """The references by the extension that they lead to."""
    found: dict[str, list[Reference]] = defaultdict(list)
    for reference in references:
        found[reference.target].append(reference)
    return found


def in_words(references: Sequence[Reference]) -> str:
    """At most three of them, and how many more."""
    words = [each.words for each in references[:3]]
    if more := len(references) - len(words):
        words.append(ngettext("%(count)s more", "%(count)s more", more) % {"count": more})
    return "; ".join(words)


def _tell(rule: ForwardingRule, field: DestinationField) -> tuple[int | None, str, str]:
    """Whose rule it is, its column in their sheet ("" for what is written together with another), and how it is called."""
    name = f"{rule.status}.{field.name.replace('not_registered', 'busy')}"
    column = RULES.columns.get(name)
    # A column that this type of status doesn't have is never followed: nothing to tell, nothing to replace.
    label = column.label if column else field.verbose_name
    return rule.user_id, name if column else "", f"{rule.user} ({label})"


tells_references(ForwardingRule, _tell, related=("user",))
