// The port: node port.mjs VECTORS OUT computes what stands in VECTORS, and writes what it finds
// into OUT. What it does not do (decoders, training, generation) it leaves out.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { run } from "./model.mjs";
import { readTensors, writeTensors } from "./safetensors.mjs";

const [vectors, out] = process.argv.slice(2);
const json = (path) => JSON.parse(readFileSync(`${vectors}/${path}`, "utf8"));
mkdirSync(out, { recursive: true });

for (const { name } of json("manifest.json").cases) {
  const { class: architecture, calls: [given] } = json(`${name}/inputs.json`);
  const config = json(`${name}/config.json`);
  if (config.is_decoder || given.train) continue;
  const tensors = readTensors(`${vectors}/${name}/model.safetensors`);
  const weights = (of) => [tensors.get(`${of}.weight`), tensors.get(`${of}.bias`)];
  const seen = new Map();
  const observe = (of, x) => seen.set(of, x) && x;
  run(architecture, config, weights, given, observe);
  writeTensors(`${out}/${name}.safetensors`, seen, {
    "minirobert.trace": "1", class: architecture, config: JSON.stringify(config),
    arithmetic: "float32", accumulate: "float64", made_by: "plain JavaScript",
  });
}
