import { deepEqual, equal, match, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  blankSafetensors,
  decodeSafetensors,
  type DType,
  encodeSafetensors,
  SafetensorsError,
  type Tensor,
} from "../../kernels/safetensors.ts";
import { peerTest, python } from "../peers.ts";
import { withFolder } from "../shell.ts";

const doubles = fc.double({ noNaN: true });
const tensor: fc.Arbitrary<Tensor> = fc.oneof(
  fc.array(doubles).map((x) => Float64Array.from(x)),
  fc.array(fc.float({ noNaN: true })).map((x) => Float32Array.from(x)),
  fc.array(fc.integer()).map((x) => Int32Array.from(x)),
  fc.int16Array(),
  fc.int8Array(),
  fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })).map((x) =>
    BigInt64Array.from(x)
  ),
  fc.uint8Array(),
).map((data) => ({ shape: [data.length], data }));
const names = fc.string({ minLength: 1 }).filter((name) =>
  name !== "__metadata__" && name !== "__proto__"
);
const files = fc.record({
  tensors: fc.dictionary(names, tensor, { noNullPrototype: true }),
  metadata: fc.dictionary(names, fc.string(), { noNullPrototype: true }),
});

Deno.test("decodeSafetensors() reads what encodeSafetensors() writes", () => {
  fc.assert(fc.property(files, ({ tensors, metadata }) => {
    const bytes = encodeSafetensors(tensors, metadata);
    deepEqual(decodeSafetensors(bytes), { tensors, metadata });
  }));
});

Deno.test("decodeSafetensors() never fails but as a SafetensorsError", () => {
  fc.assert(fc.property(
    files,
    fc.nat(),
    fc.integer({ min: 0, max: 255 }),
    ({ tensors, metadata }, place, byte) => {
      const bytes = encodeSafetensors(tensors, metadata);
      bytes[place % bytes.length] = byte;
      try {
        decodeSafetensors(bytes);
      } catch (error) {
        if (!(error instanceof SafetensorsError)) throw error;
      }
    },
  ));
});

Deno.test("decodeSafetensors() says what is wrong", () => {
  const x = { shape: [2], data: Float32Array.of(1, 2) };
  const good = encodeSafetensors({ x });
  const text = (header: unknown) => {
    const json = new TextEncoder().encode(JSON.stringify(header));
    const bytes = new Uint8Array(8 + json.length + 8);
    bytes[0] = json.length;
    bytes.set(json, 8);
    return bytes;
  };
  const entry = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
  const cases = [
    [good.subarray(0, 5), /has 5 bytes, not a header/],
    [good.subarray(0, 20), /says that its header has/],
    [good.subarray(0, good.length - 1), /ends before x does/],
    [text({ x: { ...entry, dtype: "BF16" } }), /x is of type BF16, not F32/],
    [text({ x: { ...entry, shape: [3] } }), /x has 8 bytes, expected 12/],
    [text({ x: { ...entry, shape: [-1] } }), /x has no shape/],
    [text({ x: { ...entry, data_offsets: [0] } }), /x has no offsets/],
    [text(null), /no JSON object/],
  ] as const;
  for (const [bytes, wanted] of cases) {
    throws(() => decodeSafetensors(bytes), (error: Error) => {
      match(error.message, wanted);
      return error instanceof SafetensorsError;
    });
  }
  throws(() => encodeSafetensors({ x: { ...x, shape: [3] } }), RangeError);
});

peerTest(
  "the safetensors library reads what we write, and we what it writes",
  ["safetensors", "numpy"],
  () =>
    withFolder(async (folder) => {
      const a = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6.5) };
      const b = { shape: [2], data: Int32Array.of(-7, 9) };
      const small = { shape: [2], data: Int16Array.of(-7, 300) };
      const least = { shape: [3], data: Int8Array.of(-1, 127, 0) };
      const ours = encodeSafetensors({ a, b, small, least }, { k: "v" });
      Deno.writeFileSync(`${folder}/ours`, ours);
      const out = await python("kernels/safetensors_peer.py", [folder]);
      deepEqual(JSON.parse(out), {
        tensors: {
          a: ["float32", [[1, 2, 3], [4, 5, 6.5]]],
          b: ["int32", [-7, 9]],
          small: ["int16", [-7, 300]],
          least: ["int8", [-1, 127, 0]],
        },
        metadata: { k: "v" },
      });
      const theirs = Deno.readFileSync(`${folder}/theirs`);
      const { tensors, metadata } = decodeSafetensors(theirs);
      deepEqual(tensors["c"], {
        shape: [3, 2],
        data: BigInt64Array.of(0n, 1n, 2n, 3n, 4n, 5n),
      });
      deepEqual([...tensors["d"]!.data], [1, 0]);
      equal(metadata["w"], "z");
    }),
);

Deno.test("a blank file, filled, is what encodeSafetensors() writes", () => {
  const types = new Map<string, DType>([
    ["Float64Array", "F64"],
    ["Float32Array", "F32"],
    ["Int32Array", "I32"],
    ["Int16Array", "I16"],
    ["Int8Array", "I8"],
    ["BigInt64Array", "I64"],
    ["Uint8Array", "U8"],
  ]);
  fc.assert(fc.property(files, ({ tensors: given, metadata }) => {
    // Records put names that are numbers first.
    const tensors = Object.fromEntries(
      Object.entries(given).map(([name, tensor]) => [`t${name}`, tensor]),
    );
    const blanks = Object.fromEntries(
      Object.entries(tensors).map(([name, { shape, data }]) => {
        return [name, { dtype: types.get(data.constructor.name)!, shape }];
      }),
    );
    const made = blankSafetensors(blanks, metadata);
    for (const [name, { data }] of Object.entries(tensors)) {
      (made.tensors[name]!.data as Float64Array).set(data as Float64Array);
    }
    deepEqual(made.tensors, tensors);
    // Wider elements first.
    const laid = decodeSafetensors(made.bytes).tensors;
    deepEqual(made.bytes, encodeSafetensors(laid, metadata));
    const widths = Object.values(laid).map((t) => t.data.BYTES_PER_ELEMENT);
    deepEqual(widths, widths.toSorted((a, b) => b - a));
  }));
});
