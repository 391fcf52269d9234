"""Parts of a page: whatever a tab's form has is drawn, under the heading where its column stands."""

import pytest
from django import forms

from pbxadmin.common.columns import Column, Scope
from pbxadmin.common.parts import Part
from pbxadmin.common.sections import Section


class Words(Column):
    """Some text."""

    def form_field(self, scope):
        return forms.CharField(label=self.label)


def section(names, parts=(), **settings):
    columns = tuple(Words(name, label=name, **settings.get(name, {})) for name in names.split())
    return Section(slug="line", title="Line", intro="Said beside it.", columns=columns, parts=parts)


def drawn(section, **settings):
    return [
        (str(part.part.title), [bound.name for bound in part.fields], [[bound.name for bound in inner.fields] for inner in part.parts])
        for part in section.form(Scope(None, None), **settings).parts
    ]  # fmt: skip


def test_a_tab_without_parts_stands_under_its_title_with_its_intro():
    form = section("name number").form(Scope(None, None))
    (part,) = form.parts
    assert (part.part.title, part.part.note) == ("Line", "Said beside it.")
    assert [bound.name for bound in part.fields] == ["name", "number"]


def test_a_new_column_is_drawn_where_it_stands_without_being_named():
    parts = (Part("name"), Part("codec", "Voice", parts=(Part("volume", "Loud"), Part("tone"))))
    before = section("name codec volume tone", parts)
    assert drawn(before) == [("Line", ["name"], []), ("Voice", ["codec"], [["volume"], ["tone"]])]
    after = section("first name second codec third volume tone fourth", parts)
    assert drawn(after) == [
        ("Line", ["first", "name", "second"], []),
        ("Voice", ["codec", "third"], [["volume"], ["tone", "fourth"]]),
    ]


def test_a_heading_with_nothing_below_it_is_not_drawn():
    parts = (Part("name"), Part(title="Voice", parts=(Part("codec", "Codec"), Part("volume", "Loud"))))
    whole = section("name codec volume", parts)
    assert drawn(whole, only=lambda column: column.name != "codec") == [("Line", ["name"], []), ("Voice", [], [["volume"]])]  # fmt: skip
    assert drawn(whole, only=lambda column: column.name == "name") == [("Line", ["name"], [])]
    missing = section("name codec", (Part("name"), Part("codec", "Voice")), codec={"absent": lambda scope: "Not here."})  # fmt: skip
    assert drawn(missing) == [("Line", ["name"], [])]


@pytest.mark.parametrize(
    "parts",
    [(Part("nothing"),), (Part("number"), Part("name")), (Part("name"), Part("name"))],
    ids=["no such column", "not in order", "twice"],
)
def test_parts_that_do_not_fit_their_columns_stop_the_start(parts):
    with pytest.raises(ValueError, match="line"):
        section("name number", parts)
