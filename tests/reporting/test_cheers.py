"""The items are those of CHEERS 2022, by their numbers."""

from iesoresearch.reporting import tripod
from iesoresearch.reporting.cheers import CHECKLIST

ITEMS = CHECKLIST.items


def test_all_28_items_are_there_in_order():
    assert list(ITEMS) == [str(number) for number in range(1, 29)]


def test_sections_hold_the_items_that_cheers_2022_puts_there():
    """Husereau et al. 2022: methods are items 4 to 21, results 22 to 25."""
    last = {item.section: int(number) for number, item in ITEMS.items()}
    assert list(last.values()) == [2, 3, 21, 25, 26, 28]
    assert tuple(last) == CHECKLIST.sections


def test_only_people_know_of_plans_involvement_money_and_interests():
    assert [n for n in ITEMS if ITEMS[n].people] == ["4", "21", "25", "27", "28"]


def test_every_item_has_words_of_its_own():
    assert len({item.asks for item in ITEMS.values()}) == 28


def test_it_has_a_page_of_its_own_and_no_model_card():
    assert CHECKLIST.page != tripod.CHECKLIST.page
    assert CHECKLIST.name != tripod.CHECKLIST.name
    assert not CHECKLIST.model_card
