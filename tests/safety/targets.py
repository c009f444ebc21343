"""All doors at which something of a stranger's comes in."""

from __future__ import annotations

from tests.safety.answer_doors import ANSWERS
from tests.safety.data_doors import DATA
from tests.safety.own_doors import OWN
from tests.safety.study_doors import STUDIES

TARGETS = (*DATA, *OWN, *STUDIES, *ANSWERS)
