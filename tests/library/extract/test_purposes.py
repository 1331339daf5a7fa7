"""What is refused by name, and what only sounds like it."""

import pytest

from iesoresearch.library.extract import purposes

REFUSED = [
    ("marketing", "Marketing of a new app"),
    ("marketing", "Support our telemarketing"),
    ("marketing", "The programme will be marketed to employers"),
    ("marketing", "Market research among people with anxiety"),
    ("marketing", "Lead generation for a digital clinic"),
    ("marketing", "lead-gen"),
    ("marketing", "Reach patients by direct mail"),
    ("marketing", "Customer acquisition"),
    ("marketing", "Promotional campaigns for a device"),
    ("marketing", "Promote our new products"),
    ("marketing", "Upselling of premium plans"),
    ("marketing", "M\u200barketing with a space nobody sees"),
    ("marketing", "\uff2d\uff21\uff32\uff2b\uff25\uff34\uff29\uff2e\uff27 in wide letters"),
    ("advertising", "Advertising"),
    ("advertising", "To advertise trials"),
    ("advertising", "advertisements on trains"),
    ("advertising", "Targeted ads for people with low mood"),
    ("advertising", "ad targeting"),
    ("advertising", "Seed for lookalike audiences"),
    ("insurance", "Insurance"),
    ("insurance", "Pricing by an insurer"),
    ("insurance", "Reinsurance of portfolios"),
    ("insurance", "Help us insure employers"),
    ("insurance", "Automated underwriting"),
    ("insurance", "Actuarial tables"),
    ("insurance", "Premium setting for income protection"),
    ("insurance", "Setting premiums fairly"),
    ("insurance", "life assurance"),
    ("insurance", "Example Assurance Society"),
    ("insurance", "risk scores of policyholders"),
    ("sale", "Sale of data"),
    ("sale", "Resale to partners"),
    ("sale", "re-sell"),
    ("sale", "Selling insights"),
    ("sale", "a data broker"),
    ("sale", "The records are offered for sale"),
    ("sale", "Monetise the archive"),
    ("sale", "monetization"),
    ("sale", "a data marketplace"),
    ("marketing", "m a r k e t i n g"),
    ("marketing", "M.A.R.K.E.T.I.N.G. of apps"),
    ("marketing", "mark-eting"),
    ("marketing", "marketting"),
    ("marketing", "Publicity for the clinic"),
    ("marketing", "Find new customers"),
    ("marketing", "Werbung"),
    ("advertising", "advertsing"),
    ("advertising", "de la publicité"),
    ("insurance", "insurence"),
    ("insurance", "National Insurance Company: price policies by diagnosis"),
    ("insurance", "National Insurance Group Ltd"),
    ("insurance", "insurance status and cover of policy applicants"),
    ("insurance", "Private Krankenversicherung"),
    ("insurance", "compañía de seguros"),
    ("sale", "trade the records"),
    ("sale", "Licence the archive to partners for a fee"),
    ("credit", "Credit scoring"),
    (purposes._UNREADABLE, "m\u0430rketing with a Cyrillic letter"),
    (purposes._UNREADABLE, "\u043c\u0430\u0440\u043a\u0435\u0442\u0438\u043d\u0433"),
]
PASSED = [
    "Recovery of patients in the labour market",
    "Services in a market town",
    "Post-marketing surveillance of a digital therapy",
    "Evidence for a marketing authorisation",
    "Health promotion and prevention",
    "Quality assurance of therapists",
    "Ensure that outcomes are assured",
    "Adverse events and inadvertent harm",
    "Premature death and pupil premium",
    "Lead investigator of a public health campaign",
    "Knowledge brokering between clinics",
    "Wholesale reform of pathways",
    "Counselling",
    "Insurance status as a covariate",
    "National Insurance credits and return to work",
    "Covered by clinical trial insurance",
    "Commissioning, and value for money",
    "Ads1 gene expression",
    "Fairness of predictions between groups",
    "A labour market in general decline, and measures elsewhere",
    "National Insurance numbers are not linked",
    "Outcomes by insurance status of patients",
    "Łódź, Besançon and Tromsø",
    "Parenting, targeting of care, bracketing and harvesting",
    "Trade unions, and records of attendance",
]


@pytest.mark.parametrize(("kind", "text"), REFUSED)
def test_forbidden_uses_are_found_by_name(kind, text):
    assert kind in [found.kind for found in purposes.search(text)]


@pytest.mark.parametrize("text", PASSED)
def test_words_that_only_sound_like_it_pass(text):
    assert purposes.search(text) == []


def test_a_harmless_phrase_excuses_nothing_else():
    text = "Insurance status, for premium setting"
    assert [found.kind for found in purposes.search(text)] == ["insurance"]


def test_everything_is_searched_but_denials_among_the_conditions():
    content = {
        "purpose": "research",
        "recipient": {"organisation": "X", "people": [{"role": "advertising lead"}]},
        "justified": {"stratum": "resale"},
        "retention": {"then": "monetised"},
        "conditions": ["No marketing. It is never sold; not for insurance", "without advertising"],
    }
    found = purposes.search_all(content)
    assert [(f.kind, f.place) for f in found] == [
        ("advertising", "recipient.people.role"),
        ("sale", "justified.stratum"),
        ("sale", "retention.then"),
    ]


@pytest.mark.parametrize(
    "condition",
    [
        "Marketing is allowed",
        "No passing on. Used for marketing",
        "No marketing, except by the recipient",
        "Not only for research, also marketing",
        "There is no limit to marketing",
    ],
)
def test_a_condition_that_allows_such_a_use_is_found(condition):
    found = purposes.search_all({"conditions": [condition]})
    assert [f.kind for f in found] == ["marketing"]
