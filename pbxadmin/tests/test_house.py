"""The rules that hold the house: one road for writes, one tab for each column, nothing untranslated, no secret in the open."""

import ast
import logging
import re
import subprocess
import sys
from collections import Counter
from io import StringIO
from pathlib import Path

import django
import pytest
from babel.messages import pofile
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils.translation.template import templatize

from pbxadmin.common.columns import FieldColumn
from pbxadmin.common.crypto import (
    UNAMBIGUOUS,
    EncryptedTextField,
    SecretUnreadableError,
    decrypt,
    encrypt,
    random_secret,
    random_token,
)
from pbxadmin.tests.packages import PACKAGES
from pbxadmin.tests.writing import writes
from phones.tests import factories as phone_factories
from signin.tests.signing import sign_in_fully
from users import road
from users.models import Change, User
from users.people.sections import user_sheet
from users.tests.factories import FACTS, make_user

pytestmark = pytest.mark.slow("reads all the sources")

ROOT = Path(settings.BASE_DIR)
CATALOGUE = ROOT / "locale" / "fr" / "LC_MESSAGES" / "django.po"

# Who writes tables without the road, and why they may.
WRITERS = {
    "pbxadmin/common/many.py": "the writing itself, for the road and the stores",
    "users/road/applying.py": "the road itself",
    "users/road/recording.py": "the history of the road",
    "users/road/removal.py": "the road itself, where it deletes",
    "users/road/jobs.py": "jobs, their steps and leases",
    "users/road/works.py": "leases and the end of jobs that are done as a whole",
    "signin/credentials.py": "credentials: password, sessions, support accounts",
    "signin/second_factor.py": "second factors and backup codes",
    "signin/models.py": "the second factor's own counters",
    "signin/lockout.py": "failed sign-ins",
    "signin/single_sign_on.py": "accounts that are linked with people, with their history",
    "phones/push/outbox.py": "the outbox",
    "phones/push/worker.py": "what became of telling a phone",
    "phones/serving/provisioning.py": "what a fetch tells",
    "phones/services.py": "a phone's new secret address, with its history",
    "phones/settings/resets.py": "new secrets of phones; the reset writes the history",
    "asterisk/trunks/states.py": "what nodes say of SIP trunks",
    "asterisk/nodes.py": "tokens of nodes, with their history, and the end of the previous one",
    "asterisk/sheets.py": "whose lines a node may still remember, written with its customers",
    "asterisk/link/dropping.py": "devices that couldn't be dropped, as errands that are tried again, and why",
    "asterisk/link/channels.py": "channels of contracts in use at nodes, as the link counts them",
    "asterisk/link/leases.py": "which worker holds which node, and how the link to it is",
    "asterisk/mailboxes/arriving.py": "messages that nodes tell of, and errands to look at them",
    "asterisk/mailboxes/recording.py": "calls by which greetings are recorded, and the errand to make them",
    "asterisk/mailboxes/mails.py": "messages that were mailed, and the errand to delete them",
    "asterisk/link/errands.py": "errands to nodes, begun and done",
    "asterisk/link/contacts.py": "registered devices, as nodes tell of them",
    "asterisk/receivers.py": "stamps of customers, and errands to nodes, of changes that the road makes",
    "voicemail/resets.py": "new PINs; the reset writes the history",
    "users/people/team.py": "level and account of the support team, with their history",
    "users/people/reset.py": "new secrets of people, with their history",
    "users/people/list_columns.py": "which columns somebody wants to see in the list",
    "users/people/endings.py": "sessions that end with a change of the road's, and since when a customer is suspended",
    "users/mail/letters.py": "the outbox of mails",
    "users/mail/links.py": "personal addresses of the app and of the redirection",
    "files/models.py": "files that were sent, and what somebody said of their columns",
    "files/uploads.py": "what the page of a file shows",
    "files/tasks.py": "files that are forgotten after a week",
    "files/pages/imports.py": "a file that its sender throws away",
    "talk/visits.py": "visitors of the public pages, kept for a day",
    "users/company/roles.py": "the roles table, with its history",
    "users/first_roles.py": "the first rows of an empty database, by a migration",
    "voicemail/greetings/sounds.py": "recordings and their files; greetings that were deleted a month ago",
    "voicemail/greetings/making.py": "recordings that wait to be converted",
    "voicemail/weak_pins.py": "which PINs anybody would guess",
    "voicemail/messages.py": "how many messages the phone system tells of",
    "voicemail/standard_greetings.py": "the first rows of an empty database, by a migration",
    "pbxadmin/management/commands/demo.py": "the first rows of an empty database",
    "pbxadmin/management/commands/rotate_secrets.py": "the same secrets under another key",
    "pbxadmin/common/prepared.py": "no write: statements that only read, planned once for each connection",
    "users/append_only.py": "the triggers that guard the history",
    "asterisk/asked/learning.py": "lines that nodes asked for, which they are to follow",
    "asterisk/asked/pins.py": "when somebody entered the PIN that opens outside calls",
    "asterisk/asked/standing.py": "the first stamp of a customer",
    "asterisk/calls/planned.py": "calls as they were planned, many in one statement",
    "asterisk/calls/ended.py": "how calls ended, as nodes tell it, many in one statement",
    "asterisk/calls/settling.py": "what calls that have ended mean: their outcome, and whom they concerned",
    "asterisk/calls/keeping.py": "calls that are erased after thirty days",
    "asterisk/calls/missed.py": "who missed which call",
    "phones/presence.py": "signs of life that are no fetch, many in one statement",
    "phones/serving/fetches.py": "times of fetches that brought no other news, many in one statement",
    "asterisk/softphone/worker.py": "no table: an account of the telephone library is made by a method of that name",
}


