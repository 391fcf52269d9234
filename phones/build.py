"""From the tables to a phone's file: what one phone, or ten thousand, should hold now.

Constant number of queries for any number of phones. Nothing is kept: a file is written when somebody asks.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import date
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter, itemgetter
from types import SimpleNamespace
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfoNotFoundError

from django.conf import settings
from django.db.models import Aggregate, DateTimeField, Func, Model, OuterRef, QuerySet, Subquery, TextField
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import pgettext

from pbxadmin.common.crypto import Reader, is_secret, plain
from pbxadmin.common.phone_system import ntp_servers, sip_server
from pbxadmin.common.prepared import Prepared
from pbxadmin.common.values.clock import Clock, ClockError, clock_of
from pbxadmin.common.values.signalling import Srtp, Transport
from phones import context
from phones.context import KeyKind, PhoneContext, PhoneSettings, Vlan
from phones.models import Key, Phone, Sbc
from phones.settings.logos import logo_of
from phones.vendors import FileKind, vendor_of
from users.models import STATUS_CHOICES, Customer, Department, User

# What a file says of a person: whoever changes one of these makes the file of their phone old.
USER_COLUMNS = (
    "number",
    "first_name",
    "last_name",
    "email",
    "disabled",
    "srtp",
    "sip_auth_id",
    "sip_password",
    "customer",
    "primary_department",
)
# What a key of somebody else's phone says of them.
WATCHED_COLUMNS = ("number", "first_name", "last_name", "disabled")
# What a key says of a ring group, a queue or a digital receptionist.
WATCHED_SYSTEM_COLUMNS = ("number", "name")
DEPARTMENT_COLUMNS = ("language", "time_zone")
CUSTOMER_COLUMNS = ("fqdn", "suspended")
# Says whether a logo is shown: of no meaning for a phone that has none.
LICENCE_COLUMNS = ("edition",)
SBC_COLUMNS = ("address", "port")
# With that by which a phone is known to be the router itself.
_SBC_READ = (*SBC_COLUMNS, "identifier")

# Columns that no page and no file needs, and that cost a decryption each.
HEAVY = ("fetched_text",)

Choice = TypeVar("Choice", bound=StrEnum)

_PHONE_COLUMNS = tuple(
    field.name for field in Phone._meta.concrete_fields if field.name not in (*HEAVY, "created_at")
)
_LOADED = (
    *_PHONE_COLUMNS,
    *(f"user__{name}" for name in USER_COLUMNS),
    *(f"user__customer__{name}" for name in (*CUSTOMER_COLUMNS, *LICENCE_COLUMNS)),
    *(f"user__primary_department__{name}" for name in DEPARTMENT_COLUMNS),
    *(f"sbc__{name}" for name in _SBC_READ),
)


def loaded(phones: "QuerySet[Phone]") -> "QuerySet[Phone]":
    """The same phones, read together with all that their files say of people and places, in one query."""
    return phones.select_related("user__customer", "user__primary_department", "sbc").only(*_LOADED)


def phone_by_token_hash(known: str) -> Phone | None:
    """The phone whose present or previous token has this hash, to be read as one from `loaded`: one query.

    The keys of its user come with it, so that what a file says is all of one moment.
    """
    rows = _phone_by_token_hash(known)
    if not rows:
        return None
    values = iter(rows[0])
    read: dict[str, dict[str, Any]] = {path: {} for path, *_ in (*_TYPED, *_PLAIN)}
    for path, name in _TYPED:
        read[path][name] = next(values)
    for (path, name), value in zip(_PLAIN, _from_json(next(values)), strict=True):
        read[path][name] = value
    keys = sorted(_from_json(next(values)), key=itemgetter(1))
    phone = ReadPhone(**read[""], pk=read[""]["id"], user=None, sbc=None, keys=keys)
    if phone.user_id is not None:
        department = read["user__primary_department"]
        phone.user = ReadPerson(
            **read["user"],
            customer=SimpleNamespace(**read["user__customer"]),
            primary_department=SimpleNamespace(**department) if department["id"] is not None else None,
        )
    if phone.sbc_id is not None:
        phone.sbc = SimpleNamespace(**read["sbc"])
    return cast(Phone, phone)


class ReadPhone(SimpleNamespace):
    """What was read of a phone for one fetch, under the names of `Phone`: ten times as quick to make as the records, and
    nothing that could be saved by mistake."""


class ReadPerson(SimpleNamespace):
    """What was read of the phone's user, under the names of `User`."""

    full_name = User.full_name
    is_active = User.is_active


