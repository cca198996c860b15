from minirobert.tokenization.rows.encoding import CharSpan
from minirobert.tokenization.rows.windows import _combined
from tests.tokenization.small import small


def test_the_order_of_the_windows_of_a_pair():
    a, b, c, x, y, z = (slice(start, start + 1) for start in range(6))
    assert _combined([[a, b, c]]) == [(a,), (b,), (c,)]
    assert _combined([[a, b, c], [x, y, z]]) == [
        (a, x),
        (b, x),
        (b, y),
        (b, z),
        (c, x),
        (c, y),
        (c, z),
        (a, y),
        (a, z),
    ]


def test_the_space_of_the_first_token_of_a_window_is_left_alone():
    tokenizer = small(add_prefix_space=True)
    options = {"max_length": 4, "truncation": True, "return_overflowing_tokens": True}
    windows = tokenizer("ab ab ab ab", return_offsets_mapping=True, **options)
    assert windows.offset_mapping == [
        [(0, 0), (0, 2), (3, 5), (0, 0)],
        [(0, 0), (5, 8), (9, 11), (0, 0)],  # the space at 5 could be one that was put in
    ]
    assert [row.offsets for row in windows.encodings] == windows.offset_mapping


def test_the_space_that_each_word_is_given_is_left_alone():
    tokenizer = small()
    options = {"is_split_into_words": True, "return_offsets_mapping": True}
    assert tokenizer(["ab", "ab"], **options).offset_mapping == [(0, 0), (0, 2), (0, 2), (0, 0)]


def test_the_characters_of_a_word_end_with_its_last_token():
    (row,) = small()(["ab  bab ba"]).encodings
    assert [row.word_to_chars(word) for word in range(4)] == [
        CharSpan(0, 2),
        CharSpan(3, 3),
        CharSpan(4, 7),
        CharSpan(8, 10),
    ]
