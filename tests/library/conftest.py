"""A small library of drawn patients with drawn identifiers, and the files it was made from."""

import shutil
from datetime import date, timedelta
from types import SimpleNamespace

import polars as pl
import pytest

from iesoresearch.data import synthetic
from iesoresearch.library import store
from iesoresearch.library.ingest import ingest
from iesoresearch.library.store.keys import Keys
from iesoresearch.seeds import rng

_GIVEN = ("Ada", "Boadicea", "Cuthbert", "Dilwyn", "Eluned", "Ffion", "Gethin", "Hamza", "Ines")
_FAMILY = ("Abernathy", "Bickerstaff", "Cholmondeley", "Dalrymple", "Entwistle", "Featherstone")


def nhs_numbers(n, start=400_000_000):
    """Valid ones: the check digit by the textbook (modulus 11, weights 10 to 2)."""
    found, nine = [], start
    while len(found) < n:
        nine += 7919
        total = sum(int(d) * w for d, w in zip(str(nine), range(10, 1, -1), strict=True))
        check = (11 - total % 11) % 11
        if check != 10:
            found.append(f"{nine}{check}")
    return found


def drawn_people(patients, seed=1):
    """Identifiers of the patients of a cohort, as the table of people of a site has them."""
    random, n = rng(seed, "tests", "people"), patients.height
    given, family = random.integers(0, len(_GIVEN), n), random.integers(0, len(_FAMILY), n)
    born = [
        date(2022, 1, 1) - timedelta(days=int(365.25 * age) + int(random.integers(0, 365)))
        for age in patients["age"].fill_null(40)
    ]
    names = [f"{_GIVEN[g]} {_FAMILY[f]}" for g, f in zip(given, family, strict=True)]
    return pl.DataFrame(
        {
            "patient_id": patients["patient_id"],
            "nhs_number": nhs_numbers(n),
            "name": names,
            "email": [f"{x.lower().replace(' ', '.')}{i}@example.org" for i, x in enumerate(names)],
            "phone": [f"07700 9{i:05}" for i in range(n)],
            "date_of_birth": born,
            "postcode": [f"AB{i % 90 + 10} {i % 9 + 1}XY" for i in range(n)],
        }
    )


@pytest.fixture(scope="session")
def small_site(tmp_path_factory):
    """Files of a site: ``folder`` of tables, ``people`` (a file), ``frame`` (the same), cohort."""
    home = tmp_path_factory.mktemp("site")
    cohort = synthetic.make(300, seed=1)
    cohort.write(home / "tables")
    frame = drawn_people(cohort.patients)
    frame.write_csv(home / "people.csv")
    return SimpleNamespace(
        folder=home / "tables", people=home / "people.csv", frame=frame, cohort=cohort
    )


@pytest.fixture(scope="session")
def small_key_file(tmp_path_factory):
    """File of the master key of `small_library`."""
    path = tmp_path_factory.mktemp("keys") / "key"
    Keys.make(path)
    return path


@pytest.fixture(scope="session")
def small_keys(small_key_file):
    """Master key of `small_library`."""
    return Keys.load(small_key_file)


@pytest.fixture(scope="session")
def small_library(small_site, small_keys, tmp_path_factory):
    """A library with 300 referrals, to be read only; `small_copy` may be written."""
    folder = tmp_path_factory.mktemp("small") / "library"
    library = store.create(folder, small_keys, territory="UK", who="tests")
    ingest(library, small_site.folder, small_site.people, why="the first submission")
    return library


@pytest.fixture
def small_copy(small_library, small_keys, tmp_path):
    """A copy of `small_library` of one's own."""
    shutil.copytree(small_library.folder, tmp_path / "copy")
    return store.open_library(tmp_path / "copy", small_keys, who="tests")
