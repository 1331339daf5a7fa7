"""The questionnaires as published: items, ranges and bands."""

import pytest

from iesoresearch.measures import GAD7, INSTRUMENTS, PHQ9, WSAS


@pytest.mark.parametrize(
    ("instrument", "n_items", "highest"), [(PHQ9, 9, 27), (GAD7, 7, 21), (WSAS, 5, 40)]
)
def test_size(instrument, n_items, highest):
    assert len(instrument.items) == n_items == len(instrument.columns)
    assert instrument.highest == highest


@pytest.mark.parametrize("instrument", [PHQ9, GAD7])
def test_bands_cover_every_total_once(instrument):
    for total in range(instrument.highest + 1):
        assert sum(band.low <= total <= band.high for band in instrument.bands) == 1


def test_bands_begin_where_they_were_published():
    assert [b.low for b in PHQ9.bands] == [0, 5, 10, 15, 20]
    assert [b.low for b in GAD7.bands] == [0, 5, 10, 15]


def test_only_work_can_be_not_applicable():
    assert [item.not_applicable for item in WSAS.items] == [9, None, None, None, None]


def test_every_instrument_names_its_sources():
    for instrument in INSTRUMENTS.values():
        assert "doi:" in instrument.source
        assert instrument.missing_rule
        assert len({item.name for item in instrument.items}) == len(instrument.items)
