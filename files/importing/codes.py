"""The code of each refusal of a cell, as programs that read outcomes know it: what the column is says which mistake it was."""

from collections.abc import Mapping

from pbxadmin.common.reasons import REFUSED, Reason

# What a field says in general, by the column (as our files name it) in which it was said.
_OF_COLUMN: Mapping[str, str] = {
    "Number": "number_form", "EmailAddress": "email_form", "MobileNumber": "phone_form", "OutboundCallerID": "phone_form", "MAC": "mac_form",
    "Model": "unknown_model", "Router": "unknown_router", "Department": "unknown_department", "Departments": "unknown_department",
    "DID": "unknown_did", "Role": "unknown_role", "WebMeetingFriendlyName": "name_form", "SIPID": "name_form", "VMPIN": "pin_form", "BLF": "blf_value",
    "Members": "unknown_extension", "Rings": "unknown_extension",
}  # fmt: skip
_GENERAL = {
    "",
    REFUSED,
    "invalid",
    "invalid_choice",
    "digits",
    "alnum",
    "mac",
    "min_length",
    "run",
    "repeated",
    "min_value",
    "max_value",
}
_ALWAYS: Mapping[str, str] = {
    "max_length": "too_long",
    "mangled": "excel_number",
    "invalid_choice": "option_value",
    "invalid": "option_value",
}


def refined(reason: Reason, column: str, value: str = "") -> Reason:
    """A reason with the code of its column where it had a general one."""
    code = reason.code
    if code == "control" and set("\r\n") & set(value):
        code = "one_line"
    if code == "required" and column == "Model":
        return Reason(reason, "model_missing")
    if code in _GENERAL:
        code = _OF_COLUMN.get(column) or _ALWAYS.get(code, "option_value" if code else REFUSED)
    return Reason(reason, _ALWAYS.get(code, code))
