"""``iesoresearch bundle``, ``sign-bundle``, ``verify-bundle``, ``site key``: what leaves a site."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer

from iesoresearch import project
from iesoresearch.errors import ParameterError
from iesoresearch.project import Project

_WORDLESS = (int, float, bool, type(None))
_LEDGERS = Path("reports", "released")  # below the project, by site; never in git


class Sharing(StrEnum):
    """Who may see what at the coordinating centre."""

    named = "named"
    anonymous = "anonymous"
    pooled_only = "pooled-only"


Site = Annotated[
    str | None,
    typer.Option("--site", help="Whose. Default: the one site that has a key in params/sites."),
]


def key(
    name: Annotated[str, typer.Argument(help="Name of the site: small letters, digits, - and _.")],
) -> None:
    """Make the key that signs a site's bundles; its public half goes to who receives them."""
    from iesoresearch.bundles import SigningKey

    made = SigningKey.make(_key_of(project.find(), name), name)
    print(f"Written: params/sites/{name}.key, for you alone: keep it, and give it to nobody.")
    print(f"Written: params/sites/{name}.pub: send it to the centre that receives your bundles.")
    print(f"Its short name, to be compared by telephone: {made.public.id}")


def bundle(
    new: Annotated[Path, typer.Argument(help="New folder, or new file ending in .zip.")],
    runs: Annotated[
        list[str] | None,
        typer.Argument(help="Finished runs. Default: all that a site, or the paper, has."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of the runs. Default: reports/sites/NAME, reports/out."),
    ] = None,
    site: Site = None,
    sharing: Annotated[
        Sharing,
        typer.Option("--sharing", help="What the centre may show: the site by its name, without "
                     "it, or only pooled with other sites."),
    ] = Sharing.named,
    signatures: Annotated[
        int, typer.Option("--signatures", min=1, max=9, help="How many people have to sign.")
    ] = 1,
    earlier: Annotated[
        list[Path] | None,
        typer.Option("--earlier", help="Further earlier bundles, beside those of the ledger."),
    ] = None,
) -> None:  # fmt: skip
    """Write the aggregates of finished runs as a bundle to be looked at and signed."""
    from iesoresearch import bundles, registration
    from iesoresearch.disclosure import Policy

    here = project.find()
    site = site or _only_site(here)
    folders = _runs(here, site, runs or [], out)
    about = bundles.About(
        changed=_changed(here),
        worded=_worded,
        frozen=_frozen(registration.read(here.params), folders),
        signatures=signatures,
        folders=[here.root],
    )
    ledger = here.root / _LEDGERS / site
    made = bundles.make(
        folders,
        new,
        site=site,
        policy=Policy.read(here.params / "disclosure.yaml"),
        earlier=bundles.earlier([*([ledger] if ledger.is_dir() else []), *(earlier or [])]),
        sharing=sharing.replace("-", " "),
        about=about,
    )
    counts = Counter(one.status for one in made.findings)
    print(f"Written: {made.path} with {len(made.runs)} run(s): {', '.join(made.runs)}.")
    print(f"Outputs: {counts['pass']} findings pass, {counts['review']} must be looked at.")
    page = made.path / "disclosure.html" if made.path.is_dir() else "disclosure.html in it"
    print(f"Read {page}; then whoever read it signs:")
    print(f'  iesoresearch sign-bundle {made.path} --name "YOUR NAME" --role "YOUR ROLE"')


def sign_bundle(
    path: Annotated[Path, typer.Argument(help="Folder or zip file of the bundle.")],
    name: Annotated[str, typer.Option("--name", help="Who signs.")],
    role: Annotated[str, typer.Option("--role", help="As what, such as “output checker”.")],
    statement: Annotated[
        str | None, typer.Option("--statement", help="What you say by it, if not the usual.")
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept-review", help="Why findings may pass: a reason for all that must be "
                     "looked at, or “rule=reason” for one kind (may be repeated)."),
    ] = None,
    site: Annotated[
        str | None, typer.Option("--site", help="Whose key. Default: of the site that made it.")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option("--key", help="Default: params/sites/NAME.key.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: for scripts.")] = False,
) -> None:  # fmt: skip
    """Sign a bundle that you have looked at; it is remembered for later comparisons."""
    from iesoresearch import bundles
    from iesoresearch.bundles import contents, examining, manifest
    from iesoresearch.bundles import signatures as signing

    here = project.find()
    files = contents.read(path)
    said, _ = manifest.read(path, files)
    signer = bundles.SigningKey.load(key_file or _key_of(here, site or said["site"]))
    found = examining.recorded(path, files)
    rules = Counter(one.rule for one in found if one.status == "review")
    accepted = _accepted(rules, accept or [])
    statement = statement or bundles.STATEMENT
    if not yes:
        accepted = _confirm(path, said, rules, accepted, statement)
    made = bundles.sign(
        path,
        signer,
        name=name,
        role=role,
        statement=statement,
        accepted=accepted,
        ledger=here.root / _LEDGERS / said["site"],
    )
    print(f"Signed: {path} by {made.name} ({made.role}), with the key {made.key}.")
    missing = said["signatures"] - len(signing.stated(path, contents.read(path)))
    if missing > 0:
        print(f"It needs {missing} more signature(s), of somebody else.")
    else:
        print("It may be sent to the centre now.")


