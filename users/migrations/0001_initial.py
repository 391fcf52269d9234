"""Customers, their people, roles and history, as tables; the seven roles; and a history that nobody changes."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import pbxadmin.common.crypto
import pbxadmin.common.fields
import pbxadmin.common.searching
import users.models.customer
from users import append_only, first_roles


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="Customer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "microsoft_tenant_id",
                    models.CharField(
                        blank=True,
                        max_length=36,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\\Z",
                                "Enter the directory (tenant) ID as Microsoft Entra shows it, for example 3f2504e0-4f89-41d3-9a0c-0305e82c3301.",
                            ),
                            users.models.customer.no_personal_accounts,
                        ],
                        verbose_name="Directory (tenant) ID",
                    ),
                ),
                (
                    "microsoft_client_id",
                    models.CharField(
                        blank=True,
                        max_length=200,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[A-Za-z0-9._-]+\\Z",
                                "Letters, digits, dots and dashes only: copy the client ID as it is shown there.",
                            )
                        ],
                        verbose_name="Application (client) ID of Microsoft",
                    ),
                ),
                (
                    "microsoft_client_secret",
                    pbxadmin.common.crypto.EncryptedTextField(
                        blank=True,
                        default="",
                        max_length=500,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[!-~]+\\Z",
                                "A client secret contains no spaces or accented letters: copy its value exactly as the provider shows it.",
                            )
                        ],
                        verbose_name="Client secret of Microsoft",
                    ),
                ),
                (
                    "google_client_id",
                    models.CharField(
                        blank=True,
                        max_length=200,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[A-Za-z0-9._-]+\\Z",
                                "Letters, digits, dots and dashes only: copy the client ID as it is shown there.",
                            )
                        ],
                        verbose_name="Client ID of Google",
                    ),
                ),
                (
                    "google_client_secret",
                    pbxadmin.common.crypto.EncryptedTextField(
                        blank=True,
                        default="",
                        max_length=500,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[!-~]+\\Z",
                                "A client secret contains no spaces or accented letters: copy its value exactly as the provider shows it.",
                            )
                        ],
                        verbose_name="Client secret of Google",
                    ),
                ),
                (
                    "google_hosted_domain",
                    models.CharField(
                        blank=True,
                        max_length=253,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^(?=.{1,253}\\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\\Z",
                                "Enter a host name, for example clinique.example.com.",
                                code="host",
                            )
                        ],
                        verbose_name="Google Workspace domain",
                    ),
                ),
                ("name", pbxadmin.common.fields.OneLineField(max_length=100, verbose_name="name")),
                (
                    "slug",
                    models.SlugField(
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9]+(-[a-z0-9]+)*\\Z",
                                "Lowercase letters, digits and hyphens: it is part of every address of the portal.",
                                code="address",
                            )
                        ],
                        verbose_name="address in the portal",
                    ),
                ),
                (
                    "fqdn",
                    models.CharField(
                        help_text="Base of the Talk, Meet, provisioning and SIP addresses.",
                        max_length=253,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^(?=.{1,253}\\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\\Z",
                                "Enter a host name, for example clinique.example.com.",
                                code="host",
                            )
                        ],
                        verbose_name="host name",
                    ),
                ),
                (
                    "edition",
                    models.CharField(
                        choices=[("standard", "Standard"), ("pro", "Pro"), ("enterprise", "Enterprise")],
                        default="pro",
                        max_length=12,
                        verbose_name="licence",
                    ),
                ),
                (
                    "extension_digits",
                    models.PositiveSmallIntegerField(
                        default=3,
                        validators=[
                            django.core.validators.MinValueValidator(2),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="digits per extension",
                    ),
                ),
                (
                    "included_extensions",
                    models.PositiveIntegerField(default=10, verbose_name="extensions in the contract"),
                ),
                (
                    "language",
                    models.CharField(
                        choices=[("fr-CA", "French (Canada)"), ("en", "English"), ("es", "Spanish")],
                        default="fr-CA",
                        max_length=5,
                        verbose_name="language",
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        default="America/Toronto",
                        max_length=50,
                        validators=[users.models.customer.known_time_zone],
                        verbose_name="time zone",
                    ),
                ),
                (
                    "sip_trunk_channels",
                    models.PositiveIntegerField(default=4, verbose_name="channels of the SIP trunk"),
                ),
                (
                    "supports_deflection",
                    pbxadmin.common.fields.YesNoField(
                        default=False, verbose_name="the SIP trunk accepts call deflection (302)"
                    ),
                ),
                (
                    "countries",
                    models.CharField(
                        default="CA US",
                        max_length=200,
                        validators=[users.models.customer.known_countries],
                        verbose_name="countries that calls may be forwarded to",
                    ),
                ),
                (
                    "require_2fa",
                    pbxadmin.common.fields.YesNoField(default=False, verbose_name="2FA for all"),
                ),
                (
                    "has_microsoft_365",
                    pbxadmin.common.fields.YesNoField(default=False, verbose_name="Microsoft 365 is set up"),
                ),
                (
                    "has_google",
                    pbxadmin.common.fields.YesNoField(
                        default=False, verbose_name="Google Workspace is set up"
                    ),
                ),
                (
                    "suspended",
                    pbxadmin.common.fields.YesNoField(
                        default=False,
                        help_text="Nobody at this customer can sign in, and its phones get no configuration.",
                        verbose_name="suspended",
                    ),
                ),
                (
                    "suspended_reason",
                    pbxadmin.common.fields.OneLineField(
                        blank=True,
                        help_text="For support staff, and in the customer's history: for example unpaid invoices, ticket 4711.",
                        max_length=200,
                        verbose_name="reason for the suspension",
                    ),
                ),
                ("suspended_at", models.DateTimeField(editable=False, null=True)),
                ("suspended_by", models.CharField(blank=True, editable=False, max_length=160)),
                (
                    "sort_name",
                    pbxadmin.common.searching.FoldedField(
                        default="", editable=False, max_length=110, texts=("name",)
                    ),
                ),
                (
                    "search_text",
                    pbxadmin.common.searching.FoldedField(
                        default="", editable=False, max_length=430, texts=("name", "slug", "fqdn")
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "verbose_name": "customer",
                "verbose_name_plural": "customers",
                "ordering": ["sort_name", "id"],
            },
        ),
        migrations.CreateModel(
            name="Role",
            fields=[
                (
                    "slug",
                    models.CharField(
                        max_length=20, primary_key=True, serialize=False, verbose_name="identifier"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField(editable=False, unique=True)),
                (
                    "name_fr",
                    pbxadmin.common.fields.OneLineField(max_length=50, verbose_name="name in French"),
                ),
                (
                    "name_en",
                    pbxadmin.common.fields.OneLineField(max_length=50, verbose_name="name in English"),
                ),
                (
                    "level",
                    models.PositiveSmallIntegerField(
                        help_text="Nobody can grant, edit or delete above their own level; roles of the same level can't grant each other.",
                        verbose_name="level",
                    ),
                ),
                (
                    "whole_customer",
                    models.BooleanField(default=False, verbose_name="acts on the whole customer"),
                ),
                ("see_members", models.BooleanField(default=False, verbose_name="Can see group members")),
                ("see_calls", models.BooleanField(default=False, verbose_name="Can see group calls")),
                ("pick_up", models.BooleanField(default=False, verbose_name="Call pickup and divert")),
                (
                    "control_ivr",
                    models.BooleanField(default=False, verbose_name="IVR control (digital receptionist)"),
                ),
                ("intercom", models.BooleanField(default=False, verbose_name="Intercom")),
                (
                    "company_contacts",
                    models.BooleanField(default=False, verbose_name="Company contact management"),
                ),
                ("barge_in", models.BooleanField(default=False, verbose_name="Barge in, whisper, listen")),
                (
                    "chat_templates",
                    models.BooleanField(default=False, verbose_name="Chat template management"),
                ),
                ("receptionist", models.BooleanField(default=False, verbose_name="Receptionist operations")),
                (
                    "administer_users",
                    models.BooleanField(default=False, verbose_name="User administration and configuration"),
                ),
                (
                    "administer_hours",
                    models.BooleanField(default=False, verbose_name="Can administer office hours"),
                ),
                ("call_handling", models.BooleanField(default=False, verbose_name="Call handling")),
                ("voice_and_chat", models.BooleanField(default=False, verbose_name="Voice and chat")),
                ("reports", models.BooleanField(default=False, verbose_name="Reports and recordings")),
                ("outbound_rules", models.BooleanField(default=False, verbose_name="Outbound rules")),
                ("event_log", models.BooleanField(default=False, verbose_name="Event log")),
            ],
            options={
                "verbose_name": "role",
                "verbose_name_plural": "roles",
                "ordering": ["level", "slug"],
            },
        ),
        migrations.CreateModel(
            name="Department",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", pbxadmin.common.fields.OneLineField(max_length=80, verbose_name="name")),
                (
                    "language",
                    models.CharField(
                        choices=[("fr-CA", "French (Canada)"), ("en", "English"), ("es", "Spanish")],
                        default="fr-CA",
                        max_length=5,
                        verbose_name="language",
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        default="America/Toronto",
                        max_length=50,
                        validators=[users.models.customer.known_time_zone],
                        verbose_name="time zone",
                    ),
                ),
                (
                    "outbound_caller_id",
                    pbxadmin.common.fields.PhoneNumberField(
                        blank=True,
                        help_text="Also shown for emergency calls, whatever the user's own caller ID.",
                        max_length=16,
                        verbose_name="default outbound caller ID",
                    ),
                ),
                (
                    "talk_name",
                    models.CharField(
                        blank=True,
                        max_length=50,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Za-z0-9]*\\Z",
                                "Letters and digits only, without accents or spaces.",
                                code="alnum",
                            )
                        ],
                        verbose_name="Talk link",
                    ),
                ),
                (
                    "talk_ask",
                    models.CharField(
                        choices=[
                            ("name_email", "Name and email"),
                            ("name", "Name"),
                            ("email", "Email"),
                            ("nothing", "Nothing"),
                        ],
                        default="name_email",
                        max_length=12,
                        verbose_name="Ask the visitor",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="departments",
                        to="users.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "department",
                "verbose_name_plural": "departments",
                "ordering": [pbxadmin.common.searching.Folded("name")],
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "number",
                    models.CharField(
                        blank=True,
                        help_text="The extension identifies the profile. To change it, delete the user and create a new one.",
                        max_length=5,
                        validators=[
                            django.core.validators.RegexValidator("^[0-9]*\\Z", "Digits only.", code="digits")
                        ],
                        verbose_name="Extension",
                    ),
                ),
                (
                    "first_name",
                    pbxadmin.common.fields.OneLineField(blank=True, max_length=50, verbose_name="First name"),
                ),
                (
                    "last_name",
                    pbxadmin.common.fields.OneLineField(blank=True, max_length=50, verbose_name="Last name"),
                ),
                (
                    "email",
                    models.EmailField(
                        blank=True,
                        help_text="Voicemail, missed calls, reports and the welcome email go here.",
                        max_length=254,
                        verbose_name="Email",
                    ),
                ),
                (
                    "mobile",
                    pbxadmin.common.fields.PhoneNumberField(
                        blank=True,
                        help_text="Visible only inside the company. Calls can be forwarded to it, or ring it together with the extension.",
                        max_length=16,
                        verbose_name="Mobile",
                    ),
                ),
                (
                    "outbound_caller_id",
                    pbxadmin.common.fields.PhoneNumberField(
                        blank=True,
                        help_text="Shown to the people who are called. Blank: the number of the primary department.",
                        max_length=16,
                        verbose_name="Outbound caller ID",
                    ),
                ),
                (
                    "require_2fa",
                    pbxadmin.common.fields.YesNoField(
                        default=True,
                        help_text="At the next sign-in, a second factor must be set up before anything else.",
                        verbose_name="Enable 2FA",
                    ),
                ),
                (
                    "talk_enabled",
                    pbxadmin.common.fields.YesNoField(default=False, verbose_name="Enable 3CX Talk and Meet"),
                ),
                (
                    "talk_name",
                    models.CharField(
                        blank=True,
                        max_length=50,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Za-z0-9]*\\Z",
                                "Letters and digits only, without accents or spaces.",
                                code="alnum",
                            )
                        ],
                        verbose_name="Name of your link",
                    ),
                ),
                (
                    "talk_ask",
                    models.CharField(
                        choices=[
                            ("name_email", "Name and email"),
                            ("name", "Name"),
                            ("email", "Email"),
                            ("nothing", "Nothing"),
                        ],
                        default="name_email",
                        max_length=12,
                        verbose_name="Ask the visitor",
                    ),
                ),
                (
                    "meet_approve",
                    pbxadmin.common.fields.YesNoField(
                        default=False, verbose_name="Approve participants before they can connect"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("available", "Available"),
                            ("away", "Away"),
                            ("do_not_disturb", "Do not disturb"),
                            ("lunch", "Lunch"),
                            ("business_trip", "Business Trip"),
                        ],
                        default="available",
                        max_length=16,
                        verbose_name="Status",
                    ),
                ),
                ("status_until", models.DateTimeField(blank=True, null=True, verbose_name="Status until")),
                (
                    "status_after",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("available", "Available"),
                            ("away", "Away"),
                            ("do_not_disturb", "Do not disturb"),
                            ("lunch", "Lunch"),
                            ("business_trip", "Business Trip"),
                        ],
                        max_length=16,
                        verbose_name="Status afterwards",
                    ),
                ),
                (
                    "hours_mode",
                    models.CharField(
                        choices=[
                            ("department", "Use default office hours"),
                            ("own", "Use specific office hours"),
                        ],
                        default="department",
                        max_length=10,
                        verbose_name="Working hours",
                    ),
                ),
                (
                    "auto_switch_status",
                    pbxadmin.common.fields.YesNoField(
                        default=False,
                        verbose_name="Automatically switch to 'Available' status during office hours",
                    ),
                ),
                (
                    "block_outbound_out_of_hours",
                    pbxadmin.common.fields.YesNoField(
                        default=False, verbose_name="Disable outbound calls outside office hours"
                    ),
                ),
                (
                    "recording",
                    models.CharField(
                        choices=[("off", "Off"), ("external", "External calls"), ("all", "All calls")],
                        default="off",
                        max_length=8,
                        verbose_name="Call recording",
                    ),
                ),
                (
                    "recordings_visible",
                    pbxadmin.common.fields.YesNoField(default=False, verbose_name="Show call recordings"),
                ),
                (
                    "recordings_deletable",
                    pbxadmin.common.fields.YesNoField(
                        default=False, verbose_name="Allow deletion of recordings"
                    ),
                ),
                (
                    "recordings_controllable",
                    pbxadmin.common.fields.YesNoField(
                        default=True, verbose_name="Can start and stop recordings"
                    ),
                ),
                (
                    "disabled",
                    pbxadmin.common.fields.YesNoField(default=False, verbose_name="Disable extension"),
                ),
                (
                    "hide_forwarding",
                    pbxadmin.common.fields.YesNoField(
                        default=False, verbose_name="Hide call forwarding rules"
                    ),
                ),
                (
                    "pin_protected",
                    pbxadmin.common.fields.YesNoField(default=False, verbose_name="Enable PIN protection"),
                ),
                (
                    "pin_protect_seconds",
                    models.PositiveIntegerField(
                        default=60,
                        validators=[
                            django.core.validators.MinValueValidator(5),
                            django.core.validators.MaxValueValidator(86400),
                        ],
                        verbose_name="Outside calls stay open after the PIN (seconds)",
                    ),
                ),
                (
                    "outbound_disabled",
                    pbxadmin.common.fields.YesNoField(default=False, verbose_name="Disable external calls"),
                ),
                ("hidden", pbxadmin.common.fields.YesNoField(default=False, verbose_name="Hide contacts")),
                (
                    "call_screening",
                    pbxadmin.common.fields.YesNoField(
                        default=False, verbose_name="Screen calls by asking the caller's name through an IVR"
                    ),
                ),
                (
                    "block_remote",
                    pbxadmin.common.fields.YesNoField(
                        default=True, verbose_name="Block remote non-tunnelled connections"
                    ),
                ),
                (
                    "pbx_delivers_audio",
                    pbxadmin.common.fields.YesNoField(default=False, verbose_name="PBX delivers audio"),
                ),
                (
                    "srtp",
                    models.CharField(
                        choices=[("disabled", "Disabled"), ("enabled", "Enabled"), ("enforced", "Enforced")],
                        default="disabled",
                        max_length=8,
                        verbose_name="SRTP mode",
                    ),
                ),
                (
                    "missed_call_email",
                    pbxadmin.common.fields.YesNoField(
                        default=True, verbose_name="Send an email notification for missed calls"
                    ),
                ),
                (
                    "hot_desking",
                    pbxadmin.common.fields.YesNoField(default=False, verbose_name="Enable Hot Desking"),
                ),
                (
                    "sip_id",
                    models.CharField(
                        blank=True,
                        max_length=50,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Za-z0-9]*\\Z",
                                "Letters and digits only, without accents or spaces.",
                                code="alnum",
                            )
                        ],
                        verbose_name="SIP ID",
                    ),
                ),
                (
                    "ms365_teams",
                    pbxadmin.common.fields.YesNoField(
                        default=True, verbose_name="Enable MS Teams integration"
                    ),
                ),
                (
                    "ms365_calendar",
                    pbxadmin.common.fields.YesNoField(
                        default=True, verbose_name="Sync Microsoft calendars and presence"
                    ),
                ),
                (
                    "ms365_sso",
                    pbxadmin.common.fields.YesNoField(default=True, verbose_name="Enable Microsoft SSO"),
                ),
                (
                    "ms365_contacts",
                    pbxadmin.common.fields.YesNoField(
                        default=True, verbose_name="Sync personal Microsoft contacts"
                    ),
                ),
                (
                    "google_sso",
                    pbxadmin.common.fields.YesNoField(default=True, verbose_name="Enable Google SSO"),
                ),
                (
                    "google_contacts",
                    pbxadmin.common.fields.YesNoField(
                        default=True, verbose_name="Sync personal Google contacts"
                    ),
                ),
                (
                    "google_calendar",
                    pbxadmin.common.fields.YesNoField(default=True, verbose_name="Sync Google calendars"),
                ),
                (
                    "transcription",
                    models.CharField(
                        blank=True,
                        choices=[("0", "0"), ("1", "1"), ("2", "2"), ("3", "3")],
                        max_length=1,
                        verbose_name="Transcription",
                    ),
                ),
                (
                    "record_notify",
                    pbxadmin.common.fields.YesNoField(default=False, verbose_name="RecordNotify"),
                ),
                (
                    "is_staff",
                    models.BooleanField(default=False, editable=False, verbose_name="support staff"),
                ),
                (
                    "staff_level",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("read_only", "Read-only"),
                            ("technician", "Technician"),
                            ("manager", "Manager"),
                        ],
                        default="",
                        editable=False,
                        max_length=10,
                        verbose_name="Level",
                    ),
                ),
                (
                    "mail_language",
                    models.CharField(blank=True, default="", editable=False, max_length=5),
                ),
                (
                    "confirmed_email",
                    models.EmailField(blank=True, default="", editable=False, max_length=254),
                ),
                (
                    "sip_auth_id",
                    models.CharField(editable=False, max_length=32, verbose_name="Authentication ID"),
                ),
                (
                    "sip_password",
                    pbxadmin.common.crypto.EncryptedTextField(editable=False, verbose_name="SIP password"),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("sessions_epoch", models.PositiveIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("list_columns", models.CharField(blank=True, default="", editable=False, max_length=500)),
                ("desk_columns", models.JSONField(blank=True, default=dict, editable=False)),
                ("search_text", models.TextField(default="", editable=False)),
                ("sort_name", models.CharField(default="", editable=False, max_length=120)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="users",
                        to="users.customer",
                    ),
                ),
                (
                    "primary_department",
                    models.ForeignKey(
                        help_text="Sets the person's language, office hours, holidays, time zone and caller ID.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="users.department",
                        verbose_name="Primary department membership",
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "ordering": ["sort_name", "number"],
            },
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                ("starter_name", models.CharField(max_length=160)),
                ("language", models.CharField(max_length=10)),
                ("source", models.CharField(max_length=12)),
                ("address", models.CharField(blank=True, max_length=45)),
                ("request_id", models.CharField(blank=True, max_length=12)),
                ("note", models.CharField(blank=True, max_length=200)),
                ("keys", models.JSONField(default=list)),
                ("settings", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Under way"),
                            ("done", "Done"),
                            ("cancelled", "Cancelled"),
                            ("stopped", "Stopped"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("total", models.PositiveIntegerField()),
                ("position", models.PositiveIntegerField(default=0)),
                ("phase", models.CharField(blank=True, max_length=20)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("refused", models.PositiveIntegerField(default=0)),
                ("words", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("cancel_asked_at", models.DateTimeField(null=True)),
                ("worker", models.CharField(blank=True, max_length=12)),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="jobs",
                        to="users.customer",
                    ),
                ),
                (
                    "preview",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="carried_out",
                        to="users.job",
                    ),
                ),
                (
                    "starter",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="jobs",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="JobStep",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("done", models.JSONField(default=list)),
                ("refused", models.JSONField(default=list)),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="users.job"
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
            },
        ),
        migrations.CreateModel(
            name="Letter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("welcome", "Welcome"),
                            ("visitor", "Visitor's request"),
                            ("password", "Set your password"),
                            ("address", "Address changed"),
                            ("factor", "Second factor taken away"),
                            ("invited", "Invitation to the support team"),
                            ("team", "Account in the support team changed"),
                            ("owner", "Ownership transferred"),
                            ("missed", "Missed call"),
                            ("message", "Voicemail message"),
                        ],
                        max_length=8,
                    ),
                ),
                ("about", models.BigIntegerField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("next_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="letters",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "outgoing email",
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="users.department",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "department membership",
            },
        ),
        migrations.AddField(
            model_name="user",
            name="departments",
            field=models.ManyToManyField(
                editable=False, related_name="members", through="users.Membership", to="users.department"
            ),
        ),
        migrations.CreateModel(
            name="Operation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("create", "Creation"),
                            ("edit", "Change"),
                            ("delete", "Deletion"),
                            ("command", "Sent to the phone"),
                            ("reveal", "Secret shown"),
                            ("sign_in", "Sign-in"),
                            ("reset", "Reset"),
                            ("mail", "Email sent"),
                        ],
                        max_length=10,
                    ),
                ),
                ("actor_pk", models.BigIntegerField(null=True)),
                ("actor_name", models.CharField(max_length=160)),
                ("source", models.CharField(max_length=12)),
                ("address", models.CharField(blank=True, max_length=45)),
                ("request_id", models.CharField(blank=True, max_length=12)),
                ("reason", models.CharField(blank=True, max_length=200)),
                (
                    "note",
                    models.CharField(blank=True, max_length=200, verbose_name="Reason or ticket number"),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="operations",
                        to="users.customer",
                    ),
                ),
                (
                    "undoes",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="undone_by",
                        to="users.operation",
                    ),
                ),
                (
                    "actor_text",
                    pbxadmin.common.searching.FoldedField(
                        default="", editable=False, max_length=170, texts=("actor_name",)
                    ),
                ),
                (
                    "search_text",
                    pbxadmin.common.searching.FoldedField(
                        default="", editable=False, max_length=570, texts=("actor_name", "reason", "note")
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="jobstep",
            name="operation",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="job_steps",
                to="users.operation",
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="operation",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="jobs",
                to="users.operation",
            ),
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("model", models.CharField(max_length=40)),
                ("object_pk", models.BigIntegerField()),
                ("object_name", models.CharField(max_length=160)),
                ("subject_pk", models.BigIntegerField(null=True)),
                ("former_subject_pk", models.BigIntegerField(null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("create", "Creation"),
                            ("edit", "Change"),
                            ("delete", "Deletion"),
                            ("command", "Sent to the phone"),
                            ("reveal", "Secret shown"),
                            ("sign_in", "Sign-in"),
                            ("reset", "Reset"),
                            ("mail", "Email sent"),
                        ],
                        max_length=10,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=0)),
                ("cells", models.JSONField(default=list)),
                (
                    "search_text",
                    pbxadmin.common.searching.FoldedField(
                        default="", editable=False, max_length=170, texts=("object_name",)
                    ),
                ),
                ("numbers", models.TextField(default="", editable=False)),
                (
                    "operation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes",
                        to="users.operation",
                    ),
                ),
            ],
            options={
                "verbose_name": "change",
                "verbose_name_plural": "history",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="PersonalLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("app", "Configuration link of the app"), ("rps", "RPS key")], max_length=4
                    ),
                ),
                ("token", pbxadmin.common.crypto.EncryptedTextField(editable=False)),
                ("token_hash", models.CharField(editable=False, max_length=64, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("uses_left", models.PositiveSmallIntegerField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="links",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "personal link",
            },
        ),
        migrations.AddField(
            model_name="user",
            name="role",
            field=models.ForeignKey(
                default="users",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="users.role",
                verbose_name="Role",
            ),
        ),
        migrations.CreateModel(
            name="SystemExtension",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "number",
                    models.CharField(
                        help_text="Forwarding rules and keys lead to it by its number. To change the number, delete it and create it again.",
                        max_length=5,
                        validators=[
                            django.core.validators.RegexValidator("^[0-9]*\\Z", "Digits only.", code="digits")
                        ],
                        verbose_name="Extension",
                    ),
                ),
                ("name", pbxadmin.common.fields.OneLineField(max_length=80, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("ring_group", "Ring group"),
                            ("queue", "Queue"),
                            ("ivr", "Digital receptionist (IVR)"),
                        ],
                        default="ring_group",
                        max_length=12,
                        verbose_name="type",
                    ),
                ),
                (
                    "talk_name",
                    models.CharField(
                        blank=True,
                        help_text="Letters and digits. Requests made through the link are emailed to the members of the queue or ring group.",
                        max_length=50,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Za-z0-9]*\\Z",
                                "Letters and digits only, without accents or spaces.",
                                code="alnum",
                            )
                        ],
                        verbose_name="Talk link",
                    ),
                ),
                (
                    "talk_ask",
                    models.CharField(
                        choices=[
                            ("name_email", "Name and email"),
                            ("name", "Name"),
                            ("email", "Email"),
                            ("nothing", "Nothing"),
                        ],
                        default="name_email",
                        max_length=12,
                        verbose_name="Ask the visitor",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="system_extensions",
                        to="users.customer",
                    ),
                ),
                (
                    "members",
                    models.ManyToManyField(
                        editable=False, related_name="system_extensions", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "system extension",
                "verbose_name_plural": "system extensions",
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="Did",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "number",
                    pbxadmin.common.fields.PhoneNumberField(
                        max_length=16, unique=True, verbose_name="number"
                    ),
                ),
                ("name", pbxadmin.common.fields.OneLineField(blank=True, max_length=80, verbose_name="name")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="dids",
                        to="users.customer",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="dids",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "system_extension",
                    models.ForeignKey(
                        blank=True,
                        help_text="The ring group, queue or IVR that answers, instead of a person.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="dids",
                        to="users.systemextension",
                        verbose_name="System extension",
                    ),
                ),
            ],
            options={
                "verbose_name": "DID number",
                "verbose_name_plural": "DID numbers",
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="Visibility",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("show_my_calls", models.BooleanField(null=True, verbose_name="Show my calls")),
                ("see_presence", models.BooleanField(null=True, verbose_name="Presence")),
                ("see_calls", models.BooleanField(null=True, verbose_name="Calls")),
                ("perform_operations", models.BooleanField(null=True, verbose_name="Operations")),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="visibilities",
                        to="users.department",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="visibilities",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "what a person sees of a department",
            },
        ),
        migrations.AddConstraint(
            model_name="department",
            constraint=models.UniqueConstraint(fields=("customer", "name"), name="department_name_once"),
        ),
        migrations.AddConstraint(
            model_name="jobstep",
            constraint=models.UniqueConstraint(fields=("job", "position"), name="job_step_once"),
        ),
        migrations.AddIndex(
            model_name="letter",
            index=models.Index(
                condition=models.Q(("next_at__isnull", False)), fields=["next_at"], name="letter_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(fields=("user", "department"), name="member_once"),
        ),
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(fields=["customer", "-id"], name="operation_latest"),
        ),
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(fields=["at"], name="operation_by_time"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["starter", "ended_at"], name="job_of_starter"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["customer", "-id"], name="job_latest"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(condition=models.Q(("ended_at", None)), fields=["id"], name="job_open"),
        ),
        migrations.AddIndex(
            model_name="change",
            index=models.Index(fields=["model", "object_pk", "-id"], name="change_of_object"),
        ),
        migrations.AddIndex(
            model_name="change",
            index=models.Index(fields=["subject_pk", "-id"], name="change_about_person"),
        ),
        migrations.AddIndex(
            model_name="change",
            index=models.Index(
                condition=models.Q(("former_subject_pk__isnull", False)),
                fields=["former_subject_pk", "-id"],
                name="change_formerly_about",
            ),
        ),
        migrations.AddConstraint(
            model_name="personallink",
            constraint=models.UniqueConstraint(fields=("user", "kind"), name="personal_link_once"),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(fields=["customer", "sort_name", "number"], name="user_by_name"),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(fields=["email"], name="user_by_email"),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(django.db.models.functions.text.Lower("email"), name="user_by_lower_email"),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                fields=("customer", "number"), name="extension_once_in_customer"
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                condition=models.Q(("talk_name", ""), _negated=True),
                fields=("customer", "talk_name"),
                name="talk_name_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                condition=models.Q(("sip_id", ""), _negated=True),
                fields=("customer", "sip_id"),
                name="sip_id_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("customer", None),
                        ("is_staff", True),
                        ("staff_level__in", ["read_only", "technician", "manager"]),
                    ),
                    models.Q(
                        ("customer__isnull", False),
                        ("is_staff", False),
                        ("primary_department__isnull", False),
                        ("staff_level", ""),
                        models.Q(("number", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="staff_has_no_customer",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("email"),
                condition=models.Q(("is_staff", True)),
                name="staff_address_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="systemextension",
            constraint=models.UniqueConstraint(fields=("customer", "number"), name="system_extension_once"),
        ),
        migrations.AddConstraint(
            model_name="systemextension",
            constraint=models.UniqueConstraint(
                fields=("customer", "name"), name="system_extension_name_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="did",
            constraint=models.CheckConstraint(
                condition=models.Q(("user", None), ("system_extension", None), _connector="OR"),
                name="did_leads_to_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="visibility",
            constraint=models.UniqueConstraint(fields=("user", "department"), name="visibility_once"),
        ),
        migrations.CreateModel(
            name="Mention",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("model", models.CharField(max_length=40)),
                ("object_pk", models.BigIntegerField()),
                ("by_model", models.CharField(max_length=40)),
                ("by_pk", models.BigIntegerField()),
                (
                    "operation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mentions",
                        to="users.operation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["model", "object_pk", "-operation"], name="mention_of_object")
                ],
            },
        ),
        migrations.RunPython(first_roles.add_roles, first_roles.remove_roles),
        # From here on the database refuses to change or delete history.
        migrations.RunPython(
            lambda apps, schema_editor: append_only.install(schema_editor),
            lambda apps, schema_editor: append_only.remove(schema_editor),
        ),
    ]
