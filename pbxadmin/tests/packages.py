"""The packages of the product, for tests and checks that read all of its sources."""

PACKAGES = (
    "pbxadmin",
    "users",
    "signin",
    "talk",
    "phones",
    "forwarding",
    "voicemail",
    "files",
    "asterisk",
    "support",
)
