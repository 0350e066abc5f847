"""`python -m convcost`, which ends as any Python program does, for profilers and debuggers to have the last word."""

from __future__ import annotations

import sys

from convcost.cli import run_process
from convcost.cli.search_path import forget_the_current_folder

forget_the_current_folder()
sys.exit(run_process())
