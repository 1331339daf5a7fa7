"""``iesoresearch library ingest``: a site's records, de-identified, into the library."""

from pathlib import Path
from typing import Annotated

import typer

from iesoresearch.cli.library.app import app
from iesoresearch.cli.library.opening import Folder, Key, Wait, Who, Why, opened
from iesoresearch.errors import ParameterError

#: A file of `--declare`, a line per part.
EXAMPLE = (
    "identifiers: [{file: a.csv, columns: {patient_id: Id, nhs_number: NHS}}]",
    "deprivation: {file: d.csv, columns: {lsoa: LSOA, deprivation_decile: Decile}}",
    "transcripts: {file: utterances.parquet}",
    "elements: ['agenda', 'homework']",  # without quotes the help takes it for a style
    "thresholds: own_rules.yaml",
    "scales: own_scales.yaml",
)
_EPILOG = "\n\n".join(("A file for --declare, of which every line may be left out:", *EXAMPLE))


@app.command("ingest", epilog=_EPILOG)
def ingest(
    folder: Folder,
    why: Why,
    data: Annotated[
        Path | None,
        typer.Argument(help="Folder of canonical tables or of the national data set."),
    ] = None,
    people: Annotated[
        Path | None,
        typer.Option(
            help="Table of identifiers: patient_id and any of nhs_number, name, given_name, "
            "family_name, email, phone, date_of_birth, postcode, lsoa. Hashed, never stored."
        ),
    ] = None,
    declare: Annotated[
        Path | None,
        typer.Option(
            help="YAML: which columns of which files are identifiers, look-up of deprivation, "
            "transcripts, codebook, outcome rules. An example is below."
        ),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="The files are a site's own, mapped by this YAML.")
    ] = None,
    site: Annotated[
        str, typer.Option(help="Whose ids these are, if the library has several sites.")
    ] = "",
    with_transcripts: Annotated[
        bool, typer.Option("--with-transcripts", help="Take utterances, redacted.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")
    ] = False,
    key: Key = None,
    who: Who = None,
    wait: Wait = 60,
) -> None:
    """Bring a site's records into the library: identifiers split off, dates shifted, ages banded.

    Referrals that are there already are replaced; whoever has opted out is left out. Nothing is
    written in clear, and nothing at all if anything is wrong.
    """
    from iesoresearch.library import ingest as ingesting
    from iesoresearch.library.ingest.declared import Declared
    from iesoresearch.library.ingest.inputs import mapped

    if data is None and mapping is None:
        raise ParameterError("Name the folder of the data, or a --mapping that says where it is.")
    library = opened(folder, key, who)
    declared = Declared() if declare is None else Declared.read(declare)
    source = data
    if mapping is not None:
        source, data = mapped(mapping, data, declared)
    done = ingesting.ingest(
        library,
        source,
        people,
        why=why,
        site=site,
        declared=declared,
        folder=data,
        with_transcripts=with_transcripts,
        dry_run=dry_run,
        wait=wait,
    )
    print(done.text())