def _from_json(value: Any) -> list[Any]:
    """What PostgreSQL's driver has read already, and SQLite's gives as text."""
    return json.loads(value) if isinstance(value, str) else value or []


def _attributes(model: type[Model], names: Iterable[str]) -> list[str]:
    """The columns of these fields in the order of the table, as a record is made of them; always with its
    key."""
    wanted = {"id", *names}
    return [field.attname for field in model._meta.concrete_fields if field.name in wanted]


# Columns that matter to who tells phones, not to who serves them.
OF_THE_PUSH = (
    "customer_id", "fetched_model", "sip_port", "sip_transport", "attempts", "next_attempt_at", "notified_command", "outcome", "outcome_detail", "version",
)  # fmt: skip
_PARTS: tuple[tuple[str, type[Model], list[str]], ...] = (
    ("", Phone, [name for name in _attributes(Phone, _PHONE_COLUMNS) if name not in OF_THE_PUSH]),
    ("user", User, _attributes(User, USER_COLUMNS)),
    ("user__customer", Customer, _attributes(Customer, (*CUSTOMER_COLUMNS, *LICENCE_COLUMNS))),
    ("user__primary_department", Department, _attributes(Department, DEPARTMENT_COLUMNS)),
    ("sbc", Sbc, _attributes(Sbc, _SBC_READ)),
)


def served(phone: Phone) -> bool:
    """Whether there is a file for the phone: it has a user, who isn't disabled, and whose customer isn't
    suspended."""
    return phone.user is not None and phone.user.is_active


def contexts_for(phones: Iterable[Phone]) -> dict[int, PhoneContext]:
    """What each phone should hold, by primary key; phones without a file are left out.

    `phones` come from `loaded`; one more query reads everybody's keys.
    """
    phones = [phone for phone in phones if served(phone)]
    keys = _keys_of({phone.user_id for phone in phones})
    return {phone.pk: _context(phone, keys.get(phone.user_id, [])) for phone in phones}


def context_for(phone: Phone) -> PhoneContext | None:
    """What one phone should hold; None when there is no file for it."""
    if not served(phone):
        return None
    keys = phone.keys if isinstance(phone, ReadPhone) else _keys_of({phone.user_id})[phone.user_id]
    return _context(phone, keys)


def device_file(made: PhoneContext) -> bytes:
    """The phone's own file; raises what `Vendor.render` raises."""
    return vendor_of(made.model).render(FileKind.DEVICE, made)


def digest(content: bytes) -> str:
    """By what two versions of a file are told apart: SHA-256, hex."""
    return hashlib.sha256(content).hexdigest()


def provisioning_url(phone: Phone, reader: Reader) -> str:
    """The phone's secret address, a folder: it ends with "/"."""
    return f"{_folders(settings.PROVISIONING_URL)}{plain(phone, Phone.token, reader)}/"


@lru_cache(maxsize=8)
def _folders(server: str) -> str:
    """What stands before the token, which needs no quoting, in every secret address."""
    return server.rstrip("/") + reverse("provisioning", args=["token", "x"]).removesuffix("token/x")


def _keys_of(users: set[Any]) -> "dict[Any, list[KeyRow]]":
    """Every key of these people in one query, with the present name of whom it is about."""
    found: dict[Any, list[KeyRow]] = defaultdict(list)
    for row in Key.objects.filter(user__in=users).order_by("position").values_list(*_KEY_COLUMNS):
        found[row[0]].append(row)
    return found


# The columns of a key in the order of `_KEY_COLUMNS`.
KeyRow = Sequence[Any]
_KEY_COLUMNS = (
    "user",
    "position",
    "kind",
    "value",
    "first_name",
    "last_name",
    *(f"target__{name}" for name in WATCHED_COLUMNS),
    *(f"system__{name}" for name in WATCHED_SYSTEM_COLUMNS),
)


