"""What every page of the desk beside its lists has: its address, its door, its line in the menu and Django's frame around it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse

from pbxadmin.common.columns import Text

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Page:
    """One page: its address below /support/, the name of that in the namespace "admin", and how the menu calls it ("" leaves it out).

    Without a view it is a page of the portal, for the menu alone.
    """

    route: str
    name: str
    view: View | None
    label: Text = ""

    @property
    def url(self) -> str:
        """Where it is, for a page of the menu, whose address has no parts."""
        return reverse(f"admin:{self.name}" if self.view else self.name)


# In the order of the menu. `SupportSite` puts its door before each of them.
PAGES: list[Page] = []


def page(route: str, name: str, label: Text = "") -> Callable[[View], View]:
    """Make a view a page of the desk; its module is imported by `support.admin`."""

    def register(view: View) -> View:
        PAGES.append(Page(route, name, view, label))
        return view

    return register


def of_the_portal(name: str, label: Text) -> None:
    """Offer a page of the portal in the menu, by the name of its address."""
    PAGES.append(Page("", name, None, label))


def menu() -> list[Page]:
    """The pages that the menu offers."""
    return [page for page in PAGES if page.label]


def show(request: HttpRequest, template: str, facts: Mapping[str, Any], status: int = 200) -> HttpResponse:
    """A page in the desk's frame; its template extends `admin/base_site.html`, and `facts` has its "title"."""
    return TemplateResponse(request, template, {**admin.site.each_context(request), **facts}, status=status)
