"""Taking a finished workspace to another machine by way of a place that both can reach: publish there, fetch from there.

Object stores have no renames and no locks, so nothing there is ever changed: files lie under their own checksum, and an edition, which
names them all, is a new file each time. The newest whole edition is the one that holds. A workspace itself stays a folder.
"""

from persona_core.publishing.edition import Edition
from persona_core.publishing.fetching import fetch
from persona_core.publishing.sending import publish
from persona_core.publishing.shelf import Shelf, ShelfUnreachable

__all__ = ["Edition", "Shelf", "ShelfUnreachable", "fetch", "publish"]
