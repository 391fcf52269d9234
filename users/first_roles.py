"""The seven roles with their rights: the guide's table, written into an empty database; support staff may edit it there."""

from typing import Any

RIGHTS = [
    "see_members",
    "see_calls",
    "pick_up",
    "control_ivr",
    "intercom",
    "company_contacts",
    "barge_in",
    "chat_templates",
    "receptionist",
    "administer_users",
    "administer_hours",
    "call_handling",
    "voice_and_chat",
    "reports",
    "outbound_rules",
    "event_log",
]
# identifier, French, English, level, acts on the whole customer, its rights in the order above
ROLES = [
    ("users", "Utilisateur", "User", 10, False, "x..............."),
    ("receptionists", "Réceptionniste", "Receptionist", 20, False, "xxxxx...x......."),
    (
        "group_admins",
        "Administrateur du département",
        "Department administrator",
        30,
        False,
        "xxxxxx.xxxxxx...",
    ),
    ("managers", "Manager", "Manager", 30, False, "xxxxxxxxxxx..x.."),
    ("group_owners", "Propriétaire", "Owner", 40, False, "xxxxxxxxxxxxxxxx"),
    ("system_admins", "Administrateur système", "System administrator", 50, True, "xxxxxx.xxxxxx.xx"),
    ("system_owners", "Propriétaire système", "System owner", 60, True, "xxxxxxxxxxxxxxxx"),
]


def add_roles(apps: Any, schema_editor: Any) -> None:
    """The seven roles, by a migration."""
    role = apps.get_model("users", "Role")
    role.objects.bulk_create(
        role(
            slug=slug,
            number=number,
            name_fr=name_fr,
            name_en=name_en,
            level=level,
            whole_customer=whole,
            **{right: mark == "x" for right, mark in zip(RIGHTS, marks, strict=True)},
        )
        for number, (slug, name_fr, name_en, level, whole, marks) in enumerate(ROLES, start=1)
    )


def remove_roles(apps: Any, schema_editor: Any) -> None:
    """None of them."""
    apps.get_model("users", "Role").objects.filter(slug__in=[row[0] for row in ROLES]).delete()
