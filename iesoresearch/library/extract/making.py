"""Extracts: the minimum data of an agreement, sealed for a recipient, and what is recorded of it.

Everything happens while the library is held for writing, so that nobody's choice changes between
being honoured and being recorded. The order makes a killed extract harmless: the sealed folder is
complete beside its place, then the library records who is in it (one commit), then the folder is
moved into place. What is recorded may never have left; what leaves is always recorded.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from iesoresearch.disclosure.policy import Policy
from iesoresearch.errors import DisclosureError
from iesoresearch.library.deidentify.unspilled import nothing_spilled
from iesoresearch.library.extract import agreement as agreements
from iesoresearch.library.extract import dictionary, earlier, grounds, plain
from iesoresearch.library.extract.agreement import INSIDE, Agreement, Refused
from iesoresearch.library.extract.cutting import Cut
from iesoresearch.library.extract.handing import placed
from iesoresearch.library.extract.judging import judged
from iesoresearch.library.extract.together import EXTRACTS, REFERRALS
from iesoresearch.library.store import log, sealed
from iesoresearch.library.store.keys import Keys


@dataclass(frozen=True)
class Extracted:
    """An extract that was written.

    Attributes
    ----------
    extract_id
        Its name in the log.
    folder, key_file
        The sealed folder, and the only key that opens it.
    fingerprint
        Of the folder it opens to; empty for a sample for coders, which no run reads.
    report
        Lines to show.
    """

    extract_id: str
    folder: Path
    key_file: Path
    fingerprint: str
    report: list[str]


@contextmanager
def refusals_logged(
    library, purpose: str, why: str, what: str = "extract refused"
) -> Iterator[None]:
    """Record in the log of the library that something was refused, of which kind.

    What was asked for is logged by the name of the agreement alone: a refused text is not kept.
    """
    try:
        yield
    except DisclosureError as error:
        kind = error.kind if isinstance(error, Refused) else "disclosure"
        library.note(what, why, {"agreement": purpose, "kind": kind})
        raise


def extract(
    library,
    agreement: Agreement | Path,
    folder: Path,
    *,
    key_file: Path,
    why: str,
    on: date | None = None,
    policy: Policy | None = None,
    wait: float = 60,
) -> Extracted:
    """Write the extract of an agreement into a new sealed folder.

    Parameters
    ----------
    library
        Open.
    agreement
        As read, or its file: then a forbidden purpose in it is logged as well.
    folder
        New.
    key_file
        New; anywhere but in `folder`, and to be handed over by another way than the folder.
    why
        For the log.
    on
        The day it is.
    policy
        How counts are shown in the report.
    wait
        Seconds to wait for another writer of the library.

    Raises
    ------
    Refused
        Of whatever kind; it is in the log.
    ParameterError
        The agreement is broken.
    DataError
        The library is damaged or lacks a column.
    OutputError
        Something cannot be written, or is there already. Nothing is left of the extract.
    """
    on, policy = on or date.today(), policy or Policy()
    name = agreements.name_of(agreement)
    log.text("why", why)
    with refusals_logged(library, name, why):
        if isinstance(agreement, Path):
            agreement = agreements.read(agreement)
        if agreement.kind == INSIDE:
            raise Refused(
                "kind",
                f"Agreement {agreement.id} is for annotation inside, which gives no extract. Use: "
                "iesoresearch library annotate",
            )
        grounds.refuse(agreement, library.territory, library.settings, on)
        with (
            nothing_spilled(),
            placed(folder, key_file) as (beside, keys),
            library.writing("extract", why, wait) as draft,
        ):
            made = _Made(library, draft, agreement, on, policy)
            fingerprint = made.seal(beside, keys)
    return Extracted(made.extract_id, folder, key_file, fingerprint, made.shown.lines())


class _Made:
    """An extract on its way: selected, judged, sealed, recorded."""

    def __init__(self, library, draft, agreement: Agreement, on: date, policy: Policy):
        self.library, self.draft, self.agreement, self.on = library, draft, agreement, on
        self.extract_id = f"{agreement.id}-{on:%Y%m%d}-{secrets.token_hex(3)}"
        recipient = agreement.recipient.organisation
        before = earlier.held(library, recipient, on)
        self.selected, shown = judged(draft, agreement, on, policy, before)
        self.shown = replace(shown, others=earlier.others(library, recipient, on))

    def seal(self, folder: Path, keys: Keys) -> str:
        """Write the sealed folder and record it in the draft; the fingerprint of its tables."""
        chosen = self.agreement.generalise
        cut = Cut(self.draft, self.selected, self.agreement.tables, chosen)
        prints, meta = plain.Prints(), {}

        def passing(table: str):
            yield from prints.taken(table, cut.slices(table))
            if table == last:  # what is told of the rows is known now; it is sealed after them
                meta.update(self._meta(cut, prints))

        *_, last = cut.tables
        sealed.write_sealed(folder, {t: passing(t) for t in cut.tables}, keys, meta)
        self._record(cut, prints.fingerprint)
        return prints.fingerprint

    def _meta(self, cut: Cut, prints: plain.Prints) -> dict[str, Any]:
        agreed = self.agreement
        self.shown = self.shown.with_course(cut.alone_in_course)
        return {
            "kind": "extract",
            "extract_id": self.extract_id,
            "agreement": {
                "id": agreed.id,
                "title": agreed.title,
                "kind": agreed.kind,
                "purpose": agreed.purpose,
                "recipient": agreed.recipient.model_dump(),
                "retention": agreed.retention.model_dump(mode="json"),
                "conditions": agreed.conditions,
            },
            "expires": agreed.expires.isoformat(),
            "made": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "library": {"id": self.library.id, "generation": self.library.generation},
            "fingerprint": prints.fingerprint,
            "pieces": prints.pieces,
            "columns": dictionary.of(cut.tables, agreed.generalise),
            "identifiability": self.shown.data(),
        }

    def _record(self, cut: Cut, fingerprint: str) -> None:
        """Who is in the extract, and the line of the log."""
        agreed, policy = self.agreement, self.shown.policy
        patients = self.selected.patients.select(
            pl.lit(self.extract_id).alias("extract_id"), "patient_id"
        )
        self.draft.write(EXTRACTS, patients, part=self.extract_id, compartment="choices")
        referrals = self.selected.referrals.select("referral_id", part=self.selected.part)
        self.draft.write(REFERRALS, referrals, part=self.extract_id, compartment="choices")
        self.draft.details = {
            "extract_id": self.extract_id,
            "agreement": agreed.id,
            "title": agreed.title,
            "kind": agreed.kind,
            "study": agreed.study,
            "purpose": agreed.purpose,
            "recipient": agreed.recipient.organisation,
            "territory": agreed.recipient.territory,
            "lawful_basis": agreed.lawful_basis,
            "approvals": agreed.approvals,
            "tables": cut.tables,
            "patients": int(policy.rounded(self.selected.patients.height)),
            "rows": {t: int(policy.rounded(n)) for t, n in cut.heights.items()},
            "expires": agreed.expires.isoformat(),
            "publications": agreed.publications,
            "fingerprint": fingerprint,
            **earlier.described(cut.tables, agreed),
        }
