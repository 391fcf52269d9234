"""3CX files of any length, with or without faulty rows: the same arguments give the same bytes.

Names, addresses and MAC tails are invented; phone numbers are of the block 514 555-01xx, so mobiles repeat (they may). Options take few
values, as in real files. The first twenty rows are never faulty: keys and routers of the others point at them.
"""

import csv
import io
import random
import unicodedata
from collections.abc import Sequence

from files.reading.headers import V20
from voicemail.pins import weakness

COLUMNS = list(V20)
AT = {name: place for place, name in enumerate(COLUMNS)}
FIRST = [
    "Amélie",
    "Anaïs",
    "André",
    "Annick",
    "Benoît",
    "Béatrice",
    "Cédric",
    "Chloé",
    "Clément",
    "Corinne",
    "Cécile",
    "Daphné",
    "Dominic",
    "Édith",
    "Éloïse",
    "Émile",
    "Ève",
    "Félix",
    "François",
    "Frédérique",
    "Gaël",
    "Geneviève",
    "Gérald",
    "Hélène",
    "Hugo",
    "Inès",
    "Jean-François",
    "Jean-René",
    "Jérémie",
    "Joël",
    "Josée",
    "Karine",
    "Laïla",
    "Léa",
    "Léo",
    "Loïc",
    "Luc",
    "Maëlle",
    "Marc-André",
    "Marie-Ève",
    "Maïka",
    "Mathieu",
    "Mélanie",
    "Mickaël",
    "Noémie",
    "Océane",
    "Olivier",
    "Pénélope",
    "Philippe",
    "Raphaël",
    "Réjean",
    "Rosalie",
    "Samuel",
    "Stéphanie",
    "Sylvain",
    "Théo",
    "Thérèse",
    "Vincent",
    "William",
    "Xavier",
    "Yanick",
    "Yaëlle",
    "Zacharie",
    "Zoé",
]
LAST = [
    "Allard",
    "Arsenal",
    "Aubé",
    "Beauséjour",
    "Bélanger",
    "Bergeron",
    "Boisclair",
    "Bouchard",
    "Brûlé",
    "Carrier",
    "Champagne",
    "Charlebois",
    "Chénier",
    "Côté",
    "D'Amours",
    "Daigneault",
    "Deschênes",
    "Doré",
    "Dubé",
    "Émond",
    "Éthier",
    "Fontaine",
    "Forêt",
    "Gagné",
    "Garçon",
    "Giguère",
    "Hébert",
    "Houlé",
    "Joncas",
    "L'Heureux",
    "L'Écuyer",
    "Labonté",
    "Lachaîne",
    "Lacroix",
    "Lafrenière",
    "Laliberté",
    "Lévesque",
    "Maïs",
    "Marcotte",
    "Ménard",
    "Mongrain",
    "Nadeau",
    "Noël",
    "Ouellet",
    "Paré",
    "Pépin",
    "Perçoit",
    "Quévillon",
    "Réhaume",
    "Rivière",
    "Saint-Cœur",
    "Séguin",
    "St-Pierre",
    "Thériault",
    "Trépanier",
    "Vézina",
    "Villemaire",
]
PREFIXES = ("805EC0", "805E0C", "249AD8", "44DBD2", "C4FC22", "001565")
MODELS = (
    ("Yealink T31G", "yealinkT3x.ph.xml"),
    ("Yealink T43U", "yealinkT4x.ph.xml"),
    ("Yealink T46U", "yealinkT4x.ph.xml"),
    ("Yealink T54W", "yealinkT5x.ph.xml"),
)
FRENCH, ENGLISH = "0D767FEA-10A3-4ba4-8A57-FE74BDABE4E5", "8210986B-9412-497f-AD77-3A554F4A9BDB"
ROLES = ("users",) * 17 + ("receptionists", "receptionists", "managers")
USUAL = {
    "ClickToCallAuth": "0",
    "WMApprove": "0",
    "VMEnable": "1",
    "VMLanguage": FRENCH,
    "VMPlayMsgDateTime": "0",
    "VMEmailOptions": "1",
    "VMNoPin": "1",
    "VMPlayCallerID": "0",
    "RecordCalls": "0",
    "RecordExternal": "0",
    "RecordCanSee": "0",
    "RecordCanDelete": "0",
    "RecordStartStop": "1",
    "RecordNotify": "0",
    "Disabled": "0",
    "HideFWrules": "0",
    "DisableExternalCalls": "0",
    "HideInPhonebook": "0",
    "CallScreening": "0",
    "PinProtected": "0",
    "PinTimeout": "60",
    "AllowLanOnly": "1",
    "DeliverAudio": "0",
    "HotDesk": "0",
    "SRTPMode": "0",
    "EmailMissedCalls": "1",
    "BLF": "<PhoneDevice><BLFS/></PhoneDevice>",
}
SELDOM = (
    ("VMEmailOptions", "2"),
    ("VMEmailOptions", "3"),
    ("VMLanguage", ENGLISH),
    ("RecordCanSee", "1"),
    ("HideInPhonebook", "1"),
    ("PinProtected", "1"),
    ("HotDesk", "1"),
    ("SRTPMode", "1"),
    ("CallScreening", "1"),
    ("DisableExternalCalls", "1"),
    ("VMPlayMsgDateTime", "2"),
    ("Transcription", "3"),
    ("EmailMissedCalls", "0"),
    ("VMEnable", "0"),
)
RESERVED = {"211", "311", "411", "511", "611", "711", "811", "911", "933", "988"}
ANCHORS = 20


