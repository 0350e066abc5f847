"""Names from models made harmless where they are shown: terminal, markdown, spreadsheet."""

from __future__ import annotations

import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#~!&@$])")
# What runners of GitHub, Azure and TeamCity take for a command in a log: the first at the start of a line alone.
_COMMAND = re.compile(r"(?<!\S):(?=:)|#(?=#(?:vso|teamcity)?\[)")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def printable(text: str) -> str:
    """Control characters, direction overrides, line separators and lone surrogates as escapes one can see, and the
    start of what a CI system would take from its log as a command.

    >>> printable("conv\\x1b[31m"), printable("größe"), printable("::add-mask::x"), printable("onnx::Conv_1")
    ('conv\\\\x1b[31m', 'größe', '\\\\x3a:add-mask::x', 'onnx::Conv_1')
    """
    if not text.isprintable():
        text = "".join(char if char.isprintable() else _visible(char) for char in text)
    if "::" in text or "##" in text:
        text = _COMMAND.sub(lambda found: _visible(found[0]), text)
    return text


def markdown_text(text: str) -> str:
    """Words that mean nothing to a markdown reader but themselves, in a table too."""
    return _MARKDOWN.sub(r"\\\1", printable(text))


def markdown_name(text: str) -> str:
    """A name as code, fenced by more backticks than it holds.

    >>> markdown_name("a|b"), markdown_name("a`b")
    ('`a\\\\|b`', '`` a`b ``')
    """
    if not text:
        return ""
    shown = printable(text).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{space}{shown}{space}{fence}"


def spreadsheet(text: str) -> str:
    """A cell that no spreadsheet runs as a formula.

    >>> spreadsheet("=HYPERLINK()"), spreadsheet("conv1")
    ("'=HYPERLINK()", 'conv1')
    """
    defused = f"'{text}" if text.startswith(_FORMULA) else text
    return printable(defused)


def _visible(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
