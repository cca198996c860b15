"""What is shown of a comparison: `text`, `html`, `json_object`, `plot`, and `advice` on it."""

from .text import number, report

__all__ = ["number", "report"]