def sources() -> list[Path]:
    """Every module of ours that isn't a test or a migration."""
    return [
        path
        for app in PACKAGES
        for path in sorted((ROOT / app).rglob("*.py"))
        if not {"tests", "migrations", "conftest.py"} & set(path.relative_to(ROOT).parts)
    ]


def relations() -> frozenset[str]:
    """What hangs on a record as a set of rows: `person.groups`, `customer.departments`."""
    fields = [field for model in apps.get_models() for field in model._meta.get_fields()]
    return frozenset(
        field.get_accessor_name() if field.auto_created else field.name
        for field in fields
        if field.one_to_many or field.many_to_many
    )


def test_nothing_writes_beside_the_road() -> None:
    found = {str(path.relative_to(ROOT)): writes(path.read_text(), relations()) for path in sources()}
    assert {name: lines for name, lines in found.items() if lines and name not in WRITERS} == {}
    assert [name for name in WRITERS if not found[name]] == [], "names who writes nothing"


@pytest.mark.parametrize(
    "source",
    [
        "User.objects.filter(pk=1).update(mobile='')",
        "found = User.objects.of(customer)\nfound.update(mobile='')",
        "one, two = halves(people)\ntwo.delete()",
        "for row in rows:\n    row.save()",
        "person.save(update_fields=['mobile'])",
        "await person.asave()",
        "self.model._default_manager.bulk_create(rows)",
        "people.bulk_update(rows, ['mobile'])",
        "people.create(**values)",
        "people.update(*[], **values)",
        "customer.departments.get_or_create(name='Soins')",
        "person.groups.add(group)",
        "group.user_set.clear()",
        "getattr(found, 'update')(mobile='')",
        "write = found.update\nwrite(mobile='')",
        "transaction.on_commit(found.delete)",
        "cursor.execute('UPDATE users_user SET mobile = %s', [''])",
        "cursor.execute(f'DELETE FROM {table}')",
        "cursor.execute(statement)",
        "with cursor.copy_expert('COPY x FROM STDIN', file):\n    pass",
        "class Hours(Section):\n    def save(self, rows):\n        rows.update(mobile='')",
    ],
)
def test_a_write_is_seen_whatever_the_rows_are_called(source: str) -> None:
    assert writes(source, relations())


@pytest.mark.parametrize(
    "source",
    [
        "values.update(found)",
        "values.update({'mobile': ''})",
        "picture.save(file, 'PNG')",
        "default_storage.delete(path)",
        "default_storage.save(path, content)",
        "seen.add(person)",
        "names.clear()",
        "cursor.execute('SELECT 1')",
        "path('people/delete', chosen.delete)\nfrom users.views import chosen",
        "class HolidayStore(Store):\n    def save(self, rows):\n        Holiday.objects.bulk_create(rows)",
    ],
)
def test_what_is_no_table_is_no_write(source: str) -> None:
    assert writes(source, relations()) == []


