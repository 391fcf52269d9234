"""What belongs to a customer as a whole: its departments, numbers, system extensions and settings, and the rules about them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, Q
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.sections import (
    FieldColumn,
    LinkedColumn,
    Option,
    Scope,
    Section,
    Sheet,
    Store,
    columns_of,
)
from users import changes, rights
from users.models import Customer, Department, Did, Role, SystemExtension, User
from users.rights import Verb
from users.sections.general import taken_extensions, talk_names_of_places, why_no_extension

Reason = str | Promise | None


# --- Who may ----------------------------------------------------------------------------------------------------
def of_the_company(
    right: str = "", create: Verb = Verb.CUSTOMER, delete: Verb = Verb.CUSTOMER
) -> Callable[..., Reason]:
    """The rule of a sheet: who acts on the whole customer (and has the role's `right`) edits; `create` and `delete` say what else it takes."""
    verbs = {Verb.CREATE: create, Verb.DELETE: delete, Verb.SUPPORT: Verb.SUPPORT, Verb.HOURS: Verb.HOURS}

    def allowed(actor: User, verb: str, record: Any, customer: Customer) -> Reason:
        if Verb(verb) is Verb.SEE:
            return rights.why_not(actor, Verb.ADMINISTER, None, customer)
        department = record.pk if isinstance(record, Department) else None
        refusal = rights.why_not(actor, verbs.get(Verb(verb), Verb.CUSTOMER), None, customer, department)
        if refusal or actor.is_staff or not right or getattr(actor.role, right) or Verb(verb) is Verb.HOURS:
            return refusal
        return _("Your role doesn't include “%(right)s”.") % {
            "right": Role._meta.get_field(right).verbose_name
        }

    return allowed


def customers_stay(actor: User, verb: str, record: Any, customer: Customer) -> Reason:
    """Support staff make customers; nobody deletes one, because its history stays."""
    if Verb(verb) is Verb.DELETE:
        return _("A customer is never deleted, because its history stays: suspend it instead.")
    return of_the_company(create=Verb.SUPPORT)(actor, verb, record, customer)


def belongs_to_nobody(record: Any) -> None:
    """The subject of what is the customer's as a whole."""
    return


# --- Columns ----------------------------------------------------------------------------------------------------
CANADIAN_ZONES = (
    "America/Toronto", "America/Halifax", "America/Moncton", "America/St_Johns", "America/Winnipeg", "America/Regina",
    "America/Edmonton", "America/Vancouver", "America/Whitehorse", "America/Iqaluit",
)  # fmt: skip


class ZoneColumn(FieldColumn):
    """A time zone of the tz database; those of Canada stand first."""

    def form_field(self, scope: Scope) -> forms.Field:
        """A menu in two groups."""
        others = sorted(
            name
            for name in available_timezones()
            if "/" in name and not name.startswith(("Etc/", "posix", "right/"))
        )
        choices = [
            (_("Canada"), [(name, name.replace("_", " ")) for name in CANADIAN_ZONES]),
            (
                _("Other time zones"),
                [(name, name.replace("_", " ")) for name in others if name not in CANADIAN_ZONES],
            ),
        ]
        return forms.ChoiceField(label=self.label, help_text=self.help, choices=choices)

    def show(self, value: Any, scope: Scope | None = None) -> str:
        """Without underscores."""
        return super().show(value, scope).replace("_", " ")


def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)


def people(scope: Scope) -> list[Option]:
    """Everybody of the customer, by extension: {key, "101 Amélie Tremblay"}."""
    found = scope.once(
        "people by extension",
        lambda: list(
            User.objects.of(scope.customer)
            .order_by("number")
            .values_list("pk", "number", "first_name", "last_name")
        ),
    )
    return [Option(key, f"{number} {first} {last}".strip(), (number,)) for key, number, first, last in found]


# More people than this aren't boxes to tick any more: their extensions are typed.
MOST_BOXES = 200


