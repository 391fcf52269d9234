"""Tab "Général": who the person is, their role, their departments and numbers. Its rules: `users.people.sections.general_rules` and `number_rules`."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.exceptions import ValidationError
from django.db.models import F, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pbxadmin.common import many
from pbxadmin.common.columns import FieldColumn, Scope, columns_of
from pbxadmin.common.contributions import Contribution
from pbxadmin.common.crypto import random_secret, random_token
from pbxadmin.common.fields import SuggestingInput, phone_number_e164, phone_number_national
from pbxadmin.common.parts import Part
from pbxadmin.common.references import LinkedColumn, Option, ReferenceColumn, Store
from pbxadmin.common.searching import number_sought
from pbxadmin.common.sections import Section
from pbxadmin.common.values.signs import folded, words_of
from signin.models import TotpDevice
from users import rights, road
from users.models import Department, Did, Identity, Membership, Role, User
from users.people.sections.general_rules import (
    a_system_owner_remains,
    departments_are_within_reach,
    extension_has_the_right_length,
    last_owner_stays,
    nobody_lifts_what_restricts_himself,
    nobody_locks_himself_out,
    numbers_are_free,
    person_has_a_name,
    primary_department_is_one_of_his,
    role_may_be_granted,
    seats_are_in_the_contract,
    shared_addresses_are_told,
    what_a_deleted_user_loses,
)
from users.people.sections.legacies import LEGACIES
from users.people.sections.number_rules import (
    caller_ids_are_the_customers,
    dids_are_free,
    free_dids_are_the_companys,
)


# --- What may be chosen --------------------------------------------------------------------------------------
def roles(scope: Scope) -> list[Option]:
    """The seven roles. That some can't be granted by everybody is a rule, so that the reason can be told."""
    return [
        Option(role.pk, str(role), (role.pk, role.name_fr, role.name_en), cell=f'<role name="{role.pk}" />')
        for role in scope.once("roles", lambda: list(Role.objects.all()))
    ]


def departments(scope: Scope) -> list[Option]:
    """The customer's departments."""
    return [Option(department.pk, department.name) for department in departments_of(scope)]


def departments_of(scope: Scope) -> list[Department]:
    """The customer's departments, looked up once in a scope."""
    return scope.once("departments", lambda: list(Department.objects.of(scope.customer)))


def _dids(scope: Scope) -> list[Did]:
    """The customer's DID numbers with whom they ring: read once in a scope."""
    named = ("number", "first_name", "last_name", "email")
    found: list[Did] = scope.once(
        "dids",
        lambda: list(
            Did.objects.of(scope.customer)
            .select_related("user", "system_extension")
            .only(
                "customer",
                "number",
                "name",
                *(f"user__{name}" for name in named),
                "system_extension__number",
                "system_extension__name",
            )
        ),
    )
    return found


def dids(scope: Scope) -> list[Option]:
    """The customer's DID numbers, also those that somebody has: a rule says who."""
    return [
        Option(
            did.pk,
            " · ".join(filter(None, [phone_number_national(did.number), did.name, str(did.answers or "")])),
            (did.number, phone_number_national(did.number)),
            did.number,
        )
        for did in _dids(scope)
    ]


