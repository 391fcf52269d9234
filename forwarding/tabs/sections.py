"""The tabs "Transfert d'appels" and "Planifier" of a user, and the hours and holidays of a department."""

from django.utils.translation import gettext_lazy

from forwarding import starts
from forwarding.effects import EFFECTS, STATUS_MESSAGE
from forwarding.status_for_many import STATUS
from forwarding.tabs import facts as pages
from forwarding.tabs import legacies, loops, own_words, rules
from forwarding.tabs.schedule import (
    DEPARTMENT_HOURS,
    HOLIDAYS_COLUMN,
    STATUS_COLUMNS,
    hours_columns,
    hours_make_sense,
    schedule_columns,
    statuses_last_as_said,
)
from pbxadmin.common.contributions import Contribution, ListColumn
from pbxadmin.common.parts import Part
from pbxadmin.common.sections import Section
from pbxadmin.common.values.destinations import Kind
from users.road.replacements import stays_while_calls_lead_there

FORWARDING = Section(
    slug="forwarding",
    title=gettext_lazy("Call forwarding"),
    intro=gettext_lazy("Choose a status to set its destinations and options."),
    columns=(*STATUS_COLUMNS, *rules.RULE_COLUMNS),
    parts=rules.PARTS,
    template="forwarding/tab.html",
    view="forwarding.views.forwarding_tab",
    page_facts=pages.forwarding_facts,
    own_help=own_words.OWN_HELP,
    own_more=own_words.OWN_MORE,
    row_rules=(rules.destinations_can_be_reached,),
    set_rules=(
        statuses_last_as_said,
        rules.destinations_exist,
        rules.GREETINGS_ARE_ONES_OWN,
        loops.own_numbers_are_extensions,
        loops.loops_are_told,
        rules.people_called_by_others_stay_reachable,
    ),
    adds=Contribution(
        removal_rules=(stays_while_calls_lead_there(Kind.EXTENSION),),
        effects=EFFECTS,
        status_message=STATUS_MESSAGE,
        status_url="user_status",
        status_menu="forwarding/status_menu.html.j2",
        hands_over=(legacies.RULES, legacies.CALLS),
        actions=(STATUS,),
        for_many="forwarding.tabs.facts.RULES_FOR_MANY",
    ),
)

SCHEDULE = Section(
    slug="schedule",
    title=gettext_lazy("Schedule"),
    intro=gettext_lazy("Working hours and breaks of the user."),
    columns=schedule_columns(),
    template="forwarding/schedule.html",
    view="forwarding.views.schedule_tab",
    page_facts=pages.schedule_facts,
    row_rules=(hours_make_sense,),
    adds=Contribution(
        listed=(
            ListColumn("hours_mode", of_tab=True),
            ListColumn("auto_switch_status", gettext_lazy("Status by schedule"), of_tab=True),
        ),
        hands_over=(legacies.HOURS,),
    ),
)

# What the page of a department shows of this app (`settings.DEPARTMENT_SECTIONS`).
HOURS_OF_DEPARTMENT = Section(
    slug="hours",
    title=gettext_lazy("Office hours"),
    intro=gettext_lazy(
        "They apply to everyone whose primary department this is and who has no specific hours."
    ),
    columns=hours_columns(DEPARTMENT_HOURS),
    template="forwarding/department_hours.html",
    view="forwarding.views.department_hours_tab",
    page_facts=pages.hours_of_department,
    verb="hours",
    row_rules=(hours_make_sense,),
    adds=Contribution(starts=(starts.HOURS, starts.HOLIDAYS)),
)
HOLIDAYS_OF_DEPARTMENT = Section(
    slug="holidays",
    title=gettext_lazy("Holidays"),
    intro=gettext_lazy("They apply to everyone whose primary department this is."),
    columns=(HOLIDAYS_COLUMN,),
    parts=(Part(HOLIDAYS_COLUMN.name, below="forwarding/statutory_holidays.html"),),
    page_facts=pages.holidays_of_department,
    verb="hours",
)
