"""Who reads secrets is one list: the readers that their columns name, and the few callers of `plain`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from pbxadmin.common.crypto import EncryptedTextField, Reader, SecretReaderError, is_set, plain
from pbxadmin.tests.packages import PACKAGES
from phones.models import Phone
from users.models import User
from users.tests.factories import make_user

pytestmark = pytest.mark.slow("reads all the sources")

SECRETS = {
    f"{model._meta.object_name}.{field.name}": field
    for model in apps.get_models()
    for field in model._meta.concrete_fields
    if isinstance(field, EncryptedTextField)
}
# Where a secret is read in plain text, for whom, and nowhere else.
CALLERS = {
    ("asterisk/management/commands/softphone.py", "User.sip_password", Reader.TECHNICIAN),
    ("asterisk/link/leases.py", "Node.node_password", Reader.PHONE_SYSTEM),
    ("phones/build.py", "Phone.web_password", Reader.PHONE),
    ("phones/build.py", "User.sip_password", Reader.PHONE),
    ("phones/build.py", "Phone.token", "reader"),  # of its three callers, below
    ("phones/push/worker.py", "User.sip_password", Reader.CHALLENGE),
    ("phones/services.py", "Phone.web_password", Reader.PERSON),
    ("phones/services.py", "User.sip_password", Reader.PERSON),
    ("phones/services.py", "Phone.fetched_text", Reader.COMPARISON),
    ("signin/oidc.py", "SECRETS[key]", Reader.PROVIDER),
    ("users/mail/links.py", "PersonalLink.token", Reader.PERSON),
    ("users/mail/links.py", "User.sip_password", Reader.APP),
    ("signin/models.py", "TotpDevice.key", Reader.CHECK),
    (
        "asterisk/nodes.py",
        "Node.node_password",
        Reader.TECHNICIAN,
    ),  # once, beside a token that was made just now
    ("voicemail/views.py", "Mailbox.pin", Reader.PERSON),
    ("files/exporting/export.py", "Mailbox.pin", Reader.PERSON),
    ("voicemail/sections.py", "Mailbox.pin", Reader.CHECK),
    ("voicemail/weak_pins.py", "Mailbox.pin", Reader.CHECK),
    ("asterisk/asked/pins.py", "Mailbox.pin", Reader.CHECK),
    ("asterisk/asked/lines.py", "User.sip_password", Reader.PHONE_SYSTEM),
    ("asterisk/asked/trunk_rows.py", "Trunk.trunk_password", Reader.PHONE_SYSTEM),
}
ADDRESSES = {
    ("phones/build.py", Reader.PHONE),
    ("phones/serving/redirection.py", Reader.PHONE),
    ("phones/services.py", Reader.PERSON),
    ("phones/selectors.py", Reader.TECHNICIAN),
}
# Names of secrets that other things have as well, where no secret is read.
NO_SECRET = {
    "web_password": {
        "phones/vendors/checks.py",
        "phones/vendors/yealink/__init__.py",
    },  # of the context, which is made to be sent
    "token": {"signin/models.py"},  # of the library's code generator
}
# A key is what every row, cell and setting has: its one reader is in the list above.
TOO_COMMON = {"key"}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for app in PACKAGES:
        for path in sorted((Path(settings.BASE_DIR) / app).rglob("*.py")):
            name = path.relative_to(settings.BASE_DIR).as_posix()
            if "/tests/" not in name and "/migrations/" not in name:
                yield name, ast.parse(path.read_text())


def called(node: ast.AST) -> str:
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "id", getattr(function, "attr", ""))


def reads_a_secret(node: ast.AST) -> bool:
    """A call of `crypto.plain`: record, column, reader; the cells of files have a `plain` of one argument."""
    return called(node) == "plain" and len(node.args) == 3


def reader_of(node: ast.expr) -> str:
    return Reader[node.attr] if isinstance(node, ast.Attribute) else ast.unparse(node)


def test_every_secret_names_its_readers():
    assert {name for name, field in SECRETS.items() if not field.readers} == set()


def test_who_reads_a_secret_is_this_list():
    found = set()
    for name, tree in sources():
        for node in ast.walk(tree):
            if reads_a_secret(node):
                _record, column, reader = node.args
                found.add((name, ast.unparse(column), reader_of(reader)))
    assert found == CALLERS


def test_who_asks_for_a_phones_secret_address_is_this_list():
    found = set()
    for name, tree in sources():
        for node in ast.walk(tree):
            if called(node) == "provisioning_url":
                found.add((name, reader_of(node.args[1])))
    assert found == ADDRESSES


def test_nobody_else_names_a_secret():
    """Written, deferred or asked whether it is there: yes. Read in any other way: no."""
    names = {field.name for field in SECRETS.values()} - TOO_COMMON
    found = []
    for file, tree in sources():
        allowed = {
            part
            for node in ast.walk(tree)
            if reads_a_secret(node) or called(node) == "is_set"
            for part in ast.walk(node)
        }
        if file == "signin/oidc.py":
            allowed |= {part for node in tree.body if isinstance(node, ast.Assign) for part in ast.walk(node)}
        for node in ast.walk(tree):
            name = ""
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                name = node.attr
            elif called(node) in ("values", "values_list", "getattr", "attrgetter", "F"):
                name = next(
                    (a.value for a in node.args if isinstance(a, ast.Constant) and a.value in names), ""
                )
            if name in names and node not in allowed and file not in NO_SECRET.get(name, ()):
                found.append(f"{file}:{node.lineno} {name}")
    assert found == []


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_reader_whom_the_column_does_not_name_gets_nothing(name):
    field = SECRETS[name]
    record = field.model(**{field.name: "s3cret"})
    column = getattr(field.model, field.name)
    for reader in Reader:
        if reader in field.readers:
            assert plain(record, column, reader) == "s3cret"
        else:
            with pytest.raises(SecretReaderError):
                plain(record, column, reader)


def test_a_secret_that_is_not_there_is_empty_and_known_as_such(boreale):
    person = make_user(boreale, "104", "Olivier", "Bélanger")
    assert is_set(person, User.sip_password)
    person.sip_password = ""
    assert not is_set(person, User.sip_password)
    assert plain(person, User.sip_password, Reader.APP) == ""
    assert plain(Phone(), Phone.web_password, Reader.PHONE) == ""
