import gc
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minirobert.tokenization import RobertaTokenizer
from minirobert.tokenization.rows import batches
from minirobert.tokenization.rows.windows import row_windows
from tests.equivalence.texts import texts

TOKENIZERS = [
    RobertaTokenizer.from_pretrained(add_prefix_space=prefix, trim_offsets=trim)
    for prefix in (False, True)
    for trim in (False, True)
]
OPTIONS = (
    "add_special_tokens",
    "split_special_tokens",
    "return_token_type_ids",
    "return_attention_mask",
    "return_special_tokens_mask",
    "return_offsets_mapping",
)


@given(
    tokenizer=st.sampled_from(TOKENIZERS),
    text=texts,
    options=st.fixed_dictionaries(dict.fromkeys(OPTIONS, st.booleans())),
)
def test_a_text_alone_gives_the_row_that_it_gives_in_a_batch(tokenizer, text, options):
    alone, (row,) = tokenizer(text, **options), [tokenizer([text], **options)]
    assert list(alone.items()) == [(name, column[0]) for name, column in row.items()]
    assert vars(alone[0]).keys() == vars(row[0]).keys()
    assert (alone[0].ids, alone[0].offsets) == (row[0].ids, row[0].offsets)


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("fails", [True, False])
def test_the_garbage_collector_rests_within_a_batch(monkeypatch, enabled, fails):
    seen = []

    def note(*arguments):
        seen.append(gc.isenabled())
        if fails:
            raise MemoryError
        return row_windows(*arguments)

    monkeypatch.setattr(batches, "row_windows", note)
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(MemoryError) if fails else nullcontext():
            TOKENIZERS[0](["a", "b"])
        assert gc.isenabled() == enabled
    finally:
        gc.enable()
    assert set(seen) == {False}
