"""Every page to a parser that builds the tree a browser builds: what stands in the template is what the reader gets."""

import html5lib
import pytest

from pbxadmin.tests.test_doors import DOORS, addresses_of, world  # noqa: F401

pytestmark = pytest.mark.slow("every page")

# What says that an element was dropped, closed early or moved elsewhere.
MOVED = {
    "unexpected-start-tag",
    "unexpected-start-tag-implies-end-tag",
    "unexpected-start-tag-implies-table-voodoo",
    "unexpected-end-tag",
    "unexpected-end-tag-implies-table-voodoo",
    "unexpected-form-in-table",
    "unexpected-implied-end-tag",
    "unexpected-cell-end-tag",
    "unexpected-cell-in-table-body",
    "unexpected-hidden-input-in-table",
    "unexpected-char-implies-table-voodoo",
    "foster-parenting-character",
    "end-tag-too-early",
    "end-tag-too-early-named",
    "end-tag-too-early-ignored",
    "adoption-agency-1.1",
    "adoption-agency-1.2",
    "adoption-agency-1.3",
    "duplicate-attribute",
    "expected-closing-tag-but-got-eof",
    "non-void-element-with-trailing-solidus",
}


def wrong_in(html: str) -> list[str]:
    """What a parser does otherwise than it is written: "line: error tag"."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    parser.parse(html)
    return [
        f"{line}: {error} {facts.get('name', '')}"
        for (line, _column), error, facts in parser.errors
        if error in MOVED
    ]


def test_a_form_within_a_form_and_a_block_within_a_sentence_are_found() -> None:
    start = "<!doctype html><title>x</title>"
    assert wrong_in(f"{start}<form><form></form></form>")
    assert wrong_in(f"{start}<table><form><tr><td></td></tr></form></table>")
    assert wrong_in(f"{start}<p><div></div></p>")
    assert wrong_in(f"{start}<form></form><form><p><span>1</span></p></form>") == []


@pytest.mark.parametrize("part", range(2))
def test_no_page_nests_forms_or_is_put_together_otherwise_than_it_is_written(world, part):  # noqa: F811
    clients, arguments, more = world
    wrong, parsed = {}, 0
    for name in list(DOORS)[part::2]:
        for person in ("owner", "support", "stranger"):
            for url in addresses_of(name, arguments, more):
                page = clients[person].get(url)
                if page.status_code == 200 and page.headers["Content-Type"].startswith("text/html"):
                    text = page.content.decode()
                    if not text.lstrip().startswith("<!doctype"):
                        text = f"<!doctype html><title>part</title>{text}"  # what htmx puts into a page
                    parsed += 1
                    if found := wrong_in(text):
                        wrong[f"{person} {url}"] = found
    assert wrong == {}
    assert parsed > 40
