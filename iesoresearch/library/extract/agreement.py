"""Data-sharing agreements: who gets which columns of whom, what for, until when.

An agreement is a file of YAML (``params/agreements/example.yaml`` shows every line). A file that is
broken is a `ParameterError`, with every problem at once; one that asks for what is never given is
`Refused`, whatever else is right about it.
"""

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, StringConstraints, field_validator

from iesoresearch.data.schema import TABLES
from iesoresearch.errors import DisclosureError, ParameterError
from iesoresearch.library import territory
from iesoresearch.library.deidentify.written import refuse_identifiers
from iesoresearch.library.extract import generalise, needs, places, purposes
from iesoresearch.library.extract.quasi import QUASI_IDENTIFIERS
from iesoresearch.library.strict import Strict, meant
from iesoresearch.measures.problems import PROBLEMS

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,60}$")]
Kind = Literal["service evaluation", "research", "study", "trial", "annotation inside"]
#: Kinds that need everybody's own consent, and the one that never leaves.
CONSENTED, INSIDE = ("study", "trial"), "annotation inside"
_LARGEST_K = 1_000
_FEWEST_WORDS = 3  # of a justification


class Refused(DisclosureError):
    """What an agreement asks for is not given.

    Parameters
    ----------
    kind
        Why, in one or two words, for the log: "forbidden purpose", "territory", "expired" …
    message
        The paragraph.
    """

    def __init__(self, kind: str, message: str):
        super().__init__(message)
        self.kind = kind


class Person(Strict):
    """Somebody who works with the records, by role; `territory` where it is not the recipient's."""

    role: Text
    territory: str | None = None


class Recipient(Strict):
    """Who gets the records."""

    organisation: Text
    territory: str
    people: list[Person] = Field(min_length=1)

    @property
    def territories(self) -> list[str]:
        """Of the organisation and of everybody there."""
        return [self.territory, *(p.territory for p in self.people if p.territory)]

    @field_validator("territory")
    @classmethod
    def _known(cls, value: str) -> str:
        territory.code(value)
        return value

    def misplaced(self) -> list[str]:
        """Names that place the organisation, or somebody there, in the US and no territory does."""
        named = [("organisation", self.organisation, self.territory)]
        named += [(f"role {p.role!r}", p.role, p.territory or self.territory) for p in self.people]
        return [
            f"the recipient's {what} names {words}, and its territory is {there}: write "
            f"{territory.US} as territory, or the name without the place if nobody there has access"
            for what, text, there in named
            if (words := places.in_the_us(text)) and territory.code(there) != territory.US
        ]


class Signature(Strict):
    """Who signed for which side, and when."""

    party: Literal["provider", "recipient"]
    role: Text
    date: datetime.date


class Rows(Strict):
    """Whose records: everybody who fits all that is named."""

    referral_years: list[str] = Field(default_factory=list)
    problems: list[str] = Field(default_factory=list)
    steps: list[Literal["low intensity", "high intensity"]] = Field(default_factory=list)
    n_patients: int | None = Field(None, ge=1)
    seed: int = 1

    @field_validator("referral_years")
    @classmethod
    def _years(cls, values: list[str]) -> list[str]:
        wrong = [v for v in values if not _is_year(v)]
        if wrong:
            raise ValueError(f"{', '.join(wrong)} is no fiscal year; write them like 2023-24")
        return values

    @field_validator("problems")
    @classmethod
    def _problems(cls, values: list[str]) -> list[str]:
        wrong = [v + meant(v, PROBLEMS) for v in values if v not in PROBLEMS]
        if wrong:
            raise ValueError(f"there is no problem descriptor {'; '.join(wrong)}")
        return values


class Limits(Strict):
    """How many patients must be alike (k), and how different in what is sensitive (l)."""

    k: int = Field(10, ge=5, le=_LARGEST_K)
    l: int = Field(2, ge=1, le=100)  # noqa: E741 - its name in the literature
    l_entropy: float = Field(1.0, ge=1, le=100)
    sensitive: list[str] = Field(default_factory=list)
    suppress_at_most: float = Field(0.0, ge=0, le=0.2)


class Retention(Strict):
    """Until when the recipient keeps the records, and what happens then."""

    until: datetime.date
    then: Text


