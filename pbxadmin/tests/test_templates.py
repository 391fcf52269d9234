"""Templates stay cheap to render, and fit on a screen."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import render
from django.template.base import Node
from django.test import Client

from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully
from users.models import Customer
from users.people.sections import user_sheet
from users.tests.factories import make_user

pytestmark = pytest.mark.slow("opens page after page")

LONGEST_LINE = 140
# An opened tab asks for that many times what the frame without content asks for, at most.
TIMES_THE_FRAME = 5


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many nodes of Django's template language are rendered meanwhile, which is what a page costs beside its queries."""
    count = [0]
    render_node = Node.render_annotated

    def one_more(node: Node, context: object) -> object:
        count[0] += 1
        return render_node(node, context)

    with monkeypatch.context() as patch:
        patch.setattr(Node, "render_annotated", one_more)
        yield count


@pytest.mark.parametrize("slug", [section.slug for section in user_sheet().sections])
def test_opening_a_tab_costs_at_most_five_times_the_frame_without_content(
    slug: str, boreale: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = make_user(boreale, "102", role="system_owners")
    person = make_user(boreale, "101")
    make_phone(boreale, person, "805ec0aabb01")
    client = sign_in_fully(Client(), owner)
    url = f"/c/{boreale.slug}/users/{person.number}/{slug}"
    response = client.get(url)
    request: HttpRequest = response.wsgi_request
    with counted(monkeypatch) as frame:
        render(request, "base.html")
    with counted(monkeypatch) as tab:
        assert client.get(url).status_code == 200
    assert tab[0] <= TIMES_THE_FRAME * frame[0]


def test_no_line_of_a_template_is_longer_than_a_screen_is_wide() -> None:
    folder = Path(settings.BASE_DIR) / "templates"
    long = [
        f"{path.relative_to(folder)}:{number}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > LONGEST_LINE
    ]
    assert long == []


def test_what_deletes_looks_like_what_it_is() -> None:
    """A button or link with the bin is red wherever it stands, by one of the classes that make it so."""
    folder = Path(settings.BASE_DIR) / "templates"
    found = [
        (path.name, tag)
        for path in sorted(folder.rglob("*.html"))
        for tag in re.findall(
            r'<(?:a|button)\b((?:(?!<(?:a|button)\b).)*?)\{% icon "trash" %\}', path.read_text(), re.DOTALL
        )
    ]
    assert len(found) > 5
    assert [
        place for place in found if not re.search(r'class="[^"]*\b(btn-danger|danger|delete)\b', place[1])
    ] == []
