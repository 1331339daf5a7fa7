"""Every scale the data set knows, by its code: range, direction and SNOMED code of the score.

Ranges and codes: the public table definitions of the NHS Talking Therapies data set, version 2.1,
and the variable metadata of the annual report 2024-25 (NHS England, OGL v3). Scales that are no
part of it (personal goals, wellbeing, patient experience, BDI, HAM-D) come from a table of the
site, see `Scale.read`.
"""

from typing import Self

from pydantic import model_validator

from iesoresearch.measures.instruments import INSTRUMENTS
from iesoresearch.measures.rows import Row

_DATA_SET = "NHS Talking Therapies data set, version 2.1"


class Scale(Row):
    """A scale with one score.

    `Scale.read(path)` reads a site's own scales from YAML, for example::

        - code: bdi2
          name: the name of the scale
          low: 0
          high: 63
          higher_is_worse: true
          source: where range and direction are written down

    Attributes
    ----------
    code
        How the column ``instrument`` of the table ``scores`` names it.
    low, high
        Smallest and largest possible score.
    snomed
        SNOMED code of the score in the data set; empty where there is none.
    """

    code: str
    name: str
    low: float
    high: float
    higher_is_worse: bool
    snomed: str = ""
    source: str

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not self.low < self.high:
            raise ValueError("low must be below high")
        if not self.source.strip() or not self.code.strip():
            raise ValueError("code and source must not be empty")
        return self


def _scale(code: str, name: str, high: float, snomed: str, low: float = 0, source=_DATA_SET):
    return Scale(
        code=code,
        name=name,
        low=low,
        high=high,
        higher_is_worse=True,
        snomed=snomed,
        source=source,
    )


_SNOMED = {"phq9": "720433000", "gad7": "445455005", "wsas": ""}

_ALL = (
    *(_scale(i.code, i.name, i.highest, _SNOMED[i.code]) for i in INSTRUMENTS.values()),
    _scale("spin", "SPIN (social phobia)", 68, "445552006"),
    _scale("pcl5", "PCL-5 (post-traumatic stress)", 80, "491581000000104"),
    _scale("mobility_alone", "Mobility Inventory, alone", 5, "473355002", low=1),
    _scale("mobility_accompanied", "Mobility Inventory, accompanied", 5, "473354003", low=1),
    _scale("oci", "OCI (obsessions and compulsions)", 168, "450324005"),
    _scale("pdss", "PDSS (panic disorder)", 28, "450326007"),
    _scale("hai", "HAI, short week version (health anxiety)", 54, "446793008"),
    _scale("biq", "BIQ (body image)", 72, "1128221000000100"),
    _scale("cfq11", "CFQ-11 (fatigue; this range from April 2021)", 33, "1077511000000101"),
    _scale("ibs_sss", "IBS-SSS (irritable bowel)", 500, "1083671000000108"),
    _scale("phq15", "PHQ-15 (bodily symptoms)", 30, "1065441000000103"),
    _scale("pswq", "PSWQ (worry)", 80, "446517006", low=16),
    _scale("bpi", "BPI (pain)", 70, "443223005"),
    _scale("cat", "CAT (chronic obstructive lung disease)", 40, "446660005"),
    # One SNOMED code, two scorings: the range changed between versions of the data set.
    _scale(
        "diabetes_distress_total",
        "Diabetes Distress, total",
        102,
        "910931000000101",
        low=17,
        source="NHS Talking Therapies data set, technical output specification 2.0.26",
    ),
    _scale(
        "diabetes_distress_mean",
        "Diabetes Distress, mean",
        6,
        "910931000000101",
        low=1,
        source="NHS Talking Therapies data set, technical output specification 2.1.22",
    ),
)

#: By code.
SCALES = {scale.code: scale for scale in _ALL}