def verify_bundle(
    path: Annotated[Path, typer.Argument(help="Folder or zip file of the bundle.")],
    trusted: Annotated[
        Path, typer.Option("--trusted", help="File or folder of the sites' public keys.")
    ],
    policy: Annotated[
        Path | None,
        typer.Option("--policy", help="Least strict policy. Default: params/disclosure.yaml."),
    ] = None,
    earlier: Annotated[
        list[Path] | None,
        typer.Option("--earlier", help="Folder of bundles let in before: it is compared with those "
                     "of its site."),
    ] = None,
    signatures: Annotated[
        int, typer.Option("--signatures", min=1, max=9, help="The fewest that are let in.")
    ] = 1,
    draw: Annotated[
        Path | None,
        typer.Option("--draw", help="New folder for its figures, drawn here from its tables: "
                     "bundles hold no pictures."),
    ] = None,
) -> None:  # fmt: skip
    """Let in a bundle that is untouched, signed and discloses nothing, or say why not."""
    from iesoresearch import bundles
    from iesoresearch.disclosure import Policy

    least = Policy.read(policy or project.find().params / "disclosure.yaml")
    before = bundles.earlier(earlier or [])
    found = bundles.verify(path, trusted, least, signatures=signatures, earlier=before)
    counts = Counter(one.status for one in found.findings)
    print(f"{path} is let in: of site {found.site}, made {found.manifest['made']}, untouched.")
    if found.before:
        print(f"It was let in before, as {found.before}: it is no new release.")
    if found.newer:
        print(f"It is older than {', '.join(found.newer)}, let in before: ask why it comes now.")
    for one in found.signatures:
        print(f"Signed {one.when} by {one.name} ({one.role}).")
        for rule, reason in one.accepted.items():
            print(f"  {rule}: {reason}")
    print(f"Checked again here: {counts['pass']} findings pass, {counts['review']} were looked at.")
    print(f"Runs: {', '.join(found.results)}. Sharing: {found.sharing}.")
    if draw is not None:
        print(f"Drawn: {_draw(found, draw)} figure(s) in {draw}.")
    else:
        print("A bundle holds no pictures: add --draw and a new folder to draw its figures here.")


def _key_of(here: Project, site: str) -> Path:
    project.refuse_site(site)
    return here.params / "sites" / f"{site}.key"


def _only_site(here: Project) -> str:
    keys = sorted((here.params / "sites").glob("*.key"))
    if len(keys) != 1:
        raise ParameterError(
            "Whose bundle is it? Name the site with --site; make its key first: iesoresearch site "
            "key NAME."
        )
    return keys[0].stem


