"""`python -m convcost`."""

from __future__ import annotations

import sys

from convcost.cli import main

sys.exit(main())
