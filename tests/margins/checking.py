"""Claims about shapes, compared with the arrays of running code."""

import re
import sys
from collections import defaultdict
from contextlib import contextmanager
from inspect import CO_GENERATOR

from minirobert.arrays import dtype_name, is_array_api_obj
from tests.margins.letters import Letters, letters_in

KINDS = {"bool": "bool", "boolean": "bool", "int64": "int64", "integer": "int", "integers": "int"}


class Checker:
    """Which claims were found true, and which were not; ``letters`` are known before any call."""

    def __init__(self, claims, folder):
        self.folder, self.letters, self.true, self.violations = str(folder), {}, set(), {}
        self.claims = defaultdict(lambda: defaultdict(list))
        for claim in claims:
            self.claims[claim.owner][claim.moment].append(claim)

    @contextmanager
    def watching(self, letters):
        """Check all calls in this thread; give letters what they mean in the model that runs."""
        before, self.letters = sys.gettrace(), letters
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(before)

    def _enter(self, frame, event, _):
        code = frame.f_code
        if frame.f_trace is not None or not code.co_filename.startswith(self.folder):
            return frame.f_trace  # that of a generator that goes on
        claims = self.claims[code.co_filename, code.co_name, code.co_firstlineno]
        frame.f_trace_lines = any(claim.lines for moment in claims.values() for claim in moment)
        return Call(self, claims, frame).step

    def check_fields(self, value):
        """Check the fields of an object, each object on its own."""
        claims = self.claims.get((type(value).__module__, type(value).__name__))
        if claims:
            call = Call(self, claims)
            for claim in claims["field"]:
                call.check(claim, getattr(value, claim.name, None))


class Call:
    """One call: its letters, and the claims for which too few of them are known yet."""

    def __init__(self, checker, claims, frame=None):
        self.checker, self.claims = checker, claims
        self.letters, self.open = Letters(checker.letters), []
        self.running, self.returning, self.raised = [], set(), False
        if frame:
            for claim in claims["given"]:
                self.check(claim, frame.f_locals.get(claim.name))
            for holder in frame.f_locals.values():
                checker.check_fields(holder)

    def step(self, frame, event, value):
        """Follow the call: a line is about to run, an error was raised, or it returns."""
        self.raised = event == "exception" or (self.raised and event == "return")
        if self.raised:
            self.running = []
        if self.running and (event == "return" or frame.f_lineno not in self.running[0].lines):
            for claim in self.running:
                self.check(claim, eval(claim.name, {}, frame.f_locals))  # a name, or self.name
            self.running = []
        if event == "line":
            self.running = [c for c in self.claims["assigned"] if frame.f_lineno in c.lines]
            self.returning |= {c for c in self.claims["returned"] if frame.f_lineno in c.lines}
        if event == "return" and not self.raised and not frame.f_code.co_flags & CO_GENERATOR:
            for claim in self.claims["returned"]:
                if not claim.lines or claim in self.returning:
                    self.check(claim, value if claim.place is None else value[claim.place])
            for holder in (value, frame.f_locals.get("self")):
                self.checker.check_fields(holder)
        return self.step

    def check(self, claim, value):
        """Check an array, or all arrays of a tuple; other values say nothing."""
        many = isinstance(value, (tuple, list))
        arrays = value if many else (value,)
        self.open += [(claim, array, many) for array in arrays if is_array_api_obj(array)]
        before = None
        while before != len(self.open):  # each that fits may tell the letters of others
            before = len(self.open)
            self.open = [entry for entry in self.open if self._fits(*entry) is None]

    def _fits(self, claim, array, many):
        words = re.findall(r"\w+", claim.text.partition("[")[0])
        kinds = [KINDS[word] for word in words if word in KINDS]
        size, dtype = tuple(array.shape), dtype_name(array)
        # Of the arrays of all layers, or of two attentions, each may have its own heads.
        own = {"N"} if many or claim.moment == "field" else set()
        shared = {letter: self.letters[letter] for letter in self.letters.keys() - own}
        letters = Letters(shared | self.checker.letters)
        fits = all(map(dtype.startswith, kinds)) and letters.fit(claim.text, size)
        if fits:
            self.checker.true.add(claim)
            self.letters.update((letter, letters[letter]) for letter in letters.keys() - own)
        elif fits is False:
            known = [f"{letter} = {letters.get(letter, '?')}" for letter in letters_in(claim.text)]
            self.checker.violations[claim] = f"{claim}, was {size}, {dtype}: {', '.join(known)}"
        return fits
