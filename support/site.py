"""The support desk at /support/: Django's admin as a door for the provider's staff, with the portal's own locks."""

from collections.abc import Iterable
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.urls.resolvers import RegexPattern
from django.utils.translation import gettext_lazy as _
from django.views.i18n import JavaScriptCatalog

from signin import second_factor
from support.pages import frame


class SupportSite(AdminSite):
    """Support staff alone, with their second factor given; and only pages that write by the road of changes, or not at all."""

    site_title = _("Support desk")
    site_header = _("Support desk")
    index_title = _("All customers")
    site_url = "/customers"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # It would delete rows where nobody is asked and nothing is remembered.
        self.disable_action("delete_selected")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Take pages of ours; what a library offers for its own tables isn't shown, because it writes by itself."""
        if not getattr(admin_class, "keeps_to_the_road", False):
            return
        super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Asked again by every page, although the middleware has asked before."""
        user = request.user
        return bool(
            user.is_authenticated and user.is_active and user.is_staff and second_factor.is_verified(request)
        )

    # An unknown address is the portal's to answer.
    final_catch_all_view = False

    def get_urls(self) -> list[Any]:
        """Django's, with the pages of one app under a plain path: every address can be listed, and tested, by its pattern."""
        ours = [
            path(page.route, self.admin_view(page.view), name=page.name) for page in frame.PAGES if page.view
        ]
        found = [entry for entry in super().get_urls() if not isinstance(entry.pattern, RegexPattern)]
        return [*ours, *found, path("<slug:app_label>/", self.admin_view(self.app_index), name="app_list")]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """With our own pages for the menu."""
        return {**super().each_context(request), "desk_pages": frame.menu()}

    def index(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """What needs somebody now; the lists stand in the menu, as on every page."""
        from support.pages import start

        return super().index(request, {**start.facts_of(request), **(extra_context or {})})

    def i18n_javascript(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Django's words for its scripts, and ours over them (`support/locale`)."""
        answer: Any = JavaScriptCatalog.as_view(packages=["django.contrib.admin", "support"])(request)
        return answer

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """A page of the desk. Whoever is signed in and doesn't belong here is told so, rather than asked to sign in again."""
        inside = super().admin_view(view, cacheable)

        @wraps(inside)
        def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not self.has_permission(request):
                raise PermissionDenied(_("This page is for the provider's support staff."))
            return inside(request, *args, **kwargs)

        return door

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """There is one sign-in, the portal's; who comes here has passed it, and either belongs here or doesn't."""
        if self.has_permission(request):
            return redirect("admin:index")
        raise PermissionDenied(_("This page is for the provider's support staff."))

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The portal's own way out."""
        from signin.views.signin import sign_out

        asked: Any = request
        return sign_out(asked)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The portal's own page."""
        return redirect("own_password")

    def password_change_done(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The portal's own page."""
        return redirect("own_page")

    def registered(self) -> Iterable[type[Model]]:
        """The tables that have pages here."""
        return self._registry.keys()
