"""Tab "Options": recording, restrictions, how the extension registers and speaks, integrations; and their licence conditions."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pbxadmin.common.columns import OPPOSITE, KeptColumn, Scope, Text, columns_of
from pbxadmin.common.contributions import Contribution, ListColumn
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.parts import Part
from pbxadmin.common.sections import Section
from signin import single_sign_on
from users import rights, road
from users.models import Customer, Kept, Options, User
from users.people.line import in_words, line_of

NEEDS_ENTERPRISE = gettext_lazy(
    "This function can only be turned off with an “Enterprise” licence. If need be, contact your provider to review the terms of your contract."
)
NEEDS_PRO = gettext_lazy(
    "This function needs a “Pro” licence or higher. If need be, contact your provider to review the terms of your contract."
)
NOT_SET_UP = gettext_lazy(
    "No effect for now: your company hasn't set up single sign-on (Settings, “Single sign-on”), so nobody signs in this way."
)
INTEGRATIONS = gettext_lazy("Integration with M365 and Google")
WHO_SYNCHRONISES = gettext_lazy(
    "Teams, calendars and contacts are handled by the phone system: the portal stores the choice and synchronises nothing itself."
)


# --- Licence and integrations -----------------------------------------------------------------------------------
def controls_stay_on(scope: Scope, value: Any) -> Text:
    """Turning the recording controls off takes the Enterprise licence; turning them on again never does."""
    return NEEDS_ENTERPRISE if value and scope.customer.edition != Customer.Edition.ENTERPRISE else ""


def hot_desking_stays_off(scope: Scope, value: Any) -> Text:
    """Hot desking takes the Pro licence; turning it off never does."""
    return NEEDS_PRO if not value and scope.customer.edition == Customer.Edition.STANDARD else ""


def unless(flag: str, integration: str) -> Callable[[Scope], Text]:
    """The option is absent unless the customer has set the integration up."""

    def absent(scope: Scope) -> Text:
        if getattr(scope.customer, flag):
            return ""
        return _(
            "%(integration)s isn't set up for %(customer)s: your provider's support can switch it on."
        ) % {"integration": integration, "customer": scope.customer}

    return absent


MICROSOFT = {"absent": unless("has_microsoft_365", "Microsoft 365")}
GOOGLE = {"absent": unless("has_google", "Google Workspace")}
# A switch of theirs: 3CX's file says whether it is off.
MICROSOFT_SWITCH = MICROSOFT | {"codes": OPPOSITE}
GOOGLE_SWITCH = GOOGLE | {"codes": OPPOSITE}


# --- Rules ------------------------------------------------------------------------------------------------------
def deleting_recordings_means_seeing_them(row: road.RowPlan, plan: road.Plan) -> None:
    """Whoever may delete recordings sees them: the second switch comes with the first, and the first can't be taken away alone."""
    if not {"recordings_visible", "recordings_deletable"} & row.changes.keys():
        return
    plan.need("recordings_visible", "recordings_deletable")
    if not row.value("recordings_deletable") or row.value("recordings_visible"):
        return
    if "recordings_deletable" in row.changes:
        row.put("recordings_visible", True)
    else:
        row.refuse(
            "recordings_visible",
            _("The right to delete recordings includes seeing them: turn that off as well."),
        )


# --- The page ---------------------------------------------------------------------------------------------------
def line_as_saved(scope: Scope, person: User, form: SectionForm) -> dict[str, Any]:
    """What the PBX makes of everything that is saved; a sign-in that the company hasn't set up is told beside its switch."""
    for provider, option in single_sign_on.OPTION.items():
        if option in form.fields and provider not in scope.customer.single_sign_on:
            form.fields[option].warning = NOT_SET_UP  # type: ignore[attr-defined]
    return {
        "line": in_words(line_of(person)),
        "absent": [words for integration in (MICROSOFT, GOOGLE) if (words := integration["absent"](scope))],
        "integrations": INTEGRATIONS,
        # Who switches them on, where that is the reader.
        "contract_url": reverse("customer_settings", args=[scope.customer.slug, "contract"])
        if rights.can(scope.actor, rights.Verb.SUPPORT, customer=scope.customer)
        else "",
    }


# What 3CX's file has and the portal doesn't offer.
KEPT = (
    KeptColumn(
        Kept._meta.get_field("transcription"), csv="Transcription", codes={code: code for code in "0123"}
    ),
    KeptColumn(Kept._meta.get_field("record_notify"), csv="RecordNotify"),
)

