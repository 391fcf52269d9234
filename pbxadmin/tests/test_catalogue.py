"""Catalogues are compiled without gettext, once per change, and as gettext itself would."""

import gettext
import os
from pathlib import Path

from django.test import override_settings

from pbxadmin.management.commands.compile_catalogue import compile_catalogues

SOURCE = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"

msgid "Save"
msgstr "Enregistrer"

#, fuzzy
msgid "Guess"
msgstr "Supposition"

msgid "%(count)s phone"
msgid_plural "%(count)s phones"
msgstr[0] "%(count)s téléphone"
msgstr[1] "%(count)s téléphones"
"""


def test_a_catalogue_is_compiled_when_its_source_is_newer(tmp_path: Path) -> None:
    source = tmp_path / "fr" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text(SOURCE)
    with override_settings(LOCALE_PATHS=[tmp_path]):
        assert compile_catalogues() == [source.with_suffix(".mo")]
        assert compile_catalogues() == []
        french = gettext.translation("django", tmp_path, ["fr"])
        assert french.gettext("Save") == "Enregistrer"
        assert french.gettext("Guess") == "Guess"
        assert french.ngettext("%(count)s phone", "%(count)s phones", 0) == "%(count)s téléphone"
        assert french.ngettext("%(count)s phone", "%(count)s phones", 2) == "%(count)s téléphones"
        source.write_text(SOURCE.replace("Enregistrer", "Sauvegarder"))
        later = source.with_suffix(".mo").stat().st_mtime + 1
        os.utime(source, (later, later))
        assert compile_catalogues() == [source.with_suffix(".mo")]
        assert gettext.GNUTranslations(source.with_suffix(".mo").open("rb")).gettext("Save") == "Sauvegarder"
    assert sorted(path.name for path in source.parent.iterdir()) == ["django.mo", "django.po"]
