"""Where patients' records may go: two-letter codes of countries, and what is never allowed."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from iesoresearch.errors import ParameterError

UK, US = "GB", "US"
#: As people write them -> code. Other countries are written as their code.
_NAMES = {
    **dict.fromkeys(
        ("uk", "gb", "gbr", "united kingdom", "great britain", "britain", "england", "scotland",
         "wales", "northern ireland"), UK),
    **dict.fromkeys(
        ("us", "usa", "u s", "u s a", "united states", "united states of america", "america",
         # its territories, whose own codes are other ones
         "pr", "gu", "vi", "as", "mp", "um"), US),
}  # fmt: skip
#: Setting of a library: territories beside its own that extracts may go to.
SETTING = "recipient_territories"


def code(territory: str) -> str:
    """Two-letter code of a territory; of the US and its territories "US", of all of the UK "GB".

    Raises
    ------
    ParameterError
        It is neither a two-letter code nor a name of the UK or the US.
    """
    plain = " ".join(re.findall(r"[a-z]+", territory.casefold()))
    if plain in _NAMES:
        return _NAMES[plain]
    if re.fullmatch(r"[a-z]{2}", plain):
        return plain.upper()
    raise ParameterError(
        f"{territory!r} is no territory: write its two-letter code, such as GB, IE or DE."
    )


def why_not(
    territories: Iterable[str], home: str, settings: Mapping[str, Any], on_its_own: bool
) -> str | None:
    """Why records of `home` may not go to all of some territories; None where they may.

    Parameters
    ----------
    territories
        Of the recipient and of everybody there who works with the records.
    home
        Territory of the library, so of the patients.
    settings
        Of the library: `SETTING` lists what else it allows.
    on_its_own
        Whether only `home` itself will do, whatever the settings say.
    """
    home = code(home)
    allowed = {code(other) for other in settings.get(SETTING, ())} - ({US} if home == UK else set())
    for name in territories:
        there = code(name)
        if there == home:
            continue
        if (home, there) == (UK, US):
            return (
                "records of UK patients never go to the US, or to people there, whatever an "
                "agreement says. Offer a bundle of aggregates (iesoresearch bundle)"
            )
        if on_its_own or there not in allowed:
            return (
                f"the recipient, or somebody there, is in {there}, the library holds records of "
                f"{home}, and its settings allow {', '.join(sorted(allowed)) or 'no other'} "
                f"territory. Have the library's owner set {SETTING}, or offer a bundle of "
                "aggregates (iesoresearch bundle)"
            )
    return None
