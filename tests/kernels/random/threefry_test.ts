import { deepEqual } from "node:assert/strict";
import { threefry4x32, type Words4 } from "../../../kernels/random/threefry.ts";

/** Known answers of Random123 for threefry4x32-20: key, counter, block. */
const known: ReadonlyArray<[string, Words4, Words4, Words4]> = [
  [
    "zeros",
    [0, 0, 0, 0],
    [0, 0, 0, 0],
    [0x9c6ca96a, 0xe17eae66, 0xfc10ecd4, 0x5256a7d8],
  ],
  [
    "ones",
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0x2a881696, 0x57012287, 0xf6c7446e, 0xa16a6732],
  ],
  [
    "the digits of pi",
    [0xa4093822, 0x299f31d0, 0x082efa98, 0xec4e6c89],
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0x59cd1dbb, 0xb8879579, 0x86b5d00c, 0xac8b6d84],
  ],
];

for (const [name, key, counter, block] of known) {
  Deno.test(`threefry4x32() gives the known answer for ${name}`, () => {
    deepEqual(threefry4x32(key, counter), block);
  });
}
