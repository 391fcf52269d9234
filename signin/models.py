"""Second factors, linked accounts, the count of failed sign-ins, and the addresses from which people have signed in."""

import hmac
import re
from datetime import datetime, timedelta
from time import time
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, ThrottlingMixin, VerifyNotAllowed
from django_otp.oath import TOTP

from pbxadmin.common.crypto import EncryptedTextField, Reader, plain


class TotpDevice(ThrottlingMixin, Device):
    """An authenticator app (RFC 6238: SHA-1, six digits, 30 seconds). Its key is encrypted, unlike the
    library's own table's."""

    # Wrong codes that cost nothing; from then on each one doubles the wait, up to a limit that a person can
    # sit out.
    FREE_FAILURES = 5
    FIRST_WAIT = 10  # seconds
    LONGEST_WAIT = 300  # seconds: at most 12 guesses an hour, each right with 3 in 1,000,000

    key = EncryptedTextField(editable=False, readers=(Reader.CHECK,))  # hex
    # The time step of the last code that was accepted: a code works once.
    last_step = models.BigIntegerField(default=-1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(Device.Meta):
        verbose_name = _("authenticator app")
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(confirmed=True), name="one_app_per_user"
            )
        ]

    @staticmethod
    def matching_step(key: str, code: str, after: int = -1) -> int | None:
        """The time step of which `code` is the code of `key` (hex): now, one before or one after, but
        later than `after`."""
        if not re.fullmatch(r"[0-9]{6}", code):  # not \d: Arabic-Indic digits are digits to Python as well
            return None
        now = time()
        for drift in (-1, 0, 1):
            totp = TOTP(bytes.fromhex(key), drift=drift)
            totp.time = now
            if totp.t() > after and hmac.compare_digest(f"{totp.token():06}", code):
                return totp.t()
        return None

    def waits_until(self) -> datetime | None:
        """When the next code may be tried; None when one may be tried now."""
        if self.throttling_failure_count < self.FREE_FAILURES or self.throttling_failure_timestamp is None:
            return None
        doubled = min(self.throttling_failure_count - self.FREE_FAILURES, 10)
        until = self.throttling_failure_timestamp + timedelta(
            seconds=min(self.FIRST_WAIT * 2**doubled, self.LONGEST_WAIT)
        )
        return until if until > timezone.now() else None

    def verify_is_allowed(self) -> tuple[bool, dict[str, Any] | None]:
        """The library's question; the waits are ours, because its own grow without a limit and shut
        people out."""
        if until := self.waits_until():
            return False, {
                "reason": VerifyNotAllowed.N_FAILED_ATTEMPTS,
                "failure_count": self.throttling_failure_count,
                "locked_until": until,
            }
        return True, None

    def verify_token(self, token: str, *, counted: bool = True) -> bool:
        """Whether `token` is a code that holds now and was never used. Call it with the row locked, as
        the library does. `counted`: on this row; not where the caller counts otherwise."""
        if counted and self.waits_until():
            return False
        step = self.matching_step(plain(self, TotpDevice.key, Reader.CHECK), token, self.last_step)
        # The condition stands in the statement too: of two requests that carry the same code, one writes.
        if step is not None and TotpDevice.objects.filter(pk=self.pk, last_step__lt=step).update(
            last_step=step, throttling_failure_count=0, throttling_failure_timestamp=None
        ):
            self.last_step, self.throttling_failure_count, self.throttling_failure_timestamp = step, 0, None
            return True
        if counted:
            self.count_failure()
        return False

    def count_failure(self) -> None:
        """Remember one more wrong code, whatever session it came from."""
        self.throttle_increment(commit=False)
        TotpDevice.objects.filter(pk=self.pk).update(
            throttling_failure_count=models.F("throttling_failure_count") + 1,
            throttling_failure_timestamp=self.throttling_failure_timestamp,
        )

    def forgive(self) -> None:
        """Forget the wrong codes, after a right backup code."""
        self.throttle_reset(commit=False)
        TotpDevice.objects.filter(pk=self.pk).update(
            throttling_failure_count=0, throttling_failure_timestamp=None
        )

    def get_throttle_factor(self) -> int:
        """Only tells the library that there is throttling."""
        return 1


class BackupCode(models.Model):
    """One of ten one-time codes for the day the phone is lost: only a keyed hash is kept."""

    user = models.ForeignKey("users.User", models.CASCADE, related_name="backup_codes")
    code_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "code_hash"], name="backup_code_once")]

    def __str__(self) -> str:
        return f"backup code of {self.user_id}"


class SignInAttempt(models.Model):
    """A sign-in that failed (or is still being checked): counted per account and address, deleted when
    it succeeds."""

    at = models.DateTimeField(auto_now_add=True)
    login = models.CharField(
        max_length=64
    )  # keyed hash of the account, or of what was typed: passwords get typed here too
    address = models.CharField(max_length=45)  # of an IPv6 visitor their /64 network

    class Meta:
        indexes = [
            models.Index(fields=["login", "at"], name="attempt_by_login"),
            models.Index(fields=["address", "at"], name="attempt_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.address} at {self.at}"


class KnownAddress(models.Model):
    """An address from which a person has signed in: whoever guesses their password elsewhere can't shut
    them out there."""

    user = models.ForeignKey("users.User", models.CASCADE, related_name="known_addresses")
    address = models.CharField(max_length=45)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "address"], name="known_address_once")]

    def __str__(self) -> str:
        return f"{self.address} of {self.user_id}"


class LinkedAccount(models.Model):
    """A person's account at Microsoft or Google with which they may sign in, by what never changes there: issuer and subject.

    `email` is the address that the person had in the portal when it was linked. When the portal's changes (the extension
    went to somebody else), the link holds no more.
    """

    class Provider(models.TextChoices):
        """Where the account is."""

        MICROSOFT = "microsoft", "Microsoft"
        GOOGLE = "google", "Google"

    customer = models.ForeignKey("users.Customer", models.CASCADE, related_name="+")
    user = models.ForeignKey("users.User", models.CASCADE, related_name="linked_accounts")
    provider = models.CharField(max_length=10, choices=Provider.choices)
    issuer = models.CharField(max_length=200)
    subject = models.CharField(max_length=255)
    email = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("linked account")
        constraints = [
            models.UniqueConstraint(fields=["customer", "issuer", "subject"], name="account_of_one_person"),
            models.UniqueConstraint(fields=["user", "provider"], name="one_account_per_provider"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} of {self.user_id}"
