"""A synthetic cohort of referrals to talking therapies whose truth is known.

SIMULATED: it shows that the methods work and says nothing about patients. Every mechanism has named
parameters (`england.yaml`, `ieso.yaml`), each published, calibrated to published figures, or a
stated assumption.
"""

from iesoresearch.data.synthetic.cohort import make
from iesoresearch.data.synthetic.profile import PROFILES, Profile

__all__ = ["PROFILES", "Profile", "make"]