# --- Where the facts are kept that aren't in the user's own row ------------------------------------------------
class MembershipStore(Store):
    """The departments of a user, as a sorted tuple of their keys. Leaving one forgets what "Visualiser" said for it."""

    def load(self, records: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """{user: {"departments": keys}}, in one query."""
        found: dict[Any, list[int]] = {record.pk: [] for record in records}
        for user, department in (
            Membership.objects.filter(user__in=found).order_by("department").values_list("user", "department")
        ):
            found[user].append(department)
        return {key: {"departments": tuple(keys)} for key, keys in found.items()}

    def save(self, rows: Sequence[Any], scope: Scope) -> None:
        """Add and remove memberships, for all rows together."""
        left: dict[int, list[int]] = defaultdict(list)
        people, joined = [], []
        for row in rows:
            before, after = (set(keys or ()) for keys in row.changes["departments"])
            for key in before - after:
                left[key].append(row.key)
            for key in after - before:
                people.append(row.key)
                joined.append(key)
            row.record.__dict__.pop("department_ids", None)
        for department, leaving in left.items():
            for part in road.chunks(leaving):
                Membership.objects.filter(department=department, user__in=part).delete()
        many.insert(Membership, {"user_id": people, "department_id": joined}, len(people))


class DidStore(Store):
    """The DID numbers that ring a user, as a sorted tuple of their keys."""

    def load(self, records: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """{user: {"dids": keys}}, in one query."""
        found: dict[Any, list[int]] = {record.pk: [] for record in records}
        for key, user in Did.objects.filter(user__in=found).order_by("pk").values_list("pk", "user"):
            found[user].append(key)
        return {key: {"dids": tuple(keys)} for key, keys in found.items()}

    def save(self, rows: Sequence[Any], scope: Scope) -> None:
        """Free the numbers that rows give up, then take what rows want: a number moves within one plan."""
        given_up: list[int] = []
        wanted: dict[int, int] = {}
        for row in rows:
            before, after = (set(keys or ()) for keys in row.changes["dids"])
            given_up += before - after
            wanted |= dict.fromkeys(after - before, row.key)
        numbers = Did.objects.of(scope.customer)
        for part in road.chunks(given_up):
            numbers.filter(pk__in=part).update(user=None, version=F("version") + 1)
        held = {
            key
            for part in road.chunks(sorted(wanted))
            for key in numbers.filter(pk__in=part, user=None, system_extension=None)
            .select_for_update()
            .values_list("pk", flat=True)
        }
        takers = [wanted[key] for key in held]
        touched = many.update(Did, list(held), {"user_id": takers}, counting="version")
        if touched != len(wanted):
            raise road.ChangedMeanwhileError(user for key, user in wanted.items() if key not in held)


MEMBERSHIPS = MembershipStore()
DIDS = DidStore()


# --- Searching --------------------------------------------------------------------------------------------------
def search_people(text: str) -> Q:
    """Name, extension, e-mail and mobile by part; a DID by its digits. Every word must be found."""
    condition = Q()
    for word in words_of(text):
        condition &= Q(search_text__contains=word)
    # A number however it is written, "(514) 555-0123"; beside a word the digits are a word among others.
    if digits := number_sought(text):
        condition |= Q(search_text__contains=digits) | Q(
            pk__in=Did.objects.filter(number__contains=digits, user__isnull=False).values("user")
        )
    return condition


def derived(user: User) -> dict[str, Any]:
    """What the row keeps ready for searching and sorting."""
    mobile = user.mobile.removeprefix("+1").removeprefix("+") if user.mobile else ""
    return {
        "search_text": folded(
            " ".join(filter(None, [user.first_name, user.last_name, user.number, user.email, mobile]))
        ),
        "sort_name": folded(f"{user.last_name} {user.first_name}").strip()[:120],
    }


def complete(user: User, scope: Scope) -> None:
    """The secrets of a new person, and no password: they set one by a link."""
    user.sip_auth_id = random_secret(10)
    user.sip_password = random_secret(24)
    # As `set_unusable_password` writes it, from the same source: no hash, and nothing that a link could have been made from.
    user.password = UNUSABLE_PASSWORD_PREFIX + random_token()


_ROLE_TAG = re.compile(r"""\s*<\s*role\b[^<>]*?\bname\s*=\s*["']([^"'<>]*)["'][^<>]*>""", re.IGNORECASE)


class DidsColumn(LinkedColumn):
    """The numbers that ring a person; in a file in any spelling, or by its last digits after a star, as 3CX masks them."""

    def _key_of(self, text: str, scope: Scope) -> Any:
        digits = text.strip().removeprefix("*")
        if not text.strip().startswith("*") or not (digits.isascii() and digits.isdecimal()):
            return super()._key_of(text, scope)
        found = [option.key for option in self.by_key(scope).values() if option.cell.endswith(digits)]
        # One that fits several is as unknown as one that fits none.
        return found[0] if len(found) == 1 else super()._key_of(text, scope)

    def spelling(self, text: str) -> str:
        """The number as it is stored."""
        try:
            return phone_number_e164(text)
        except ValidationError:
            return super().spelling(text)


class CallerIdColumn(FieldColumn):
    """The number that callees see: one of the customer's, which are offered; another one may be typed, and is judged by a rule."""

    def form_field(self, scope: Scope) -> forms.Field:
        """A line with the customer's numbers to choose from."""
        made = super().form_field(scope)
        made.widget = SuggestingInput(lambda: _numbers_offered(scope), made.widget.attrs)
        return made


MOST_OFFERED = 500


def _numbers_offered(scope: Scope) -> list[tuple[str, str]]:
    found: list[Did] = _dids(scope)[:MOST_OFFERED]
    return [(phone_number_national(each.number), each.name) for each in found]


class RoleColumn(ReferenceColumn):
    """The role, called as the reader's language calls it."""

    translated = True

    def spelling(self, text: str) -> str:
        """3CX writes a tag of XML, which may carry other attributes; its name, or the bare name, is what counts."""
        found = _ROLE_TAG.match(text)
        return super().spelling(found[1] if found else text)

    def form_field(self, scope: Scope) -> forms.Field:
        """The menu; its help leads to the table that says what each role may do."""
        made = super().form_field(scope)
        if scope.customer.pk:
            made.help_text = format_html(
                '{} <a href="{}">{}</a>',
                made.help_text,
                reverse("roles", args=[scope.customer.slug]),
                gettext("See what each role may do"),
            )
        return made

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """The role's name."""
        return dict(rights.role_names()).get(value) or super().show(value, scope)


def factor_since() -> Subquery:
    """Since when a person's second factor is set up, as an expression over people."""
    own = TotpDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
    return Subquery(own.values("created_at")[:1])


def second_factor_as_it_is(scope: Scope, person: User, form: Any) -> dict[str, Any]:
    """What the tab says beside what is required: whether a second factor is set up, and since when."""
    since = getattr(person, "factor_since", None)  # read along with them
    return {
        "factor_since": since,
        "factor_required": person.needs_second_factor,
        "factor_known": True,
    }


GENERAL = Section(
    slug="general",
    title=_("General"),
    intro=_("General information about the user: name, role, primary department and second factor."),
    parts=(Part("number"), Part("require_2fa", _("Second factor"), below="users/factor_state.html")),
    page_facts=second_factor_as_it_is,
    columns=(
        *columns_of(
            Identity,
            number={
                "at_creation_only": True,
                "csv": "Number",
                "help_at_creation": _(
                    "Blank: the first free extension is given. It can't be changed afterwards."
                ),
            },
            first_name={
                "help": _("Shown to colleagues and on phones; a first or a last name is needed."),
                "identity": True,
                "csv": "FirstName",
            },
            last_name={
                "help": _("Shown after the first name on phones, on keys and in the directory."),
                "identity": True,
                "csv": "LastName",
            },
            email={
                "identity": True,
                "csv": "EmailAddress",
                "more": _(
                    "With the Microsoft 365 integration, the association only works when this is the address of the Microsoft account."
                ),
            },
            mobile={"identity": True, "csv": "MobileNumber"},
            outbound_caller_id=CallerIdColumn(
                Identity._meta.get_field("outbound_caller_id"),
                csv="OutboundCallerID",
                more=_(
                    "An emergency call always shows the department's default number. To change that number, contact your "
                    "provider's support."
                ),
            ),
            role=RoleColumn(
                Identity._meta.get_field("role"),
                roles,
                csv="Role",
                help=_("What this person may do; the table of roles says it exactly."),
            ),
            primary_department=ReferenceColumn(
                Identity._meta.get_field("primary_department"),
                departments,
                csv="Department",
                more=_("Each department may have its own language, office hours, holidays and time zone."),
            ),
        )[:-1],
        LinkedColumn(
            "departments",
            MEMBERSHIPS,
            departments,
            speaks_of="users.department",
            label=_("Member of"),
            help=_("All departments of the person; the primary one is always among them."),
            csv="Departments",
        ),
        DidsColumn(
            "dids",
            DIDS,
            dids,
            speaks_of="users.did",
            label=_("Assigned DID number(s)"),
            identity=True,
            csv="DID",
            help=_("Calls to these numbers ring this user directly."),
            more=_(
                "As a rule, numbers are not routed directly to a user, so that calls can be distributed better."
            ),
        ),
        columns_of(Identity)[-1],
    ),
    row_rules=(
        extension_has_the_right_length,
        person_has_a_name,
        primary_department_is_one_of_his,
        departments_are_within_reach,
        role_may_be_granted,
        nobody_locks_himself_out,
        nobody_lifts_what_restricts_himself,
    ),
    set_rules=(
        numbers_are_free,
        seats_are_in_the_contract,
        dids_are_free,
        free_dids_are_the_companys,
        caller_ids_are_the_customers,
        a_system_owner_remains,
        shared_addresses_are_told,
    ),
    adds=Contribution(
        search=search_people,
        read_along={"factor_since": factor_since()},
        losses=what_a_deleted_user_loses,
        removal_rules=(last_owner_stays,),
        hands_over=LEGACIES,
    ),
)