OPTIONS = Section(
    slug="options",
    title=gettext_lazy("Options"),
    intro=gettext_lazy("Advanced options: how the extension behaves, how its calls are protected, and what it is connected to."),
    template="users/options.html",
    # The guide's headings.
    parts=(
        Part("recording", gettext_lazy("Recordings")),
        Part("disabled", gettext_lazy("Restrictions")),
        Part("block_remote", gettext_lazy("Options")),
        Part("ms365_teams", INTEGRATIONS, note=WHO_SYNCHRONISES, below="users/integrations_absent.html"),
    ),
    columns=(*columns_of(
        Options,
        recording={"help": gettext_lazy("Record outside calls only, all calls, or none.")},
        recordings_visible={"help": gettext_lazy("Lets users see the recordings of their calls."), "csv": "RecordCanSee"},
        recordings_deletable={
            "help": gettext_lazy("The user may delete call recordings, and therefore see them."), "csv": "RecordCanDelete",
        },
        recordings_controllable={
            "help": gettext_lazy("The user starts and stops the recording during a call."), "csv": "RecordStartStop",
            "more": gettext_lazy(
                "This function can only be turned off with an “Enterprise” licence. If need be, contact your provider to review the terms of "
                "your contract."
            ),
            "locked": controls_stay_on,
        },
        disabled={
            "help": gettext_lazy("Takes the extension out of service: no registration, no calls, no sign-in."), "csv": "Disabled",
        },
        hide_forwarding={"help": gettext_lazy("Users don't see their forwarding rules on their own page."), "csv": "HideFWrules"},
        pin_protected={
            "help": gettext_lazy(
                "Before an outside call the user dials 777 (7777 where extensions have four digits), then the voicemail PIN and #, hangs up and "
                "calls. Emergency calls never need it."
            ),
            "more": gettext_lazy(
                "If this function is on, the user must dial an access code before making an outside call. The voicemail PIN serves "
                "as the security code. The access code depends on the phone system: by default “777” with three-digit extensions, "
                "“7777” with four-digit ones."
            ),
            "csv": "PinProtected",
        },
        pin_protect_seconds={
            "help": gettext_lazy("How long outside calls stay open after the PIN; then it is asked for again."),
            "unit": gettext_lazy("seconds"), "csv": "PinTimeout",
        },
        outbound_disabled={
            "help": gettext_lazy("Prevents calls outside the company. Emergency numbers can always be reached."), "csv": "DisableExternalCalls",
        },
        hidden={
            "help": gettext_lazy("Hides the user in the directory and in the destinations of other users' rules."), "csv": "HideInPhonebook",
        },
        call_screening={
            "help": gettext_lazy("Asks callers for their name before the call is passed on to an outside number with “Bounce”."),
            "more": gettext_lazy(
                "Filters incoming calls through a digital receptionist that confirms who is calling, before they are passed on to an outside "
                "number of the user's forwarding rules, where the option “Bounce” is on."
            ),
            "csv": "CallScreening",
        },
        block_remote={
            "help": gettext_lazy("Only apps, the local network and phones behind an SBC may register; nothing else."),
            "csv": "AllowLanOnly",
        },
        pbx_delivers_audio={
            "help": gettext_lazy("The voice passes through the PBX: for complicated NAT, where the connection isn't tunnelled."),
            "csv": "DeliverAudio",
        },
        srtp={
            "help": gettext_lazy("Encrypts the voice. Make sure that the extension's devices support it before you turn it on."),
            "csv": "SRTPMode", "codes": {"disabled": "0", "enabled": "1", "enforced": "2"},
        },
        missed_call_email={"help": gettext_lazy("Sends the user an email when a call isn't answered."), "csv": "EmailMissedCalls"},
        hot_desking={
            "help": gettext_lazy("The user may log in at a phone that is set up for hot desking."), "csv": "HotDesk",
            "locked": hot_desking_stays_off,
        },
        sip_id={
            "help": gettext_lazy("Letters and digits. Callers on the Internet reach the user at sip:ID@host name."),
            "identity": True, "csv": "SIPID",
            "more": gettext_lazy(
                "The SIP ID makes direct SIP calls possible: people call an address that looks like an email address, without a "
                "gateway in between. A proper DNS configuration is needed for calls to come in and go out safely."
            ),
        },
        ms365_teams=MICROSOFT_SWITCH | {
            "csv": "MS365TeamsDisabled", "help": gettext_lazy("Lets the phone system link presence and calls with MS Teams."),
        },
        ms365_calendar=MICROSOFT_SWITCH | {
            "csv": "MS365CalendarDisabled", "help": gettext_lazy("Lets the phone system set the status from the Teams calendar and presence."),
        },
        ms365_sso=MICROSOFT_SWITCH | {
            "csv": "MS365SignInDisabled", "help": gettext_lazy("May sign in to the portal with a Microsoft account, once it is linked on the user's own page."),
        },
        ms365_contacts=MICROSOFT_SWITCH | {
            "csv": "MS365ContactsDisabled", "help": gettext_lazy("Lets the phone system read the personal Microsoft 365 contacts."),
        },
        google_sso=GOOGLE_SWITCH | {
            "csv": "GoogleSignInDisabled", "help": gettext_lazy("May sign in to the portal with a Google account of the same address."),
        },
        google_contacts=GOOGLE_SWITCH | {
            "csv": "GoogleContactsDisabled", "help": gettext_lazy("Lets the phone system read the personal Google contacts."),
        },
        google_calendar=GOOGLE_SWITCH | {
            "csv": "GoogleCalendarDisabled", "help": gettext_lazy("Lets the phone system set the status from the Google calendar."),
        },
    ), *KEPT),
    row_rules=(deleting_recordings_means_seeing_them,),
    page_facts=line_as_saved,
    adds=Contribution(
        listed=(
            ListColumn("recording", of_tab=True),
            ListColumn("disabled", gettext_lazy("Disabled"), of_tab=True),
            ListColumn("outbound_disabled", gettext_lazy("External calls off"), of_tab=True),
            ListColumn("hidden", gettext_lazy("Hidden in the directory"), of_tab=True),
            ListColumn("block_remote", gettext_lazy("Local network only"), of_tab=True),
            ListColumn("missed_call_email", gettext_lazy("Email for missed calls"), of_tab=True),
            ListColumn("hot_desking", gettext_lazy("Hot desking"), of_tab=True),
        ),
    ),
)  # fmt: skip
