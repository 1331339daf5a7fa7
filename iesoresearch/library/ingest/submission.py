"""A submission of a site into the library: identifiers split off, the rest de-identified.

Identifiers are read, hashed and dropped; nothing is written in clear, not even for a moment. What
is written goes part by part into one new generation of the library, or nothing at all.
"""

from collections import Counter
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from iesoresearch.data import sources
from iesoresearch.data.checks import check
from iesoresearch.data.conform import conformed
from iesoresearch.data.mapping import Source
from iesoresearch.data.questions import Tables
from iesoresearch.data.schema import TABLES
from iesoresearch.errors import ParameterError
from iesoresearch.library.deidentify.ids import Pseudonyms
from iesoresearch.library.deidentify.unspilled import nothing_spilled
from iesoresearch.library.deidentify.words import without_identifiers
from iesoresearch.library.ingest.allowed import allowed
from iesoresearch.library.ingest.declared import Declared
from iesoresearch.library.ingest.gathering import Gathered
from iesoresearch.library.ingest.identifying import identified
from iesoresearch.library.ingest.inputs import Files
from iesoresearch.library.ingest.merging import merge
from iesoresearch.library.ingest.quiet import Quiet
from iesoresearch.library.small import rounded, said

_EMPTY = "empty in every row"
#: Setting of a library that lets transcripts in.
TRANSCRIPTS = "transcripts"


@dataclass(frozen=True)
class IngestReport:
    """What an ingest did: exact counts in `counts`, sentences that may be shown in `text`.

    Attributes
    ----------
    counts
        ``patients``, ``new patients``, ``referrals``, ``new referrals``, ``replaced referrals``,
        ``excluded`` (patients who opted out) and rows by table.
    warnings
        Sentences; small counts are not told.
    redacted
        Marks in transcripts, by kind.
    dry_run
        Nothing was written.
    """

    counts: dict[str, int]
    warnings: tuple[str, ...]
    redacted: dict[str, int]
    dry_run: bool

    def text(self) -> str:
        """What may be shown."""
        c = {name: said(n) for name, n in self.counts.items()}
        would = "would be " if self.dry_run else ""
        lines = [
            f"{c['referrals']} referral(s) of {c['patients']} patient(s): {c['new referrals']} "
            f"{would}new, {c['replaced referrals']} {would}replaced; {c['new patients']} "
            f"patient(s) {would}new.",
            f"Left out because they opted out: {c['excluded']} patient(s).",
            *(f"Warning: {warning}." for warning in self.warnings),
        ]
        if self.redacted:
            marks = ", ".join(f"{kind} {said(n)}" for kind, n in sorted(self.redacted.items()))
            lines.append(
                f"Transcripts: {c['utterances']} utterance(s), redacted: {marks}. Redaction is no "
                "proof that nobody can be recognised."
            )
        lines.append(
            "Nothing was written (--dry-run)." if self.dry_run else "The library was updated."
        )
        return "\n".join(lines)


def ingest(
    library,
    source: Source | Path,
    people: Path | None = None,
    *,
    why: str,
    site: str = "",
    declared: Declared | None = None,
    folder: Path | None = None,
    with_transcripts: bool = False,
    dry_run: bool = False,
    wait: float = 60,
) -> IngestReport:
    """Bring a site's records into a library, de-identified.

    A referral that is there already is replaced, with all its rows; of patients the newest value
    of each column counts. The same files again change nothing.

    Parameters
    ----------
    library
        Open.
    source
        Folder of canonical tables or of the national data set, or what
        `iesoresearch.data.mapping.read` made of a site's files.
    people
        Table of identifiers with columns named as in `declared.IDENTIFIERS` and patient_id; more
        can be named in `declared`.
    why
        For the log.
    site
        Whose ids they are, where a library has several sites; always the same for one site.
    declared
        Which columns of which files are identifiers, look-up of deprivation, transcripts, codebook.
    folder
        Where the files lie, if `source` is no folder.
    with_transcripts
        Take the utterances, too; the settings of the library must allow it.
    dry_run
        Write nothing, only report.
    wait
        Seconds to wait for another writer.

    Raises
    ------
    DataError
        The tables have errors or look as if they held undeclared identifiers, or people cannot be
        told apart; everything at once, with counts and without a value.
    ParameterError
        `why` holds what looks like an identifier; transcripts that are not allowed.
    OutputError
        Another one is writing, or there is no room; the library is as it was.
    """
    declared = declared or Declared()
    where = Path(source) if not isinstance(source, Source) else folder
    _refuse_words(why, site)
    _refuse_transcripts(library, declared, with_transcripts)
    with Quiet(where, people).told(), nothing_spilled():
        files = Files(where, declared, people)
        if not isinstance(source, Source):
            source = sources.scan((source,), declared.by_file())
        submission = _Submission(library, files, source, site, with_transcripts)
        with _draft(library, why, wait, dry_run) as draft:
            return submission.write(draft, dry_run)


