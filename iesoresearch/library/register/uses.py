"""What the log of a library says of the uses of its data."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from iesoresearch.errors import DataError
from iesoresearch.library import choices
from iesoresearch.library.choices.ledger import LOCAL_OPTOUT, NATIONAL_OPTOUT
from iesoresearch.library.deidentify.written import kind_of_identifier
from iesoresearch.library.small import rounded

DESTROYED = "extract destroyed"
NOT_SAID = "not said"


@dataclass(frozen=True)
class Use:
    """One extract, or one sample of sessions read inside, as the public may know it.

    Attributes
    ----------
    patients
        As the log tells it: rounded, or "fewer than 10".
    tables
        Columns by table.
    state
        "in use", "expired on …" or "destroyed on …".
    outcomes
        Publications and what else came of it.
    """

    day: date
    name: str
    agreement: str
    title: str
    kind: str
    purpose: str
    recipient: str
    territory: str
    lawful_basis: str
    approvals: tuple[str, ...]
    tables: dict[str, list[str]]
    patients: str
    expires: str
    state: str
    outcomes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Register:
    """All uses, newest first, and what was refused, by kind of reason."""

    on: date
    territory: str
    uses: tuple[Use, ...]
    refused: dict[str, int] = field(default_factory=dict)
    lists: dict[str, date | None] = field(default_factory=dict)


def of(library, on: date | None = None, agreements: Path | None = None) -> Register:
    """The register of a library.

    Parameters
    ----------
    library
        Open. Its log is verified first.
    on
        The day it is, which decides what has expired; days are those of the log, in UTC.
    agreements
        Folder of the agreements: what they say by now of publications.

    Raises
    ------
    DataError
        The log was tampered with.
    """
    on = on or datetime.now(UTC).date()
    entries = [e for e in library.log() if date.fromisoformat(e["when"][:10]) <= on]
    gone = {
        e["details"]["extract_id"]: e["details"]["on"] for e in entries if e["what"] == DESTROYED
    }
    uses = [
        _use(entry, on, gone, agreements)
        for entry in entries
        if entry["what"] in ("extract", "annotate")
    ]
    refused = Counter(
        str(e["details"].get("kind", NOT_SAID)) for e in entries if e["what"].endswith(" refused")
    )
    kinds = (NATIONAL_OPTOUT, LOCAL_OPTOUT)
    return Register(
        on,
        library.territory,
        tuple(reversed(uses)),
        dict(sorted(refused.items())),
        {kind: choices.newest_list(library, kind, on) for kind in kinds},
    )


def _use(entry: dict[str, Any], on: date, gone: dict[str, str], agreements: Path | None) -> Use:
    said = entry["details"]
    name = str(said.get("extract_id", entry["n"]))
    return Use(
        day=date.fromisoformat(entry["when"][:10]),
        name=name,
        agreement=_word(said, "agreement"),
        title=_word(said, "title"),
        kind=_word(said, "kind"),
        purpose=_word(said, "purpose"),
        recipient=_word(said, "recipient"),
        territory=_word(said, "territory"),
        lawful_basis=_word(said, "lawful_basis"),
        approvals=tuple(map(str, said.get("approvals", ()))),
        tables={str(k): [str(c) for c in v] for k, v in dict(said.get("tables", {})).items()},
        patients=_count(said.get("patients")),
        expires=_word(said, "expires"),
        state=_state(_word(said, "expires"), gone.get(name), on),
        outcomes=_outcomes(said, agreements),
    )


def _word(said: dict[str, Any], name: str) -> str:
    return str(said.get(name) or NOT_SAID)


def _count(given: Any) -> str:
    return f"{rounded(given):,}" if isinstance(given, int) else str(given or NOT_SAID)


def _state(expires: str, gone: str | None, on: date) -> str:
    if gone is not None and date.fromisoformat(gone) <= on:
        return f"destroyed on {gone}"
    try:
        over = date.fromisoformat(expires) < on
    except ValueError:
        return NOT_SAID
    return f"expired on {expires}" if over else "in use"


def _outcomes(said: dict[str, Any], agreements: Path | None) -> tuple[str, ...]:
    known = [str(one) for one in said.get("publications", ())]
    if agreements is not None:
        path = agreements / f"{said.get('agreement')}.yaml"
        try:
            now = yaml.safe_load(path.read_text(encoding="utf-8"))["publications"]
            known += [t for t in map(str, now) if not kind_of_identifier(t, names=False)]
        except (OSError, ValueError, LookupError, TypeError, yaml.YAMLError):
            pass  # nothing further is stated
    return tuple(dict.fromkeys(known))


def destroyed(library, name: str, *, on: date, why: str) -> None:
    """Record that a recipient has destroyed an extract.

    Parameters
    ----------
    library
        Open.
    name
        Of the extract.
    on
        The day on which it was destroyed.
    why
        For the log: what shows it.

    Raises
    ------
    DataError
        No such extract is in the log, or it is recorded as destroyed already.
    """
    entries = library.log()
    names = [e["details"].get("extract_id") for e in entries if e["what"] == "extract"]
    if name not in names:
        raise DataError(
            f"The log knows no extract {name!r}. Name one of those that `iesoresearch library "
            "register` lists."
        )
    if any(e["what"] == DESTROYED and e["details"]["extract_id"] == name for e in entries):
        raise DataError(f"Extract {name} is recorded as destroyed already. Nothing was recorded.")
    library.note(DESTROYED, why, {"extract_id": name, "on": on.isoformat()})
