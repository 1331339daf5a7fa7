"""Published health-economic models, entered as data: parsed, checked, run and compared.

The format is described in ``params/cases/README.md``.

    case = parse(Path("params/cases/chancellor_hiv.yaml").read_text(), "chancellor_hiv.yaml")
    report = run(case)
    [row for row in report.rows if not row.ok]
"""

from iesoresearch.models.cases.case import Case, Finding, Source
from iesoresearch.models.cases.parse import parse
from iesoresearch.models.cases.run import Report, Row, run

__all__ = ["Case", "Finding", "Report", "Row", "Source", "parse", "run"]
