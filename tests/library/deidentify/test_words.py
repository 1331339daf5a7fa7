"""Free text: planted identifiers are replaced, and what is no identifier stays."""

import base64
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.library.deidentify.words import Own, Redactor, without_identifiers

NHS = "9434765919"  # valid by the textbook
WIDE = NHS.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
OWN = Own(
    names=["Zoë O'Hara-Quillfeather", "Bobkin, Robert"],
    numbers=[NHS],
    emails=["zq.77@example.org"],
    phones=["07700 900123"],
    postcodes=["SW1A1AA"],
    births=[date(1980, 3, 1)],
)
#: Text with something of the patient's own, and what must not be left of it.
PLANTED = {
    "name in small letters": ("i am zoe quillfeather i think", ["zoe", "quill"]),
    "name in capitals": ("ZOE QUILLFEATHER RANG", ["ZOE", "QUILL"]),
    "accent and possessive": ("that was Zoë's idea", ["Zo"]),
    "apostrophe left out": ("the oharas came", ["ohara"]),
    "short form": ("call me bob or robbie", ["bob", "robbie"]),
    "first word of a sentence": ("Quillfeather here.", ["Quill"]),
    "number": (f"it is {NHS} ok", ["943", "5919"]),
    "number with spaces": ("943 476 5919", ["943", "476"]),
    "number with dashes": ("nhs943-476-5919x or 943-476-5919.", [" 943-476"]),
    "number of full width": (f"nr {WIDE}", [NHS, WIDE]),
    "number with hidden characters": ("943\u200b4765919", ["943"]),
    "telephone": ("ring 07700900123 or +44 7700 900 123", ["7700", "900"]),
    "telephone with brackets": ("+44 (0)7700-900123", ["7700"]),
    "e-mail": ("ZQ.77@EXAMPLE.ORG", ["ZQ", "EXAMPLE"]),
    "e-mail in words": ("zq 77 at example dot org", ["example"]),
    "postcode": ("in sw1a 1aa", ["sw1a", "1aa"]),
    "postcode spelt": ("S W 1 A, 1 A A", ["W 1", "1 A"]),
    "birth, numbers": ("01/03/80 or 1.3.1980 or 1980-03-01", ["80", "03"]),
    "birth, words": ("1st of March 1980, the 1 Mar '80, March 1", ["March", "Mar", "1980"]),
    "base64": (f"id {base64.b64encode(NHS.encode()).decode()}", ["OTQz"]),
    "base64 of a name": (base64.b64encode(b"zoe quillfeather").decode(), ["em9l"]),
}


@pytest.mark.parametrize(("text", "gone"), PLANTED.values(), ids=PLANTED.keys())
def test_the_patients_own(text, gone):
    redacted, counts = Redactor().redact(text, OWN)
    assert [word for word in gone if word.casefold() in redacted.casefold()] == []
    assert counts.total() >= 1


#: Text, and what becomes of it without knowing whose it is.
GENERAL = {
    "my name is": ("well my name is grizelda and", "well my name is [NAME] and"),
    "I'm": ("Hello, I'm Grizelda Snodgrass.", "Hello, I'm [NAME]."),
    "title": ("I saw dr Snodgrass there", "I saw dr [NAME] there"),
    "forename": ("then susan Snodgrass left", "then [NAME] left"),
    "inside a sentence": ("we moved to Snodgrass Magna last", "we moved to [NAME] last"),
    "after the first word": ("Maybe Grizelda knows", "Maybe [NAME] knows"),
    "address": ("at 12 old mill lane now", "at [ADDRESS] now"),
    "street": ("along Snodgrass Road now", "along [ADDRESS] now"),
    "postcode": ("postcode m1 1ae.", "postcode [POSTCODE]."),
    "e-mail": ("write to g.s+x@nhs.net!", "write to [EMAIL]"),
    "web": ("look at www.snodgrass.co.uk/me please", "look at [URL] please"),
    "NHS number": (f"nr {NHS}", "nr [NHS NUMBER]"),
    "phone": ("on 01632 960 001 tonight", "on [PHONE] tonight"),
    "other number": ("ref 123456", "ref [NUMBER]"),
    "number in words": ("oh one six three two nine", "[NUMBER]"),
    "dates": ("on 3rd June 2021 or 4/5/22", "on [DATE] or [DATE]"),
    "year": ("since 1987", "since [DATE]"),
    "month": ("in May 2021", "in [DATE]"),
    "token": ("key aB3dE6gH9kL2", "key [CODE]"),
}


@pytest.mark.parametrize(("text", "expected"), GENERAL.values(), ids=GENERAL.keys())
def test_general_patterns(text, expected):
    assert Redactor().redact(text)[0] == expected


HARMLESS = [
    "I felt low. I did the homework twice, 3 times a week, and my PHQ-9 was 14 of 27.",
    "The CBT with my GP is OK on Monday. It may be 100 percent worse, mayhem.",
    "i will go on. We talked about will power.",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_stays(text):
    assert Redactor().redact(text) == (text, {})


def test_names_of_therapists():
    redacted, counts = Redactor(["Dr Grizelda SNODGRASS", "T01"]).redact("snodgrass said so")
    assert (redacted, dict(counts)) == ("[NAME] said so", {"NAME": 1})


def test_marks_are_counted_by_kind():
    counts = Redactor().redact(f"Ring 01632 960001. Ring 01632 960002. {NHS}")[1]
    assert dict(counts) == {"PHONE": 2, "NHS NUMBER": 1}


WORDS = st.sampled_from(
    ["zoe", "Zoë", "QUILLFEATHER", NHS, "943 476 5919", "07700 900123", "sw1a1aa", "felt", "low"]
)


@settings(max_examples=50, deadline=None)
@given(st.lists(WORDS, max_size=8), st.sampled_from([" ", ", ", ". ", "\n", "; ", " - "]))
def test_nothing_of_ones_own_survives_in_any_order(words, between):
    redacted = Redactor().redact(between.join(words), OWN)[0].casefold()
    for secret in ("zoe", "zoë", "quill", "9434765919", "943 476", "7700", "sw1a"):
        assert secret not in redacted
    assert redacted.count("felt") == words.count("felt")


def test_messages_keep_our_own_words():
    ours = "The data: 3 value(s) are not one of A, B. Mend the tables and try again."
    assert without_identifiers(ours) == ours
    examples = "1 value(s) are not a date like 2024-01-31, nor a year such as 2023-24."
    assert without_identifiers(examples) == examples
    assert "2023-05-31" not in without_identifiers("a date like 2024-01-31 is not 2023-05-31")
    assert "31/943" not in without_identifiers(f"2024-01-31/{NHS}")
    assert without_identifiers(f"File {NHS} of susan") == "File [NHS NUMBER] of [NAME]"


def test_nothing_known_is_shown():
    assert "zo" not in repr(OWN).casefold()
