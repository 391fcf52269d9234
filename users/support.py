"""The support desk at /support/: Django's admin as a door for the provider's staff, with the portal's own locks."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from users import second_factor


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
        return bool(user.is_authenticated and user.is_active and user.is_staff and second_factor.is_verified(request))

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """There is one sign-in, the portal's; who comes here has passed it, and either belongs here or doesn't."""
        if self.has_permission(request):
            return redirect("admin:index")
        raise PermissionDenied(_("This page is for the provider's support staff."))

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The portal's own way out."""
        from users.views.signin import sign_out

        return sign_out(request)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The portal's own page."""
        return redirect("own_password")

    def password_change_done(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The portal's own page."""
        return redirect("own_page")

    def registered(self) -> Iterable[type[Model]]:
        """The tables that have pages here."""
        return self._registry.keys()
