// RoBERTa's encoder and its heads. B texts, S tokens, N heads of size D, H = N D hidden units.
import {
  ACTIVATIONS, add, at, embedding, fill, gelu, integers, layerNorm, linear, map, softmax, sum, tensor,
} from "./functional.mjs";

const LOWEST = -3.4028234663852886e38;  // of float32: what stands for a score that is masked

/**
 * From the arguments of a call to scores, by the class of the model.
 * weights(name) gives [weight, bias]; observe(name, tensor) keeps a tensor, and gives it back.
 */
export function run(architecture, config, weights, given, observe) {
  const inputs = readInputs(config, given);
  if (inputs.ids) observe("input_ids", integers(inputs.ids));
  observe("token_type_ids", integers(inputs.types));
  if (inputs.positions) observe("position_ids", integers(inputs.positions));
  const looks = fill([inputs.B, 1, inputs.rows, inputs.S], (b, _, q, k) => inputs.looks(b, q, k));
  observe("attend", { ...looks, dtype: "BOOL", data: Uint8Array.from(looks.data) });
  const prefix = architecture === "RobertaModel" ? "" : "roberta.";
  const base = {
    config, weights: (name) => weights(prefix + name), see: (name, x) => observe(prefix + name, x),
  };
  const hidden = encode(base, inputs);
  const first = fill([inputs.B, hidden.shape[2]], (b, h) => at(hidden, b, 0, h));  // of <s>
  const pool = () => base.see("pooler", map(Math.tanh,
    base.see("pooler.dense", linear(first, ...base.weights("pooler.dense")))));
  HEADS[architecture]({ config, weights, inputs, observe, hidden, first, pool });
}

/** Complete the arguments. The choices of a text are rows of the batch. */
function readInputs(config, given) {
  const isChoice = given.input_ids?.[0][0].length !== undefined;
  const rows = (nested) => (isChoice ? nested?.flat() : nested);
  const [ids, mask] = [rows(given.input_ids), rows(given.attention_mask)];
  const [texts, pad] = [ids ?? given.inputs_embeds, config.pad_token_id];
  const counted = texts.map((text) => {  // padding is told by its id, wherever it stands
    let tokens = 0;
    return text.map((id) => (id === pad ? pad : pad + ++tokens));
  });
  const own = given.position_ids;
  const positions = own ? texts.map((_, b) => (Array.isArray(own[0]) ? own[b] : own)) : counted;
  const seen = (b, q) => (Array.isArray(mask[b][0]) ? mask[b][q] : mask[b]);
  return {
    B: texts.length, S: texts[0].length, ids, embeds: given.inputs_embeds,
    types: given.token_type_ids ?? texts.map((text) => text.map(() => 0)),
    positions: config.position_embedding_type === "absolute" ? positions : null,
    rows: Array.isArray(mask?.[0][0]) ? texts[0].length : 1,  // of the mask: one for each query?
    looks: (b, q, k) => !mask || seen(b, q)[k] === 1,  // whether token q may look at token k
    factors: (i) => (Array.isArray(given.head_mask?.[0]) ? given.head_mask[i] : given.head_mask),
    choices: isChoice ? given.input_ids[0].length : 1,
  };
}

/** From ids to hidden states. */
function encode({ config, weights, see }, inputs) {
  const { ids, embeds, types, positions, B, S } = inputs;
  const dense = (name, x) => see(name, linear(x, ...weights(name)));
  const norm = (name, x) => see(name, layerNorm(x, ...weights(name), config.layer_norm_eps));
  const addAndNorm = (name, x, residual) =>
    norm(`${name}.LayerNorm`, see(`${name}.sum`, add(dense(`${name}.dense`, x), residual)));
  const rows = (name, of) => embedding(weights(`embeddings.${name}_embeddings`)[0], of);

  const terms = { word: ids ? rows("word", ids) : tensor([B, S, config.hidden_size], embeds.flat(2)) };
  terms.token_type = rows("token_type", types);
  if (positions) terms.position = rows("position", positions);
  for (const [name, term] of Object.entries(terms)) see(`embeddings.${name}_embeddings`, term);
  const total = see("embeddings.sum", add(...Object.values(terms)));
  let hidden = see("embeddings", norm("embeddings.LayerNorm", total));
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `encoder.layer.${i}`;
    const self = `${layer}.attention.self`;
    const context = attention({ config, weights, see }, inputs, self, hidden, inputs.factors(i));
    hidden = addAndNorm(`${layer}.attention.output`, context, hidden);
    const inner = dense(`${layer}.intermediate.dense`, hidden);
    const active = see(`${layer}.intermediate`, map(ACTIVATIONS[config.hidden_act], inner));
    hidden = addAndNorm(`${layer}.output`, active, hidden);
  }
  return hidden;
}