class JsonRow(Func):
    """Some columns as one JSON array."""

    function = "JSON_BUILD_ARRAY"
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """As SQLite calls it."""
        return self.as_sql(compiler, connection, function="JSON_ARRAY", **extra)


class JsonRows(Aggregate):
    """The JSON of many rows as the text of one array, in no order."""

    function = "JSON_AGG"
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """As SQLite calls it; the inner arrays stay arrays."""
        template = "%(function)s(JSON(%(expressions)s))"
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", template=template, **extra)


# A column of the answer costs its name and its type each time. So only what needs its type (a time, a secret) is one, and what is
# text, number or yes and no comes as one JSON value: (path, attribute) of each, in their order.
_COLUMNS = [(path, name, model._meta.get_field(name)) for path, model, names in _PARTS for name in names]
_TYPED = [
    (path, name) for path, name, field in _COLUMNS if is_secret(field) or isinstance(field, DateTimeField)
]
_PLAIN = [(path, name) for path, name, _field in _COLUMNS if (path, name) not in _TYPED]


def _look_up(path: str, name: str) -> str:
    return f"{path}__{name}" if path else name


def _keys_of_phones(**condition: Any) -> QuerySet:
    return Phone.objects.filter(**condition).order_by().values("pk")


# Two look-ups, each in an index of its own: an OR of both is planned as a walk through the table when the plan has to
# serve any value, because nearly all previous tokens are the same (none).
_phone_by_token_hash = Prepared(
    lambda known: (
        Phone.objects.filter(
            pk__in=_keys_of_phones(token_hash=known).union(
                _keys_of_phones(previous_token_hash=known).exclude(previous_token_hash="")
            )
        )
        .order_by()
        .values_list(
            *(_look_up(*column) for column in _TYPED),
            JsonRow(*(_look_up(*column) for column in _PLAIN)),
            Subquery(
                Key.objects.filter(user=OuterRef("user"))
                .order_by()
                .values("user")
                .annotate(rows=JsonRows(JsonRow(*_KEY_COLUMNS)))
                .values("rows")
            ),
        )[:1]
    )
)


# --- The settings: each field of `PhoneSettings` from the column of its name, as its type is kept ---
def _parts(name: str, kind: Any) -> tuple[str, ...]:
    """The columns in which a setting is kept."""
    return tuple(f"{name}_{part.name}" for part in fields(Vlan)) if kind is Vlan else (name,)


def _read(kind: Any, values: list[Any]) -> Any:
    """A setting of this type out of the values of its columns."""
    if kind is Vlan:
        return Vlan(*values)
    if get_origin(kind) is tuple:
        return tuple(_choice(get_args(kind)[0], name) for name in values[0].split(","))
    return _choice(kind, values[0]) if issubclass(kind, StrEnum) else values[0]


_SETTINGS = [(name, kind, _parts(name, kind)) for name, kind in get_type_hints(PhoneSettings).items()]
# The setting to which each column belongs, in the order of `PhoneSettings`.
SETTING_COLUMNS = {column: name for name, _kind, parts in _SETTINGS for column in parts}
_FURTHER_SETTINGS = attrgetter(*list(SETTING_COLUMNS)[2:])  # without the language and the time zone


@lru_cache(maxsize=4096)
def _settings(language: str, time_zone: str, *further: Any) -> PhoneSettings:
    """The settings of which these are the columns, in the order of `PhoneSettings`. A fleet has few different ones."""
    values = iter((language, time_zone, *further))
    return PhoneSettings(
        **{name: _read(kind, [next(values) for _column in parts]) for name, kind, parts in _SETTINGS}
    )


