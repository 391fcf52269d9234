"""Secret addresses that belong to a person: the one that configures their app, and the one that a new phone is sent to."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.crypto import EncryptedTextField, Reader
from pbxadmin.common.scoping import ScopedManager


class PersonalLink(models.Model):
    """An address under which the portal gives out a person's configuration to whoever holds it; one of each kind.

    Found by the fingerprint of its token; the token itself is kept too (encrypted), because people ask for it again.
    """

    class Kind(models.TextChoices):
        """What stands behind the address."""

        APP = "app", _("Configuration link of the app")
        RPS = "rps", _("RPS key")

    customer_path = "user__customer"

    user = models.ForeignKey("users.User", models.CASCADE, related_name="links")
    kind = models.CharField(max_length=4, choices=Kind.choices)
    token = EncryptedTextField(editable=False, readers=(Reader.PERSON,))
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)  # NULL: until it is reset
    uses_left = models.PositiveSmallIntegerField(null=True)  # NULL: as often as one likes

    objects = ScopedManager()

    class Meta:
        verbose_name = _("personal link")
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="personal_link_once")]

    def __str__(self) -> str:
        return f"{self.kind} link of {self.user_id}"

    @property
    def is_alive(self) -> bool:
        """Whether the address answers now, as far as time and uses go."""
        return (self.expires_at is None or self.expires_at > timezone.now()) and self.uses_left != 0