class PeopleColumn(LinkedColumn):
    """Several people of the customer: boxes to tick, or their extensions as text."""

    def form_field(self, scope: Scope) -> forms.Field:
        """Boxes; a text of extensions where there would be too many of them."""
        if len(self.by_key(scope)) <= MOST_BOXES:
            return super().form_field(scope)
        return ExtensionsField(
            label=self.label,
            help_text=_("Extensions, separated by commas."),
            required=False,
            numbers={key: option.words[0] for key, option in self.by_key(scope).items()},
        )

    def clean(self, raw: Any, scope: Scope) -> Any:
        """Keys, sorted: a list holds keys (boxes, history), a text extensions."""
        if not isinstance(raw, str):
            return super().clean(raw, scope)
        numbers = {option.words[0]: option.key for option in self.by_key(scope).values()}
        typed = raw.replace(":", ",").replace(";", ",").replace("\n", ",").split(",")
        wanted = [words[0] for item in typed if (words := item.split())]
        if unknown := [number for number in wanted if number not in numbers]:
            raise ValidationError(
                _("There is no extension %(numbers)s."), params={"numbers": ", ".join(unknown)[:60]}
            )
        return tuple(sorted({numbers[number] for number in wanted}))


class ExtensionsField(forms.CharField):
    """A text of extensions for a set of keys."""

    def __init__(self, numbers: Mapping[str, str], **settings: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3}), **settings)
        self.numbers = numbers

    def prepare_value(self, value: Any) -> Any:
        """Keys as their extensions; what was typed as it was typed."""
        if isinstance(value, (list, tuple)):
            return ", ".join(sorted(self.numbers.get(str(key), str(key)) for key in value))
        return value


