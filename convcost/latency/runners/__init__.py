"""What can be run, and by which runtime. The modules of this package load a runtime; nothing imports them early."""

from __future__ import annotations
