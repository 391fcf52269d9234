"""What Asterisk tells of its own commands and options, cut to their names for tests: reading all of it is two thirds of its boot.

It refuses options that stand nowhere in there, so the names are what it wants; descriptions are for people at its console.
"""

from pathlib import Path
from xml.etree import ElementTree

FILE = Path("documentation/core-en_US.xml")
NAMED = ("application", "function", "manager", "configInfo")
KEPT = ("synopsis", "configFile", "configObject", "configOption")


def cut(data: Path, folder: Path) -> Path:
    """`data`, Asterisk's own, once more in `folder`: everything as it is, but for the descriptions."""
    for path in data.iterdir():
        if path.name != FILE.parent.name:
            (folder / path.name).symlink_to(path)
    root = ElementTree.parse(data / FILE).getroot()
    root[:] = [each for each in root if each.tag in NAMED]
    for inner in root.findall(".//*"):
        inner[:] = [each for each in inner if each.tag in KEPT]
    (folder / FILE).parent.mkdir()
    ElementTree.ElementTree(root).write(folder / FILE)
    return folder