class MemberStore(Store):
    """Who is in a ring group or queue, as a sorted tuple of keys."""

    def load(self, records: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """{system extension: {"members": keys}}, in one query."""
        found: dict[Any, list[int]] = {record.pk: [] for record in records}
        links = SystemExtension.members.through.objects.filter(systemextension__in=found).order_by("user")
        for extension, user in links.values_list("systemextension", "user"):
            found[extension].append(user)
        return {key: {"members": tuple(keys)} for key, keys in found.items()}

    def save(self, rows: Sequence[Any], scope: Scope) -> None:
        """Add and remove, for all rows together."""
        through = SystemExtension.members.through
        gone, added = Q(pk__in=[]), []
        for row in rows:
            before, after = set(row.changes["members"][0] or ()), set(row.changes["members"][1])
            if before - after:
                gone |= Q(systemextension=row.key, user__in=before - after)
            added += [through(systemextension_id=row.key, user_id=key) for key in sorted(after - before)]
        through.objects.filter(gone).delete()
        through.objects.bulk_create(added, batch_size=2_000)


MEMBERS = MemberStore()


# --- Rules ------------------------------------------------------------------------------------------------------
def names_are_there_once(plan: changes.Plan) -> None:
    """Two departments, or two system extensions, of a customer aren't called the same, however it is written."""
    rows = [row for row in plan.rows if row.changes.get("name", ("", ""))[1]]
    if not rows:
        return
    manager: Any = plan.sheet.model._default_manager
    others = manager.of(plan.scope.customer).exclude(pk__in=[row.key for row in rows if row.key])
    asked = Counter(
        [
            *(row.value("name").casefold() for row in rows),
            *(name.casefold() for name in others.values_list("name", flat=True)),
        ]
    )
    for row in rows:
        if asked[row.value("name").casefold()] > 1:
            row.refuse("name", _("There is already one called “%(name)s”.") % {"name": row.value("name")})


def talk_links_are_free(plan: changes.Plan) -> None:
    """A Talk link leads to one place: a person, a department or a queue."""
    rows = [row for row in plan.rows if row.changes.get("talk_name", ("", ""))[1]]
    if not rows:
        return
    own = {row.before.get("talk_name", "").casefold() for row in rows if not row.new}
    taken = {name: who for name, who in talk_names_of_places(plan.scope.customer).items() if name not in own}
    for user in (
        User.objects.of(plan.scope.customer)
        .exclude(talk_name="")
        .only("pk", "number", "first_name", "last_name", "email", "talk_name")
    ):
        taken[user.talk_name.casefold()] = str(user)
    asked = Counter(row.value("talk_name").casefold() for row in rows)
    for row in rows:
        name = row.value("talk_name").casefold()
        if name in taken or asked[name] > 1:
            row.refuse("talk_name", _("“%(name)s” is already taken by %(who)s.") % {
                "name": row.value("talk_name"), "who": taken.get(name) or _("somebody else")
            })  # fmt: skip


def caller_id_is_a_number_of_the_customer(plan: changes.Plan) -> None:
    """Emergency calls show this number: that it isn't one of the customer's is told."""
    rows = [row for row in plan.rows if row.changes.get("outbound_caller_id", ("", ""))[1]]
    if not rows:
        return
    owned = set(
        Did.objects.of(plan.scope.customer)
        .filter(number__in=[row.value("outbound_caller_id") for row in rows])
        .values_list("number", flat=True)
    )
    for row in rows:
        if row.value("outbound_caller_id") not in owned:
            row.warn("outbound_caller_id", _("%(number)s is not one of the customer's numbers, and emergency calls will show it.") % {
                "number": phone_number_national(row.value("outbound_caller_id"))
            })  # fmt: skip


def department_is_empty(records: Sequence[Any], scope: Scope) -> dict[Any, Any]:
    """A department is deleted when nobody is in it: whose it is the primary one must be said, and be moved first."""
    refusals: dict[Any, Any] = {}
    for record in records:
        primary = User.objects.of(scope.customer).filter(primary_department=record)
        count = primary.count()
        if count:
            names = ", ".join(str(user) for user in primary[:3]) + (" …" if count > 3 else "")
            refusals[record.pk] = ngettext(
                "It is the primary department of %(names)s: choose another one for this person first.",
                "It is the primary department of %(count)s people (%(names)s): choose another one for them first.",
                count,
            ) % {"names": names, "count": count}
        elif members := record.memberships.count():
            refusals[record.pk] = ngettext(
                "%(count)s person is a member of it.", "%(count)s people are members of it.", members
            ) % {"count": members}
    return refusals


def department_is_not_the_last(records: Sequence[Any], scope: Scope) -> dict[Any, Any]:
    """Nobody can be created without a department."""
    if Department.objects.of(scope.customer).exclude(pk__in=[record.pk for record in records]).exists():
        return {}
    return {record.pk: _("This is the customer's last department.") for record in records}


def numbers_are_nobodys(plan: changes.Plan) -> None:
    """A public number is there once in the whole portal. Whose it is elsewhere is told to support staff alone."""
    rows = [row for row in plan.rows if row.changes.get("number", ("", ""))[1]]
    if not rows:
        return
    asked = Counter(row.value("number") for row in rows)
    holders = {
        did.number: did.customer for did in
        Did.objects.filter(number__in=asked).exclude(pk__in=[row.key for row in rows if row.key]).select_related("customer")
    }  # fmt: skip
    for row in rows:
        number = row.value("number")
        if number in holders and plan.scope.actor.is_staff:
            row.refuse("number", _("%(number)s belongs to %(customer)s already.") % {
                "number": phone_number_national(number), "customer": holders[number]
            })  # fmt: skip
        elif number in holders or asked[number] > 1:
            row.refuse(
                "number", _("%(number)s is there already.") % {"number": phone_number_national(number)}
            )


def what_a_deleted_number_means(records: Sequence[Any], scope: Scope) -> dict[Any, list[str]]:
    """Whom it rang, and whose caller ID it is."""
    losses: dict[Any, list[str]] = {}
    shown_by = {record.number: [] for record in records}
    for department in Department.objects.of(scope.customer).filter(outbound_caller_id__in=shown_by):
        shown_by[department.outbound_caller_id].append(department.name)
    people_showing = dict(
        User.objects.of(scope.customer).filter(outbound_caller_id__in=shown_by).order_by()
        .values_list("outbound_caller_id").annotate(count=Count("pk"))
    )  # fmt: skip
    for record in records:
        sentences = [
            _("The number %(number)s: calls to it don't reach the customer any more.")
            % {"number": phone_number_national(record.number)}
        ]
        if record.user:
            sentences.append(_("It rings %(user)s directly.") % {"user": record.user})
        if departments := shown_by[record.number]:
            sentences.append(
                _("It is the caller ID of %(departments)s, also for emergency calls.")
                % {"departments": ", ".join(departments)}
            )
        if count := people_showing.get(record.number):
            sentences.append(
                ngettext(
                    "%(count)s person shows it as caller ID.", "%(count)s people show it as caller ID.", count
                )
                % {"count": count}
            )
        losses[record.pk] = [str(sentence) for sentence in sentences]
    return losses


def system_number_is_possible(row: changes.RowPlan, plan: changes.Plan) -> None:
    """As many digits as the customer's extensions have, and no reserved one."""
    number = row.after.get("number")
    if row.new and number and (reason := why_no_extension(number, plan.scope.customer)):
        row.refuse("number", reason)


def system_numbers_are_free(plan: changes.Plan) -> None:
    """People and system extensions share their numbers: none is there twice."""
    new = [row for row in plan.rows if row.new and row.after.get("number")]
    if not new:
        return
    asked = Counter(row.after["number"] for row in new)
    taken = taken_extensions(plan.scope.customer, list(asked))
    for row in new:
        if row.after["number"] in taken or asked[row.after["number"]] > 1:
            row.refuse(
                "number", _("Extension %(number)s is already taken.") % {"number": row.after["number"]}
            )


def kind_fits(row: changes.RowPlan, plan: changes.Plan) -> None:
    """Only a queue has a Talk link; an IVR sends callers on and has no members."""
    if not {"kind", "talk_name", "members"} & row.changes.keys():
        return
    plan.need("kind", "talk_name", "members")
    kind = row.value("kind")
    members = row.value("members") if "members" in row.after or not row.new else ()
    if row.value("talk_name") and kind != SystemExtension.Kind.QUEUE:
        row.refuse("talk_name", _("Only a queue has a Talk link."))
    if members and kind == SystemExtension.Kind.IVR:
        row.refuse("members", _("An IVR has no members: callers choose where it sends them."))


def what_a_deleted_system_extension_loses(records: Sequence[Any], scope: Scope) -> dict[Any, list[str]]:
    """How many people it rang."""
    losses: dict[Any, list[str]] = {}
    for key, count in (
        SystemExtension.objects.filter(pk__in=[record.pk for record in records])
        .annotate(count=Count("members"))
        .order_by()
        .values_list("pk", "count")
    ):
        losses[key] = (
            [ngettext("It rings %(count)s person.", "It rings %(count)s people.", count) % {"count": count}]
            if count
            else []
        )
    return losses


def addresses_are_nobodys(plan: changes.Plan) -> None:
    """Host name and address in the portal lead to one customer."""
    for name in ("fqdn", "slug"):
        rows = [row for row in plan.rows if row.changes.get(name, ("", ""))[1]]
        values = [row.value(name) for row in rows]
        taken = (
            set(
                Customer.objects.filter(**{f"{name}__in": values})
                .exclude(pk__in=[row.key for row in rows if row.key])
                .values_list(name, flat=True)
            )
            if rows
            else set()
        )
        for row in rows:
            if row.value(name) in taken:
                row.refuse(name, _("“%(value)s” is another customer's.") % {"value": row.value(name)})


def extensions_keep_their_length(row: changes.RowPlan, plan: changes.Plan) -> None:
    """The length of extensions is chosen before there are any."""
    if row.new or "extension_digits" not in row.changes:
        return
    if taken_extensions(plan.scope.customer):
        row.refuse(
            "extension_digits", _("There are extensions already: their length can't be changed any more.")
        )


def contract_is_wide_enough(row: changes.RowPlan, plan: changes.Plan) -> None:
    """A contract may be smaller than what is in use, and that is said."""
    included = row.changes.get("included_extensions", (0, None))[1]
    if row.new or included is None:
        return
    used = User.objects.of(plan.scope.customer).count()
    if used > included:
        row.warn(
            "included_extensions",
            _("%(used)s extensions are in use: more than the contract includes now.") % {"used": used},
        )


# --- The sections -----------------------------------------------------------------------------------------------
DEPARTMENT = Section(
    slug="general",
    title=_("General"),
    intro=_("Each department may have its own language, office hours, holidays and time zone."),
    columns=columns_of(
        Department,
        name={"label": _("Name")},
        language={
            "label": _("Language"),
            "help": _("Of the phones and voicemail of its people, unless they have their own."),
        },
        time_zone=ZoneColumn(
            _field(Department, "time_zone"),
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
            "label": _("Talk link"),
            "help": _("Letters and digits; calls from the link reach the department."),
        },
    ),
    set_rules=(names_are_there_once, talk_links_are_free, caller_id_is_a_number_of_the_customer),
    removal_rules=(department_is_empty, department_is_not_the_last),
)

DEPARTMENT_MEMBERS = Section(slug="members", title=_("Members"), columns=(), view="users.views.company.members_tab")

DID = Section(
    slug="general",
    title=_("Number"),
    columns=columns_of(
        Did,
        number={"label": _("DID number"), "verb": Verb.SUPPORT, "help": _("For example 514 555-0123.")},
        name={"label": _("Name"), "help": _("What the number is for: a campaign, a site, the main line.")},
    ),
    set_rules=(numbers_are_nobodys,),
    losses=what_a_deleted_number_means,
)

SYSTEM_EXTENSION = Section(
    slug="general",
    title=_("General"),
    columns=(
        *columns_of(
            SystemExtension,
            number={"at_creation_only": True},
            name={"label": _("Name")},
            kind={
                "label": _("Kind"),
                "help": _(
                    "A ring group rings several people, a queue lets callers wait, an IVR lets them choose."
                ),
            },
            talk_name={"label": _("Talk link")},
        ),
        PeopleColumn("members", MEMBERS, people, label=_("Members"), help=_("The people whom it rings.")),
    ),
    row_rules=(system_number_is_possible, kind_fits),
    set_rules=(names_are_there_once, system_numbers_are_free, talk_links_are_free),
    losses=what_a_deleted_system_extension_loses,
)

SECURITY = Section(
    slug="security",
    title=_("Security"),
    columns=(
        FieldColumn(
            _field(Customer, "require_2fa"),
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
            name={"label": _("Name")},
            slug={
                "label": _("Address in the portal"),
                "at_creation_only": True,
                "help": _("Small letters, digits and hyphens: it stands in every address."),
            },
            fqdn={
                "label": _("Host name"),
                "warning": _("When it changes, every phone of the customer loads its configuration anew."),
            },
            edition={"label": _("Licence")},
            extension_digits={
                "label": _("Digits of an extension"),
                "help": _("2 to 5; fixed once there are extensions."),
            },
            included_extensions={"label": _("Extensions in the contract")},
            language={"label": _("Language"), "help": _("Of new departments.")},
            time_zone=ZoneColumn(
                _field(Customer, "time_zone"), label=_("Time zone"), help=_("Of new departments.")
            ),
            sip_trunk_channels={
                "label": _("Channels of the SIP trunk"),
                "help": _("A call that is forwarded outside takes two of them."),
            },
            supports_deflection={"label": _("The trunk accepts call deflection (302)")},
            has_microsoft_365={"label": _("Microsoft 365 is set up")},
            has_google={"label": _("Google Workspace is set up")},
            suspended={"label": _("Suspended")},
        )
        if column.name != "require_2fa"
    ),  # that is the customer's own to decide
    row_rules=(extensions_keep_their_length, contract_is_wide_enough),
    set_rules=(addresses_are_nobodys,),
)
ROLE = Section(
    slug="general",
    title=_("Role"),
    columns=tuple(
        FieldColumn(model_field, label=model_field.verbose_name)
        for model_field in Role._meta.local_fields
        if not model_field.primary_key
    ),
)


# --- The sheets -------------------------------------------------------------------------------------------------
def _sections(paths: Sequence[str]) -> tuple[Section, ...]:
    return tuple(import_string(path) for path in paths)


@lru_cache(maxsize=1)
def customer_sheet() -> Sheet:
    """A customer's settings and contract: the parts that `settings.CUSTOMER_SECTIONS` lists."""
    return Sheet(
        model=Customer,
        sections=_sections(settings.CUSTOMER_SECTIONS),
        subject=belongs_to_nobody,
        allowed=customers_stay,
        has_customer=False,
    )


@lru_cache(maxsize=1)
def department_sheet() -> Sheet:
    """A department: the parts that `settings.DEPARTMENT_SECTIONS` lists."""
    return Sheet(
        model=Department,
        sections=_sections(settings.DEPARTMENT_SECTIONS),
        subject=belongs_to_nobody,
        allowed=of_the_company(),
    )


@lru_cache(maxsize=1)
def did_sheet() -> Sheet:
    """A number of the public network. Whom it rings is written with the person (tab General)."""
    return Sheet(
        model=Did,
        sections=(DID,),
        subject=belongs_to_nobody,
        related=("user",),
        allowed=of_the_company(create=Verb.SUPPORT, delete=Verb.SUPPORT),
    )


@lru_cache(maxsize=1)
def system_extension_sheet() -> Sheet:
    """A ring group, queue or IVR: the parts that `settings.SYSTEM_EXTENSION_SECTIONS` lists."""
    return Sheet(
        model=SystemExtension,
        sections=_sections(settings.SYSTEM_EXTENSION_SECTIONS),
        subject=belongs_to_nobody,
        allowed=of_the_company("call_handling"),
    )


@lru_cache(maxsize=1)
def role_sheet() -> Sheet:
    """How the columns of a role are called. Roles belong to no customer: `users.roles` writes them, not the road."""
    return Sheet(model=Role, sections=(ROLE,), subject=belongs_to_nobody, has_customer=False)


def register() -> None:
    """Tell the history how the columns of these tables are called."""
    for sheet in (customer_sheet, department_sheet, did_sheet, system_extension_sheet, role_sheet):
        changes.register(sheet())
