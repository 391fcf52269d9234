"""The parts of a department, a number, a system extension, a customer and a role: their columns, and the rules about them."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from pbxadmin.common.columns import FieldColumn, columns_of
from pbxadmin.common.contributions import Contribution
from pbxadmin.common.sections import Section
from pbxadmin.common.values.destinations import Kind
from users.company.sheets.columns import (
    MEMBERS,
    AnsweringColumn,
    CountriesColumn,
    PeopleColumn,
    ZoneColumn,
    model_field,
    people,
    system_extensions,
)
from users.company.sheets.rules import (
    addresses_are_nobodys,
    caller_id_is_a_number_of_the_customer,
    contract_is_wide_enough,
    department_is_empty,
    department_is_not_the_last,
    extensions_keep_their_length,
    kind_fits,
    names_are_there_once,
    number_leads_to_one,
    numbers_are_nobodys,
    owners_keep_what_they_need,
    owners_stay_on_top,
    stays_while_numbers_lead_there,
    system_number_is_possible,
    system_numbers_are_free,
    talk_links_are_free,
    what_a_deleted_number_means,
    what_a_deleted_system_extension_loses,
)
from users.models import Customer, Department, Did, Role, SingleSignOn, SystemExtension
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
            "help": _("As people call the department: in lists, menus and mails."),
        },
        language={
            "label": _("Language"),
            "help": _("Of the phones and voicemail of its people, unless they have their own."),
        },
        time_zone=ZoneColumn(
            model_field(Department, "time_zone"),
            label=_("Time zone"),
            help=_("Office hours and the clocks of its people's phones follow it."),
        ),
        outbound_caller_id={
            "label": _("Default outbound caller ID"),
            "verb": Verb.SUPPORT,
            "more": _(
                "An emergency call is always identified by this number. To change it, call your provider's support."
            ),
        },
        talk_name={
            "label": pgettext_lazy("heading", "Talk link"),
            "identity": True,
            "help": _(
                "Letters and digits. Requests from the link reach by mail those of the department who have the right "
                "“Receptionist operations”, or else all its members."
            ),
        },
        talk_ask={"help": _("What a visitor of the link tells of himself first.")},
    ),
    row_rules=(a_link_is_no_page,),
    set_rules=(names_are_there_once, talk_links_are_free, caller_id_is_a_number_of_the_customer),
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
        system_extension=AnsweringColumn(model_field(Did, "system_extension"), system_extensions),
    ),
    set_rules=(numbers_are_nobodys, number_leads_to_one),
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
                "help": _("As people call it: in lists, pickers and on phones."),
            },
            kind={
                "label": _("Kind"),
                "help": _(
                    "A ring group rings several people, a queue lets callers wait, an IVR lets them choose."
                ),
            },
            talk_name={"label": pgettext_lazy("heading", "Talk link"), "identity": True},
            talk_ask={"help": _("What a visitor of the link tells of himself first.")},
        ),
        PeopleColumn("members", MEMBERS, people, label=_("Members"), help=_("The people whom it rings.")),
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
            label=_("2FA for everybody"),
            help=_("Whoever has no second factor yet sets one up at the next sign-in, before anything else."),
        ),
    ),
)

CONTRACT = Section(
    slug="contract",
    title=_("Contract"),
    intro=_("What your provider has set up for you. To change it, call its support."),
    verb=Verb.SUPPORT,
    columns=tuple(
        column
        for column in columns_of(
            Customer,
            name={
                "label": _("Name"),
                "identity": True,
                "help": _("As it stands above every page and in mails."),
            },
            slug={
                "label": _("Address in the portal"),
                "at_creation_only": True,
                "help": _("Small letters, digits and hyphens: it stands in every address."),
            },
            fqdn={
                "label": _("Host name"),
                "help": _(
                    "Base of the Talk, Meet, provisioning and SIP addresses. When it changes, every phone loads its configuration anew."
                ),
            },
            edition={
                "label": _("Licence"),
                "help": _(
                    "Pro opens hot desking; Enterprise also the phones' logo and turning recording controls off."
                ),
            },
            extension_digits={
                "label": _("Digits of an extension"),
                "help": _("2 to 5; fixed once there are extensions."),
            },
            included_extensions={
                "label": _("Extensions in the contract"),
                "help": _("Support alone creates more than these."),
            },
            language={"label": _("Language"), "help": _("Of new departments.")},
            time_zone=ZoneColumn(
                model_field(Customer, "time_zone"), label=_("Time zone"), help=_("Of new departments.")
            ),
            sip_trunk_channels={
                "label": _("Channels of the SIP trunk"),
                "help": _("A call that is forwarded outside takes two of them."),
            },
            countries=CountriesColumn(
                model_field(Customer, "countries"),
                label=_("Countries that calls may be forwarded to"),
                help=_(
                    "Two letters each, for example CA US FR. Premium-rate and satellite numbers stay closed everywhere."
                ),
            ),
            supports_deflection={
                "label": _("The trunk accepts call deflection (302)"),
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
            suspended={"label": _("Suspended")},
        )
        # Those are the customer's own to decide.
        if column.name not in {"require_2fa", *(field.name for field in SingleSignOn._meta.local_fields)}
    ),
    row_rules=(extensions_keep_their_length, contract_is_wide_enough),
    set_rules=(addresses_are_nobodys,),
)
ROLE = Section(
    slug="general",
    title=_("Role"),
    columns=tuple(
        FieldColumn(role_field, label=role_field.verbose_name)
        for role_field in Role._meta.local_fields
        if not role_field.primary_key
    ),
    row_rules=(owners_keep_what_they_need,),
    set_rules=(owners_stay_on_top,),
)
