// The check: node check.mjs VECTORS OUT says whether |x - expected| <= budget for every number of
// every tensor in OUT, with nothing but the vectors. It ends with 1 if any departs.
import { existsSync, readFileSync } from "node:fs";
import { readTensors } from "./safetensors.mjs";

const [vectors, out] = process.argv.slice(2);
const { cases } = JSON.parse(readFileSync(`${vectors}/manifest.json`, "utf8"));

/** The largest error over its budget; without a budget all must be equal. */
function ratio(x, expected, budget) {
  if (`${x.shape}` !== `${expected.shape}`) return Infinity;
  let worst = 0;
  for (const [i, value] of x.data.entries()) {
    const [own, right] = [Number(value), Number(expected.data[i])];
    if (own === right || (Number.isNaN(own) && Number.isNaN(right))) continue;
    const one = Math.abs(own - right) / (budget?.data[i] ?? 0);
    worst = Math.max(worst, Number.isNaN(one) ? Infinity : one);
  }
  return worst;
}

let [passed, tried] = [0, 0];
for (const { name, outputs } of cases) {
  if (!existsSync(`${out}/${name}.safetensors`)) continue;
  const expected = readTensors(`${vectors}/${name}/expected.safetensors`);
  const found = readTensors(`${out}/${name}.safetensors`);
  const wrong = outputs.filter((output) => !found.has(output)).map((output) => `${output}: missing`);
  for (const [step, x] of found) {
    if (!expected.has(step)) continue;
    const worst = ratio(x, expected.get(step), expected.get(`budget.${step}`));
    if (worst > 1) wrong.push(`${step}: ${worst.toPrecision(3)} budgets off`);
  }
  if (wrong.length) console.log(`${name}: ${wrong[0]}`);
  tried += 1;
  passed += wrong.length ? 0 : 1;
}
console.log(`${passed} of ${tried} cases pass`);
process.exit(passed === tried ? 0 : 1);
