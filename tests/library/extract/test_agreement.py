"""Agreements: every problem at once, and what is refused whatever else is right."""

import datetime
import re
from pathlib import Path

import pytest
import yaml

from iesoresearch.errors import ParameterError
from iesoresearch.library import territory
from iesoresearch.library.extract import agreement as agreements
from iesoresearch.library.extract import grounds, places
from iesoresearch.library.extract.agreement import Refused

EXAMPLE = Path(__file__).parents[3] / "params" / "agreements" / "example.yaml"
DAY = datetime.date(2026, 6, 1)


@pytest.fixture
def written(tmp_path):
    """Write the example with changes; "a.b" names a field of a part."""

    def write(**changes):
        content = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
        for name, value in changes.items():
            *path, last = name.split("__")
            part = content
            for step in path:
                part = part[step]
            if value is None:
                part.pop(last, None)
            else:
                part[last] = value
        path = tmp_path / "agreement.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return path

    return write


def test_the_example_can_be_used():
    agreed = agreements.read(EXAMPLE)
    grounds.refuse(agreed, "GB", {}, DAY)
    assert agreed.tables["patients"][0] == "gender"


def test_all_problems_are_named_at_once_with_what_was_meant(written):
    path = written(
        lawful_basis=" ",
        analyses=["recovry"],
        recipient__teritory="GB",
        tables__patients=["gendre", "*"],
        tables__referals=["problem"],
        expires=None,
        generalise={"age_at_referral": "decades", "problem": "none"},
    )
    with pytest.raises(ParameterError) as raised:
        agreements.read(path)
    for text in (
        "lawful_basis is blank",
        "recovry (did you mean recovery?)",
        "recipient.teritory (did you mean territory?)",
        "patients has no column gendre (did you mean gender?)",
        "“*” is no minimum",
        "no table referals (did you mean referrals?)",
        "expires is missing",
        "age_at_referral knows no level 'decades'",
        "problem cannot be generalised",
    ):
        assert text in str(raised.value)
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tables__contacts": ["date"]}, "contacts cannot be read without session"),
        ({"tables__contacts": ["session", "phq9_1"]}, "without phq9_2, phq9_3"),
        ({"tables__contacts": None}, r"tables lacks contacts"),
        ({"limits__k": 4}, "limits.k=4 should be greater than or equal to 5"),
        ({"limits__sensitive": ["gender"]}, "gender may tell who somebody is"),
        ({"limits__sensitive": ["end_raeson"]}, "end_raeson is in no table"),
        ({"kind": "trial"}, "a trial names its study"),
        ({"kind": "annotation inside"}, "tables must be empty"),
        ({"rows__referral_years": ["2023-25"]}, "write them like 2023-24"),
        ({"rows__problems": ["depresion"]}, r"did you mean depression\?"),
        ({"recipient__territory": "Narnia"}, "two-letter code, such as GB"),
        ({"recipient__people": []}, "recipient.people is blank"),
        ({"approvals": []}, "approvals is blank"),
        ({"limits__sensitive": ["therapy"]}, "therapy is no column of patients or referrals"),
        ({"justified": {"gender": "needed"}}, "a word or two do not justify gender: say what"),
        ({"justified": {"stratum": "design of the survey"}}, "justified: stratum is in no table"),
        (
            {"retention__until": datetime.date(2027, 1, 30)},
            r"until \(2027-01-30\) is before expires \(2027-01-31\): the folder would open",
        ),
        (
            {"recipient__organisation": "Example Institute, Massachusetts"},
            "recipient's organisation names Massachusetts, and its territory is GB",
        ),
        (
            {"recipient__people": [{"role": "analyst (USA)"}]},
            "recipient's role 'analyst .USA.' names USA, and its territory is GB",
        ),
    ],
)
def test_a_broken_agreement_says_what_is_wrong(written, changes, message):
    with pytest.raises(ParameterError, match=message):
        agreements.read(written(**changes))


