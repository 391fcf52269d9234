"""The parts of a department, a number, a system extension, a customer and a role: their columns, and the rules about them."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from pbxadmin.common.columns import FieldColumn, columns_of
from pbxadmin.common.contributions import Contribution
from pbxadmin.common.parts import Part
from pbxadmin.common.sections import Section
from pbxadmin.common.values.destinations import Kind
from users.company.sheets.columns import (
    MEMBERS,
    AnsweringColumn,
    CountriesColumn,
    OnItsOwnPage,
    PeopleColumn,
    ZoneColumn,
    model_field,
    people,
    system_extensions,
)
from users.company.sheets.role_rules import (
    customers_keep_somebody_who_administers,
    owners_keep_what_they_need,
    owners_stay_on_top,
)
from users.company.sheets.rules import (
    addresses_are_nobodys,
    caller_id_is_a_number_of_the_customer,
    contract_is_wide_enough,
    department_is_empty,
    department_is_not_the_last,
    emergency_calls_show_a_number,
    extensions_keep_their_length,
    kind_fits,
    names_are_there_once,
    number_leads_to_one,
    numbers_are_nobodys,
    numbers_in_use_are_told,
    numbers_that_change_are_told,
    numbers_that_ring_nobody_are_told,
    seats,
    stays_while_numbers_lead_there,
    suspension_has_a_reason,
    system_number_is_possible,
    system_numbers_are_free,
    talk_links_are_free,
    what_a_deleted_number_means,
    what_a_deleted_system_extension_loses,
)
from users.models import Customer, Department, Did, Role, SingleSignOn, SystemExtension
from users.people.sections.general import CallerIdColumn
from users.people.sections.talk import a_link_is_no_page
from users.rights import Verb
from users.road.replacements import stays_while_calls_lead_there

DEPARTMENT = Section(
    slug="general",
    title=_("General"),
    intro=_("Each department may have its own language, office hours, holidays and time zone."),
    columns=columns_of(
        Department,
        name={
            "label": _("Name"),
            "identity": True,
            "help": _("Its everyday name, shown in lists, menus and emails."),
        },
        language={
            "label": _("Language"),
            "help": _("Language of its members' phones and voicemail, unless they have their own."),
        },
        time_zone=ZoneColumn(
            model_field(Department, "time_zone"),
            label=_("Time zone"),
            help=_("Office hours and the clocks of its people's phones follow it."),
        ),
        outbound_caller_id=CallerIdColumn(
            model_field(Department, "outbound_caller_id"),
            csv="OutboundCallerID",
            label=_("Default outbound caller ID"),
            verb=Verb.SUPPORT,
            more=_(
                "An emergency call always shows this number. To change it, contact your provider's support."
            ),
        ),
        talk_name={
            "label": pgettext_lazy("heading", "Talk link"),
            "identity": True,
            "help": _(
                "Letters and digits. Requests made through the link are emailed to the members of the department who have the "
                "right “Receptionist operations” or, if there are none, to all its members."
            ),
        },
        talk_ask={"help": _("What visitors of the link must enter first.")},
    ),
    row_rules=(a_link_is_no_page,),
    set_rules=(
        names_are_there_once,
        talk_links_are_free,
        caller_id_is_a_number_of_the_customer,
        emergency_calls_show_a_number,
    ),
    adds=Contribution(
        removal_rules=(department_is_empty, department_is_not_the_last),
    ),
)

DEPARTMENT_MEMBERS = Section(
    slug="members", title=_("Members"), columns=(), view="users.company.views.company.members_tab"
)

DID = Section(
    slug="general",
    title=_("Number"),
    columns=columns_of(
        Did,
        number={
            "label": pgettext_lazy("heading", "DID number"),
            "verb": Verb.SUPPORT,
            "help": _("For example 514 555-0123."),
        },
        name={"label": _("Name"), "help": _("What the number is for: a campaign, a site, the main line.")},
        system_extension=AnsweringColumn(
            model_field(Did, "system_extension"), system_extensions, csv="Rings"
        ),
    ),
    set_rules=(
        numbers_are_nobodys,
        numbers_in_use_are_told,
        number_leads_to_one,
        numbers_that_ring_nobody_are_told,
        numbers_that_change_are_told,
    ),
    adds=Contribution(
        losses=what_a_deleted_number_means,
    ),
)

SYSTEM_EXTENSION = Section(
    slug="general",
    title=_("General"),
    columns=(
        *columns_of(
            SystemExtension,
            number={"at_creation_only": True},
            name={
                "label": _("Name"),
                "identity": True,
                "help": _("Its everyday name, shown in lists, in menus and on phones."),
            },
            kind={
                "label": _("Type"),
                "help": _(
                    "A ring group rings several people, a queue lets callers wait, an IVR lets them choose."
                ),
            },
            talk_name={"label": pgettext_lazy("heading", "Talk link"), "identity": True},
            talk_ask={"help": _("What visitors of the link must enter first.")},
        ),
        PeopleColumn("members", MEMBERS, people, label=_("Members"), help=_("The people it rings.")),
    ),
    row_rules=(system_number_is_possible, kind_fits, a_link_is_no_page),
    set_rules=(names_are_there_once, system_numbers_are_free, talk_links_are_free),
    adds=Contribution(
        losses=what_a_deleted_system_extension_loses,
        removal_rules=(stays_while_numbers_lead_there, stays_while_calls_lead_there(Kind.SYSTEM)),
    ),
)

SECURITY = Section(
    slug="security",
    title=_("Security"),
    columns=(
        FieldColumn(
            model_field(Customer, "require_2fa"),
            label=_("2FA for all"),
            help=_(
                "People who have no second factor yet will set one up at the next sign-in, before anything else."
            ),
        ),
    ),
)

CONTRACT = Section(
    slug="contract",
    title=_("Contract"),
    intro=_("What the provider has set up. Its support changes it."),
    verb=Verb.SUPPORT,
    columns=tuple(
        column
        for column in columns_of(
            Customer,
            name={
                "label": _("Name"),
                "identity": True,
                "help": _("As shown at the top of every page and in emails."),
            },
            slug={
                "label": _("Address in the portal"),
                "at_creation_only": True,
                "help": _(
                    "Lowercase letters, digits and hyphens: it is part of every address of the portal."
                ),
            },
            fqdn={
                "label": _("Host name"),
                "help": _(
                    "Base of the Talk, Meet, provisioning and SIP addresses. If it changes, every phone reloads its configuration."
                ),
            },
            edition={
                "label": _("Licence"),
                "help": _(
                    "Pro adds hot desking; Enterprise also adds phone logos and lets you turn off recording controls."
                ),
            },
            extension_digits={
                "label": _("Digits per extension"),
                "help": _("2 to 5; can't be changed once an extension exists."),
            },
            included_extensions={
                "label": _("Extensions in the contract"),
                "help": _("Only support can create more than these."),
            },
            language={"label": _("Language"), "help": _("Default for new departments.")},
            time_zone=ZoneColumn(
                model_field(Customer, "time_zone"),
                label=_("Time zone"),
                help=_("Default for new departments."),
            ),
            sip_trunk_channels={
                "label": _("Channels of the SIP trunk"),
                "help": _("A call forwarded outside takes two channels."),
            },
            countries=CountriesColumn(
                model_field(Customer, "countries"),
                label=_("Countries that calls may be forwarded to"),
                help=_(
                    "Their names, separated by commas, for example Canada, United States. Premium-rate and satellite numbers stay "
                    "blocked everywhere."
                ),
            ),
            supports_deflection={
                "label": _("The SIP trunk accepts call deflection (302)"),
                "help": _("Otherwise the option is shown and locked."),
            },
            has_microsoft_365={
                "label": _("Microsoft 365 is set up"),
                "help": _("Opens the Microsoft options of the users."),
            },
            has_google={
                "label": _("Google Workspace is set up"),
                "help": _("Opens the Google options of the users."),
            },
            suspended=OnItsOwnPage(model_field(Customer, "suspended"), label=_("Suspended")),
            suspended_reason=OnItsOwnPage(
                model_field(Customer, "suspended_reason"), label=_("Reason for the suspension")
            ),
        )
        # Those are the customer's own to decide.
        if column.name not in {"require_2fa", *(field.name for field in SingleSignOn._meta.local_fields)}
    ),
    page_facts=seats,
    parts=(
        Part("name", above="users/sheets/suspension_state.html"),
        Part("edition", _("Licence and extensions"), above="users/sheets/seats.html"),
        Part("language", _("Languages and time zones of new departments")),
        Part("sip_trunk_channels", _("Calls to the outside")),
        Part("has_microsoft_365", _("Integrations")),
    ),
    row_rules=(extensions_keep_their_length, contract_is_wide_enough, suspension_has_a_reason),
    set_rules=(addresses_are_nobodys,),
)
ROLE = Section(
    slug="general",
    title=_("Role"),
    columns=tuple(
        FieldColumn(role_field, label=role_field.verbose_name)
        for role_field in Role._meta.local_fields
        if role_field.editable and not role_field.primary_key
    ),
    row_rules=(owners_keep_what_they_need,),
    set_rules=(owners_stay_on_top, customers_keep_somebody_who_administers),
)
