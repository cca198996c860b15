// The tokenizer: byte-level BPE. Places in a text are counted in code points, [...text], and not in
// the UTF-16 units of JavaScript's strings.

// What is white space to RoBERTa: \s of JavaScript has U+FEFF besides, and lacks U+0085.
const WHITE = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const PIECE = new RegExp(
  `'(?:s|t|re|ve|m|ll|d)| ?\\p{L}+| ?\\p{N}+| ?[^${WHITE}\\p{L}\\p{N}]+` +
  `|[${WHITE}]+(?![^${WHITE}])|[${WHITE}]+`, "gu");
const SPECIAL = new RegExp(`([${WHITE}]*<mask>|<s>|<pad>|</s>|<unk>)`, "u");  // <mask> takes space
const LEADING = new RegExp(`^[Ġ${WHITE}]*`, "u");
const TRAILING = new RegExp(`[Ġ${WHITE}]*$`, "u");

// Each byte as a character: itself if it is printable in Latin-1, or else U+0100, U+0101, …
const isPrintable = (byte) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
let next = 0x100;
const ALPHABET = Array.from({ length: 256 }, (_, b) => String.fromCharCode(isPrintable(b) ? b : next++));

/** vocab: token to id; merges: "a b", in their order; settings: of the group of cases. */
export function tokenizer(vocab, merges, settings) {
  const ranks = new Map(merges.map((merge, rank) => [merge, rank]));
  const hasPrefix = settings.add_prefix_space;

  /** Join the pair that was learned first, again and again. */
  function bpe(symbols) {
    for (;;) {
      const pairs = symbols.slice(1).map((right, i) => ranks.get(`${symbols[i]} ${right}`) ?? Infinity);
      const least = Math.min(...pairs);
      if (least === Infinity) return symbols;
      const i = pairs.indexOf(least);
      symbols.splice(i, 2, symbols[i] + symbols[i + 1]);
    }
  }

  /** Write a piece in bytes, merge them, and find which of its characters each token covers. */
  function tokensOf(piece) {
    const bytes = [...new TextEncoder().encode(piece)];
    let characters = 0;
    const begun = bytes.map((byte) => ((byte & 0xc0) === 0x80 ? characters : ++characters));
    let first = 0;
    return bpe(bytes.map((byte) => ALPHABET[byte])).map((token) => {
      const start = begun[first] - 1;
      first += token.length;
      return { token, offsets: trim(token, [start, begun[first - 1]]) };
    });
  }

  /** Leave white space at the ends of a token out of its offsets. */
  function trim(token, [start, end]) {
    if (settings.trim_offsets === false) return [start, end];
    const from = Math.min(start + token.match(LEADING)[0].length, end);
    return [from, Math.max(end - token.match(TRAILING)[0].length, from)];
  }

  /** The tokens of a text; a word is a piece of it. */
  function encode(text, sequence) {
    const tokens = [];
    let [start, word] = [0, 0];
    const segments = settings.split_special_tokens ? [text] : text.split(SPECIAL);
    segments.forEach((segment, n) => {  // every second one is a special token
      const prefixed = hasPrefix && !segment.startsWith(" ") ? ` ${segment}` : segment;
      for (const piece of n % 2 ? [segment] : (segment && prefixed.match(PIECE)) || []) {
        const length = [...piece].length;
        const special = { token: piece.trimStart(), offsets: trim(piece, [0, length]) };
        for (const { token, offsets } of n % 2 ? [special] : tokensOf(piece)) {
          const places = offsets.map((place) => place + start);
          tokens.push({ id: vocab[token], token, word, sequence, offsets: places });
        }
        [start, word] = [start + length, word + 1];
      }
    });
    return tokens;
  }

  /** How many tokens of each text are kept. */
  function kept([first, second = 0], budget, strategy) {
    if (first + second <= budget || strategy === "do_not_truncate") return [first, second];
    if (strategy === "only_first") return [budget - second, second];
    if (strategy === "only_second") return [first, budget - first];
    const shorter = Math.min(first, second, Math.floor(budget / 2));
    return first <= second ? [shorter, budget - shorter] : [budget - shorter, shorter];
  }

  /** <s> A </s>, or <s> A </s></s> B </s>: a column for each thing that is known of the tokens. */
  return function row(entry, options, text) {
    const { add_special_tokens: isFramed = true, truncation = "do_not_truncate" } = options;
    const texts = [entry].flat().map(encode);
    const budget = (options.max_length ?? Infinity) - (isFramed ? 2 * texts.length : 0);
    const lengths = kept(texts.map(({ length }) => length), budget, truncation);
    const special = (token) => ({ id: vocab[token], token, word: null, sequence: null, offsets: [0, 0] });
    const tokens = texts.flatMap((all, n) => {
      const from = settings.truncation_side === "left" ? all.length - lengths[n] : 0;
      const own = all.slice(from, from + lengths[n]);
      return isFramed ? [special(n ? "</s>" : "<s>"), ...own, special("</s>")] : own;
    });
    const column = (name) => tokens.map((token) => token[name]);
    return {
      text, input_ids: column("id"), tokens: column("token"), words: column("word"),
      sequences: column("sequence"), attention_mask: tokens.map(() => 1),
      special_tokens_mask: column("sequence").map((n) => (n === null ? 1 : 0)),
      ...(hasPrefix ? {} : { offsets: column("offsets") }),  // a rule of its own, which is not here
    };
  };
}
