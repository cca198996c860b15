"""Which one ran: the kernel or its formula."""

import inspect
import sys

import numpy as np


def what_runs(function, *args, **kwargs):
    """Call a function of `minirobert.functional`, and tell which code computed its result."""
    ran = set()
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, _: ran.add(frame.f_code))
    try:
        function(*args, **kwargs)
    finally:
        sys.setprofile(before)
    versions = {"kernel": np.ndarray, "formula": object}
    names = [
        name
        for name, kind in versions.items()
        if inspect.unwrap(function.dispatch(kind)).__code__ in ran
    ]
    assert len(names) == 1, names
    return names[0]
