"""Folders of the machine in what is published."""

from iesoresearch.reporting import machine


def test_of_a_path_the_name_alone_is_published_however_deep_it_stands():
    given = {
        "data": "/home/ada/extract",
        "bundles": ["/home/ada/north.zip", "C:\\work\\south.zip", "east.zip", 1],
        "sites": {"north": ["/srv/a"], "/srv/b": None},
    }
    assert machine.without_folders(given) == {
        "data": "extract",
        "bundles": ["north.zip", "south.zip", "east.zip", 1],
        "sites": {"north": ["a"], "b": None},
    }