def _runs(here: Project, site: str, names: Sequence[str], out: Path | None) -> list[Path]:
    """Folders of the runs: those named, or all that are finished."""
    from iesoresearch.files import read_status
    from iesoresearch.params import paper_runs, site_runs

    of_site = here.of_site(site)
    out = out or (of_site if of_site.is_dir() else here.out)
    if names:
        return [out / name for name in names]
    known = dict.fromkeys([*site_runs(here.params), *paper_runs(here.params)])
    found = [out / name for name in known if read_status(out / name) is not None]
    if not found:
        raise ParameterError(
            f"There is no finished run in {out}. Run some first: iesoresearch run --all --site "
            f"{site} --data DIR"
        )
    return found


def _changed(here: Project):
    """What a run was made with and is different now; its parameters are in the manifest."""
    from iesoresearch.reporting.freshness import Today

    today = Today(here)
    return lambda status: [w for w in today.changed(status) if not w.startswith("parameter")]


def _draw(found, folder: Path) -> int:
    """Draw all figures of a bundle that was let in, below a new folder; how many there are."""
    from iesoresearch import analyses, figures, files
    from iesoresearch.bundles.contents import refuse_present
    from iesoresearch.figures.style import save

    refuse_present(folder)
    drawn = 0
    for run, result in found.results.items():
        analysis = found.manifest["runs"][run]["analysis"]
        analyses.get(analysis)  # a name of ours, whatever the site called it
        home = folder / run
        with files.writing(home):
            home.mkdir(parents=True)
            for name in result.figures:
                save(figures.draw(result, name, analysis), home, name)
                drawn += 1
    return drawn


def _worded(status: Mapping[str, Any]) -> list[str]:
    """Parameters whose words are choices of the package, or its defaults."""
    from iesoresearch import analyses

    known = analyses.get(status["analysis"]).Params.model_fields
    return [
        name
        for name, value in status["parameters"].items()
        if name in known and (value == known[name].default or not _free(known[name].annotation))
    ]


def _free(annotation: Any) -> bool:
    """Whether a value of this type can hold words that somebody typed."""
    if get_origin(annotation) is Literal:
        return False
    parts = get_args(annotation)
    return any(map(_free, parts)) if parts else annotation not in _WORDLESS


def _frozen(frozen, folders: Sequence[Path]) -> dict[str, Any] | None:
    """What a manifest says of a pre-registration; of a changed parameter its name alone."""
    from iesoresearch import registration
    from iesoresearch.files import read_status

    if frozen is None:
        return None
    changed = {
        folder.name: [
            words.partition(":")[0]
            for words in registration.changes(frozen, folder.name, read_status(folder) or {})
        ]
        for folder in folders
        if folder.name in frozen.runs
    }
    return {
        "when": frozen.when,
        "hash": frozen.hash,
        "replaced": len(frozen.earlier),
        "changed": changed,
        "not frozen": [folder.name for folder in folders if folder.name not in frozen.runs],
        "opened before": sorted({folder.name for folder in folders} & set(frozen.opened)),
    }


def _accepted(rules: Mapping[str, int], given: Sequence[str]) -> dict[str, str]:
    """Reasons by rule; one without a rule is for all that have none of their own."""
    reasons = {}
    for text in given:
        rule, sign, reason = text.partition("=")
        if sign and rule.strip() in rules:
            reasons[rule.strip()] = reason
        else:
            reasons = dict.fromkeys(rules, text) | reasons
    return reasons


def _confirm(path, said, rules, accepted, statement) -> dict[str, str]:
    """Ask who signs, at a terminal, for every kind of finding and for the whole."""
    if not sys.stdin.isatty():
        raise ParameterError(
            "A bundle is signed by a person. Call it at a terminal, or with --yes and "
            "--accept-review in a script that somebody answers for."
        )
    runs = ", ".join(said["runs"])
    print(f"{path}: of site {said['site']}, made {said['made']}, runs {runs}.")
    reasons = dict(accepted)
    for rule, n in rules.items():
        if not reasons.get(rule, "").strip():
            print(f"\n{n} finding(s) of “{rule}” must be looked at (see disclosure.html).")
            reasons[rule] = typer.prompt("Why may they leave?")
    print(f"\n{statement}")
    typer.confirm("Do you sign this?", abort=True)
    return reasons
