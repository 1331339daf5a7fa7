"""From a site's files into the library, and once more."""


def test_all_come_in(small_library, small_site):
    cohort = small_site.cohort
    for name in ("patients", "referrals", "contacts", "scores", "content"):
        assert small_library.read(name).height == getattr(cohort, name).height
