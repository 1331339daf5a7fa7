"""LIBRARY.md is followed to the letter, from a site's tables to a run on an opened extract."""

import re
import shlex
from datetime import date, timedelta

import polars as pl
import pytest
import yaml

from iesoresearch.cli import main
from iesoresearch.data import shifted, sources, synthetic
from iesoresearch.project import find

ROOT = find().root
PAGE = (ROOT / "LIBRARY.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S)
    for line in block.replace("\\\n", " ").splitlines()
]


def nhs_number(serial):
    """Nine digits and their check digit; None where there is none."""
    digits = f"{400000000 + serial}"
    check = (11 - sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=True)) % 11) % 11
    return None if check == 10 else f"{digits}{check}"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A clinic's folder with what the page assumes."""
    home = tmp_path_factory.mktemp("library") / "clinic"
    (home / "params" / "agreements").mkdir(parents=True)
    (home / "notebooks").mkdir()
    for name in ("paper.yaml", "disclosure.yaml", "site.yaml"):
        (home / "params" / name).write_bytes((ROOT / "params" / name).read_bytes())
    cohort = synthetic.make(600, seed=3)
    cohort.write(home / "tables")
    for truth in (home / "tables").glob("truth*"):
        truth.unlink()
    ids = cohort.patients["patient_id"]
    numbers = [n for n in map(nhs_number, range(2 * len(ids))) if n][: len(ids)]
    people = pl.DataFrame({"patient_id": ids, "nhs_number": numbers}).with_columns(
        name=pl.format("Ada Example{}", "patient_id"),
        email=pl.format("{}@example.org", "patient_id"),
    )
    people.write_csv(home / "people.csv")
    (home / "library.yaml").write_text("retention: {years_after_discharge: 8}\n")
    (home / "national.txt").write_text("\n".join(numbers[:20]) + "\n")
    people[20:40].select("name", "email").write_csv(home / "local.csv")
    people[40:41].select("nhs_number").write_csv(home / "leaving.csv")
    agreement = yaml.safe_load((ROOT / "params/agreements/example.yaml").read_text())
    day = date.today() - timedelta(days=9)
    agreement |= {"id": "recovery", "expires": date.today() + timedelta(days=300)}
    agreement["signed"] = [signature | {"date": day} for signature in agreement["signed"]]
    agreement["tables"]["patients"] = ["gender"]
    agreement["tables"]["referrals"] = ["referral_date", "discharge_date", "end_reason"]
    agreement["limits"] = {"k": 5, "l": 1, "sensitive": [], "suppress_at_most": 0.2}
    agreement["generalise"] = {}
    path = home / "params" / "agreements" / "recovery.yaml"
    path.write_text(yaml.safe_dump(agreement, sort_keys=False))
    return home


@pytest.fixture(scope="module")
def followed(home):
    """How each line of the page ended, and what it said."""
    said = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("IESORESEARCH_PROJECT", str(home))
        for line in COMMANDS:
            patch.setattr("sys.argv", shlex.split(line))
            with pytest.raises(SystemExit) as stopped:
                main()
            said[line] = stopped.value.code
    return said


@pytest.fixture(scope="module")
def opened(home, followed):
    """What the recipient's analyses read."""
    return sources.load("folder", (home / "opened",), 0, 0)


def test_every_line_does_what_the_page_says(followed):
    assert {line: code for line, code in followed.items() if code != 0} == {}


def test_who_opted_out_or_left_is_in_no_extract(opened):
    assert 400 < opened.patients.height <= 600 - 41


def test_dates_are_shifted_and_said_to_be(home, opened):
    assert opened.days_shifted == shifted.MOST
    true = pl.read_parquet(home / "tables" / "referrals.parquet")["referral_date"]
    moved = opened.referrals["referral_date"]
    assert not moved.is_in(true.implode()).all()
    assert 1 <= (true.max() - moved.max()).days <= 364 + 31


def test_a_second_extract_is_judged_together_with_the_first_until_that_is_destroyed(
    home, followed, monkeypatch, capsys
):
    monkeypatch.chdir(home)
    monkeypatch.setenv("IESORESEARCH_PROJECT", str(home))

    def says(line):
        monkeypatch.setattr("sys.argv", shlex.split(line))
        with pytest.raises(SystemExit) as stopped:
            main()
        assert stopped.value.code == 0
        return capsys.readouterr().out

    extract = "iesoresearch library extract records recovery --key new.key --why again"
    said = " ".join(says(f"{extract} --out second --key-out second.key").split())
    assert "Judged together with what University of Example, Department of Psychology" in said
    names = re.findall(r"recovery-\d{8}-[0-9a-f]{6}", said)
    for name in dict.fromkeys(names):
        says(
            f"iesoresearch library destroyed records {name} --date {date.today()} --why certificate"
            " --key new.key"
        )
    said = " ".join(says(f"{extract} --out third --key-out third.key").split())
    assert "Judged by itself" in said


def test_no_identifier_reached_the_disk(home, opened):
    people = pl.read_csv(home / "people.csv", infer_schema=False)
    words = [w.encode() for w in [*people["nhs_number"], *people["email"], "Ada Example"]]
    places = [home / "records", home / "recovery-1", home / "opened", home / "register.html"]
    for place in places:
        for path in [place] if place.is_file() else place.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert not any(word in content for word in words), path.name
    assert not set(opened.patients["patient_id"]) & set(people["patient_id"])