def _context(phone: Phone, keys: Sequence[KeyRow]) -> PhoneContext:
    user = phone.user
    if user is None:
        raise ValueError("phones without a user have no file")
    department = user.primary_department
    # What is blank follows the department.
    settings = _settings(
        phone.language or (department.language if department else ""),
        phone.time_zone or (department.time_zone if department else ""),
        *_FURTHER_SETTINGS(phone),
    )
    address = provisioning_url(phone, Reader.PHONE)
    logo = logo_of(phone, user.customer) if user.customer else None
    return PhoneContext(
        mac=phone.mac,
        model=phone.model,
        account=_account(phone, user),
        provisioning_url=address,
        web_password=plain(phone, Phone.web_password, Reader.PHONE),
        keys=tuple([_key(row, settings.language) for row in keys]),
        sidecars=phone.sidecars,
        settings=settings,
        clock=_clock(settings.time_zone, timezone.now().date()),
        logo_url=f"{address}{logo.name}" if logo else None,
        nightly_at=context.nightly_time(phone.mac),
        ntp_servers=ntp_servers(),
    )


@lru_cache(maxsize=1024)
def _clock(zone: str, day: date) -> Clock | None:
    """What clocks show in a zone; None where no phone can be told, which its make then refuses."""
    try:
        return clock_of(zone, day)
    except (ClockError, ZoneInfoNotFoundError, ValueError):
        return None


def router_of(phone: Phone) -> Sbc | None:
    """The SBC or router phone through which a phone's calls go; None where they go straight, as those of a router itself do.

    While its local address isn't known, the phones behind it are configured as on the local network.
    """
    if phone.connection != Phone.Connection.SBC or phone.sbc is None:
        return None
    return phone.sbc if phone.sbc.identifier != phone.mac.upper() else None


def _account(phone: Phone, user: User) -> context.Account:
    if user.customer is None:
        raise ValueError("support staff have no phones")
    srtp = _choice(Srtp, user.srtp)
    transport = srtp.transport(plain=Transport.UDP) if isinstance(srtp, Srtp) else Transport.UDP
    server = sip_server(transport)
    proxy = context.Proxy(server.host, server.port, transport) if server.host else None
    if (router := router_of(phone)) is not None and router.address:
        address = router.address
        proxy = context.Proxy(f"[{address}]" if ":" in address else address, router.port)
    return context.Account(
        extension=user.number,
        display_name=user.full_name,
        label=f"{user.number} {user.first_name or user.last_name}".strip(),
        auth_id=user.sip_auth_id,
        password=plain(user, User.sip_password, Reader.PHONE),
        registrar=user.customer.fqdn,
        port=server.port,
        transport=transport,
        srtp=srtp,
        outbound_proxy=proxy,
        behind_nat=phone.connection == Phone.Connection.DIRECT,
    )


def _key(row: KeyRow, language: str) -> context.Key:
    """One key; a colleague who is disabled leaves their place blank until they are back, and so does what no phone can do."""
    (
        _user, position, name, value, first_name, last_name,
        number, his_first_name, his_last_name, disabled, system, system_name,
    ) = row  # fmt: skip
    kind = _choice(KeyKind, name)
    if name == Key.Kind.UNKNOWN:
        return context.Key(position, KeyKind.BLANK)
    if kind in (KeyKind.BLF, KeyKind.SPEED_DIAL):
        if system:
            return context.Key(position, kind, system, system_name)
        if not number or disabled:
            return context.Key(position, KeyKind.BLANK)
        return context.Key(position, kind, number, f"{his_first_name} {his_last_name}".strip() or number)
    label = f"{first_name} {last_name}".strip()
    if not label and kind in (KeyKind.AGENT, KeyKind.STATUS):
        with translation.override(language.lower()):
            label = _words(kind, value)
    return context.Key(position, kind, value, label)


def _words(kind: KeyKind, value: str) -> str:
    """What a key says that does something, in the language of the phone."""
    if kind is KeyKind.AGENT:
        return (
            pgettext("phone key", "Log in")
            if value == context.AgentAction.LOGIN
            else pgettext("phone key", "Log out")
        )
    return str(dict(STATUS_CHOICES).get(value, value))


def _choice(kind: type[Choice], text: str) -> Choice:
    """The member; an unknown text stays as it is, for the model's own check to name it."""
    return cast(Choice, kind._value2member_map_.get(text, text))
