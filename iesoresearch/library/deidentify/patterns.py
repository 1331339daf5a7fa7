"""General patterns of what tells who somebody is, and short forms of forenames."""

import re

from iesoresearch.data.identifiers import FORENAMES

_MONTHS = "january february march april may june july august september october november december"
MONTHS = tuple(_MONTHS.split())
_MONTH = "(?:" + "|".join(f"{m}|{m[:3]}|{m[:4]}" for m in MONTHS) + r")\b\.?"
_DAY = r"(?:[0-3]?\d(?:st|nd|rd|th)?)"
_YEAR = r"(?:(?:18|19|20)\d\d)"
_SMALL = "(?:zero|oh|nought|nil|one|two|three|four|five|six|seven|eight|nine|double|triple|treble)"
_TITLE = r"(?i:mr|mrs|ms|miss|mx|dr|doctor|prof|professor|nurse|sister|rev|reverend|sir|lady|lord)"
_STREET = (
    r"(?:street|road|avenue|lane|close|drive|way|court|crescent|place|terrace|gardens?|grove|hill|"
    r"square|row|walk|view|mews|rise|green|park|st|rd|ave|house|flats?|estate)"
)
_TOP = r"(?:com|org|net|uk|co\.uk|ac\.uk|nhs\.uk|nhs\.net|gov\.uk|org\.uk|io|eu|ie|me|info)"
_MORE = r"(?:\s+[A-Z][\w'’-]*)*"  # further capitalised words
_I = re.IGNORECASE
_MAIL = r"[^\s@<>,;:\[\]]+"

#: General patterns, in the order in which they are looked for; of those with a group "hit" only
#: that is replaced.
PATTERNS: tuple[tuple[str, re.Pattern], ...] = (
    ("EMAIL", re.compile(rf"{_MAIL}\s?@\s?{_MAIL}\.{_MAIL}")),
    (
        "EMAIL",
        re.compile(rf"\b\S+(?:\s+dot\s+\S+)*\s+at\s+\S+(?:\s+dot\s+\w+)*\s+dot\s+{_TOP}\b", _I),
    ),
    (
        "URL",
        re.compile(rf"\b(?:https?://|www\.)\S+|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.{_TOP}\b\S*", _I),
    ),
    ("POSTCODE", re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?[\s-]*\d[A-Z]{2}\b", _I)),
    ("DATE", re.compile(r"\b\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b|\b\d{1,2}([-/.])\d{1,2}\1\d{2,4}\b")),
    (
        "DATE",
        re.compile(
            rf"\b{_DAY}(?:\s+of)?[\s-]+(?:the\s+)?{_MONTH}(?:[\s,-]*(?:{_YEAR}|\d\d\b))?"
            rf"|\b{_MONTH}\s+(?:the\s+)?{_DAY}\b(?:,?\s*{_YEAR})?|\b{_MONTH}\s+{_YEAR}\b",
            _I,
        ),
    ),
    ("NUMBER", re.compile(r"(?<![\w.])\+?\(?\d(?:(?:[\s()\-/]{0,3}|\.)\d){5,}(?!\w)|\d{6,}")),
    ("NUMBER", re.compile(rf"\b(?:{_SMALL}\b[\s,-]*){{5,}}", _I)),
    ("DATE", re.compile(rf"\b{_YEAR}\b")),
    (
        "ADDRESS",
        re.compile(
            r"\b(?:flat|apartment|unit)\s+\w+\b"
            rf"|\b\d+[a-z]?,?\s+(?:[a-z'’-]+\s+){{1,3}}{_STREET}\b",
            _I,
        ),
    ),
    ("ADDRESS", re.compile(rf"\b(?:[A-Z][A-Za-z'’-]+\s+){{1,3}}(?i:{_STREET})\b")),
    (
        "NAME",
        re.compile(
            r"\b(?i:my|his|her|their) (?i:full |first |last |sur|middle |maiden )?(?i:name)"
            rf"(?i:['’]s| is| was)\s+(?P<hit>[^\W\d_][\w'’-]*{_MORE})"
        ),
    ),
    (
        "NAME",
        re.compile(
            r"\b(?:I am|I['’]m|(?i:call me|called|named|this is))\s+"
            rf"(?P<hit>[A-Z][\w'’-]+{_MORE})"
        ),
    ),
    ("NAME", re.compile(rf"\b{_TITLE}\b\.?\s+(?P<hit>[A-Z][\w'’-]*{_MORE})")),
    ("NAME", re.compile(rf"\b(?i:{'|'.join(FORENAMES)})\b(?:['’]s)?{_MORE}")),
    (
        "CODE",  # letters in both cases, or with digits: no word
        re.compile(
            r"(?<![\w\[])(?=[\w+/=-]*\d|[\w+/-]*=|[a-z+/]*[A-Z][\w+/]*[a-z])"
            r"[A-Za-z0-9+/_-]{12,}={0,2}(?![\w\]])"
        ),
    ),
)

#: Forenames and what they are shortened to; common ones, by no means all.
SHORT_FORMS = {
    "alexander": "alex sandy xander", "alexandra": "alex sandra lexi", "andrew": "andy drew",
    "anthony": "tony", "barbara": "barb babs", "benjamin": "ben",
    "catherine": "cathy kate katie cat", "charles": "charlie chas", "charlotte": "charlie lottie",
    "christine": "chris chrissie tina", "christopher": "chris kit", "daniel": "dan danny",
    "david": "dave davy", "deborah": "debbie deb", "dorothy": "dot dotty",
    "edward": "ed eddie ted teddy ned", "eleanor": "ellie nell nora",
    "elizabeth": "liz lizzie beth betty bess eliza libby", "frances": "fran", "francis": "frank",
    "geoffrey": "geoff", "gregory": "greg", "helen": "nell", "henry": "harry hal", "jacob": "jake",
    "jacqueline": "jackie", "james": "jim jimmy jamie", "janet": "jan", "jennifer": "jen jenny",
    "jessica": "jess jessie", "john": "jack johnny", "jonathan": "jon jonny", "joseph": "joe joey",
    "joshua": "josh", "judith": "judy jude", "katherine": "kathy kate katie kat", "kenneth": "ken",
    "laura": "laurie", "leonard": "len lenny", "lawrence": "larry",
    "margaret": "maggie meg peggy marge daisy", "matthew": "matt", "megan": "meg",
    "michael": "mike mick mickey", "mohammed": "mo", "muhammad": "mo", "nathan": "nate",
    "nicholas": "nick nicky", "nicola": "nicky nic", "oliver": "ollie", "olivia": "liv livvy",
    "pamela": "pam", "patricia": "pat patsy trish tricia", "patrick": "pat paddy", "peter": "pete",
    "philip": "phil", "rebecca": "becky bex", "richard": "rich richie rick dick",
    "robert": "rob robbie bob bobby", "ronald": "ron ronnie", "samantha": "sam", "samuel": "sam",
    "sandra": "sandy", "stephanie": "steph", "stephen": "steve", "steven": "steve",
    "stuart": "stu", "susan": "sue susie", "theodore": "theo ted", "theresa": "terry tess",
    "thomas": "tom tommy", "timothy": "tim", "victoria": "vicky tori", "vincent": "vince",
    "william": "will bill billy liam", "zachary": "zach",
}  # fmt: skip
