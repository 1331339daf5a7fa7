"""Samples of sessions for coders inside: redacted words under random codes, and nothing else.

A coder learns neither who somebody is, nor where, nor anything of her care: problem and therapy
choose which sessions are drawn, and are not given out. There is one session of a patient at most.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from iesoresearch import seeds
from iesoresearch.data.identifiers import refuse
from iesoresearch.errors import DataError
from iesoresearch.library import choices
from iesoresearch.library.deidentify.unspilled import nothing_spilled
from iesoresearch.library.deidentify.words import Redactor
from iesoresearch.library.extract import EXTRACTS, Extracted, grounds, refusals_logged
from iesoresearch.library.extract import agreement as agreements
from iesoresearch.library.extract.agreement import INSIDE, Agreement, Refused
from iesoresearch.library.extract.handing import placed
from iesoresearch.library.extract.needs import TRANSCRIPTS
from iesoresearch.library.extract.opening import SAMPLE
from iesoresearch.library.small import said
from iesoresearch.library.store import log, sealed

#: Settings of a library, with what holds where they are not settled.
MOST, SHARE = "annotation_sessions", "annotation_share"
_MOST, _SHARE = 100, 0.05
_CODE = 4  # bytes of the random code of a session
_COLUMNS = ("code", "position", "speaker", "text")


@dataclass(frozen=True)
class _Drawn:
    """Patients of a sample, its words under codes, and how many sessions were left out."""

    patients: pl.Series
    words: pl.DataFrame
    n_left_out: int


def annotate(
    library,
    agreement: Agreement | Path,
    folder: Path,
    *,
    key_file: Path,
    why: str,
    on: date | None = None,
    wait: float = 60,
) -> Extracted:
    """Write a sample of sessions into a new sealed folder.

    Parameters
    ----------
    library
        Open.
    agreement
        Of the kind "annotation inside", or its file.
    folder, key_file
        New, as of an extract. `open` makes ``utterances.csv`` of it, until the agreement ends.
    why
        For the log.
    on
        The day it is.
    wait
        Seconds to wait for another writer of the library.

    Raises
    ------
    Refused
        Another kind of agreement; one that is not in force; a coder elsewhere; more sessions than
        the library's settings allow, or than there are of different patients.
    DataError
        The library holds no transcripts.
    OutputError
        Something cannot be written, or is there already. Nothing is left of the sample.
    """
    on = on or date.today()
    name = agreements.name_of(agreement)
    log.text("why", why)
    with refusals_logged(library, name, why, "annotate refused"):
        if isinstance(agreement, Path):
            agreement = agreements.read(agreement)
        if agreement.kind != INSIDE:
            raise Refused(
                "kind",
                f"Agreement {agreement.id} is of the kind {agreement.kind!r}. Coders need one of "
                f"the kind {INSIDE!r}: transcripts are in no extract, ever.",
            )
        grounds.refuse(agreement, library.territory, library.settings, on)
        with (
            nothing_spilled(),
            placed(folder, key_file) as (beside, keys),
            library.writing("annotate", why, wait) as draft,
        ):
            drawn = _draw(draft, agreement, on, _still_read(library, draft, on))
            extract_id = f"{agreement.id}-{on:%Y%m%d}-{secrets.token_hex(3)}"
            meta = _meta(agreement, extract_id)
            sealed.write_sealed(beside, {TRANSCRIPTS: drawn.words}, keys, meta)
            _record(draft, agreement, drawn, extract_id)
    return Extracted(extract_id, folder, key_file, "", _report(drawn))


def _still_read(library, reader, on: date) -> int:
    """Sessions in samples that coders may still read."""
    samples = [e["details"] for e in library.log() if e["what"] == "annotate"]
    current = {one["extract_id"] for one in samples if one["expires"] >= on.isoformat()}
    if not reader.has(EXTRACTS, compartment="choices"):
        return 0
    return sum(
        reader.read(EXTRACTS, part=part, compartment="choices").height
        for part in reader.parts(EXTRACTS, compartment="choices")
        if part in current
    )


def _draw(reader, agreement: Agreement, on: date, still_read: int) -> _Drawn:
    sessions = _sessions(reader, agreement, on)
    _within_limits(agreement, sessions.height, reader.settings, still_read)
    wanted, found, n_left_out = agreement.sample.sessions, [], 0
    for row in _in_turn(sessions, agreement):
        words = _words(reader, row)
        if _tells(words["text"]):
            n_left_out += 1
            continue
        found.append((row, words))
        if len(found) == wanted:
            break
    if len(found) < wanted:
        raise Refused(
            "too few sessions",
            f"Agreement {agreement.id} asks for {wanted} sessions of different patients, and the "
            f"library has {said(len(found))} that may be read. Ask for fewer.",
        )
    secrets.SystemRandom().shuffle(found)  # strata took turns: no order tells of which one is
    codes = _codes(wanted)
    words = [w.with_columns(code=pl.lit(c)) for c, (_, w) in zip(codes, found, strict=True)]
    patients = pl.Series("patient_id", [row["patient_id"] for row, _ in found])
    texts = pl.concat(words).select(_COLUMNS).sort("code", "position")
    refuse({"utterances": texts}, f"The sample of agreement {agreement.id}")
    return _Drawn(patients.sort(), texts, n_left_out)


def _sessions(reader, agreement: Agreement, on: date) -> pl.DataFrame:
    """Every session with words of somebody who has not opted out, with its strata."""
    if not reader.has(TRANSCRIPTS):
        raise DataError("The library holds no transcripts, so there is nothing to annotate.")
    out = choices.excluded(reader, on).select("patient_id").unique()
    found = []
    for part in reader.parts(TRANSCRIPTS):
        keys = ["referral_id", "session"]
        spoken = reader.read(TRANSCRIPTS, part=part, columns=keys).unique(maintain_order=True)
        referrals = reader.read(
            "referrals", part=part, columns=["referral_id", "patient_id", "problem"]
        )
        contacts = reader.read("contacts", part=part, columns=[*keys, "therapy"])
        spoken = spoken.join(referrals, on="referral_id", how="inner", maintain_order="left")
        spoken = spoken.join(contacts, on=keys, how="left", maintain_order="left")
        spoken = spoken.join(out, on="patient_id", how="anti", maintain_order="left")
        found.append(
            spoken.with_columns(pl.col("problem", "therapy").cast(pl.String), part=pl.lit(part))
        )
    return pl.concat(found)


def _within_limits(
    agreement: Agreement, n_sessions: int, settings: dict[str, Any], still_read: int
) -> None:
    """Refuse a sample that is no small one, with all that coders may still read."""
    most, share = settings.get(MOST, _MOST), settings.get(SHARE, _SHARE)
    wanted = agreement.sample.sessions + still_read
    if wanted > most or wanted > share * n_sessions:
        raise Refused(
            "sample too large",
            f"Agreement {agreement.id} asks for {agreement.sample.sessions} sessions, and samples "
            f"that have not ended hold {still_read}. Coders may read a small number: at most "
            f"{most}, and at most {share:.0%} of those there are. Ask for fewer, wait until others "
            f"have ended, or have the library's owner settle {MOST} and {SHARE} of a library.",
        )


def _in_turn(sessions: pl.DataFrame, agreement: Agreement):
    """Sessions in the order they are drawn: a random one of each stratum, and round again.

    Strata take turns in an order of chance, so that a rare problem or therapy is heard as well; a
    patient comes once.
    """
    strata = agreement.sample.strata
    ordered = sessions.sort("referral_id", "session")
    order = seeds.rng(agreement.sample.seed, "annotation", agreement.id).permutation(ordered.height)
    shuffled = ordered[order].unique("patient_id", keep="first", maintain_order=True)
    if strata:
        shuffled = shuffled.with_columns(turn=pl.int_range(pl.len()).over(strata))
        shuffled = shuffled.sort("turn", maintain_order=True)
    yield from shuffled.select("patient_id", "referral_id", "session", "part").iter_rows(named=True)


def _words(reader, row: dict[str, Any]) -> pl.DataFrame:
    words = reader.read(TRANSCRIPTS, part=row["part"])
    of = (pl.col("referral_id") == row["referral_id"]) & (pl.col("session") == row["session"])
    return words.filter(of).select("position", pl.col("speaker").cast(pl.String), "text")


def _codes(n: int) -> list[str]:
    """Random codes, each once, that tell nothing."""
    made: set[str] = set()
    while len(made) < n:
        made.add(secrets.token_hex(_CODE))
    return list(islice(made, n))


def _tells(texts: pl.Series) -> bool:
    """Whether a second search finds what redaction should have taken out, or anything like it."""
    redactor = Redactor()
    return any(redactor.redact(text)[1] for text in texts.drop_nulls())


def _meta(agreement: Agreement, extract_id: str) -> dict[str, Any]:
    return {
        "kind": SAMPLE,
        "extract_id": extract_id,
        "agreement": {
            "id": agreement.id,
            "title": agreement.title,
            "purpose": agreement.purpose,
            "conditions": agreement.conditions,
        },
        "expires": agreement.expires.isoformat(),
        "made": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _record(draft, agreement: Agreement, drawn: _Drawn, extract_id: str) -> None:
    """Whose sessions are read, and the line of the log."""
    held = drawn.patients.to_frame().select(pl.lit(extract_id).alias("extract_id"), "patient_id")
    draft.write(EXTRACTS, held, part=extract_id, compartment="choices")
    draft.details = {
        "extract_id": extract_id,
        "agreement": agreement.id,
        "title": agreement.title,
        "kind": agreement.kind,
        "purpose": agreement.purpose,
        "recipient": agreement.recipient.organisation,
        "territory": agreement.recipient.territory,
        "lawful_basis": agreement.lawful_basis,
        "approvals": agreement.approvals,
        "tables": {TRANSCRIPTS: list(_COLUMNS)},
        "patients": drawn.patients.len(),
        "left out": drawn.n_left_out,
        "expires": agreement.expires.isoformat(),
        "publications": agreement.publications,
    }


def _report(drawn: _Drawn) -> list[str]:
    lines = [
        f"{said(drawn.patients.len())} sessions, each of another patient, under random codes: "
        "words as redacted at ingest, who spoke, and nothing else."
    ]
    if drawn.n_left_out:
        lines.append(
            f"{said(drawn.n_left_out)} session(s) were left out, as a second search found what may "
            "be an identifier in them. Look at how transcripts are redacted at ingest."
        )
    return [*lines, "Redaction is no proof: coders tell nobody what they read."]
