"""What people and departments have said about their calls and their hours: forwarding rules, periods, holidays."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.destination_field import DestinationField
from pbxadmin.common.fields import OneLineField, YesNoField
from pbxadmin.common.scoping import ScopedManager
from pbxadmin.common.values.destinations import SAME, VOICEMAIL, Kind, Side
from users.models import STATUS_CHOICES, Department, User

# Where a rule sends calls, by whom they are from. Only calls from outside are sent to somebody's own mobile.
FROM_OUTSIDE = ("no_answer_external", "busy_external", "not_registered_external", "divert_external")
FROM_INSIDE = ("no_answer_internal", "busy_internal", "not_registered_internal", "divert_internal")


def names_number() -> Q:
    """The rules that send some calls to an outside number."""
    condition = Q()
    for name in (*FROM_OUTSIDE, *FROM_INSIDE):
        condition |= Q(**{f"{name}__startswith": f"{Kind.EXTERNAL}:"})
    return condition


def names_mobile() -> Q:
    """The rules that send some calls to the person's mobile, or ring it along, whether or not there is one."""
    condition = Q(ring_mobile=True)
    for name in FROM_OUTSIDE:
        condition |= Q(**{f"{name}__startswith": str(Kind.MOBILE)})
    return condition


class ForwardingRule(models.Model):
    """What one of the five statuses of a person does with calls; every person has five, from their first moment.

    An available status rings and then follows `no_answer_*`, `busy_*` or `not_registered_*`; an away status follows
    `divert_*` at once. Columns of the other type keep their default. `not_registered_*` is written together with
    `busy_*`: the guide has one choice for both.
    """

    customer_path = "user__customer"

    user = models.ForeignKey(User, models.CASCADE, related_name="forwarding_rules", editable=False)
    status = models.CharField(_("Status"), max_length=16, choices=STATUS_CHOICES, editable=False)
    custom_message = OneLineField(
        _("Custom status message"),
        max_length=128,
        blank=True,
        help_text=_("Adds a message to the status, to clarify a situation or personalise the profile."),
    )
    no_answer_seconds = models.PositiveSmallIntegerField(
        _("No answer delay"),
        default=20,
        validators=[MinValueValidator(5), MaxValueValidator(300)],
        help_text=_("How long it rings before the caller is sent to the destination, 5 to 300 seconds."),
    )
    no_answer_external = DestinationField(_("Unanswered calls: external"), default=VOICEMAIL)
    no_answer_internal = DestinationField(_("Unanswered calls: internal"), side=Side.INTERNAL, default=SAME)
    busy_external = DestinationField(_("Busy or not registered: external"), default=VOICEMAIL)
    busy_internal = DestinationField(_("Busy or not registered: internal"), side=Side.INTERNAL, default=SAME)
    not_registered_external = DestinationField(_("Not registered: external"), default=VOICEMAIL)
    not_registered_internal = DestinationField(
        _("Not registered: internal"), side=Side.INTERNAL, default=SAME
    )
    divert_external = DestinationField(_("Forward external calls to"), default=VOICEMAIL)
    voicemail_out_of_hours_external = YesNoField(_("Voicemail outside office hours"), default=False)
    divert_internal = DestinationField(_("Forward internal calls to"), side=Side.INTERNAL, default=SAME)
    voicemail_out_of_hours_internal = YesNoField(_("Voicemail outside office hours"), default=False)
    ring_mobile = YesNoField(_("Ring my mobile simultaneously"), default=False)
    accept_multiple_calls = YesNoField(_("Accept multiple calls"), default=True)
    log_out_of_queues = YesNoField(_("Log out from queues"), default=False)
    accept_ring_group_calls = YesNoField(_("Accept ring group calls"), default=True)
    accept_push = YesNoField(_("Accept PUSH notifications"), default=True)
    # Not by import: the library of greetings is the voicemail app's. RESTRICT lets a person go together with their library.
    greeting = models.ForeignKey(
        "voicemail.Greeting",
        models.RESTRICT,
        null=True,
        blank=True,
        related_name="used_by_statuses",
        verbose_name=_("Greeting"),
        help_text=_("What callers hear when this person's voicemail answers."),
    )

    objects = ScopedManager()

    class Meta:
        verbose_name = _("forwarding rule")
        verbose_name_plural = _("forwarding rules")
        constraints = [models.UniqueConstraint(fields=["user", "status"], name="rule_once_per_status")]
        # The few of all customers that lead out of the house, for whoever looks after them all.
        indexes = [
            models.Index(fields=["user"], name="rule_outside", condition=names_number() | names_mobile())
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()} · {self.user_id}"


class Period(models.Model):
    """A stretch of every week, in the local time of a department: office hours, or a break in them."""

    class Kind(models.TextChoices):
        """What it says of the time."""

        OPEN = "open", _("Office hours")
        BREAK = "break", _("Break hours")

    kind = models.CharField(_("type"), max_length=5, choices=Kind.choices)
    weekday = models.PositiveSmallIntegerField(_("weekday"), validators=[MaxValueValidator(6)])  # Monday is 0
    start = models.TimeField(_("from"))
    # At or before the start: after midnight. 00:00 is what a form shows as 24:00.
    end = models.TimeField(_("to"))

    class Meta:
        abstract = True
        ordering = ["weekday", "start"]

    def __str__(self) -> str:
        return f"{self.kind} {self.weekday} {self.start:%H:%M}-{self.end:%H:%M}"


class UserPeriod(Period):
    """The own hours of a person who doesn't follow their department's."""

    customer_path = "user__customer"

    user = models.ForeignKey(User, models.CASCADE, related_name="periods")

    objects = ScopedManager()

    class Meta(Period.Meta):
        constraints = [
            models.UniqueConstraint(fields=["user", "kind", "weekday", "start"], name="user_period_once")
        ]


class DepartmentPeriod(Period):
    """The hours of a department."""

    customer_path = "department__customer"

    department = models.ForeignKey(Department, models.CASCADE, related_name="periods")

    objects = ScopedManager()

    class Meta(Period.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["department", "kind", "weekday", "start"], name="department_period_once"
            )
        ]


class Holiday(models.Model):
    """Days on which a department is closed, whatever its hours say; both ends included."""

    customer_path = "department__customer"

    department = models.ForeignKey(Department, models.CASCADE, related_name="holidays")
    first = models.DateField(_("first day"))
    last = models.DateField(_("last day"))
    name = OneLineField(_("name"), max_length=80, blank=True)
    yearly = YesNoField(_("every year"), default=False)

    objects = ScopedManager()

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        ordering = ["first", "name"]
        constraints = [models.CheckConstraint(name="holiday_forward", condition=Q(last__gte=F("first")))]

    def __str__(self) -> str:
        return f"{self.name} {self.first}"