def plain(text):
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if c.isascii() and c.isalnum())


def pin(source, extension):
    """Six digits that no rule refuses."""
    while True:
        digits = "".join(source.choice("0123456789") for _ in range(6))
        if weakness(digits, extension) is None:
            return digits


# Each kind of fault: what it does to a row (a list of cells), the column it is told of, the kind of reason. `i` is the row's place.
def put(column, value):
    def fault(row, i):
        row[AT[column]] = value(i) if callable(value) else value

    return fault


FAULTS = {
    "department": (
        put("Department", lambda i: ("Comptabilité", "Vente", "Entrepôt")[i % 3]),
        "Department",
        "unknown_department",
    ),
    "mac": (
        lambda row, i: (
            put("MAC", ("8,05E+11", "8.05E+11")[i % 2])(row, i),
            put("Model", "Yealink T46U")(row, i),
        ),
        "MAC",
        "excel_number",
    ),
    "mac_zeros": (
        lambda row, i: (put("MAC", f"1565{i:06d}")(row, i), put("Model", "Yealink T46U")(row, i)),
        "MAC",
        "lost_zeros",
    ),
    "model": (
        lambda row, i: (put("MAC", f"249AD9{i:06X}")(row, i), put("Model", "Yealink T99X")(row, i)),
        "Model",
        "unknown_model",
    ),
    "phone": (
        put("MobileNumber", lambda i: ("5,15E+09", "514-555-O123", "555-0123", "-1229")[i % 4]),
        "MobileNumber",
        "phone_form",
    ),
    "email": (put("EmailAddress", lambda i: f"poste{i}@@exemple"), "EmailAddress", "email_form"),
    "role": (put("Role", '<role name="superviseurs" />'), "Role", "unknown_role"),
    "option": (put("VMEmailOptions", "7"), "VMEmailOptions", "option_value"),
    "flag": (put("AllowLanOnly", "60"), "AllowLanOnly", "option_value"),
    "did": (put("DID", "15145550199"), "DID", "unknown_did"),
    "keys": (put("BLF", '<PhoneDevice><BLFS><BLF ID="1" BLFNo="1"'), "BLF", "blf_xml"),
    "target": (
        put(
            "BLF",
            '<PhoneDevice><BLFS><BLF ID="1" BLFNo="1" BLFType="BLF" BLFTypeID="0">1</BLF></BLFS></PhoneDevice>',
        ),
        "BLF",
        "blf_target",
    ),
    "pin": (put("VMPIN", "123456"), "VMPIN", "pin_weak"),
    "nameless": (
        lambda row, i: (put("FirstName", "")(row, i), put("LastName", "")(row, i)),
        "FirstName",
        "name_missing",
    ),
    "length": (
        lambda row, i: row.__setitem__(AT["Number"], row[AT["Number"]] + "0"),
        "Number",
        "number_length",
    ),
    "long": (lambda row, i: row.append("de trop"), "", "row_long"),
}


