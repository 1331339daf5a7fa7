"""Problem descriptors: what a referral is for, and which anxiety measure the rules pair with it.

Codes and pairing as in the NHS Talking Therapies data set (annual report metadata 2024-25, fields
``PresentingComplaintLowerCategory`` and ``ADSM``) and Clark 2018, Table 2
(PMC5942544). The published variable metadata swaps the codes of
irritable bowel syndrome (K58) and chronic fatigue syndrome (G933); here they are as in ICD-10.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """A problem descriptor.

    Attributes
    ----------
    codes
        What its code begins with (ICD-10), or a SNOMED code.
    anxiety_scale
        Code of the anxiety disorder-specific measure paired with the PHQ-9.
    """

    name: str
    codes: tuple[str, ...]
    anxiety_scale: str = "gad7"


_ALL = (
    Problem("depression", ("F32", "F33")),
    Problem("generalised anxiety disorder", ("F411",)),
    Problem("mixed anxiety and depression", ("F412",)),
    Problem("social phobia", ("F401",), "spin"),
    Problem("post-traumatic stress disorder", ("F431",), "pcl5"),
    Problem("agoraphobia", ("F400",), "mobility_alone"),
    Problem("obsessive-compulsive disorder", ("F42",), "oci"),
    Problem("panic disorder", ("F410",), "pdss"),
    Problem("specific phobia", ("F402",)),
    Problem("health anxiety", ("F452",), "hai"),
    Problem("body dysmorphic disorder", ("83482000",), "biq"),
    Problem("chronic fatigue syndrome", ("G933",), "cfq11"),
    Problem("irritable bowel syndrome", ("K58",), "ibs_sss"),
    Problem("medically unexplained symptoms", ("723916001",), "phq15"),
    Problem("other", ()),
    Problem("not stated", ()),
)

#: By name.
PROBLEMS = {problem.name: problem for problem in _ALL}