class Sample(Strict):
    """Sessions for coders."""

    sessions: int = Field(ge=1)
    seed: int = 1
    strata: list[Literal["problem", "therapy"]] = Field(
        default_factory=lambda: ["problem", "therapy"]
    )


class Agreement(Strict):
    """A data-sharing agreement; see ``params/agreements/example.yaml`` for every field."""

    id: Name
    title: Text
    kind: Kind
    purpose: Text
    recipient: Recipient
    lawful_basis: Text
    approvals: list[Text] = Field(min_length=1)
    signed: list[Signature] = Field(default_factory=list)
    expires: datetime.date
    analyses: list[str] = Field(default_factory=list)
    justified: dict[str, Text] = Field(default_factory=dict)
    tables: dict[str, list[str]] = Field(default_factory=dict)
    rows: Rows = Rows()
    limits: Limits = Limits()
    generalise: dict[str, str] = Field(default_factory=dict)
    study: Text | None = None
    sample: Sample | None = None
    retention: Retention
    publications: list[Text] = Field(default_factory=list)
    conditions: list[Text] = Field(default_factory=list)

    @field_validator("analyses")
    @classmethod
    def _analyses(cls, values: list[str]) -> list[str]:
        wrong = [v + meant(v, needs.NEEDS) for v in values if v not in needs.NEEDS]
        if wrong:
            raise ValueError(f"no analysis that reads patients' records is called {wrong[0]}")
        return values

    @field_validator("tables")
    @classmethod
    def _columns(cls, tables: dict[str, list[str]]) -> dict[str, list[str]]:
        problems = [p for table, columns in tables.items() for p in _of_table(table, columns)]
        if problems:
            raise ValueError("; ".join(problems))
        return tables

    @field_validator("generalise")
    @classmethod
    def _levels(cls, chosen: dict[str, str]) -> dict[str, str]:
        problems = generalise.problems(chosen)
        if problems:
            raise ValueError("; ".join(problems))
        return chosen

    @field_validator("justified")
    @classmethod
    def _reasons(cls, reasons: dict[str, str]) -> dict[str, str]:
        blank = [column for column, text in reasons.items() if len(text.split()) < _FEWEST_WORDS]
        if blank:
            raise ValueError(
                f"a word or two do not justify {', '.join(blank)}: say what the column is needed "
                f"for, in {_FEWEST_WORDS} words at least"
            )
        return reasons

    def refuse_identifiers(self, where: str) -> None:
        """Refuse words that seem to name a patient: they would be in the log and the register.

        Names count in title and purpose alone; organisations and authors may bear one.

        Raises
        ------
        ParameterError
            Naming every place, and no word of it.
        """
        texts = purposes.texts(self.model_dump(), "")
        refuse_identifiers(
            ((place, text, place in ("title", "purpose")) for place, text in texts), where
        )

    def refuse_problems(self, where: str) -> None:
        """Refuse an agreement whose parts do not fit together.

        Raises
        ------
        ParameterError
            Naming every problem.
        """
        problems = self.problems()
        if problems:
            raise ParameterError(f"{where}: {'; '.join(problems)}.")

    def problems(self) -> list[str]:
        """What single fields cannot tell."""
        found = []
        if self.kind in CONSENTED and not self.study:
            found.append(f"a {self.kind} names its study (study: …), whose consents are asked for")
        if self.kind == INSIDE:
            found += self._of_sample()
        else:
            found += self._of_extract()
        if self.retention.until < self.expires:
            found.append(
                f"retention.until ({self.retention.until}) is before expires ({self.expires}): the "
                "folder would open when nothing of it may be kept. Let the agreement end on the "
                "day until which records are kept, or earlier"
            )
        return found + self.recipient.misplaced()

    def _of_sample(self) -> list[str]:
        found = [] if self.sample else ["sample says how many sessions are to be read"]
        if self.tables:
            found.append("tables must be empty: coders see nothing but redacted text")
        return found

    def _of_extract(self) -> list[str]:
        lacking = [t for t in ("patients", "referrals", "contacts") if t not in self.tables]
        found = [f"tables lacks {t} (no column but the links: {t}: [])" for t in lacking]
        if self.sample:
            found.append(f"sample is for the kind {INSIDE!r} only")
        given = {c for columns in self.tables.values() for c in columns}
        for column in self.limits.sensitive:
            if column in QUASI_IDENTIFIERS:
                found.append(f"limits.sensitive: {column} may tell who somebody is, so it is in k")
            elif column not in given:
                found.append(f"limits.sensitive: {column} is in no table")
            elif column not in self._of_people():
                found.append(f"limits.sensitive: {column} is no column of patients or referrals")
        for name in ("generalise", "justified"):
            found += [f"{name}: {c} is in no table" for c in getattr(self, name) if c not in given]
        return found

    def _of_people(self) -> set[str]:
        return {c for table in ("patients", "referrals") for c in self.tables.get(table, ())}