def make(
    n,
    *,
    seed=1,
    bad=0,
    kinds=tuple(FAULTS),
    digits=0,
    first=0,
    departments=("DEFAULT", "Ventes", "Soutien"),
    phones=0.6,
    blf=0.5,
    domain="pingris.example",
):
    """(rows, faults): the cells of every row, and {row of the spreadsheet: (number, column, reason)} for the faulty ones."""
    source = random.Random(seed)
    digits = digits or max(3, len(str(n * 10 // 9 + 10)))
    number = first or 10 ** (digits - 1)
    if number + n + 12 > 10**digits:
        raise SystemExit(f"{n} extensions from {number} don't fit in {digits} digits.")
    usual = [USUAL.get(name, "") for name in COLUMNS]
    rows, anchors, routers = [], [], []
    for i in range(n):
        while str(number) in RESERVED or str(number) == "7" * digits:
            number += 1
        row, ext = usual.copy(), str(number)
        number += 1
        a, b = source.choice(FIRST), source.choice(LAST)
        row[0:5] = (
            ext,
            a,
            b,
            f"{plain(a)}.{plain(b)}.{ext}@{domain}",
            f"+151455501{source.randrange(100):02d}" if source.random() < 0.4 else "",
        )
        row[AT["Role"]] = f'<role name="{source.choice(ROLES)}" />'
        row[AT["Department"]] = source.choice(departments)
        row[AT["VMPIN"]] = pin(source, ext)
        if source.random() < 0.3:
            row[AT["WebMeetingFriendlyName"]] = f"{plain(a)}{plain(b)}{ext}"
        for _ in range(source.randrange(3)):
            column, value = source.choice(SELDOM)
            row[AT[column]] = value
        if i < 3 or source.random() < phones:
            mac, (model, template) = (
                f"{PREFIXES[i % len(PREFIXES)]}{i:06X}",
                ("Yealink T54W", "yealinkT5x.ph.xml") if i < 3 else source.choice(MODELS),
            )
            router = mac if i < 3 else source.choice(["", "", *routers])
            row[AT["MAC"] : AT["QRingtone"] + 1] = mac, template, model, router, "French", "Ring 1", "Ring 6"
            if i < 3:
                routers.append(mac)
        if anchors and source.random() < blf:
            keys = ['<BLF ID="-1" BLFNo="1" BLFType="Line" BLFTypeID="6" />']
            keys += [
                f'<BLF ID="{30 + k}" BLFNo="{k + 2}" BLFType="BLF" BLFTypeID="0">{t}</BLF>'
                for k, t in enumerate(source.sample(anchors, min(len(anchors), source.choice((1, 3, 8)))))
            ]
            if source.random() < 0.2:
                keys.append(
                    f'<BLF ID="-1" BLFNo="12" BLFType="CustomSpeedDial" BLFTypeID="2">1514555014{source.randrange(10)}\nTaxi\nL&apos;Étoile</BLF>'
                )
            row[AT["BLF"]] = f"<PhoneDevice><BLFS>{''.join(keys)}</BLFS></PhoneDevice>"
        if i < ANCHORS:
            anchors.append(ext)
        rows.append(row)
    faults = {}
    for turn, i in enumerate(sorted(source.sample(range(ANCHORS, n), bad)) if bad else ()):
        spoil, column, reason = FAULTS[kinds[turn % len(kinds)]]
        spoil(rows[i], i)
        faults[i + 2] = (rows[i][0], column, reason)
    return rows, faults


def as_csv(rows: Sequence[Sequence[str]]) -> bytes:
    """The file: UTF-8, commas, CRLF."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return text.getvalue().encode()
