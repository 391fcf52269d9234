"""The files app: people, and what else a customer has, out into files and in from them."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FilesConfig(AppConfig):
    """It knows the sheets of the apps below; what they show of it, it makes known to them."""

    name = "files"
    verbose_name = _("Files")

    def ready(self) -> None:
        """Say where the list of people leads to for a file of them, and make known what workers do with files."""
        from files import uploads  # noqa: F401 - registers its works
        from files.number_lists import text_of
        from users.company import number_list
        from users.people import exports

        number_list.READERS.append(text_of)
        exports.register("file_export")
