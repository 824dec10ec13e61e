"""Consoles that show texts as they are: names and paths of users may hold anything."""

from typing import Any

from rich.console import Console
from rich.text import Text

from cortex_model.errors import literal


class LiteralConsole(Console):
    """A console that reads no markup and no names of emoji in texts, and shows their controls as escapes."""

    def __init__(self, **options: Any):
        super().__init__(markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """A text as rich has it."""
        return super().render_str(literal(text, "\n\t"), **options)
