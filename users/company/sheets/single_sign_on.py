"""The part "Single sign-on" of a customer's settings: as what the portal is registered in its Microsoft 365 and Google Workspace.

Whoever acts on the whole customer changes it, and support staff: that somebody registers a directory of their own makes them
nobody else, because accounts are bound to people by `signin.single_sign_on`'s rules, and requests go to Microsoft and Google
alone. A secret is stored encrypted, never shown again, dots in the history, and in no file.
"""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.columns import NOT_IN_FILES, Scope, columns_of
from pbxadmin.common.forms import SectionForm
from pbxadmin.common.parts import Part
from pbxadmin.common.sections import Section
from signin import oidc
from users import road
from users.company.sheets.columns import SecretColumn, model_field
from users.models import Customer, SingleSignOn
from users.people.sections.options import GOOGLE, MICROSOFT

COLUMNS_OF = {
    "microsoft": ("microsoft_tenant_id", "microsoft_client_id", "microsoft_client_secret"),
    "google": ("google_client_id", "google_client_secret"),
}


def _secret(name: str, where: dict[str, Any]) -> SecretColumn:
    field = model_field(Customer, name)
    help = _("Will not be shown again. Leave blank to keep the saved one.")
    return SecretColumn(field, label=_("Client secret"), help=help, csv=NOT_IN_FILES, **where)


def registration_is_whole(row: road.RowPlan, plan: road.Plan) -> None:
    """All of it or nothing; a new client comes with its own secret, and the secret goes with the client."""
    for names in COLUMNS_OF.values():
        if row.changes.keys().isdisjoint(names):
            continue
        plan.need(*names)
        client, secret = names[-2:]
        if not row.value(client):
            typed = secret in row.changes
            if typed or (names[0] != client and row.value(names[0])):
                row.refuse(client, _("Enter the client ID as well, or nothing at all."))
            row.put(secret, "")
            continue
        if names[0] != client and not row.value(names[0]):
            row.refuse(
                names[0],
                _("Enter the directory (tenant) ID: only accounts of your own directory may sign in."),
            )
        if not row.value(secret):
            row.refuse(secret, _("Enter the client secret as well."))
        elif client in row.changes and secret not in row.changes and row.before[client]:
            row.refuse(secret, _("The client ID has changed: enter the secret that goes with the new ID."))


def status(scope: Scope, record: Customer, form: SectionForm) -> dict[str, Any]:
    """What works already, and the address that is to be registered at each provider."""
    fields = {drawn.part.title: drawn.fields for drawn in form.parts}
    on = {"microsoft": record.has_microsoft_365, "google": record.has_google}
    return {
        "sign_in_url": settings.PUBLIC_URL.rstrip("/") + reverse("sign_in_at", args=[record.slug]),
        "providers": [
            {
                "name": provider.name,
                "key": key,
                "ready": key in record.single_sign_on,
                "redirect_uri": oidc.redirect_uri(key),
                "fields": fields[provider.name],
            }
            for key, provider in oidc.PROVIDERS.items()
            if on[key]
        ],
    }


SINGLE_SIGN_ON = Section(
    slug="single-sign-on",
    title=_("Single sign-on"),
    template="users/sheets/single_sign_on.html",
    parts=(
        Part("microsoft_tenant_id", oidc.PROVIDERS["microsoft"].name),
        Part("google_client_id", oidc.PROVIDERS["google"].name),
    ),
    columns=columns_of(
        SingleSignOn,
        microsoft_tenant_id=MICROSOFT
        | {
            "label": _("Directory (tenant) ID"),
            "help": _(
                "Only accounts of this directory may sign in. Microsoft Entra shows it in the overview."
            ),
        },
        microsoft_client_id=MICROSOFT | {"label": _("Application (client) ID")},
        microsoft_client_secret=_secret("microsoft_client_secret", MICROSOFT),
        google_client_id=GOOGLE | {"label": _("Client ID")},
        google_client_secret=_secret("google_client_secret", GOOGLE),
        google_hosted_domain=GOOGLE
        | {
            "label": _("Google Workspace domain"),
            "help": _(
                "Only accounts of this Workspace may sign in; people with an address in it are linked at their first sign-in, "
                "except administrators. Blank: everyone first links their account on their own page."
            ),
        },
    ),
    row_rules=(registration_is_whole,),
    page_facts=status,
)
