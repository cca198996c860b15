"""What may be replaced when files are written; the rest is in robustness/test_saving.py."""

import os
import stat

import pytest

from minirobert.files.exchange import write_files


def test_a_file_replaces_no_pipe(tmp_path):
    """Whoever may, as root, would replace /dev/null by a file, for all programs."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="pipe' is a device or a pipe, which a file must not replace"):
        write_files(tmp_path, {"pipe": "text", "other": "text"})
    assert os.listdir(tmp_path) == ["pipe"]
    assert stat.S_ISFIFO(os.stat(tmp_path / "pipe").st_mode)
