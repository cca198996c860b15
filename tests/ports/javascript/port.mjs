// The port: node port.mjs VECTORS OUT computes what stands in VECTORS, and writes what it finds
// into OUT. What it does not do it leaves out: losses, decoders, training, generation.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { run } from "./model.mjs";
import { readTensors, writeTensors } from "./safetensors.mjs";
import { tokenizer } from "./tokenizer.mjs";

const [vectors, out] = process.argv.slice(2);
const json = (path) => JSON.parse(readFileSync(`${vectors}/${path}`, "utf8"));
mkdirSync(out, { recursive: true });

for (const { name } of json("manifest.json").cases) {
  const { class: architecture, calls: [given] } = json(`${name}/inputs.json`);
  const config = json(`${name}/config.json`);
  if (config.is_decoder || given.labels || given.start_positions) continue;
  const tensors = readTensors(`${vectors}/${name}/model.safetensors`);
  const weights = (layer) => [tensors.get(`${layer}.weight`), tensors.get(`${layer}.bias`)];
  const seen = new Map();
  run(architecture, config, weights, given, (step, x) => seen.set(step, x) && x);
  writeTensors(`${out}/${name}.safetensors`, seen, {
    "minirobert.trace": "1", class: architecture, config: JSON.stringify(config),
    arithmetic: "float32", made_by: "plain JavaScript",
  });
}

const { groups } = json("tokenizer/cases.json");
const merges = readFileSync(`${vectors}/tokenizer/merges.txt`, "utf8").trimEnd().split("\n").slice(1);
const answers = groups.filter(({ name }) => !/windows|padding|words|added|decoding/.test(name))
  .map(({ name, settings, cases }) => {
    const row = tokenizer(json("tokenizer/vocab.json"), merges, settings);
    return [name, cases.map(({ texts, options }) => texts.map((text, n) => row(text, options, n)))];
  });
writeFileSync(`${out}/tokenizer.json`, JSON.stringify(Object.fromEntries(answers)));
