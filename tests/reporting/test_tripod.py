"""The items are those of TRIPOD+AI, by their numbers."""

from iesoresearch.reporting.tripod import CHECKLIST

ITEMS, DOMAINS = CHECKLIST.items, CHECKLIST.domains

#: Table 2 of doi:10.1136/bmj-2023-078378: how many parts each of the 27 items has.
PARTS = {3: 3, 5: 2, 6: 3, 8: 3, 9: 3, 12: 7, 18: 6, 20: 3, 23: 2, 27: 3}


def test_all_52_items_are_there_in_order():
    numbers = [
        f"{item}{letter}"
        for item in range(1, 28)
        for letter in ("abcdefg"[: PARTS[item]] if item in PARTS else [""])
    ]
    assert list(ITEMS) == numbers
    assert len(numbers) == 52


def test_only_people_know_of_ethics_money_interests_plans_and_involvement():
    assert [n for n in ITEMS if ITEMS[n].people] == ["17", "18a", "18b", "18c", "18d", "19"]


def test_every_item_has_words_of_its_own_and_a_section():
    assert len({item.asks for item in ITEMS.values()}) == 52
    assert CHECKLIST.sections[0] == "Title and abstract"
    assert CHECKLIST.sections[-1] == "Discussion"
    assert len(CHECKLIST.sections) == 7


def test_the_domains_of_probast_ai_name_items():
    assert len(DOMAINS) == 4
    named = [number for numbers in DOMAINS.values() for number in numbers]
    assert set(named) <= ITEMS.keys()
    assert len(named) == len(set(named))
