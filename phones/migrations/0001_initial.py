"""Phones, keys and SBCs, as tables."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import pbxadmin.common.crypto
import pbxadmin.common.fields
import pbxadmin.common.searching
import phones.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("users", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Sbc",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", pbxadmin.common.fields.OneLineField(max_length=80, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[("sbc", "SBC"), ("router", "Router phone")],
                        default="sbc",
                        max_length=8,
                        verbose_name="type",
                    ),
                ),
                (
                    "identifier",
                    pbxadmin.common.fields.OneLineField(blank=True, max_length=40, verbose_name="identifier"),
                ),
                (
                    "address",
                    models.GenericIPAddressField(blank=True, null=True, verbose_name="local address"),
                ),
                (
                    "port",
                    models.PositiveIntegerField(
                        default=5060,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(65535),
                        ],
                        verbose_name="SIP port",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sbcs",
                        to="users.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "SBC",
                "verbose_name_plural": "SBCs",
                "ordering": [pbxadmin.common.searching.Folded("name")],
            },
        ),
        migrations.CreateModel(
            name="Phone",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sidecars", models.PositiveSmallIntegerField(default=0, verbose_name="Key modules")),
                (
                    "connection",
                    models.CharField(
                        choices=[
                            ("lan", "Local network"),
                            ("direct", "Direct"),
                            ("sbc", "Through an SBC or router phone"),
                        ],
                        default="lan",
                        help_text="How the phone reaches the phone system.",
                        max_length=6,
                        verbose_name="Connection",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        help_text="Language of the phone's display. Blank: the department's.",
                        max_length=5,
                        verbose_name="Language",
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        blank=True,
                        help_text="Blank: the department's.",
                        max_length=50,
                        verbose_name="Time zone",
                    ),
                ),
                (
                    "date_format",
                    models.CharField(
                        default="YYYY-MM-DD",
                        help_text="How the date is written on the phone's screen.",
                        max_length=12,
                        verbose_name="Date format",
                    ),
                ),
                (
                    "time_format",
                    models.CharField(
                        default="24",
                        help_text="Twenty-four hours, or twelve with AM and PM.",
                        max_length=2,
                        verbose_name="Time format",
                    ),
                ),
                (
                    "transfer_mode",
                    models.CharField(
                        choices=[("blind", "Blind"), ("attended", "Attended")],
                        default="attended",
                        help_text="“Blind” sends the call at once; “Attended” lets the user speak with the other person first.",
                        max_length=8,
                        verbose_name="Transfer method",
                    ),
                ),
                (
                    "power_led",
                    models.CharField(
                        choices=[
                            ("voicemail", "Voicemail only"),
                            ("voicemail_and_missed", "Voicemail and missed calls"),
                        ],
                        default="voicemail",
                        help_text="Whether the light also signals missed calls.",
                        max_length=20,
                        verbose_name="Power LED notifications",
                    ),
                ),
                (
                    "screensaver_seconds",
                    models.PositiveIntegerField(
                        default=600,
                        help_text="How long the phone is idle before the screen saver starts.",
                        verbose_name="Screensaver timeout",
                    ),
                ),
                (
                    "backlight_seconds",
                    models.PositiveIntegerField(
                        default=600,
                        help_text="How long the phone is idle before its screen goes dark.",
                        verbose_name="Backlight timeout",
                    ),
                ),
                (
                    "lldp",
                    pbxadmin.common.fields.YesNoField(
                        default=True,
                        help_text="Link Layer Discovery Protocol, by which the network recognises devices.",
                        verbose_name="LLDP",
                    ),
                ),
                (
                    "logo",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="PNG, JPEG, GIF, BMP or WebP, up to 5 MB. The whole picture is fitted to the screen, on white.",
                        max_length=64,
                        verbose_name="Logo of the phone",
                    ),
                ),
                (
                    "ringtone",
                    models.CharField(
                        default="ring1",
                        help_text="The ringtone for every call that doesn't come from a queue.",
                        max_length=40,
                        verbose_name="Call ringtone",
                    ),
                ),
                (
                    "queue_ringtone",
                    models.CharField(
                        default="ring2",
                        help_text="The ringtone for queue calls, to tell them from the others.",
                        max_length=40,
                        verbose_name="Queue ringtone",
                    ),
                ),
                (
                    "codecs",
                    models.CharField(
                        default="G722,PCMU,PCMA,G729",
                        help_text="The first one that both sides support is used.",
                        max_length=40,
                        validators=[phones.models.codecs_in_order],
                        verbose_name="Codecs",
                    ),
                ),
                (
                    "vlan_wan_enabled",
                    pbxadmin.common.fields.YesNoField(
                        default=False,
                        help_text="The phone's main network port: its calls then travel in this VLAN.",
                        verbose_name="Enable VLAN for the WAN port",
                    ),
                ),
                (
                    "vlan_wan_id",
                    models.PositiveSmallIntegerField(
                        default=1,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(4094),
                        ],
                        verbose_name="VLAN ID (WAN)",
                    ),
                ),
                (
                    "vlan_wan_priority",
                    models.PositiveSmallIntegerField(
                        default=0,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(7),
                        ],
                        verbose_name="VLAN priority (WAN)",
                    ),
                ),
                (
                    "vlan_pc_enabled",
                    pbxadmin.common.fields.YesNoField(
                        default=False,
                        help_text="The port to which a computer is connected behind the phone.",
                        verbose_name="Enable VLAN for the PC port",
                    ),
                ),
                (
                    "vlan_pc_id",
                    models.PositiveSmallIntegerField(
                        default=1,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(4094),
                        ],
                        verbose_name="VLAN ID (PC)",
                    ),
                ),
                (
                    "vlan_pc_priority",
                    models.PositiveSmallIntegerField(
                        default=0,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(7),
                        ],
                        verbose_name="VLAN priority (PC)",
                    ),
                ),
                (
                    "mac",
                    models.CharField(
                        max_length=12,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[0-9a-f]{12}\\Z",
                                "Twelve hexadecimal digits, for example 80:5E:C0:12:34:56.",
                                code="mac_form",
                            )
                        ],
                        verbose_name="MAC address",
                    ),
                ),
                (
                    "model",
                    models.CharField(
                        help_text="As it is printed on the back of the phone; it decides what can be chosen here.",
                        max_length=40,
                        verbose_name="Phone model",
                    ),
                ),
                (
                    "web_password",
                    pbxadmin.common.crypto.EncryptedTextField(
                        editable=False, verbose_name="Web console password"
                    ),
                ),
                ("token", pbxadmin.common.crypto.EncryptedTextField(editable=False)),
                ("token_hash", models.CharField(editable=False, max_length=64, unique=True)),
                (
                    "previous_token_hash",
                    models.CharField(blank=True, default="", editable=False, max_length=64),
                ),
                (
                    "sip_port",
                    models.PositiveIntegerField(
                        default=5060,
                        editable=False,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(65535),
                        ],
                        verbose_name="SIP port",
                    ),
                ),
                (
                    "sip_transport",
                    models.CharField(
                        choices=[("udp", "UDP"), ("tcp", "TCP")], default="udp", editable=False, max_length=3
                    ),
                ),
                ("revision", models.PositiveBigIntegerField(default=1, editable=False)),
                ("stale_since", models.DateTimeField(db_index=True, editable=False, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("next_attempt_at", models.DateTimeField(editable=False, null=True)),
                (
                    "command",
                    models.CharField(
                        blank=True,
                        choices=[("resync", "Reprovision"), ("restart", "Restart")],
                        editable=False,
                        max_length=8,
                    ),
                ),
                ("command_at", models.DateTimeField(editable=False, null=True)),
                ("notified_at", models.DateTimeField(editable=False, null=True)),
                (
                    "notified_command",
                    models.CharField(
                        blank=True,
                        choices=[("resync", "Reprovision"), ("restart", "Restart")],
                        editable=False,
                        max_length=8,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("waiting", "waiting to be sent"),
                            ("accepted", "received by the phone"),
                            ("refused", "refused by the phone"),
                            ("silent", "no answer"),
                            ("unreachable", "not reachable"),
                        ],
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("outcome_detail", models.CharField(blank=True, editable=False, max_length=100)),
                ("fetched_at", models.DateTimeField(editable=False, null=True)),
                ("fetched_from", models.GenericIPAddressField(editable=False, null=True)),
                ("fetched_digest", models.CharField(blank=True, editable=False, max_length=64)),
                ("fetched_model", models.CharField(blank=True, default="", editable=False, max_length=40)),
                (
                    "fetched_text",
                    pbxadmin.common.crypto.EncryptedTextField(blank=True, default="", editable=False),
                ),
                ("heard_at", models.DateTimeField(editable=False, null=True)),
                (
                    "firmware",
                    models.CharField(
                        blank=True,
                        editable=False,
                        max_length=40,
                        validators=[django.core.validators.RegexValidator("^[0-9A-Za-z._-]*\\Z")],
                        verbose_name="Firmware",
                    ),
                ),
                ("seen_model", models.CharField(blank=True, editable=False, max_length=40)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "customer",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="phones",
                        to="users.customer",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="phones",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "sbc",
                    models.ForeignKey(
                        blank=True,
                        help_text="Phones outside the PBX's own network should ideally connect through an SBC.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="phones",
                        to="phones.sbc",
                        verbose_name="Router device (SBC)",
                    ),
                ),
            ],
            options={
                "verbose_name": "phone",
                "verbose_name_plural": "phones",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Key",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(240),
                        ]
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("blank", "Blank"),
                            ("line", "Line"),
                            ("blf", "BLF"),
                            ("speed_dial", "Speed dial"),
                            ("custom_speed_dial", "Custom speed dial"),
                            ("shared_parking", "Shared parking"),
                            ("agent", "Agent login/logout"),
                            ("status", "Change status"),
                            ("unknown", "Unknown type"),
                        ],
                        max_length=20,
                    ),
                ),
                ("value", models.TextField(blank=True)),
                ("first_name", pbxadmin.common.fields.OneLineField(blank=True, max_length=50)),
                ("last_name", pbxadmin.common.fields.OneLineField(blank=True, max_length=50)),
                (
                    "system",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="watched_by",
                        to="users.systemextension",
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="watched_by",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="keys",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "function key",
                "ordering": ["position"],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "position"), name="key_position_once")
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="sbc",
            constraint=models.UniqueConstraint(fields=("customer", "name"), name="sbc_name_once"),
        ),
        migrations.AddConstraint(
            model_name="sbc",
            constraint=models.UniqueConstraint(
                condition=models.Q(("identifier", ""), _negated=True),
                fields=("customer", "identifier"),
                name="sbc_identifier_once",
            ),
        ),
        migrations.AddIndex(
            model_name="phone",
            index=models.Index(
                condition=models.Q(("previous_token_hash", ""), _negated=True),
                fields=["previous_token_hash"],
                name="phone_previous_token",
            ),
        ),
        migrations.AddIndex(
            model_name="phone",
            index=models.Index(
                condition=models.Q(
                    ("fetched_from__isnull", False),
                    models.Q(("stale_since__isnull", False), ("command_at__isnull", False), _connector="OR"),
                ),
                fields=["next_attempt_at"],
                name="phone_outbox",
            ),
        ),
        migrations.AddIndex(
            model_name="phone",
            index=models.Index(
                condition=models.Q(
                    ("command_at__isnull", False),
                    ("stale_since__isnull", False),
                    ("notified_command", "restart"),
                    _connector="OR",
                ),
                fields=["id"],
                name="phone_under_way",
            ),
        ),
    ]
