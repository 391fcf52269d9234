"""The vendors whose phones are configured, listed by hand, and the questions asked over all of them."""

from phones.vendors.base import Command, FileKind, FileRequest, Identified, UnknownModelError, Vendor
from phones.vendors.checks import ContextError, Problem
from phones.vendors.model import Model, Offers, Picture, Sidecar
from phones.vendors.yealink import YEALINK

__all__ = [
    "VENDORS",
    "Command",
    "ContextError",
    "FileKind",
    "FileRequest",
    "Identified",
    "Model",
    "Offers",
    "Picture",
    "Problem",
    "Sidecar",
    "UnknownModelError",
    "Vendor",
    "find_model",
    "identify",
    "models",
    "vendor_of",
]

VENDORS: dict[str, Vendor] = {}
_MODELS: dict[str, Model] = {}


def register(vendor: Vendor) -> None:
    """Know a vendor and its models from now on."""
    VENDORS[vendor.name] = vendor
    _MODELS.update((model.slug, model) for model in vendor.models)


# To add a vendor: write its folder, add its line here.
register(YEALINK)


def models() -> tuple[Model, ...]:
    """Every model of every vendor, in the order of the lists."""
    return tuple(_MODELS.values())


def find_model(slug: str) -> Model:
    """The model of that slug ("yealink-t54w"); raises `UnknownModelError`."""
    try:
        return _MODELS[slug]
    except KeyError:
        raise UnknownModelError(slug) from None


def vendor_of(slug: str) -> Vendor:
    """The vendor of the model of that slug; raises `UnknownModelError`."""
    return VENDORS[find_model(slug).vendor]


def identify(user_agent: str) -> Identified | None:
    """Which phone a User-Agent says it is, or None if it is no vendor's we know."""
    for vendor in VENDORS.values():
        if identified := vendor.identify(user_agent):
            return identified
    return None
