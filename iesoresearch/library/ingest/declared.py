"""What an ingest is told about a site's files: which column of which file is which identifier.

A file of YAML, strict, for `iesoresearch library ingest --declare`::

    identifiers:                    # of people, in files of their own or beside the data
    - file: referrals.csv
      columns: {patient_id: LocalId, nhs_number: NHSNumber, name: FullName, email: Email}
      dates: {date_of_birth: dd/mm/yyyy}
    deprivation:                    # from postcode or LSOA to decile
      file: deciles.csv
      columns: {lsoa: LSOA21CD, deprivation_decile: Decile}
    transcripts:
      file: utterances.parquet
    elements: [agenda, homework]    # the site's codebook of therapy content
    thresholds: own_rules.yaml      # outcome rules of the site's own, with the days they began
    scales: own_scales.yaml         # scales of the site's own

A declared column is split off and never stored; a column that looks like an identifier and is not
declared still keeps everything out. Files are looked for beside the data, then beside this one.
"""

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, Field, field_validator

from iesoresearch.data.mapping.values import DATE_FORMATS
from iesoresearch.errors import ParameterError
from iesoresearch.library.strict import Strict, meant

IDENTIFIERS = (
    *("nhs_number", "name", "given_name", "family_name", "email", "phone"),
    *("date_of_birth", "postcode", "lsoa"),
)
PATIENT = "patient_id"
_TRANSCRIPT = ("referral_id", "session", "position", "speaker", "text")
_AREAS = ("postcode", "lsoa")
DECILE = "deprivation_decile"


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _known(columns: dict[str, str], names: tuple[str, ...]) -> dict[str, str]:
    for name in columns:
        if name not in names:
            raise ValueError(f"there is no {name}{meant(name, names)}")
    return columns


class IdentifierFile(Strict):
    """Columns of one file that hold identifiers, by what they are, with the patient's id."""

    file: str
    columns: dict[str, str]
    dates: dict[str, Annotated[list[str], BeforeValidator(_as_list)]] = Field(default_factory=dict)

    @field_validator("columns")
    @classmethod
    def _columns(cls, columns: dict[str, str]) -> dict[str, str]:
        _known(columns, (PATIENT, *IDENTIFIERS))
        if PATIENT not in columns or len(columns) < 2:
            raise ValueError(f"needs {PATIENT}, and at least one of {', '.join(IDENTIFIERS)}")
        return columns

    @field_validator("dates")
    @classmethod
    def _dates(cls, dates: dict[str, list[str]]) -> dict[str, list[str]]:
        _known(dates, ("date_of_birth",))
        for name in dates.get("date_of_birth", ()):
            if name not in DATE_FORMATS:
                raise ValueError(f"there is no format {name}{meant(name, DATE_FORMATS)}")
        return dates


class DeprivationFile(Strict):
    """From postcode or LSOA to the decile of deprivation."""

    file: str
    columns: dict[str, str] = Field(default_factory=dict)

    @field_validator("columns")
    @classmethod
    def _columns(cls, columns: dict[str, str]) -> dict[str, str]:
        return _known(columns, (*_AREAS, DECILE))


class TranscriptFile(Strict):
    """What was said in sessions."""

    file: str
    columns: dict[str, str] = Field(default_factory=dict)

    @field_validator("columns")
    @classmethod
    def _columns(cls, columns: dict[str, str]) -> dict[str, str]:
        return _known(columns, _TRANSCRIPT)


class Declared(Strict):
    """All that is declared; empty where nothing is."""

    identifiers: list[IdentifierFile] = Field(default_factory=list)
    deprivation: DeprivationFile | None = None
    transcripts: TranscriptFile | None = None
    elements: list[str] = Field(default_factory=list)
    thresholds: str | None = None
    scales: str | None = None

    @classmethod
    def read(cls, path: Path) -> "Declared":
        """What a file declares.

        Raises
        ------
        ParameterError
            There is none, or it says something that cannot be.
        """
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            raise ParameterError(
                "The file of --declare is not there, or cannot be read as YAML. Write one as "
                "`iesoresearch library ingest --help` says."
            ) from None
        if not isinstance(content, dict):
            raise ParameterError("The file of --declare must hold names with values, as YAML.")
        return cls.check(content, "The file of --declare")

    def by_file(self) -> dict[str, frozenset[str]]:
        """Columns that are declared, by name of their file."""
        return {Path(one.file).name: frozenset(one.columns.values()) for one in self.identifiers}
