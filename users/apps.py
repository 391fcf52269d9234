"""The users app: customers, departments, people, roles; their changes and their history."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    """The lowest app: the others know it, it knows none of them."""

    name = "users"
    verbose_name = _("Customers and users")

    def ready(self) -> None:
        """Make the descriptions of this app's tables known to the road of changes, and listen to it."""
        from django.urls import reverse

        from users.company import ownership, sheets
        from users.mail import links
        from users.people import actions, team
        from users.people.endings import sessions_and_links_end
        from users.people.sections import user_sheet
        from users.road import register
        from users.signals import changed

        register(user_sheet())
        sheets.register()
        actions.register_all()
        team.register()
        ownership.register()
        links.register(links.Kind.APP, lambda token: reverse("app_config", args=[token]))
        changed.connect(sessions_and_links_end, dispatch_uid="users.people.endings")
