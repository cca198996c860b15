"""Python in a process of its own, where what is imported, or printed, or set must be new."""

import subprocess
import sys


def fresh_python(code: str, *arguments: str) -> str:
    """Run code that must succeed, giving what it prints."""
    command = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()