def test_every_editable_column_is_on_exactly_one_tab() -> None:
    names = [column.name for section in user_sheet().sections for column in section.columns]
    assert len(names) == len(set(names))
    own = {column.name for column in user_sheet().columns.values() if isinstance(column, FieldColumn)}
    assert own <= {field.name for field in User._meta.get_fields()}


def test_the_french_catalogue_is_complete() -> None:
    """Every text that the sources mark is in the catalogue, translated, with the same placeholders."""
    with CATALOGUE.open("rb") as file:
        catalogue = pofile.read_po(file, locale="fr")
    problems = []
    for message in catalogue:
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.fuzzy or not all(texts):
            problems.append(f"untranslated: {ids[0]!r}")
        for text in texts:
            if set(re.findall(r"%\(\w+\)s|\{\w+\}", text)) - set(
                re.findall(r"%\(\w+\)s|\{\w+\}", " ".join(ids))
            ):
                problems.append(f"placeholders differ: {ids[0]!r}")
    assert problems == []


def _marked_in(path: Path) -> list[str]:
    """The texts that a template marks, as the catalogue has them."""
    text = path.read_text()
    code = text if path.suffix == ".j2" else templatize(text)
    quoted = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    texts = []
    for function, arguments in re.findall(rf"\b(_|n?p?gettext)\(({quoted}(?:,\s*{quoted})*)", code):
        words = [ast.literal_eval(word) for word in re.findall(quoted, arguments)]
        texts += words[1:] if "p" in function else words
    return texts


def marked() -> list[tuple[str, str]]:
    """Every text that the sources mark, with the file in which it stands."""
    calls = {
        "_",
        "gettext",
        "gettext_lazy",
        "gettext_noop",
        "pgettext",
        "pgettext_lazy",
        "ngettext",
        "ngettext_lazy",
    }
    found = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in calls:
                words = [
                    argument.value
                    for argument in node.args
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
                ]
                words = (
                    words[1:2]
                    if node.func.id.startswith("p")
                    else words[:2]
                    if node.func.id.startswith("n")
                    else words[:1]
                )
                found += [(path.name, word) for word in words]
    for path in (ROOT / "templates").rglob("*"):
        # The support desk's search and its pages are Django's own templates, with the texts of its catalogue.
        if path.is_file() and path.name not in ("search_form.html", "pagination.html"):
            found += [(path.name, word) for word in _marked_in(path)]
    return found


def test_the_catalogue_has_every_marked_text_and_no_other() -> None:
    known = set()
    with CATALOGUE.open("rb") as file:
        for message in pofile.read_po(file, locale="fr"):
            known |= set(message.id if isinstance(message.id, tuple) else (message.id,))
    texts = marked()
    assert [f"{place}: {word!r}" for place, word in texts if word not in known] == []
    # What Django says of a form is said in our words as well.
    with (Path(django.__file__).parent / "conf/locale/fr/LC_MESSAGES/django.po").open("rb") as file:
        for message in pofile.read_po(file):
            known -= set(message.id if isinstance(message.id, tuple) else (message.id,))
    assert known - {word for _place, word in texts} == set()


def test_migrations_are_made_for_every_model(db) -> None:
    call_command("makemigrations", "--check", "--dry-run", stdout=StringIO())


