"""`python -m convcost`."""

from __future__ import annotations

import sys

from convcost.cli import main
from convcost.cli.search_path import forget_the_current_folder

forget_the_current_folder()
sys.exit(main())
