"""What an agreement never gets, whatever else is right about it."""

import datetime
from collections.abc import Mapping
from typing import Any

from iesoresearch.library import territory
from iesoresearch.library.extract import needs
from iesoresearch.library.extract.agreement import INSIDE, Agreement, Refused, refuse_purpose
from iesoresearch.measures.outcomes.years import STORED

_DATES = {"referral_date", "discharge_date", "date"}  # shifted


def refuse(agreement: Agreement, home: str, settings: Mapping[str, Any], on: datetime.date) -> None:
    """Refuse what an agreement asks for, if it is one of the things never given.

    Parameters
    ----------
    agreement
        As read.
    home, settings
        Territory and settings of the library.
    on
        Today.

    Raises
    ------
    Refused
        Transcripts, a territory records may not go to, an agreement that is not signed by both
        sides or has run out, columns that its analyses do not read, a forbidden purpose.
    ParameterError
        Words that seem to name a patient; parts that do not fit together.
    """
    name = f"Agreement {agreement.id}"
    refuse_purpose(agreement.model_dump(), name)  # whoever made it in Python has not read a file
    agreement.refuse_identifiers(name)
    agreement.refuse_problems(name)
    refuse_content(agreement)
    why = territory.why_not(
        agreement.recipient.territories, home, settings, on_its_own=agreement.kind == INSIDE
    )
    if why:
        raise Refused("territory", f"{name} is refused: {why}.")
    _in_force(agreement, name, on)


def refuse_content(agreement: Agreement) -> None:
    """Refuse what no library gives, whoever asks, whenever.

    Raises
    ------
    Refused
        Transcripts, or columns that the agreement's analyses do not read.
    """
    name = f"Agreement {agreement.id}"
    if needs.TRANSCRIPTS in agreement.tables:
        raise Refused(
            "transcripts",
            f"{name} asks for {needs.TRANSCRIPTS}. What patients and therapists wrote is in no "
            "extract, ever; inside, coders get a small sample (iesoresearch library annotate).",
        )
    _minimum(agreement, name)


def _in_force(agreement: Agreement, name: str, on: datetime.date) -> None:
    signed = {s.party for s in agreement.signed if s.date <= on}
    lacking = [party for party in ("provider", "recipient") if party not in signed]
    if lacking:
        raise Refused(
            "not signed",
            f"{name} is not signed yet by the {' and the '.join(lacking)} (on {on}). Enter role "
            "and day under signed once it is.",
        )
    if agreement.expires < on:
        raise Refused(
            "expired", f"{name} ran out on {agreement.expires}. Agree on a new one with a new id."
        )


def _minimum(agreement: Agreement, name: str) -> None:
    if not agreement.analyses:
        return
    asked = [
        column
        for column in needs.needless(agreement.tables, agreement.analyses)
        if column.partition(".")[2] not in agreement.justified
    ]
    if asked:
        raise Refused(
            "minimum data",
            f"{name} asks for {', '.join(asked)}, which none of its analyses "
            f"({', '.join(agreement.analyses)}) reads. Take them out, or say under justified what "
            "each is needed for.",
        )


def narrows(columns: set[str]) -> bool:
    """Whether columns tell by how many days dates were shifted, if not exactly."""
    return bool(_DATES & columns and columns.intersection(STORED))


def remarks(agreement: Agreement) -> list[str]:
    """What is no reason to refuse an agreement, but should be known before it is signed."""
    tables, found = agreement.tables, []
    if not agreement.analyses and agreement.kind != INSIDE:
        found.append("It names no analyses, so whether every column is needed cannot be told.")
    elif agreement.justified:
        found.append(
            f"None of its analyses reads {', '.join(agreement.justified)}: the recipient's reasons "
            "are in it."
        )
    dates = {"referral_date", "discharge_date"} & set(tables.get("referrals", ()))
    of = [needs.NEEDS[name]["referrals"] for name in agreement.analyses]
    read = [c for c in STORED if not of or any(c in columns for columns in of)]
    stored = [c for c in read if c not in tables.get("referrals", ())]
    if dates and stored:
        found.append(
            f"Dates are shifted in the library, and {', '.join(stored)} are not asked for: fiscal "
            "years and the rules of outcomes would be taken from shifted dates."
        )
    if narrows({c for columns in tables.values() for c in columns}):
        found.append(
            "Years are asked for together with shifted dates: they narrow down by how many days "
            "the dates were shifted."
        )
    if tables and not agreement.limits.sensitive:
        found.append("It names no sensitive column, so l-diversity is not asked for.")
    if agreement.retention.until > agreement.expires:
        found.append(
            f"What was opened may be kept until {agreement.retention.until}, after the agreement "
            f"ends on {agreement.expires}: the folder does not open any more by then."
        )
    return found