@pytest.mark.parametrize("module", ["pbxadmin.settings.production"])
def test_production_stops_with_the_name_of_what_is_missing(module: str) -> None:
    for name in (
        "SECRET_KEY",
        "FIELD_KEYS",
        "ALLOWED_HOSTS",
        "CELERY_BROKER_URL",
        "PUBLIC_URL",
        "DATABASE_URL",
        "EMAIL_URL",
    ):
        environment = {
            "SECRET_KEY": "x" * 60,
            "FIELD_KEYS": "k",
            "ALLOWED_HOSTS": "a.example",
            "CELERY_BROKER_URL": "redis://x",
            "PUBLIC_URL": "https://a.example",
            "DATABASE_URL": "sqlite:///:memory:",
            "EMAIL_URL": "smtp://relay",
            "PATH": "/usr/bin",
        }
        del environment[name]
        done = subprocess.run(
            [sys.executable, "-c", f"import {module}"],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        assert name in done.stderr.strip().splitlines()[-1]


# --- Secrets ------------------------------------------------------------------------------------------------------
def secrets_of(person: User) -> list[str]:
    """Every secret that the database holds about a person, in plain text."""
    found = []
    for model in apps.get_models():
        fields = [
            field
            for field in model._meta.local_concrete_fields
            if isinstance(field, EncryptedTextField) and field.name != "fetched_text"
        ]
        for field in fields:
            if model is User:
                rows = User.objects.filter(pk=person.pk)
            elif any(other.name == "user" for other in model._meta.get_fields()):
                rows = model._default_manager.filter(user=person)
            else:
                continue
            found += [value for value in rows.values_list(field.name, flat=True) if value]
    return found


def test_no_secret_stands_in_a_page_the_history_or_a_log(boreale, felix, caplog) -> None:
    person = make_user(boreale, "101")
    phone = phone_factories.make_phone(boreale, person, "805ec0aabb01")
    secrets = secrets_of(person)
    assert len(secrets) >= 3
    owner = sign_in_fully(Client(), felix)
    tabs = [f"/c/boreale/users/101/{section.slug}" for section in user_sheet().sections]
    with caplog.at_level(logging.DEBUG):
        pages = [
            owner.get(url).content.decode()
            for url in [
                *tabs,
                "/c/boreale/users/",
                "/c/boreale/users/101/history",
                "/c/boreale/history",
                f"/c/boreale/users/101/phones/{phone.mac}/file",
                f"/c/boreale/users/101/phones/{phone.mac}/settings",
                "/c/boreale/users/101/delete",
                "/c/boreale/",
            ]
        ]
        road.apply(
            road.plan(felix, boreale, user_sheet(), [road.Row(person.pk, {"first_name": "Mélie"})]),
            FACTS,
        )
        road.remove(road.plan_removal(felix, boreale, user_sheet(), [person.pk]), FACTS)
    history = " ".join(str(change.cells) for change in Change.objects.all())
    for secret in secrets:
        assert not any(secret in page for page in pages)
        assert secret not in history
        assert secret not in caplog.text


@pytest.mark.both_databases("statements by hand")
def test_a_secret_is_unreadable_in_the_database_and_bound_to_its_column(boreale, settings) -> None:
    person = make_user(boreale)
    with connection.cursor() as cursor:
        cursor.execute("SELECT sip_password FROM users_user WHERE id = %s", [person.pk])
        stored = cursor.fetchone()[0]
    assert person.sip_password not in stored
    assert decrypt(stored, "users_user.sip_password") == person.sip_password
    with pytest.raises(SecretUnreadableError):
        decrypt(stored, "users_user.other")
    settings.FIELD_KEYS = ["another key"]
    with pytest.raises(SecretUnreadableError):
        decrypt(stored, "users_user.sip_password")


def test_secrets_can_not_be_searched_by(boreale) -> None:
    for lookup in ("sip_password", "sip_password__startswith", "sip_password__contains", "sip_password__in"):
        with pytest.raises(TypeError):
            list(User.objects.filter(**{lookup: "a"}))


@pytest.mark.both_databases("statements by hand")
def test_rotation_writes_every_secret_with_the_first_key(boreale, settings) -> None:

    person = make_user(boreale)
    plain = person.sip_password
    settings.FIELD_KEYS = ["a new first key", *settings.FIELD_KEYS]
    call_command("rotate_secrets", stdout=StringIO())
    settings.FIELD_KEYS = settings.FIELD_KEYS[:1]
    assert User.objects.get(pk=person.pk).sip_password == plain
    with connection.cursor() as cursor:
        cursor.execute("SELECT sip_password FROM users_user WHERE id = %s", [person.pk])
        assert cursor.fetchone()[0].partition(":")[0] == encrypt("x", "y").partition(":")[0]


def test_generated_secrets_do_not_repeat_or_lean_to_a_letter() -> None:
    made = [random_secret(24) for _ in range(2000)]
    assert len(set(made)) == 2000
    counts = Counter("".join(made))
    assert set(counts) == set(UNAMBIGUOUS)
    expected = 2000 * 24 / len(UNAMBIGUOUS)
    # Chi-squared with 56 degrees of freedom: beyond 120 is one chance in a million.
    assert sum((count - expected) ** 2 / expected for count in counts.values()) < 120
    assert len({random_token() for _ in range(2000)}) == 2000
