"""What has been measured, in a directory: as JSON, as a table of Markdown, and as a picture."""

import json
from datetime import UTC, datetime

from minirobert.benchmarks.machine import described
from minirobert.benchmarks.rows import with_shares
from minirobert.benchmarks.table import cells, markdown

HEAD = """\
# minirobert beside others

{machine}; {threads} threads for each side, float32, sizes of roberta-base, random weights{quick}.
{date}. NumPy multiplies float32 matrices at {peak:,.0f} GFLOP/s here.

Times are medians; a ratio is theirs / ours, taken round by round with all sides in turn (above 1:
minirobert is faster), with the middle 80% of the rounds. Of memory it is ours / theirs.
"""


class Results:
    """The rows of a directory, which are kept if they were measured under the same conditions."""

    def __init__(self, directory, about, keep):
        self.directory, self.about = directory, about
        self.peak, self.rows = 0.0, {}
        self.directory.mkdir(parents=True, exist_ok=True)
        if keep and self._file.exists():
            self._take(json.loads(self._file.read_text("utf-8")))

    @property
    def _file(self):
        return self.directory / "results.json"

    def _take(self, before):
        if all(before[name] == value for name, value in self.about.items()):
            self.peak = before["matmul_peak"]
            self.rows = {row["name"]: row for row in before["rows"]}

    def add(self, row):
        """Add a row, or put it in the place of one of before."""
        self.rows[row.name] = row.to_json() | {"date": _now()}

    def in_order(self, names):
        """Give the rows with their shares of the peak, in the order of some names."""
        return with_shares((self.rows[name] for name in names if name in self.rows), self.peak)

    def write(self, names):
        """Write all that there is."""
        rows = self.in_order(names)
        report = {**self.about, "date": _now(), "matmul_peak": self.peak, "rows": rows}
        text = json.dumps(report, indent=1, ensure_ascii=False)
        self._file.write_text(f"{text}\n", "utf-8")
        (self.directory / "table.md").write_text(page(report), "utf-8")


def page(report):
    """Write a report as Markdown: a table, and another of how time and memory grow."""
    head = HEAD.format(
        machine=described(report["machine"]),
        threads=report["threads"],
        quick="; in a hurry, with few rounds" if report["quick"] else "",
        date=report["date"],
        peak=report["matmul_peak"] / 1e9,
    )
    growth = [row for row in report["rows"] if row["name"].startswith("growth/")]
    others = [row for row in report["rows"] if row not in growth]
    tables = [markdown(cells(rows)) for rows in (others, growth) if rows]
    return "\n".join([head, *(f"{table}\n" for table in tables)])


def _now():
    return datetime.now(UTC).isoformat(timespec="minutes")
