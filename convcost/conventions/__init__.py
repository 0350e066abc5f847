"""Analysis and callers to what another counter would print, term by term."""

from convcost.conventions.express import express
from convcost.conventions.fvcore import FVCORE
from convcost.conventions.ptflops import PTFLOPS
from convcost.conventions.rule import Call, Convention, Expression, Rule, Term
from convcost.conventions.thop import THOP
from convcost.conventions.torchinfo import TORCHINFO

CONVENTIONS: dict[str, Convention] = {each.name: each for each in (FVCORE, THOP, PTFLOPS, TORCHINFO)}

__all__ = ["CONVENTIONS", "Call", "Convention", "Expression", "Rule", "Term", "express"]
