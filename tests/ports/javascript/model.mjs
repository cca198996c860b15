// RoBERTa's encoder and its heads. B texts, S tokens, N heads of size D, H = N D hidden units.
import {
  ACTIVATIONS, add, at, embedding, fill, gelu, integers, layerNorm, linear, map, softmax, sum,
  tensor,
} from "./functional.mjs";

const LOWEST = -3.4028234663852886e38;  // of float32: what stands for a score that is masked

/** Complete the arguments of a call. Several choices of a text are rows of the batch. */
export function readInputs(config, given) {
  const isChoice = given.input_ids?.[0][0].length !== undefined;
  const rows = (nested) => (isChoice ? nested.flat() : nested);
  const ids = given.input_ids && rows(given.input_ids);
  const texts = ids ?? given.inputs_embeds;
  const mask = given.attention_mask && rows(given.attention_mask);
  const row = (b, i) => (Array.isArray(mask[b][0]) ? mask[b][i] : mask[b]);
  const S = texts[0].length;
  return {
    ids, S, B: texts.length, embeds: given.inputs_embeds, headMask: given.head_mask,
    choices: isChoice ? given.input_ids[0].length : 1,
    types: given.token_type_ids ?? texts.map((text) => text.map(() => 0)),
    positions: positions(config, given, texts),
    looks: (b, i, j) => !mask || row(b, i)[j] === 1,  // whether token i may look at token j
    maskRows: mask && Array.isArray(mask[0][0]) ? S : 1,
  };
}

/** Count from pad_token_id + 1. Padding is told by its id: it has position pad_token_id. */
function positions(config, given, texts) {
  const own = given.position_ids;
  if (own) return texts.map((_, b) => (Array.isArray(own[0]) ? own[b] : own));
  const pad = config.pad_token_id;
  return texts.map((text) => {
    let tokens = 0;
    return text.map((id) => (id === pad ? pad : pad + ++tokens));
  });
}

/**
 * From the arguments of a call to scores, by the class of the model.
 * weights(name) gives [weight, bias]; observe(name, tensor) keeps a tensor, and gives it back.
 */
export function run(architecture, config, weights, given, observe) {
  const inputs = readInputs(config, given);
  if (inputs.ids) observe("input_ids", integers(inputs.ids));
  observe("token_type_ids", integers(inputs.types));
  if (config.position_embedding_type === "absolute") {
    observe("position_ids", integers(inputs.positions));
  }
  const prefix = architecture === "RobertaModel" ? "" : "roberta.";
  const base = (name) => weights(prefix + name);
  const see = (name, x) => observe(prefix + name, x);
  const hidden = encode(config, base, inputs, see);
  const dense = (name, x) => observe(name, linear(x, ...weights(name)));
  const first = (x) => fill([x.shape[0], x.shape[2]], (b, h) => at(x, b, 0, h));
  const pool = () => see("pooler", map(Math.tanh, see("pooler.dense", linear(first(hidden), ...base("pooler.dense")))));
  return HEADS[architecture]({ config, weights, inputs, observe, hidden, dense, first, pool });
}

const HEADS = {
  RobertaModel: ({ pool, weights }) => weights("pooler.dense")[0] && pool(),
  RobertaForMaskedLM: ({ config, weights, observe, hidden, dense }) => {
    const inner = observe("lm_head.gelu", map(gelu, dense("lm_head.dense", hidden)));
    const normed = layerNorm(inner, ...weights("lm_head.layer_norm"), config.layer_norm_eps);
    const owner = config.tie_word_embeddings ? "roberta.embeddings.word_embeddings" : "lm_head.decoder";
    observe("lm_head.layer_norm", normed);
    observe("lm_head.logits", linear(normed, weights(owner)[0], weights("lm_head")[1]));
  },
  RobertaForSequenceClassification: ({ weights, observe, hidden, dense, first }) => {
    const text = observe("classifier.input", first(hidden));
    const summary = observe("classifier.tanh", map(Math.tanh, dense("classifier.dense", text)));
    observe("classifier.logits", linear(summary, ...weights("classifier.out_proj")));
  },
  RobertaForTokenClassification: ({ weights, observe, hidden }) => {
    observe("classifier.input", hidden);
    observe("classifier.logits", linear(hidden, ...weights("classifier")));
  },
  RobertaForQuestionAnswering: ({ weights, observe, hidden }) => {
    const both = observe("qa_outputs.logits", linear(hidden, ...weights("qa_outputs")));
    ["start", "end"].forEach((side, c) => observe(
      `qa_outputs.${side}_logits`, fill(both.shape.slice(0, 2), (b, s) => at(both, b, s, c))));
  },
  RobertaForMultipleChoice: ({ weights, inputs, observe, pool }) => {
    const scores = linear(pool(), ...weights("classifier"));  // [B C, 1]
    observe("classifier.logits", tensor([inputs.B / inputs.choices, inputs.choices], scores.data));
  },
};

