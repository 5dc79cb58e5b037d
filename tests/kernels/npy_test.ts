import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import * as fs from "node:fs";
import * as path from "node:path";
import { decodeNpy, encodeNpy, NpyError } from "../../kernels/npy.ts";
import { peerTest, python } from "../peers.ts";
import { withFolder } from "../shell.ts";

const uints = fc.uint32Array({ maxLength: 50 });
const floats = fc.float32Array({ maxLength: 50, noNaN: true });

Deno.test("decodeNpy() reads what encodeNpy() writes", () =>
  fc.assert(fc.property(uints, floats, (integers, numbers) => {
    const read = decodeNpy(encodeNpy(integers));
    deepEqual([read.type, [...read.values]], ["<u4", [...integers]]);
    const back = decodeNpy(encodeNpy(numbers));
    deepEqual([back.type, [...back.values]], ["<f4", [...numbers]]);
  })));

/** An NPY file by the words of the format, with any header. */
function file(header: string, data: Uint8Array, major = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const size = major === 1
    ? [text.length & 255, text.length >> 8]
    : [text.length & 255, text.length >> 8, 0, 0];
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, major, 0];
  return Uint8Array.from([...magic, ...size, ...text, ...data]);
}

const HEADER = "{'descr': '<u4', 'fortran_order': False, 'shape': (2,), }";
const DATA = Uint8Array.of(1, 0, 0, 0, 2, 1, 0, 0);

Deno.test("decodeNpy() reads headers however they are laid out", () => {
  const headers = [
    HEADER,
    HEADER + "      \n",
    `{"shape": (2 , ),"fortran_order":True,"descr":"<u4"}`,
    "{'shape': (2L,), 'descr': '<u4', 'fortran_order': False}",
  ];
  for (const header of headers) {
    for (const major of [1, 2, 3]) {
      deepEqual([...decodeNpy(file(header, DATA, major)).values], [1, 258]);
    }
  }
  // Bytes at any place in memory.
  const shifted = new Uint8Array([9, ...file(HEADER, DATA)]).subarray(1);
  deepEqual([...decodeNpy(shifted).values], [1, 258]);
});

Deno.test("decodeNpy() refuses what it cannot read, and says why", () => {
  const wrong: ReadonlyArray<readonly [Uint8Array, RegExp]> = [
    [new Uint8Array(0), /^it is not an NPY file$/],
    [new TextEncoder().encode("PK\x03\x04 and the rest"), /not an NPY file/],
    [file(HEADER, DATA, 4), /^NPY version 4 is not known$/],
    [file(HEADER, DATA).subarray(0, 30), /^it ends in its header$/],
    [file(HEADER, DATA, 2).subarray(0, 11), /^it ends in its header$/],
    [file(HEADER, DATA.subarray(1)), /has 7 bytes of data, expected 8 for 2/],
    [file(HEADER, new Uint8Array(9)), /has 9 bytes of data, expected 8/],
    [file(HEADER.replace("<u4", ">u4"), DATA), /dtype is '>u4', not one of/],
    [file(HEADER.replace("<u4", "|O"), DATA), /dtype is '\|O', not one of/],
    [
      file(HEADER.replace("'<u4'", "[('a', '<u4')]"), DATA),
      /dtype is \[\('a'/,
    ],
    [file(HEADER.replace("(2,)", "(1, 2)"), DATA), /shape is \(1, 2\), not of/],
    [
      file(HEADER.replace("(2,)", "()"), DATA),
      /shape is \(\), not of one axis/,
    ],
    [file(HEADER.replace("(2,)", "(-2,)"), DATA), /shape is \(-2,\), not of/],
    [file(HEADER.replace("shape", "form"), DATA), /its header has no shape/],
    [
      file(HEADER.replace("<u4", "<u8").replace("2", "1"), DATA.with(7, 64)),
      /^461\d+ is beyond 2\^53/,
    ],
  ];
  for (const [bytes, message] of wrong) {
    throws(() => decodeNpy(bytes), (error) => {
      return error instanceof NpyError && message.test(error.message);
    }, String(message));
  }
});

Deno.test("decodeNpy() never fails but as an NpyError", () =>
  fc.assert(
    fc.property(
      uints,
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 3 }),
      fc.nat(200),
      (values, changes, length) => {
        const bytes = encodeNpy(values);
        for (const [at, byte] of changes) {
          if (at < bytes.length) bytes[at] = byte;
        }
        for (const cut of [bytes, bytes.subarray(0, length)]) {
          try {
            decodeNpy(cut);
          } catch (error) {
            equal((error as Error).name, "NpyError", String(error));
          }
        }
      },
    ),
    { numRuns: 2000 },
  ));

peerTest(
  "numpy reads what we write, and would have written it",
  ["numpy"],
  () =>
    withFolder(async (folder) => {
      const given: { [name: string]: Uint32Array | Float32Array } = {
        none: new Uint32Array(0),
        u: Uint32Array.of(0, 1, 7, 4294967295),
        f: Float32Array.of(0, -0.1, 1e-45, 3.4e38, 16777217),
        long: new Uint32Array(123_456).map((_, i) => i * 31337),
      };
      for (const [name, values] of Object.entries(given)) {
        fs.writeFileSync(path.join(folder, `${name}.npy`), encodeNpy(values));
      }
      const found = JSON.parse(await python("npy_peer.py", ["read", folder]));
      for (const [name, values] of Object.entries(given)) {
        const dtype = values instanceof Float32Array ? "float32" : "uint32";
        const shape = [values.length];
        const expected = { dtype, shape, values: [...values], same: true };
        deepEqual(found[name], expected, name);
      }
    }),
);

peerTest(
  "we read what numpy writes, of each type and version",
  ["numpy"],
  () =>
    withFolder(async (folder) => {
      const made: {
        [name: string]: { type: string; values: ReadonlyArray<number> };
      } = JSON.parse(await python("npy_peer.py", ["write", folder]));
      equal(Object.keys(made).length, 24);
      for (const [name, { type, values }] of Object.entries(made)) {
        const read = decodeNpy(fs.readFileSync(path.join(folder, name)));
        deepEqual([read.type, [...read.values]], [type, values], name);
      }
    }),
);
