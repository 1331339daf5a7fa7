"""Tables, numbers and sentences."""

import polars as pl
import pytest

from iesoresearch.results import TO, Number, Result, Table, Tolerance, Value


def test_number_is_shown_rounded_with_its_unit():
    assert str(Number(1234.567, digits=1)) == "1,234.6"
    assert str(Number(0.5, digits=2, unit="nats")) == "0.50 nats"
    assert str(Number(12.34, digits=1, unit="%")) == "12.3%"
    assert str(Number("inconclusive")) == "inconclusive"
    assert str(Number(None)) == "(suppressed)"


def test_tolerance_is_half_a_unit_of_the_last_digit_shown():
    assert Number(1.0, digits=2).tolerance == Tolerance(0.005, "display rounding to 2 decimals")
    assert Number("x").tolerance == Tolerance(0.0, "equal to the letter")


def test_sentences_are_filled_with_numbers():
    result = Result(numbers={"n": Number(5093), "p": Number(None)})
    assert result.render("{n} people, {p} of them") == "5,093 people, (suppressed) of them"


def test_a_sentence_cannot_quote_what_is_no_number():
    with pytest.raises(KeyError, match="other"):
        Result().render("{other}")


def table(**values):
    frame = pl.DataFrame({"state": [1, 2], "share": [0.25, None], "n": [10, 4]})
    return Table("T", frame, {"state": "State"}, values)


def test_cells_are_rounded_and_suppressed_ones_dashes():
    shown = table(share=Value("rate", "Share", 1, "n"), n=Value("count", "n", 0))
    assert shown.rows() == [["1", "0.2", "10"], ["2", "–", "4"]]
    assert shown.headings == ["State", "Share", "n"]
    assert shown.text_columns == [False, False, False]


def test_the_ends_of_an_interval_share_a_column():
    columns = {"item": ["sleep", "energy"], "p": [0.5, None], "p_low": [0.4, None]}
    frame = pl.DataFrame(columns | {"p_high": [0.6, None]})
    values = {name: Value("model", name.upper(), 1) for name in ("p", "p_low", "p_high")}
    made = Table("T", frame, {"item": "Item"}, values)
    assert made.headings == ["Item", "P", "95 % interval"]
    assert made.rows() == [["sleep", "0.5", f"0.4{TO}0.6"], ["energy", "–", "–"]]
    assert made.text_columns == [True, False, False]


def test_a_table_must_hold_its_columns():
    with pytest.raises(ValueError, match=r"Table 'T' lacks the columns \['mean'\]"):
        table(mean=Value("mean", "Mean"))
    with pytest.raises(ValueError, match=r"\['n', 'share'\] are not declared"):
        table()
    with pytest.raises(ValueError, match=r"denominators \['people'\] do not exist"):
        table(share=Value("rate", "Share", 1, "people"), n=Value("count", "n"))


def test_rows_of_patients_are_not_shown_by_accident():
    rows = pl.DataFrame({"patient_id": ["P-4711"]})
    assert "P-4711" not in repr(Result(private={"predictions": rows}))


def test_a_part_of_the_text_that_nobody_would_read_is_refused():
    Result(text={"plain": "", "intended_use": ""})
    with pytest.raises(ValueError, match=r"\['plian'\] are no parts of the text"):
        Result(text={"plian": "Few recovered."})


def test_evidence_answers_a_checklist_that_there_is():
    assert [Result().checklist, Result(checklist="cheers").checklist] == ["tripod", "cheers"]
    with pytest.raises(ValueError, match="'cheer' is no checklist"):
        Result(checklist="cheer")