@contextmanager
def _draft(library, why: str, wait: float, dry_run: bool):
    with nullcontext() if dry_run else library.writing("ingest", why, wait) as draft:
        yield library if draft is None else draft


class _Submission:
    """Files that were read and checked, on their way into the library."""

    def __init__(self, library, files: Files, source: Source, site: str, transcripts: bool):
        report = check("The data", source.tables, source.problems)
        report.refuse()
        self.library, self.site, self.files = library, site, files
        self.counts: Counter[str] = Counter()
        self.warnings = [
            f"{p.table}: {p.text.replace(str(p.n), said(p.n), 1)}"
            for p in report.warnings
            if _EMPTY not in p.text  # a library leaves columns empty itself
        ]
        self.tables, found = allowed(source.tables, files.declared.elements, files.scales())
        self.people = files.people()
        self.counts.update(found | self.people.counts)
        if transcripts:
            self.tables = {**self.tables, "utterances": files.transcripts()}

    def write(self, draft, dry_run: bool) -> IngestReport:
        """De-identify, and merge into the library part by part."""
        makes = Pseudonyms(self.library, self.site)
        who = identified(self.library, draft, makes, self.people, _local_ids(self.tables))
        frame = self._with_deciles(who.frame)
        gathered = Gathered(self.tables, frame, makes, self.files.thresholds(), self.people)
        counts = merge(draft, gathered, who, dry_run)
        redacted = dict(gathered.redacted)
        if not dry_run:
            draft.details = _rounded(counts) | (
                {"redacted": _rounded(redacted)} if redacted else {}
            )
        self.counts.update(who.counts)
        self.counts.update(gathered.counts)
        warnings = [text.format(n=said(n)) for text, n in self.counts.items() if n]
        return IngestReport(counts, (*self.warnings, *warnings), redacted, dry_run)

    def _with_deciles(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Beside everybody the decile of the area, where there is a look-up."""
        deciles = self.files.deciles()
        if deciles is None:
            return frame.with_columns(decile=pl.lit(None, pl.UInt8))
        known = self.people.frame.join(frame, on="local_id", how="semi", maintain_order="left")
        found, unmatched = deciles.look_up(known)
        self.counts["{n} area(s) of patients are not in the look-up of deprivation"] += unmatched
        return frame.join(found, on="local_id", how="left", maintain_order="left")


def _rounded(counts: dict[str, int]) -> dict[str, int]:
    return {name: rounded(n) for name, n in counts.items()}


def _local_ids(tables: Tables) -> pl.Series:
    """Of everybody a table of patients or referrals names, as the schema reads them."""
    named = [
        conformed(tables[name], TABLES[name])[0].select("patient_id")
        for name in ("patients", "referrals")
    ]
    return pl.concat(named).unique().collect(engine="streaming").to_series()


def _refuse_words(why: str, site: str) -> None:
    for name, words in (("--why", why), ("The name of the site", site)):
        if without_identifiers(words) != words:
            raise ParameterError(
                f"{name} looks as if it named a person. It is kept in the log: write it without "
                "names, numbers and addresses."
            )


def _refuse_transcripts(library, declared: Declared, wanted: bool) -> None:
    if not wanted:
        return
    if declared.transcripts is None:
        raise ParameterError(
            "--with-transcripts needs the file of transcripts. Name it as transcripts in the file "
            "of --declare."
        )
    if library.settings.get(TRANSCRIPTS) is not True:
        raise ParameterError(
            "This library holds no transcripts: its settings do not allow them. Ingest without "
            "--with-transcripts, or make a library whose settings say transcripts: true."
        )
