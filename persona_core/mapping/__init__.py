"""The one door for work over many things, and who does it: this machine's threads and processes, or a Ray cluster."""

from persona_core.mapping.door import Kind, Runner, mapped
from persona_core.mapping.local import LocalRunner

__all__ = ["Kind", "LocalRunner", "Runner", "mapped"]
