// Safetensors: eight bytes with the length of a header of JSON, the header, and the numbers.
import { readFileSync, writeFileSync } from "node:fs";

const ARRAYS = { F64: Float64Array, F32: Float32Array, I64: BigInt64Array, BOOL: Uint8Array };

/** Read a file: a Map from names to tensors, { dtype, shape, data }. */
export function readTensors(path) {
  const bytes = readFileSync(path);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const { __metadata__, ...header } = JSON.parse(bytes.toString("utf8", 8, start));
  return new Map(Object.entries(header).map(([name, { dtype, shape, data_offsets }]) => {
    const [from, to] = data_offsets.map((offset) => bytes.byteOffset + start + offset);
    return [name, { dtype, shape, data: new ARRAYS[dtype](bytes.buffer.slice(from, to)) }];
  }));
}

/** Write such a Map, and what is said of it, which must be strings. */
export function writeTensors(path, tensors, metadata) {
  const header = { __metadata__: metadata };
  let end = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, (end += data.byteLength)] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const numbers = [...tensors.values()].map(({ data }) => Buffer.from(data.buffer));
  writeFileSync(path, Buffer.concat([length, text, ...numbers]));
}
