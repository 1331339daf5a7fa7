"""Write the joint posterior of the effect of therapy into iesoresearch/data/health_economics.

Usage: python studies/effect_of_therapy.py --data DIR [--jobs N]

DIR holds the published table of trials, at any depth. Run by hand; a test makes it again where the
table is.
"""

import argparse
from pathlib import Path

from iesoresearch import data
from iesoresearch.analyses.waiting_effect import effect
from iesoresearch.data import metapsy

PATH = Path(data.__file__).parent / "health_economics" / "effect.yaml"
COMMAND = "python studies/effect_of_therapy.py --data DIR"


def main() -> None:
    """Fit every case and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the table")
    parser.add_argument("--jobs", type=int, default=2, help="chains side by side")
    options = parser.parse_args()
    trials = metapsy.load((options.data,))
    effect.write(PATH, effect.content(trials, effect.fits(trials, options.jobs), COMMAND))
    print(PATH)


if __name__ == "__main__":
    main()
