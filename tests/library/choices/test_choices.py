"""Opt-outs: honoured from their day on, kept as hashes, changed at will, and never told."""

from datetime import date

import pytest

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.library import choices
from iesoresearch.library.choices import ledger, same_person

from ..library_double import Double, fill, held, nhs_numbers

TODAY = date(2026, 3, 10)
N = nhs_numbers(60)
#: p0 and p1 are one person, sent once with and once without her number; p2 has her name.
PEOPLE = {
    "p0": (N[0], ("Ann Lee", "ann@x.org")),
    "p1": (None, ("LEE, Ann", "Ann@x.org")),
    "p2": (N[2], ("Ann Lee", "other@x.org")),
    "p3": (N[3], None),
    "p4": (None, None),
}


@pytest.fixture
def library():
    made = Double()
    fill(made, PEOPLE)
    return made


@pytest.fixture
def record(library, tmp_path):
    def make(on=TODAY, today=TODAY, national=None, local=None, **options):
        paths = {}
        for name, lines in (("national", national), ("local", local), ("sent", None)):
            lines = options.pop(name, None) if name == "sent" else lines
            if lines is not None:
                head = ["name,email"] if name == "local" else ["nhs_number"]
                paths[name] = tmp_path / f"{name}.csv"
                paths[name].write_text("\n".join([*head, *lines]))
        return choices.record_optouts(library, on=on, why="test", today=today, **paths, **options)

    return make


def out(library, on=TODAY):
    return dict(choices.excluded(library, on).iter_rows())


def test_a_national_opt_out_means_every_record_of_the_person(library, record):
    record(national=[N[0]])
    assert out(library) == {"p0": "national opt-out", "p1": "national opt-out"}
    assert held(library) == {"p2", "p3", "p4"}


def test_a_local_opt_out_needs_name_and_address(library, record):
    done = record(local=["Ms Ann Léé,ANN@x.org", "Ann Lee,", "Ann Lee,nobody@x.org"])
    assert out(library) == {"p0": "local opt-out", "p1": "local opt-out"}
    assert done.kinds["local opt-out"].unreadable == 1


def test_a_local_opt_out_counts_by_every_key_of_its_line(library, tmp_path):
    path = tmp_path / "local.csv"
    lines = [f"Nobody,nobody@x.org,{N[3]}", f",,{N[0]}", "Ann Lee,other@x.org,12"]
    path.write_text("\n".join(["name,email,nhs_number", *lines]))
    done = choices.record_optouts(library, local=path, on=TODAY, why="test", today=TODAY)
    assert set(out(library)) == {"p0", "p1", "p2", "p3"}
    counts = done.kinds["local opt-out"]
    assert (counts.listed, counts.matched, counts.lines) == (3, 3, (4,))
    assert not done.complete


def test_a_list_of_which_no_line_can_be_read_is_refused(library, record):
    with pytest.raises(DataError, match=r"no line says who is meant\. 2 line.*: line 2, 3;"):
        record(national=["12", "unknown"])
    assert library.log()[-1]["what"] == "ingest"


def test_records_of_every_table_go_whatever_names_them(library, record):
    record(national=[N[2]])
    assert held(library, "content", "referral_id") == {"rp0", "rp1", "rp3", "rp4"}
    assert held(library, "referrals", "referral_id") == {"rp0", "rp1", "rp3", "rp4"}


def test_nothing_but_keyed_hashes_and_days_is_kept(library, record):
    record(national=[N[0]], local=["Ann Lee,ann@x.org"])
    kept = library.read("optouts", compartment="choices")
    assert kept.columns == list(ledger.LEDGER)
    text = "".join(str(value) for row in kept.rows() for value in row)
    for identifier in (*N, "Ann", "Lee", "x.org"):
        assert identifier not in text
    assert {len(value) for value in kept["hash"]} == {32}


