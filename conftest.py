"""What every app's tests share."""

import gc
from collections.abc import Iterator
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.core.cache import cache
from django.db import connection
from django.utils import translation

from pbxadmin.common import throttle
from signin.credentials import PASSWORD_AT
from users import append_only, first_roles
from users.models import Customer, Role, User
from users.tests import emptying, one_chain
from users.tests.world import World

emptying.install()
one_chain.install()

if TYPE_CHECKING:
    # Playwright is asked for by the tests in the browser alone: the others shouldn't wait for it.
    from playwright.sync_api import Browser, BrowserContext, Page

    from pbxadmin.tests.installation import Installation


def _has_real_transactions(request: pytest.FixtureRequest) -> bool:
    mark = request.node.get_closest_marker("django_db")
    return bool(
        {"transactional_db", "live_server"} & set(request.fixturenames)
        or (mark and mark.kwargs.get("transaction"))
    )


@pytest.fixture(autouse=True)
def _tables_that_can_be_emptied(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests with real transactions empty every table afterwards: the roles must come back, the history must let go."""
    if not _has_real_transactions(request):
        yield
        return
    request.getfixturevalue("transactional_db")
    if not Role.objects.exists():
        first_roles.add_roles(apps, None)
    with connection.schema_editor() as editor:
        append_only.remove(editor)
        append_only.install(editor)
    yield
    with connection.schema_editor() as editor:
        append_only.remove(editor)


# One fixture for all that each test begins with: eight thousand tests pay for each.
@pytest.fixture(autouse=True)
def _as_nobody_was_there_before() -> Iterator[None]:
    """The language is the portal's, whatever a page of the test before was read in; and what others tried counts for none.

    All come from one address: what is forgotten are blocked addresses, limits, a resting cache. Whom a test signs in (`force_login`) has
    given their password this moment, as on the page; a test may make that old.
    """
    translation.activate(settings.LANGUAGE_CODE)
    cache.clear()
    throttle._resting_until = 0.0

    def given(request: Any, **facts: Any) -> None:
        request.session.setdefault(PASSWORD_AT, int(time()))

    user_logged_in.connect(given, dispatch_uid="tests")
    yield
    user_logged_in.disconnect(dispatch_uid="tests")


@pytest.fixture(scope="session")
def known(django_db_setup: None, django_db_blocker: Any) -> World:
    """Who is known to all tests; there in none before it names them."""
    with django_db_blocker.unblock():
        return World()


@pytest.fixture
def boreale(known: World, db: None) -> Customer:
    """The customer Clinique Boréale."""
    return known.customer("boreale")


@pytest.fixture
def laurier(known: World, db: None) -> Customer:
    """Another customer, whose things nobody of Boréale may see."""
    return known.customer("laurier")


@pytest.fixture
def amelie(known: World, boreale: Customer) -> User:
    """Amélie Tremblay, 101, receptionist in Accueil."""
    return known.person("amelie", boreale)


@pytest.fixture
def felix(known: World, boreale: Customer) -> User:
    """Félix Gagnon, 102, system owner."""
    return known.person("felix", boreale)


@pytest.fixture
def ines(known: World, boreale: Customer) -> User:
    """Inès Roy, 103, administrator of the department Soins."""
    return known.person("ines", boreale)


@pytest.fixture
def staff(known: World, db: None) -> User:
    """Somebody of the provider's support."""
    return known.staff()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Installation"]:
    """One installation as `./run` makes it, for all tests in the browser."""
    from pbxadmin.tests.installation import running

    with running(tmp_path_factory.mktemp("installation") / "var") as found:
        yield found


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """One Chromium for all tests in the browser."""
    from pbxadmin.tests.installation import chromium

    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def reader(browser: "Browser") -> Iterator["BrowserContext"]:
    """A browser of somebody whose pages find style sheets and scripts where the ones before left them."""
    from pbxadmin.tests.installation import USUAL

    context = browser.new_context(**USUAL)
    context.new_page()  # empty for good, for `forget`
    yield context
    context.close()


@pytest.fixture
def page(reader: "BrowserContext", installation: "Installation") -> Iterator["Page"]:
    """A page of nobody in particular, whose console is to say nothing."""
    from pbxadmin.tests.installation import forget, watched_page

    with watched_page(reader) as found:
        yield found
        forget(reader, installation.url)


# Marks that say why: a test that is left out of the inner loop, or that costs a second run, has a reason.
REASONED = ("slow", "both_databases")
# Marks whose tests `./test` finds by the files in which they stand.
FOUND_BY_FILE = ("browser", "both_databases")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a mark that gives no reason, and one from elsewhere, whose file `./test` wouldn't find."""
    texts: dict[Path, str] = {}
    for item in items:
        for name in FOUND_BY_FILE:
            if item.get_closest_marker(name):
                if item.path not in texts:
                    texts[item.path] = item.path.read_text("utf-8")
                if f"mark.{name}" not in texts[item.path]:
                    raise pytest.UsageError(f"{item.nodeid}: `mark.{name}` doesn't stand in its file")
        for name in REASONED:
            for mark in item.iter_markers(name):
                if not (mark.args and isinstance(mark.args[0], str)):
                    raise pytest.UsageError(f"{item.nodeid}: the mark `{name}` says why")


def pytest_collection_finish() -> None:
    """Let the collector of garbage leave alone what stays until the end (all the code, every test), and come as rarely as in production."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