/** softmax(Q K^T / sqrt(D)) V, for each head: [B, S, H] -> [B, S, N D] */
function attention({ config, weights, see }, { B, S, looks }, self, hidden, factors) {
  const D = config.hidden_size / config.num_attention_heads;
  const [query, key, value] = ["query", "key", "value"].map((part) => {
    const x = see(`${self}.${part}.dense`, linear(hidden, ...weights(`${self}.${part}`)));  // [B, S, N D]
    const N = x.shape[2] / D;  // counted from the weights: a layer may have lost some
    return see(`${self}.${part}`, fill([B, N, S, D], (b, n, s, d) => at(x, b, s, n * D + d)));
  });
  const [N, kind] = [query.shape[1], config.position_embedding_type];
  let distances;  // the embedding of that of each query from each key, [S, S, D]
  if (kind !== "absolute") {
    const [table] = weights(`${self}.distance_embedding`);
    const row = (q, k) => q - k + config.max_position_embeddings - 1;
    const rows = fill([S, S, D], (q, k, d) => at(table, row(q, k), d));
    distances = see(`${self}.distance_embedding`, rows);
  }
  const scores = see(`${self}.scores`, fill([B, N, S, S], (b, n, q, k) => sum(D, (d) => {
    const [ofQuery, ofKey] = [at(query, b, n, q, d), at(key, b, n, k, d)];
    const both = kind === "relative_key_query" ? ofQuery + ofKey : ofQuery;
    return ofQuery * ofKey + (distances ? both * at(distances, q, k, d) : 0);
  }) / Math.sqrt(D)));
  const masked = see(`${self}.scores.masked`, fill([B, N, S, S], (b, n, q, k) =>
    (looks(b, q, k) ? at(scores, b, n, q, k) : LOWEST)));
  let shares = see(`${self}.probabilities`, softmax(masked));
  if (factors) {
    const scaled = fill([B, N, S, S], (b, n, q, k) => at(shares, b, n, q, k) * factors[n]);
    shares = see(`${self}.probabilities.head_mask`, scaled);
  }
  return see(`${self}.context`, fill([B, S, N * D], (b, q, h) => {
    const [n, d] = [Math.floor(h / D), h % D];
    return sum(S, (k) => at(shares, b, n, q, k) * at(value, b, n, k, d));
  }));
}

const HEADS = {
  RobertaModel: ({ weights, pool }) => weights("pooler.dense")[0] && pool(),
  RobertaForMaskedLM: ({ config, weights, observe, hidden }) => {
    const dense = observe("lm_head.dense", linear(hidden, ...weights("lm_head.dense")));
    const active = observe("lm_head.gelu", map(gelu, dense));  // whatever hidden_act says
    const normed = layerNorm(active, ...weights("lm_head.layer_norm"), config.layer_norm_eps);
    const isTied = config.tie_word_embeddings;
    const [table] = weights(isTied ? "roberta.embeddings.word_embeddings" : "lm_head.decoder");
    const logits = linear(observe("lm_head.layer_norm", normed), table, weights("lm_head")[1]);
    observe("lm_head.logits", logits);
  },
  RobertaForSequenceClassification: ({ weights, observe, first }) => {
    observe("classifier.input", first);
    const dense = observe("classifier.dense", linear(first, ...weights("classifier.dense")));
    const summary = observe("classifier.tanh", map(Math.tanh, dense));
    observe("classifier.logits", linear(summary, ...weights("classifier.out_proj")));
  },
  RobertaForTokenClassification: ({ weights, observe, hidden }) =>
    observe("classifier.logits", linear(observe("classifier.input", hidden), ...weights("classifier"))),
  RobertaForQuestionAnswering: ({ weights, observe, hidden }) => {
    const both = observe("qa_outputs.logits", linear(hidden, ...weights("qa_outputs")));
    ["start", "end"].forEach((side, c) => observe(
      `qa_outputs.${side}_logits`, fill(both.shape.slice(0, 2), (b, s) => at(both, b, s, c))));
  },
  RobertaForMultipleChoice: ({ weights, inputs: { B, choices }, observe, pool }) => {
    const { data } = linear(pool(), ...weights("classifier"));  // [B C, 1]
    observe("classifier.logits", tensor([B / choices, choices], data));
  },
};
