"""A first mapping of a partner's files, and the questions that only a person can answer."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from iesoresearch.data import identifiers
from iesoresearch.data.mapping import names, values
from iesoresearch.data.mapping.apply import renamed
from iesoresearch.data.mapping.reading import File, look
from iesoresearch.data.mapping.site import OPEN, FileMapping, Mapping, targets
from iesoresearch.errors import DataError
from iesoresearch.measures import INSTRUMENTS

_LEVELS = 60  # distinct cells; more are no code list
_RECORD = re.compile(r"\s*(-?\d+([.,]\d+)?|\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}.*|[^\s@]+@[^\s@]+|)\s*")


@dataclass(frozen=True)
class Question:
    """Something that could not be matched.

    Attributes
    ----------
    key
        Where the answer belongs: (number of the file, section, our column[, their code]).
    text
        The question in one line.
    candidates
        Likely answers, the best first.
    optional
        Whether "" (leave it out) is an answer.
    """

    key: tuple
    text: str
    candidates: tuple[str, ...] = ()
    optional: bool = True


@dataclass
class Proposal:
    """A mapping in the making.

    Attributes
    ----------
    files
        Per file the fields of a `FileMapping`.
    columns
        Per file the names of its columns.
    notes
        What was guessed, to be said.
    """

    folder: Path
    columns: list[tuple[str, ...]] = field(default_factory=list)
    files: list[dict] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def answer(self, question: Question, given: str) -> None:
        """Put an answer into its place; "" takes the line out."""
        i, section, column, *code = question.key
        if code:
            self.files[i][section][column][code[0]] = given
        elif given:
            self.files[i][section][column] = [given] if section == "dates" else given
        else:
            self.files[i][section].pop(column, None)
        self.questions.remove(question)

    def problem(self, question: Question, given: str) -> str | None:
        """Why something cannot be the answer, None where it can."""
        i, section, column, *_ = question.key
        if section == "columns" and given and given not in self.columns[i]:
            return "There is no such column in the file."
        if section == "dates" and given not in values.DATE_FORMATS:
            return f"The formats are {', '.join(values.DATE_FORMATS)}."
        words = values.coded_columns().get(column, ())
        if section == "codes" and given not in words:
            return f"The words are {', '.join(words)}."
        return None

    def mapping(self) -> Mapping:
        """The mapping as it stands; what was not answered is a question mark."""
        return Mapping(
            folder=str(self.folder), files=[FileMapping.model_validate(f) for f in self.files]
        )

    def remarks(self) -> dict[tuple, str]:
        """For the lines that wait, what is asked and what may be meant."""
        said = {}
        for q in self.questions:
            likely = f" Perhaps: {', '.join(q.candidates)}." if q.candidates else ""
            said[q.key] = q.text + likely
        return said


def propose(paths: list[Path]) -> Proposal:
    """Look at a partner's files and map what can be mapped without doubt.

    Raises
    ------
    DataError
        A file cannot be read, has no header row, or holds identifiers.
    """
    files = [look(path.resolve()) for path in paths]
    for file in files:
        _refuse_records(file)
    identified = [
        f"{file.path.name}: {found.text(known=False)}"
        for file in files
        for found in identifiers.identifiers(file.raw(), _days(file))
    ]
    if identified:
        raise DataError(f"{'; '.join(identified)}. No mapping was written. {identifiers.ADVICE}")
    folder = Path(os.path.commonpath([file.path.parent for file in files]))
    proposal = Proposal(folder, [file.columns for file in files])
    free: list[list[str]] = []
    for i, file in enumerate(files):
        free.append(_columns(proposal, i, file))
    _needed(proposal, files, free)
    for i, file in enumerate(files):
        _cells(proposal, i, file)
    return proposal


def _days(file: File) -> list[str]:
    matches = names.match_all(file.columns).items()
    return [name for name, match in matches if match.column in values.date_columns()]


def _refuse_records(file: File) -> None:
    """A first row that is somebody's record must not end up in a mapping."""
    if any(_RECORD.fullmatch(name) for name in file.columns) or not names.match_all(file.columns):
        raise DataError(
            f"{file.path.name}: the first row does not look like names of columns, or no name is "
            "known. Give the file a header row; if it has one, copy params/sites/example.yaml and "
            "fill it in by hand."
        )


def _columns(proposal: Proposal, i: int, file: File) -> list[str]:
    """Map the columns of a file; returns those that nothing was found for."""
    entry = {"file": str(file.path.relative_to(proposal.folder)), "columns": {}}
    if not file.is_parquet:
        layout = file.layout
        entry |= {"separator": layout.separator, "encoding": layout.encoding}
        entry |= {"decimal": layout.decimal}
        proposal.notes.append(
            f"{entry['file']}: separated by {layout.separator}, {layout.encoding}, decimal "
            f"{layout.decimal}"
        )
    proposal.files.append(entry)
    found = names.match_all(file.columns)
    groups: dict[tuple, list[tuple[str, names.Match]]] = {}
    for name, match in found.items():
        groups.setdefault((match.column, match.session), []).append((name, match))
    for (column, _), rivals in groups.items():
        own = [r for r in rivals if names.plain(r[0]) == column] or rivals
        if len(own) > 1:
            _ask_column(proposal, i, column, [name for name, _ in own])
        elif entry["columns"].get(column) != OPEN:
            _put(entry["columns"], own[0][1])
    entry["columns"] = {c: entry["columns"][c] for c in sorted(entry["columns"], key=_place)}
    free = [name for name in file.columns if name not in found]
    proposal.notes.append(
        f"{entry['file']}: {len(found)} of {len(file.columns)} columns recognised"
    )
    return free