def test_a_file_that_is_no_agreement_is_a_sentence(tmp_path):
    path = tmp_path / "a.yaml"
    with pytest.raises(ParameterError, match="cannot be read"):
        agreements.read(path)
    path.write_text("a: [1", encoding="utf-8")
    with pytest.raises(ParameterError, match="not readable as YAML"):
        agreements.read(path)
    path.write_text("- a", encoding="utf-8")
    with pytest.raises(ParameterError, match="must hold the fields"):
        agreements.read(path)


def test_agreements_are_found_by_file_or_by_name():
    params = EXAMPLE.parents[1]
    assert agreements.find("example", params) == EXAMPLE
    assert agreements.find(str(EXAMPLE), params) == EXAMPLE
    with pytest.raises(ParameterError, match=r"did you mean example\?"):
        agreements.find("exampel", params)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"purpose": "Marketing of a new app"}, "marketing"),
        ({"title": "Risk scores for underwriting"}, "insurance"),
        ({"recipient__organisation": "Example Insurance plc"}, "insurance"),
        ({"recipient__people": [{"role": "head of advertising"}]}, "advertising"),
        ({"kind": "resale"}, "sale"),
        ({"lawful_basis": "consent to marketing"}, "marketing"),
        ({"approvals": ["Insurers' board"]}, "insurance"),
        ({"retention__then": "sold on"}, "sale"),
        ({"justified": {"gender": "for adverts"}}, "advertising"),
        # what is forbidden is said before what is broken
        ({"purpose": "sell it", "tables": "all", "expires": None}, "sale"),
    ],
)
def test_a_forbidden_purpose_is_refused_by_name_wherever_it_stands(written, changes, message):
    with pytest.raises(Refused, match=f"it names {message}") as raised:
        agreements.read(written(**changes))
    assert raised.value.kind.startswith("forbidden purpose")
    assert raised.value.exit_code == 5


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Letters to 400.007.9190"},
        {"purpose": "Whether Susan Byron recovered"},
        {"recipient__organisation": "Care of ann@example.org"},
        {"approvals": ["EXAMPLE-1, for 400 007 9190"]},
        {"publications": ["on the patient of SW1A 1AA"]},
        {"lawful_basis": "consent of the patient born on 5 March 1987"},
        {"study": "400-007-9190"},
        {"id": "400-007-9190"},
    ],
)
def test_words_that_name_a_patient_are_refused_by_place(written, changes):
    (name,) = changes
    with pytest.raises(ParameterError, match=f"{name.replace('__', '.')} holds what") as raised:
        agreements.read(written(**changes))
    assert not re.search(r"9190|Susan|ann@|SW1A|1987", str(raised.value))


def test_an_agreement_made_in_python_is_searched_and_checked_as_well(written):
    content = yaml.safe_load(written().read_text(encoding="utf-8"))
    for changes, error, message in (
        ({"purpose": "Marketing of a new app"}, Refused, "it names marketing"),
        ({"kind": "trial"}, ParameterError, "a trial names its study"),
    ):
        agreed = agreements.Agreement.check(content | changes, "test")
        with pytest.raises(error, match=message):
            grounds.refuse(agreed, "GB", {}, DAY)


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"tables__utterances": ["text"]}, "transcripts", "no extract, ever"),
        ({"expires": datetime.date(2026, 5, 31)}, "expired", "ran out on 2026-05-31"),
        ({"signed": []}, "not signed", "by the provider and the recipient"),
        (
            {
                "signed": [
                    {"party": "provider", "role": "guardian", "date": DAY},
                    {"party": "recipient", "role": "head", "date": DAY + datetime.timedelta(1)},
                ]
            },
            "not signed",
            "by the recipient",
        ),
        (
            {"tables__patients": ["stratum"], "generalise": {}},
            "minimum data",
            r"patients\.stratum, which none of",
        ),
        ({"recipient__territory": "US"}, "territory", "never go to the US"),
        (
            {"recipient__people": [{"role": "analyst", "territory": "USA"}]},
            "territory",
            "never go to the US",
        ),
        ({"recipient__territory": "IE"}, "territory", "settings allow no other territory"),
    ],
)
def test_what_is_never_given_is_refused(written, changes, kind, message):
    agreed = agreements.read(written(**changes))
    with pytest.raises(Refused, match=message) as raised:
        grounds.refuse(agreed, "GB", {}, DAY)
    assert raised.value.kind == kind


