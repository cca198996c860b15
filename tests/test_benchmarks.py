"""How speed is measured, by a clock of the tests' own: no test here is about real time."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minirobert
from minirobert import RobertaConfig
from minirobert.benchmarks import machine, turns
from minirobert.benchmarks.batches import Batch, batch_of, flops, sentence_lengths, sentences
from minirobert.benchmarks.encoder import check_same, encoder_row, ours, random_encoder
from minirobert.benchmarks.rows import OURS, Row, with_shares
from minirobert.benchmarks.table import cells, markdown, text
from minirobert.benchmarks.turns import in_rounds, in_turn, ratios

TINY = {
    "vocab_size": 90, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2,
    "intermediate_size": 20, "max_position_embeddings": 40, "type_vocab_size": 1,
}  # fmt: skip
numbers = st.lists(st.tuples(*[st.floats(1e-3, 1e3)] * 2), min_size=1, max_size=40)


# Turns


@given(numbers)
def test_a_ratio_is_taken_round_by_round(pairs):
    theirs, own = map(list, zip(*pairs, strict=True))
    quotients = np.array(theirs) / np.array(own)
    assert tuple(ratios(theirs, own)) == pytest.approx(np.percentile(quotients, [50, 10, 90]))


def test_sides_have_as_many_rounds():
    with pytest.raises(ValueError, match="argument 2"):
        ratios([1.0, 2.0], [1.0])


class Clock:
    """A clock that stands still but for what a side takes, and for pauses."""

    def __init__(self, monkeypatch):
        self.now, self.calls, self.busy, self.worked = 0.0, [], 0, 0.0
        fake = SimpleNamespace(perf_counter=self.tell, sleep=self.go, process_time=self.work)
        monkeypatch.setattr(turns, "time", fake)

    def tell(self):
        return self.now

    def go(self, taken):
        self.now += taken

    def work(self):
        """Tell the work of this process, of which a side leaves some behind."""
        self.worked += 0.015 if self.busy > 0 else 0
        self.busy -= 1
        return self.worked

    def side(self, name, *taken):
        """Make a side whose calls take so long, the last of them for ever."""
        left = list(taken)

        def call():
            self.calls.append(name)
            self.go(left.pop(0) if len(left) > 1 else left[0])

        return call


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_sides_take_turns(clock):
    sides = {"a": clock.side("a", 9, 2, 3, 4), "b": clock.side("b", 7, 6, 5, 4)}
    times = in_turn(sides, lasting=0.0, rounds=(3, 31))
    assert times == {"a": [2, 3, 4], "b": [6, 5, 4]}  # without the first call, and the pauses
    assert "".join(clock.calls) == "ab" + 3 * "ab"


def test_a_side_that_begins_slowly_is_asked_again(clock):
    times = in_turn({"a": clock.side("a", 0.9, 0.02)}, lasting=0.0, rounds=(2, 2))
    assert times["a"] == pytest.approx([0.02, 0.02])
    assert len(clock.calls) == 2 + 2 * 5  # a turn is a tenth of a second


@pytest.mark.parametrize(
    ("busy", "least", "most"), [(0, 0.0, 0.05), (9, 0.08, 0.13), (999, 0.9, 1.1)]
)
def test_a_side_begins_when_the_last_is_at_rest(clock, busy, least, most):
    begun = []

    def side():
        begun.append(clock.now)
        clock.busy = busy

    in_rounds({"a": side}, 2)
    assert least < begun[1] - begun[0] < most


@pytest.mark.parametrize(("lasting", "rounds"), [(0.0, 5), (9.5, 10), (9.0, 9), (1e6, 31)])
def test_rounds_fill_the_time(clock, lasting, rounds):
    sides = {"a": clock.side("a", 0.45), "b": clock.side("b", 0.45)}
    times = in_turn(sides, lasting)
    assert [len(one) for one in times.values()] == [rounds, rounds]


def test_parts_are_each_called_once(clock):
    assert in_rounds({"a": clock.side("a", 3, 1, 2)}, 3) == {"a": [3, 1, 2]}


# Batches


@given(st.lists(st.integers(1, 38), min_size=1, max_size=5))
def test_a_batch_has_the_lengths_that_were_asked_for(lengths):
    config = RobertaConfig(**TINY)
    batch = batch_of(lengths, config)
    assert batch.lengths == lengths
    assert batch.ids.shape == (len(lengths), max(lengths))
    assert ((batch.ids == config.pad_token_id) == (batch.mask == 0)).all()
    assert batch.ids.max() < 90


def test_lengths_of_sentences_are_log_normal():
    logarithms = np.sort(np.log(sentence_lengths()))
    skew = np.mean((logarithms - logarithms.mean()) ** 3) / logarithms.std() ** 3
    assert abs(skew) < 0.2
    assert logarithms.std() > 0.5


def test_the_padded_batch():
    batch = sentences(RobertaConfig(**TINY))
    assert batch.mask.shape == (32, 97)
    assert batch.mask.mean() == pytest.approx(0.3, abs=0.02)
    assert batch.lengths != sorted(batch.lengths)


def test_operations_are_those_that_torch_counts():
    import torch
    import transformers
    from torch.utils.flop_counter import FlopCounterMode

    config = transformers.RobertaConfig(**TINY, attn_implementation="eager")
    encoder = transformers.RobertaModel(config, add_pooling_layer=False).eval()
    with FlopCounterMode(display=False) as counter:
        encoder(torch.full((3, 7), 5))
    assert flops(RobertaConfig(**TINY), [7, 7, 7]) == counter.get_total_flops()


# Sides


def test_both_sides_compute_the_same():
    pytest.importorskip("torch")
    from minirobert.benchmarks.encoder import theirs, twin

    model = random_encoder(**TINY)
    batch = batch_of([3, 7, 5], model.config)
    mine, other = ours(model, batch)(), theirs(twin(model), batch)()
    check_same(batch, mine, other)
    mine = mine.copy()
    mine[0, 3:] += 1  # padding
    check_same(batch, mine, other)
    mine[0, 2, 0] += 1
    with pytest.raises(ArithmeticError, match=r"differ by 1\.0e\+00"):
        check_same(batch, mine, other)
    mine[0, 2, 0] = np.nan
    with pytest.raises(ArithmeticError, match="differ by nan"):
        check_same(batch, mine, other)


def test_a_row_of_the_encoder(clock):
    config = RobertaConfig(**TINY)
    batch = batch_of([3, 7], config, "pair", "two")
    row = encoder_row(config, batch, {OURS: clock.side(OURS, 2.0)}, 0.0).to_json()
    assert (row["name"], row["title"], row["rounds"]) == ("encoder/pair", "two", 5)
    assert row["tokens_per_second"] == 5
    assert row["flops_per_second"] == flops(config, [3, 7]) / 2


# The machine


def test_the_machine_is_described(monkeypatch):
    about = machine.machine("numpy", "pytest", "no-such-package")
    assert about["versions"]["numpy"] == np.__version__
    assert about["versions"]["pytest"] == pytest.__version__
    assert "no-such-package" not in about["versions"]
    for word in (about["processor"], about["blas"]["library"], np.__version__):
        assert word in machine.described(about)


def test_the_peak_counts_products_and_sums(clock, monkeypatch):
    monkeypatch.setattr(machine, "seconds", lambda function: function() is None or 0.5)
    assert machine.matmul_peak(8, times=2) == 2 * 8**3 / 0.5


# Rows and tables

sides = st.dictionaries(
    st.sampled_from(["transformers", "onnxruntime", "tokenizers"]), st.none(), max_size=2
)


@st.composite
def rows(draw):
    n = draw(st.integers(1, 7))
    each = st.lists(st.floats(0.002, 90), min_size=n, max_size=n)
    return Row(
        name=draw(st.text("abc/", min_size=1, max_size=5)),
        title=draw(st.text("abc ", max_size=5)),
        sides={side: draw(each) for side in [*draw(sides), OURS]},
        unit=draw(st.sampled_from(["s", "MiB"])),
        whole=draw(st.booleans()),
        tokens=draw(st.none() | st.integers(1, 9999)),
        flops=draw(st.none() | st.integers(1, 10**12)),
    )


@given(rows())
def test_a_row_tells_the_median_or_the_sum(row):
    told = row.to_json()
    of_one = np.sum if row.whole else np.median
    assert told[OURS] == pytest.approx(of_one(row.sides[OURS]))
    for side, other in told["theirs"].items():
        assert other["value"] == pytest.approx(of_one(row.sides[side]))
        quotients = np.divide(row.sides[side], row.sides[OURS])
        if row.unit == "MiB":
            quotients = 1 / quotients
        expected = np.percentile(quotients, [50, 10, 90])
        assert [other["ratio"][name] for name in ("median", "low", "high")] == pytest.approx(
            expected
        )
    assert {*told["theirs"], OURS} == set(row.sides)


@given(st.lists(rows(), min_size=1, max_size=4), st.floats(1e9, 1e13))
def test_the_table_has_the_figures_of_the_json(drawn, peak):
    told = json.loads(json.dumps(with_shares((row.to_json() for row in drawn), peak)))
    heads, _, *lines = [
        [cell.strip() for cell in line[1:-1].split("|")]
        for line in markdown(cells(told)).splitlines()
    ]
    assert len(lines) == len(told)
    for row, line in zip(told, lines, strict=True):
        found = [(head, cell) for head, cell in zip(heads, line, strict=True) if cell][1:]
        if not row["title"].strip():
            found = [(head, cell) for head, cell in zip(heads, line, strict=True) if cell]
        scale = 1e3 if row["unit"] == "s" else 1
        for head, cell in found:
            figure = float(cell.split()[0].replace(",", "").rstrip("%"))
            assert figure == pytest.approx(_meant(row, head, cell, scale), rel=0.006, abs=0.5)


def _meant(row, head, cell, scale):
    """Find in the JSON what a cell tells."""
    if head == OURS:
        return scale * row[OURS]
    if head == "tokens/s":
        return row["tokens_per_second"]
    if head == "of matmul peak":
        return 100 * row["share_of_peak"]
    others = row["theirs"]
    if head == "ratio":
        given = [other["ratio"]["median"] for other in others.values()]
        return min(given, key=lambda ratio: abs(ratio - float(cell.split()[0])))
    given = [scale * other["value"] for other in others.values()]
    figure = float(cell.split()[0].replace(",", ""))
    return min(given, key=lambda value: abs(value - figure))


def test_a_table_to_read():
    row = {"name": "a", "sides": {"transformers": [0.2, 0.4, 0.3], OURS: [0.1, 0.1, 0.2]}}
    memory = Row(
        name="b", title="memory", sides={"transformers": [400.0], OURS: [100.0]}, unit="MiB"
    )
    other = Row(name="c", title="text", sides={"tokenizers": [0.01], OURS: [0.005]})
    missing = Row(name="d", title="d", sides={OURS: [1.0]}, notes={"onnxruntime": "not installed"})
    told = [Row(title="one", tokens=5, flops=10, **row), memory, other, missing]
    table = cells(with_shares([one.to_json() for one in told], peak=1000.0))
    assert text(table).splitlines() == [
        "        minirobert          transformers                ratio    onnxruntime  tokens/s  "
        "of matmul peak",
        "one         100 ms                300 ms  2.00 (1.60 to 3.60)                       50  "
        "           10%",
        "memory     100 MiB               400 MiB       0.25 of theirs",
        "text       5.00 ms  10.0 ms (tokenizers)                 2.00",
        "d         1,000 ms                                             not installed",
    ]
    assert markdown(table).splitlines()[3] == (
        "| memory | 100 MiB | 400 MiB | 0.25 of theirs |  |  |  |"
    )


def test_the_model_is_the_one_that_is_measured():
    model = minirobert.RobertaModel.from_pretrained(add_pooling_layer=False)
    batch = batch_of([5], model.config)
    assert isinstance(batch, Batch)
    expected = model(batch.ids).last_hidden_state
    assert np.array_equal(ours(model, batch)(), expected)