def _place(column: str) -> int:
    """Columns in the order of the schema."""
    order = [c for c in _ORDER if c == column or c.startswith(column.replace("{item}", ""))]
    return _ORDER.index(order[0]) if order else len(_ORDER)


_ORDER = list(dict.fromkeys(c for s in names.TABLES.values() for c in s.column_names()))


def _put(columns: dict[str, str], match: names.Match) -> None:
    """One line for all items or sessions that are named alike; a line each for the others."""
    if columns.get(match.target, match.pattern) == match.pattern:
        columns[match.target] = match.pattern
        return
    number = match.column.rpartition("_")[2]
    columns[match.column] = match.pattern.replace("{item}", number)


def _ask_column(proposal: Proposal, i: int, column: str, candidates, *, optional=True) -> None:
    entry = proposal.files[i]
    entry["columns"][column] = OPEN
    text = f"{entry['file']}: which column is {column}?"
    proposal.questions.append(Question((i, "columns", column), text, tuple(candidates), optional))


def _needed(proposal: Proposal, files: list[File], free: list[list[str]]) -> None:
    """Ask about near misses, and about what nothing can be done without."""
    have = {c for entry in proposal.files for c in entry["columns"]}
    for i, unmatched in enumerate(free):
        likely: dict[str, list[str]] = {}
        for name in unmatched:
            for column in names.near(name)[:1]:
                likely.setdefault(column, []).append(name)
        for column, candidates in likely.items():
            if column not in have and column in targets():
                _ask_column(proposal, i, column, candidates, optional=column != "patient_id")
                have.add(column)
    if "patient_id" not in have:
        _ask_column(proposal, 0, "patient_id", free[0], optional=False)
    answers = {f"{code}_{{item}}" for code in INSTRUMENTS} | {f"{c}_total" for c in INSTRUMENTS}
    answers |= {c for i in INSTRUMENTS.values() for c in i.columns} | {"value"}
    if not have & answers:
        _ask_column(proposal, len(files) - 1, "phq9_total", free[-1], optional=False)
    _ask_for_referrals(proposal, free)


def _ask_for_referrals(proposal: Proposal, free: list[list[str]]) -> None:
    """Where one file tells referrals apart, files of appointments must say which they are of."""
    have = [set(entry["columns"]) for entry in proposal.files]
    if not any("referral_id" in columns for columns in have):
        proposal.notes.append(
            "no column tells referrals apart: every patient counts as referred once"
        )
        return
    for i, columns in enumerate(have):
        seen = {"date", "session", "attendance", "phq9_{item}", "phq9_total"} & columns
        if seen and "referral_id" not in columns:
            _ask_column(proposal, i, "referral_id", free[i], optional=False)


def _cells(proposal: Proposal, i: int, file: File) -> None:
    """Formats of days and code lists, from the cells."""
    entry = proposal.files[i]
    sure = {c: name for c, name in entry["columns"].items() if name != OPEN}
    frame = renamed(FileMapping(file=entry["file"], columns=sure), file)
    coded, given = values.coded_columns(), frame.collect_schema()
    for column in sorted(set(given) & values.date_columns(), key=_place):
        _dates(proposal, i, column, frame)
    for column in sorted(set(given) & set(coded), key=_place):
        _codes(proposal, i, column, frame)


def _dates(proposal: Proposal, i: int, column: str, frame: pl.LazyFrame) -> None:
    counts = frame.select(e.alias(n) for n, e in values.date_counts(pl.col(column)).items())
    likely = values.likely_formats(counts.collect(engine="streaming").row(0, named=True))
    entry = proposal.files[i]
    dates = entry.setdefault("dates", {})
    if len(likely) == 1:
        dates[column] = likely
        proposal.notes.append(f"{entry['file']}: {column} is written {likely[0]}")
    elif likely:
        dates[column] = [OPEN]
        text = f"{entry['file']}: which comes first in {column}, the day or the month?"
        proposal.questions.append(Question((i, "dates", column), text, tuple(likely), False))
    # an empty column, or no dates at all: `data check` says so
    if not dates:
        del entry["dates"]


def _codes(proposal: Proposal, i: int, column: str, frame: pl.LazyFrame) -> None:
    """Known codes are mapped, near ones asked about; others are counted and never written down."""
    cells = frame.select(pl.col(column).str.strip_chars().alias("code")).drop_nulls()
    counted = cells.filter(pl.col("code") != "").group_by("code").len()
    levels = counted.sort("len", "code", descending=[True, False]).head(_LEVELS + 1)
    found = levels.collect(engine="streaming")
    known, entry = values.known_codes(column), proposal.files[i]
    mapped: dict[str, str] = {}
    seen, unknown = set(), 0
    for code in found["code"] if len(found) <= _LEVELS else []:
        if values.simple(code) in seen:
            continue
        seen.add(values.simple(code))
        word, close = values.meaning(column, code, known), values.near(code, known)
        if word is not None:
            mapped[code] = word
        elif close:
            mapped[code] = OPEN
            text = f"{entry['file']}: what does this code of {column} mean?"
            key = (i, "codes", column, code)
            proposal.questions.append(Question(key, text, tuple(close), False))
        else:
            unknown += 1
    if len(found) > _LEVELS:
        proposal.notes.append(f"{entry['file']}: {column} holds too many values for a code list")
    if unknown:
        proposal.notes.append(
            f"{entry['file']}: {unknown} value(s) of {column} are no known code; they are not "
            "written down here, add a line for each that is one"
        )
    if (mapped and any(code != word for code, word in mapped.items())) or unknown:
        entry.setdefault("codes", {})[column] = mapped
