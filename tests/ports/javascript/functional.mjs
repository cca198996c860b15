// The formulas. A tensor is { dtype, shape, data }; the last axis runs fastest. Sums are made in
// float64, which the numbers of JavaScript are, and what is handed on is stored in float32.

export function sum(length, f) {
  let total = 0;
  for (let i = 0; i < length; i++) total += f(i);
  return total;
}
export const tensor = (shape, data) => ({ dtype: "F32", shape, data: Float32Array.from(data) });
export const integers = (ids) => (
  { dtype: "I64", shape: [ids.length, ids[0].length], data: BigInt64Array.from(ids.flat(), BigInt) });

/** The number at a place. */
export const at = (x, ...place) => x.data[place.reduce((i, p, axis) => i * x.shape[axis] + p, 0)];

/** Compute each number of a tensor from its place. */
export function fill(shape, f) {
  const places = shape.reduce((begun, length) =>
    begun.flatMap((place) => Array.from({ length }, (_, i) => [...place, i])), [[]]);
  return tensor(shape, places.map((place) => f(...place)));
}

/** Apply a function to each number of a tensor, or to those of several that stand together. */
export const map = (f, x, ...more) =>
  tensor(x.shape, Array.from(x.data, (value, i) => f(value, ...more.map(({ data }) => data[i]))));
export const add = (...terms) => map((...numbers) => numbers.reduce((a, b) => a + b), ...terms);

/** Apply a function to each row, the last axis. */
function mapRows(f, x) {
  const length = x.shape.at(-1);
  const row = (m) => [...x.data.subarray(m * length, (m + 1) * length)];
  return tensor(x.shape, Array.from({ length: x.data.length / length }, (_, m) => f(row(m))).flat());
}

/** x W^T + b: [..., X], [Y, X], [Y] -> [..., Y] */
export function linear(x, weight, bias) {
  const [Y, X] = weight.shape;
  const rows = tensor([x.data.length / X, X], x.data);
  const y = fill([rows.shape[0], Y], (m, n) =>
    sum(X, (k) => at(rows, m, k) * at(weight, n, k)) + bias.data[n]);
  return tensor([...x.shape.slice(0, -1), Y], y.data);
}

/** Look up a row for each id: [X, Y], [B][S] -> [B, S, Y] */
export const embedding = (table, ids) =>
  fill([ids.length, ids[0].length, table.shape[1]], (b, s, h) => at(table, ids[b][s], h));

/** (x - mean) / sqrt(variance + eps) * weight + bias, of each row. */
export const layerNorm = (x, weight, bias, eps) => mapRows((row) => {
  const average = (f) => sum(row.length, f) / row.length;
  const mean = average((i) => row[i]);
  const root = Math.sqrt(average((i) => (row[i] - mean) ** 2) + eps);
  return row.map((v, i) => ((v - mean) / root) * weight.data[i] + bias.data[i]);
}, x);

/** Probabilities of each row. */
export const softmax = (x) => mapRows((row) => {
  const largest = Math.max(...row);  // which changes nothing, but exp does not overflow
  const exps = row.map((v) => Math.exp(v - largest));
  const total = sum(row.length, (i) => exps[i]);
  return exps.map((v) => v / total);
}, x);

/** 2/sqrt(pi) exp(-x^2) (x + 2 x^3/3 + 4 x^5/15 + …): all terms have one sign, so none cancel. */
function erf(x) {
  if (Math.abs(x) > 6) return Math.sign(x);
  let [term, series] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(series); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    series += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * series;
}

const clip = (x, low, high) => Math.min(Math.max(x, low), high);
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const silu = (x) => x * sigmoid(x);
export const gelu = (x) => (x / 2) * (1 + erf(x * Math.SQRT1_2));
const geluNew = (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

/** By their names in config.json. */
export const ACTIVATIONS = {
  gelu, gelu_python: gelu, gelu_10: (x) => clip(gelu(x), -10, 10),
  gelu_new: geluNew, gelu_accurate: geluNew, gelu_pytorch_tanh: geluNew,
  gelu_fast: (x) => (x / 2) * (1 + Math.tanh(0.7978845608 * x * (1 + 0.044715 * x * x))),
  quick_gelu: (x) => x * sigmoid(1.702 * x), silu, swish: silu, sigmoid, tanh: Math.tanh,
  mish: (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
  laplace: (x) => (1 + erf((x - 0.707107) / (0.282095 * Math.SQRT2))) / 2,
  relu: (x) => Math.max(x, 0), relu2: (x) => Math.max(x, 0) ** 2, relu6: (x) => clip(x, 0, 6),
  leaky_relu: (x) => (x >= 0 ? x : 0.01 * x), linear: (x) => x,
};
