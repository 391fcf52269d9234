"""What the history notes of people and is no column of theirs: of the provider's support staff, who have none of the tabs."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from pbxadmin.common.sections import Noted
from users.models import StaffLevel

LEVEL, ACCOUNT = "staff_level", "staff_account"
ACTIVE, DISABLED = "active", "disabled"

NOTED: Mapping[str, Noted] = {
    LEVEL: Noted(_("Level"), dict(StaffLevel.choices)),
    ACCOUNT: Noted(_("Account"), {ACTIVE: _("Active"), DISABLED: _("Disabled")}),
}
