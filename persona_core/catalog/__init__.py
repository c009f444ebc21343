"""The dataset: readers, cleaning, the files it is kept in, and the splits that hide the future."""

from persona_core.catalog.splits import Moments, last_item_out, moments_of, point_in_time
from persona_core.catalog.store import Catalog

__all__ = ["Catalog", "Moments", "last_item_out", "moments_of", "point_in_time"]