def test_people_the_library_does_not_know_are_kept_for_later(library, record):
    record(national=[N[5]])
    fill(library, {"p5": (N[5], None), "p6": (N[6], None)})
    assert held(library) == {"p0", "p1", "p2", "p3", "p4", "p6"}
    assert out(library) == {"p5": "national opt-out"}


def test_whoever_was_recognised_once_stays_out_under_a_new_address(library, record):
    record(local=["Ann Lee,other@x.org"])
    fill(library, {"p2": (N[2], ("Ann Lee-Jones", "new@x.org"))})
    assert "p2" not in held(library)
    assert out(library) == {"p2": "local opt-out"}


def test_an_opt_out_is_valid_from_its_day_and_not_before(library, record):
    record(on=date(2026, 3, 12), national=[N[0]])
    assert held(library) >= {"p0", "p1"}
    assert out(library, date(2026, 3, 11)) == {}
    assert set(out(library, date(2026, 3, 12))) == {"p0", "p1"}


def test_a_change_of_mind_holds_from_its_day_and_history_is_kept(library, record):
    record(on=date(2026, 3, 1), national=[N[0]])
    record(on=date(2026, 3, 5), national=[N[0]], lifted=True)
    assert out(library, date(2026, 2, 28)) == {}
    assert set(out(library, date(2026, 3, 4))) == {"p0", "p1"}
    assert out(library, date(2026, 3, 5)) == {}
    assert "p0" not in held(library)
    fill(library, PEOPLE)
    assert held(library) == set(PEOPLE)
    record(on=date(2026, 3, 8), national=[N[0]])
    days = [set(out(library, date(2026, 3, day))) for day in (1, 4, 5, 7, 8, 31)]
    both = {"p0", "p1"}
    assert days == [both, both, set(), set(), both, both]


def test_a_national_change_of_mind_leaves_a_local_opt_out(library, record):
    record(national=[N[0]], local=["Ann Lee,ann@x.org"])
    record(national=[N[0]], lifted=True)
    assert out(library) == {"p0": "local opt-out", "p1": "local opt-out"}


def test_a_full_list_ends_what_it_no_longer_holds(library, record):
    record(on=date(2026, 3, 1), national=[N[0], N[3]])
    done = record(on=date(2026, 3, 5), national=[N[3], N[2]], complete=True)
    assert set(out(library)) == {"p2", "p3"}
    counts = done.kinds["national opt-out"]
    assert (counts.listed, counts.new, counts.ended) == (2, 1, 1)


def test_a_list_of_additions_ends_nothing(library, record):
    record(on=date(2026, 3, 1), national=[N[0]])
    record(on=date(2026, 3, 5), national=[N[3]])
    assert set(out(library)) == {"p0", "p1", "p3"}


def test_lines_that_cannot_be_read_may_be_those_who_stay_out(library, record):
    record(on=date(2026, 3, 1), national=[N[0], N[3]])
    done = record(on=date(2026, 3, 5), national=[N[3], N[0][:-1]], complete=True)
    assert set(out(library)) == {"p0", "p1", "p3"}
    assert "nobody was taken to have changed their mind" in done.text()


def test_an_older_list_cannot_say_who_changed_their_mind(library, record):
    record(on=date(2026, 3, 5), national=[N[0]])
    for way in ("complete", "lifted"):
        with pytest.raises(DataError, match=r"of 2026-03-05 is recorded.*is older"):
            record(on=date(2026, 3, 4), national=[N[0]], **{way: True})
    record(on=date(2026, 3, 4), national=[N[3]])  # additions of an earlier day may come late
    assert set(out(library, date(2026, 3, 4))) == {"p3"}


def test_a_late_addition_ends_where_later_days_are_known(library, record):
    record(on=date(2026, 3, 5), national=[N[3]])
    record(on=date(2026, 3, 8), national=[N[3]], lifted=True)
    record(on=date(2026, 3, 2), national=[N[3]])
    assert [set(out(library, date(2026, 3, d))) for d in (1, 2, 7, 8)] == [
        set(), {"p3"}, {"p3"}, set()
    ]  # fmt: skip