def test_a_justified_column_is_given_and_remarked(written):
    path = written(tables__patients=["stratum"], justified={"stratum": "the design of the survey"},
                   generalise={})  # fmt: skip
    agreed = agreements.read(path)
    grounds.refuse(agreed, "GB", {}, DAY)
    assert any("stratum" in remark for remark in grounds.remarks(agreed))


def test_years_are_remarked_where_an_analysis_counts_official_outcomes():
    """The example asks for dates alone, for recovery and fairness; answers need no calendar."""
    agreed = agreements.read(EXAMPLE)
    for analyses, said in (
        (["recovery"], True), ([], True), (["subtypes_transfer", "fairness"], True),
        (["subtypes_matching", "fairness_measurement"], False),
    ):  # fmt: skip
        found = grounds.remarks(agreed.model_copy(update={"analyses": analyses}))
        assert any("referral_year, discharge_year, rules_version" in r for r in found) == said


def test_without_analyses_nothing_is_refused_as_needless_and_that_is_said(written):
    agreed = agreements.read(written(tables__patients=["stratum"], analyses=[], generalise={}))
    grounds.refuse(agreed, "GB", {}, DAY)
    assert any("cannot be told" in remark for remark in grounds.remarks(agreed))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Example University, New York", "New York"),
        ("Example University (Ohio)", "Ohio"),
        ("Example Foundation of the United States", "United States"),
        ("Example Inc., U.S.A.", "U.S.A"),
        ("Example Inc., US", "US"),
        ("University of Example, Georgia", None),  # a country as well
        ("Washington, Tyne and Wear", None),
        ("Example Trust, Washington, Tyne and Wear", None),
        ("University of Example, Seattle, Washington", "Washington"),
        ("statistician, MA", None),
        ("Tell us about it, Ltd", None),
        ("York Street, New Yorkshire", None),
        ("Usability Laboratory", None),
    ],
)
def test_names_that_place_somebody_in_the_us(name, words):
    assert places.in_the_us(name) == words


def test_a_name_in_the_us_is_right_where_the_territory_is(written):
    path = written(recipient__organisation="Example, Ohio", recipient__territory="US")
    with pytest.raises(Refused, match="never go to the US"):
        grounds.refuse(agreements.read(path), "GB", {}, DAY)


def test_keeping_records_longer_than_the_agreement_lasts_is_remarked():
    agreed = agreements.read(EXAMPLE)
    assert agreed.retention.until > agreed.expires
    assert any("may be kept until 2028-01-31, after" in r for r in grounds.remarks(agreed))


@pytest.mark.parametrize("name", ["US", "usa", "U.S.A.", "United States", "PR", "America"])
def test_no_setting_lets_records_of_uk_patients_go_to_the_us(name):
    settings = {"recipient_territories": ["US", "PR", "IE"]}
    assert "never go to the US" in territory.why_not([name], "United Kingdom", settings, False)
    assert territory.why_not(["IE"], "UK", settings, False) is None
    assert territory.why_not([name], "DE", {"recipient_territories": ["US"]}, False) is None


def test_a_setting_opens_no_other_territory_to_coders():
    assert territory.why_not(["IE"], "GB", {"recipient_territories": ["IE"]}, True) is not None
    assert territory.why_not(["England", "gb"], "UK", {}, True) is None
