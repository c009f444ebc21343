"""Take part: the one page that a study's participants see."""

from persona_core.errors import PersonaError
from persona_core.study.design import said
from ui import resources
from ui.study import path, room
from ui.study.visit import not_kept

file = resources.served_study()
assert file is not None  # nosec B101 # for the type checker
try:
    place = resources.workspace()
    hall, engine = room.hall(place, file), resources.engine(place)
    room.ready(hall, engine)
    path.draw(hall, engine)
except PersonaError as error:
    room.note_for_the_researcher(error)
    not_kept(said().__getitem__)