def test_a_list_that_was_cut_off_is_not_believed(library, record):
    record(on=date(2026, 3, 1), national=N[10:40])
    with pytest.raises(DataError, match="would end more than half"):
        record(on=date(2026, 3, 5), national=N[10:20], complete=True)
    assert len(ledger.valid(ledger.read(library), TODAY)) == 30


def test_the_list_of_those_who_did_not_opt_out_is_not_believed(library, record):
    fill(library, {f"p{i}": (N[i], None) for i in range(10, 40)})
    with pytest.raises(DataError, match=r"more than half of the patients.*--sent"):
        record(national=N[10:40])
    assert len(held(library)) == 35


def test_what_the_national_service_sends_back_is_those_without_opt_out(library, record):
    record(on=date(2026, 3, 1), national=[N[2], N[50]])
    done = record(on=date(2026, 3, 5), sent=[N[0], N[2], N[3]], national=[N[2], N[3]])
    assert set(out(library)) == {"p0", "p1"}
    assert done.kinds["national opt-out"].ended == 1
    # who was not asked about stays as she was
    fill(library, {"p50": (N[50], None)})
    assert "p50" in out(library)


def test_files_that_do_not_belong_together_are_refused(record):
    with pytest.raises(DataError, match="do not belong together"):
        record(sent=[N[0]], national=[N[3]])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({}, "No list of opt-outs was named"),
        ({"national": [N[0]], "complete": True, "lifted": True}, "Choose one of the three"),
        ({"local": ["A Lee,a@x.org"], "sent": [N[0]]}, "--sent goes with --national"),
    ],
)
def test_commands_that_contradict_themselves(record, options, match):
    with pytest.raises(ParameterError, match=match):
        record(**options)


def test_two_lists_on_standard_input():
    with pytest.raises(ParameterError, match="Only one list can come from standard input"):
        choices.record_optouts(
            Double(), national=choices.people.STDIN, local=choices.people.STDIN, on=TODAY, why="x"
        )


def test_a_report_tells_nobody_s_membership(library, record):
    known = record(national=[N[3]]).text()
    unknown = record(on=date(2026, 3, 11), national=[N[9]]).text()
    assert known == unknown
    assert "fewer than 10 are in the library" in known
    for line in library.lines:
        assert N[3] not in str(line)


def test_a_report_says_how_many_cannot_be_found(library, record):
    done = record(national=[N[0]])
    assert (done.without_number, done.without_name) == (2, 2)
    assert "Known without an NHS number are fewer than 10 patients" in done.text()


def test_larger_numbers_are_rounded(library, record):
    fill(library, {f"p{i}": (N[i], None) for i in range(10, 60)})
    done = record(national=N[10:23])
    assert "13 people listed; about 15 are in the library, fewer than 10 are not" in done.text()
    assert library.lines[-1]["details"]["national opt-out"]["matched"] == 15


def test_no_choice_and_no_library_is_nobody():
    empty = Double()
    assert choices.excluded(empty).is_empty()
    assert choices.excluded(empty).columns == ["patient_id", "reason"]
    assert choices.newest_list(empty, ledger.NATIONAL_OPTOUT) is None
    nobody = same_person.read(empty)
    assert choices.excluded_rows(empty, nobody).to_list() == []


def test_the_newest_list_in_force_is_known(library, record):
    for day in (9, 3, 15):
        record(on=date(2026, 3, day), national=[N[9]])
    assert choices.newest_list(library, ledger.NATIONAL_OPTOUT, TODAY) == date(2026, 3, 9)
    assert choices.newest_list(library, ledger.LOCAL_OPTOUT, TODAY) is None


def test_a_list_that_cannot_be_read_changes_nothing(library, record):
    before = dict(library.held)
    with pytest.raises(DataError, match="is empty"):
        record(national=[], local=["Ann Lee,ann@x.org"], complete=True)
    assert library.held.keys() == before.keys()
