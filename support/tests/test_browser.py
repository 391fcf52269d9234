"""The support desk in the browser's hands."""

import pytest
from playwright.sync_api import Page

from pbxadmin.tests.installation import Installation

pytestmark = pytest.mark.browser


def test_no_table_of_the_desk_is_clipped(installation: Installation, page: Page) -> None:
    installation.sign_in_as_support(page)
    clipped = []
    for width in (1024, 1280, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        for table in ("users/user", "users/customer", "users/department", "users/did", "phones/phone"):
            page.goto(f"{installation.url}/support/{table}/")
            if page.evaluate(
                "() => { const box = document.querySelector('.results'); return box && box.scrollWidth > box.clientWidth + 1 }"
            ):
                clipped.append((width, table))
    assert clipped == []
