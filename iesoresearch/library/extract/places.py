"""Whether the name of an organisation, or a role, places it in the US.

Only plain names count: the country's, and after a comma, or in brackets, its short form or the name
of a state. A state that is a country as well (Georgia) is none, nor is a town of the same name
(Washington, Tyne and Wear). Two letters of a state are none either: MA is a degree. What a
name does not say is not found; the territory of the agreement is what counts.
"""

import re

_COUNTRY = re.compile(r"\b(?:U\.?S\.?A\b|United States(?: of America)?\b)", re.IGNORECASE)
_STATES = (
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|District of Columbia|"
    "Florida|Hawaii|Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|"
    "Massachusetts|Michigan|Minnesota|Mississippi|Missouri|Montana|Nebraska|Nevada|New Hampshire|"
    "New Jersey|New Mexico|New York|North Carolina|North Dakota|Ohio|Oklahoma|Oregon|Pennsylvania|"
    "Rhode Island|South Carolina|South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|"
    "Washington(?!, Tyne)|West Virginia|Wisconsin|Wyoming"
)
_AFTER_COMMA = re.compile(rf"[,(]\s*((?i:{_STATES})|US|U\.S\.)\s*(?=$|[,;.)])")


def in_the_us(name: str) -> str | None:
    """The words of a name that say so, None if none do."""
    country = _COUNTRY.search(name)
    if country:
        return country[0]
    state = _AFTER_COMMA.search(name)
    return state[1] if state else None
