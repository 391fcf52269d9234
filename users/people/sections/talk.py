"""Tab "Talk": being called, or met in a video conference, from a link."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.models import Value
from django.db.models.functions import Lower, NullIf
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from pbxadmin.common.columns import Blank, Scope, columns_of
from pbxadmin.common.contributions import Contribution, ListColumn
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.keyset import Key
from pbxadmin.common.parts import Part
from pbxadmin.common.sections import Section
from pbxadmin.common.values.signs import folded
from users import road
from users.models import Customer, Talk, User
from users.people.sections.general_rules import names_are_unique, talk_names_of_places

# Names that a customer's host answers for itself: a link of that name would never be reached.
TAKEN_BY_PAGES = frozenset({"meet", "talk", "static", "language", "theme", "healthz"})


def talk_url(customer: Customer, name: str) -> str:
    """The Talk address that is given to the outside: https://FQDN/NAME; "" without a name."""
    return f"https://{customer.fqdn}/{name}" if name else ""


def meet_url(customer: Customer, name: str) -> str:
    """The Meet address: https://FQDN/meet/NAME."""
    return f"https://{customer.fqdn}/meet/{name}" if name else ""


# The path of the portal's own page for a kind of link, from the customer's slug and the link's name: those pages register it.
_paths: dict[str, Callable[[str, str], str]] = {}


def register_pages(**paths: Callable[[str, str], str]) -> None:
    """Say under which path each kind of link ("talk", "meet") answers on the portal's own host."""
    _paths.update(paths)


def page_of(kind: str, customer: Customer, name: str) -> str:
    """The address of the portal's own page that answers for a link."""
    return settings.PUBLIC_URL.rstrip("/") + _paths[kind](customer.slug, name)


def suggested_name(first_name: str, last_name: str, number: str) -> str:
    """The name of a link that is offered: "ameliestremblay"-like, letters and digits only; the extension without a name."""
    text = "".join(sign for sign in folded(f"{first_name}{last_name}") if sign.isascii() and sign.isalnum())[
        :46
    ]
    return text if text and text not in TAKEN_BY_PAGES else f"{text}{number}"


# --- Rules ------------------------------------------------------------------------------------------------------
def a_link_is_no_page(row: road.RowPlan, plan: road.Plan) -> None:
    """A name that the customer's host uses for a page of its own can't be a link."""
    if "talk_name" in row.changes and row.value("talk_name").casefold() in TAKEN_BY_PAGES:
        row.refuse(
            "talk_name",
            _("“%(name)s” is reserved and can't be a link: choose another name.")
            % {"name": row.value("talk_name")},
            "name_reserved",
        )


def who_has_talk_has_a_link(plan: road.Plan) -> None:
    """Whoever is given Talk without a name gets the suggested one, with their extension where somebody has that already."""
    concerned = {"talk_enabled", "talk_name"}
    rows = [row for row in plan.rows if row.record is not None and concerned & row.changes.keys()]
    if not rows:
        return
    plan.need("talk_enabled", "talk_name", "first_name", "last_name", "number")
    nameless = [
        row
        for row in rows
        if row.value("talk_enabled") and not row.value("talk_name") and "talk_name" not in row.errors
    ]
    if not nameless:
        return
    wanted = {
        id(row): suggested_name(*(row.value(name) for name in ("first_name", "last_name", "number")))
        for row in nameless
    }
    found = (
        User.objects.of(plan.scope.customer)
        .annotate(link=Lower("talk_name"))
        .filter(link__in=set(wanted.values()))
    )
    taken = {
        *found.values_list("link", flat=True),
        *talk_names_of_places(plan.scope.customer),
    }
    twice = {name for name, count in Counter(wanted.values()).items() if count > 1}
    for row in nameless:
        name = wanted[id(row)]
        row.put("talk_name", f"{name}{row.value('number')}" if name in taken | twice else name)


def addresses(scope: Scope, person: User, form: SectionForm) -> dict[str, Any]:
    """Both addresses with the page that answers there, and the name that would be suggested."""
    name = person.talk_name or suggested_name(person.first_name, person.last_name, person.number)
    return {
        "talk": {
            "url": talk_url(scope.customer, name),
            "page": page_of("talk", scope.customer, name),
        },
        "meet": {
            "url": meet_url(scope.customer, name),
            "page": page_of("meet", scope.customer, name),
        },
        "answers": person.talk_enabled and bool(person.talk_name) and person.is_active,
        "suggestion": "" if person.talk_name else name,
    }


TALK = Section(
    slug="talk",
    title=pgettext_lazy("tab", "Talk"),
    intro=gettext_lazy(
        "Lets people call the user, or meet by video, from a link in an email signature or on a website."
    ),
    parts=(
        Part(
            "talk_enabled",
            below="users/talk_url.html",
            parts=(Part("talk_ask", below="users/meet_url.html"), Part("meet_approve")),
        ),
    ),
    columns=columns_of(
        Talk,
        talk_enabled={
            "help": gettext_lazy(
                "The user can be reached in one click from an email signature or a website."
            ),
            "csv": "WebMeetingEnabled",
        },
        talk_name={
            "help": gettext_lazy("Letters and digits. Blank: formed from the first and the last name."),
            "identity": True,
            "csv": "WebMeetingFriendlyName",
            "blank": Blank.LEAVE,  # in 3CX's file a blank name says that the link is off, not what it is called
        },
        talk_ask={
            "help": gettext_lazy("What visitors must enter before they are connected."),
            "csv": "ClickToCallAuth",
            "codes": {"name_email": "0", "name": "1", "email": "2", "nothing": "3"},
        },
        meet_approve={
            "help": gettext_lazy(
                "The user admits each participant; otherwise participants enter as soon as the meeting starts."
            ),
            "more": gettext_lazy(
                "The user must always connect first for participants to be able to join the meeting. With this option, the user "
                "must admit each participant; otherwise participants join as soon as the meeting starts."
            ),
            "csv": "WMApprove",
        },
    ),
    row_rules=(a_link_is_no_page,),
    set_rules=(who_has_talk_has_a_link, names_are_unique),
    page_facts=addresses,
    adds=Contribution(
        listed=(
            ListColumn(
                "talk_enabled",
                pgettext_lazy("tab", "Talk"),
                lambda person: person.talk_name if person.talk_enabled else _("No"),
                order=(Key(NullIf("talk_name", Value("")), blank=True),),
            ),
        ),
    ),
)