/** From ids to hidden states. */
function encode(config, weights, inputs, see) {
  const { ids, types, embeds, B, S } = inputs;
  const dense = (name, x) => see(name, linear(x, ...weights(name)));
  const norm = (name, x) => see(name, layerNorm(x, ...weights(name), config.layer_norm_eps));
  const addAndNorm = (name, x, residual) =>
    norm(`${name}.LayerNorm`, see(`${name}.sum`, add(dense(`${name}.dense`, x), residual)));
  const rows = (name, of) => see(name, embedding(weights(name)[0], of));

  const terms = [
    ids ? rows("embeddings.word_embeddings", ids)
      : see("embeddings.word_embeddings", tensor([B, S, config.hidden_size], embeds.flat(2))),
    rows("embeddings.token_type_embeddings", types),
  ];
  if (config.position_embedding_type === "absolute") {
    terms.push(rows("embeddings.position_embeddings", inputs.positions));
  }
  let hidden = norm("embeddings.LayerNorm", see("embeddings.sum", add(...terms)));
  see("embeddings", hidden);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `encoder.layer.${i}`;
    const context = attention(config, weights, inputs, see, i, hidden);
    hidden = addAndNorm(`${layer}.attention.output`, context, hidden);
    const inner = dense(`${layer}.intermediate.dense`, hidden);
    const active = see(`${layer}.intermediate`, map(ACTIVATIONS[config.hidden_act], inner));
    hidden = addAndNorm(`${layer}.output`, active, hidden);
  }
  return hidden;
}

/** softmax(Q K^T / sqrt(D)) V, for each head: [B, S, H] -> [B, S, N D] */
function attention(config, weights, { B, S, looks, headMask }, see, i, hidden) {
  const name = `encoder.layer.${i}.attention.self`;
  const D = config.hidden_size / config.num_attention_heads;
  const [query, key, value] = ["query", "key", "value"].map((part) => {
    const x = linear(hidden, ...weights(`${name}.${part}`));  // [B, S, N D]
    const N = x.shape[2] / D;  // counted from the weights: a layer may have lost some
    return see(`${name}.${part}`, fill([B, N, S, D], (b, n, s, d) => at(x, b, s, n * D + d)));
  });
  const N = query.shape[1];
  const kind = config.position_embedding_type;
  const distances = kind !== "absolute" && relative(config, weights, see, name, S);  // [S, S, D]
  const scores = see(`${name}.scores`, fill([B, N, S, S], (b, n, q, k) => sum(D, (d) => {
    let product = at(query, b, n, q, d) * at(key, b, n, k, d);
    if (distances) product += at(query, b, n, q, d) * at(distances, q, k, d);
    if (kind === "relative_key_query") product += at(key, b, n, k, d) * at(distances, q, k, d);
    return product;
  }) / Math.sqrt(D)));
  const masked = fill([B, N, S, S], (b, n, q, k) => (looks(b, q, k) ? at(scores, b, n, q, k) : LOWEST));
  let weight = see(`${name}.probabilities`, softmax(see(`${name}.scores.masked`, masked)));
  if (headMask) {
    const factors = Array.isArray(headMask[0]) ? headMask[i] : headMask;
    const scaled = fill([B, N, S, S], (b, n, q, k) => at(weight, b, n, q, k) * factors[n]);
    weight = see(`${name}.probabilities.head_mask`, scaled);
  }
  return see(`${name}.context`, fill([B, S, N * D], (b, q, h) => {
    const [n, d] = [Math.floor(h / D), h % D];
    return sum(S, (k) => at(weight, b, n, q, k) * at(value, b, n, k, d));
  }));
}

/** The embedding of the distance of each query from each key: [S, S, D] */
function relative(config, weights, see, name, S) {
  const [table] = weights(`${name}.distance_embedding`);
  const middle = config.max_position_embeddings - 1;  // the row of distance 0
  const places = [...Array(S).keys()];
  const rows = places.map((q) => places.map((k) => q - k + middle));
  return see(`${name}.distance_embedding`, embedding(table, rows));
}