def _of_table(table: str, columns: list[str]) -> list[str]:
    if table == needs.TRANSCRIPTS:
        return []  # spelt right, and refused for what it is
    if table not in TABLES:
        return [f"there is no table {table}{meant(table, TABLES)}"]
    known = TABLES[table].column_names()
    found = []
    for column in columns:
        if column == "*":
            found.append(f"{table}: name the columns one by one; “*” is no minimum")
        elif column not in known:
            found.append(f"{table} has no column {column}{meant(column, known)}")
    found += [f"{table}: {c} is named twice" for c in {c for c in columns if columns.count(c) > 1}]
    lacking = [c for c in needs.required(table) if c not in columns] + needs.halves(columns)
    if lacking:
        found.append(
            f"{table} cannot be read without {', '.join(lacking)}: agree to them, or leave out "
            "what they belong to"
        )
    return found


def _is_year(text: str) -> bool:
    first, _, second = text.partition("-")
    return (
        len(first) == 4
        and first.isdigit()
        and len(second) == 2
        and second.isdigit()
        and (int(first) + 1) % 100 == int(second)
    )


def read(path: Path) -> Agreement:
    """Read an agreement.

    Raises
    ------
    Refused
        It names a use that records are never given for; that is looked at before all else.
    ParameterError
        No such file, or a broken one, naming every problem at once.
    """
    content = _yaml(path)
    refuse_purpose(content, str(path))
    agreement = Agreement.check(content, str(path))
    agreement.refuse_identifiers(str(path))
    agreement.refuse_problems(str(path))
    return agreement


def name_of(given: Agreement | Path) -> str:
    """How the log calls an agreement, or its file as long as that is not read.

    Raises
    ------
    ParameterError
        It seems to name a patient.
    """
    name = given.stem if isinstance(given, Path) else given.id
    refuse_identifiers([("its name", name, True)], "The agreement")
    return name


def find(purpose: str, params: Path) -> Path:
    """File of an agreement: `purpose` is the file itself, or its name in ``params/agreements/``.

    Raises
    ------
    ParameterError
        There is neither.
    """
    home = params / "agreements"
    for path in (Path(purpose), home / f"{purpose}.yaml"):
        if path.is_file():
            return path
    known = sorted(p.stem for p in home.glob("*.yaml"))
    raise ParameterError(
        f"There is no agreement {purpose!r}{meant(purpose, known)}: neither a file of that name, "
        f"nor {home / f'{purpose}.yaml'}. example.yaml there shows how one is written."
    )


def refuse_purpose(content: Mapping[str, Any], where: str) -> None:
    """Refuse an agreement that names a use records are never given for.

    Raises
    ------
    Refused
        Naming the kind of use, the words, and where they stand.
    """
    found = purposes.search_all(content)
    if found:
        uses = "; ".join(f"{f.kind} (“{f.words}” in {f.place})" for f in found)
        raise Refused(
            "forbidden purpose: " + ", ".join(dict.fromkeys(f.kind for f in found)),
            f"{where} is refused, and nothing was read: it names {uses}. Patients' records are "
            "never sold, nor used for advertising, marketing, insurance or credit. If the words "
            "only rule such a use out, move them to `conditions`, in a sentence that says No.",
        )


def _yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ParameterError(f"{path} cannot be read ({error.strerror}).") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        place = f" near line {line + 1}" if line is not None else ""
        raise ParameterError(f"{path} is not readable as YAML{place}. Mend the file.") from None
    if not isinstance(content, dict):
        raise ParameterError(f"{path} must hold the fields of an agreement, as example.yaml does.")
    return content
