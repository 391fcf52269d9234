"""What a Yealink knows of itself and how it reads the files it is given."""

import re
from dataclasses import dataclass, field

# The number in a model's common file, y0000000000NN.cfg (Yealink Auto Provisioning Guide, "common CFG file").
COMMON_FILES = {
    "T31G": 123, "T31W": 172, "T33G": 124, "T34W": 171,
    "T41S": 68, "T42S": 67, "T46S": 66, "T48S": 65, "T42U": 116, "T43U": 107, "T46U": 108, "T48U": 109,
    "T52S": 74, "T53": 95, "T53W": 95, "T54S": 70, "T54W": 96, "T57W": 97,
    "T56A": 56, "T58A": 58, "T58W": 150,
}  # fmt: skip

# A file that doesn't begin with this line is not a configuration file to the phone.
FIRST_LINE = "#!version:1.0.0.1"
INCLUDE = re.compile(r'include:config\s*[<"]?(?P<file>[^<>"\s]+)[>"]?$')


@dataclass(frozen=True)
class Identity:
    """Which phone this is: MAC (12 hex digits in lower case), model and firmware version."""

    mac: str
    model: str = "T54W"
    version: str = "96.86.0.45"

    def __post_init__(self) -> None:
        """Bring the MAC to its one form; raises `ValueError` for a MAC or a model that there is not."""
        mac = re.sub(r"[:\-.\s]", "", self.mac).lower()
        if not re.fullmatch(r"[0-9a-f]{12}", mac):
            raise ValueError(f"{self.mac!r} is not a MAC address: it has 12 hexadecimal digits.")
        if not re.fullmatch(r"T[3458]\d[A-Z]{0,2}", self.model):
            raise ValueError(f"{self.model!r} is not a Yealink model, such as T31G, T46U or T54W.")
        object.__setattr__(self, "mac", mac)

    @property
    def user_agent(self) -> str:
        """What the phone says of itself in every HTTP request."""
        pairs = ":".join(self.mac[at : at + 2] for at in range(0, 12, 2))
        return f"Yealink SIP-{self.model} {self.version} {pairs}"

    @property
    def sip_name(self) -> str:
        """What the phone says of itself in SIP."""
        return f"Yealink SIP-{self.model} {self.version}"

    @property
    def boot_files(self) -> tuple[str, str]:
        """The boot files it asks for first, in this order."""
        return "y000000000000.boot", f"{self.mac}.boot"

    @property
    def config_files(self) -> tuple[str, ...]:
        """What it asks for without a boot file: the model's common file, then its own, which prevails."""
        own = f"{self.mac}.cfg"
        common = COMMON_FILES.get(self.model)
        return (own,) if common is None else (f"y{common:012d}.cfg", own)


@dataclass
class ConfigFile:
    """What the phone read in one file: settings in its order (a key may come twice), and what it includes."""

    settings: list[tuple[str, str]] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)
    not_understood: list[str] = field(default_factory=list)
    refused: str = ""


def read_config(body: bytes) -> ConfigFile:
    """Read a boot or configuration file as the phone does; says in `refused` why nothing was taken."""
    lines = body.decode("utf-8", "replace").split("\n")
    if lines[0].strip() != FIRST_LINE:
        return ConfigFile(refused=f"the first line is not {FIRST_LINE}")
    read = ConfigFile()
    for raw in lines[1:]:
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if included := INCLUDE.match(line):
            read.includes.append(included["file"])
            continue
        key, equals, value = line.partition("=")
        if equals and re.fullmatch(r"[\w.\-]+", key.strip()):
            read.settings.append((key.strip(), value.strip()))
        else:
            read.not_understood.append(line)
    return read


def take_over(config: dict[str, str], settings: list[tuple[str, str]]) -> None:
    """Put `settings` into the phone's memory: an empty value changes nothing, `%NULL%` unsets."""
    for key, value in settings:
        if value == "%NULL%":
            config.pop(key, None)
        elif value:
            config[key] = value
