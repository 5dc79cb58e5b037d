/** The files of packed sets: whole, narrow, and as NumPy would have them. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import {
  decodeSafetensors,
  type Tensors,
} from "../../../kernels/safetensors.ts";
import type { Trial } from "../../../pipeline/schema.ts";
import { packBlank } from "../../../pipeline/pack_layout.ts";
import { gather, openPacks } from "../../../pipeline/training/packs.ts";
import { peerTest, python } from "../../peers.ts";
import { retrial, succeeded, withFolder } from "../../shell.ts";
import { packed } from "./packed.ts";

Deno.test("files are whole, hashed as they lie, and filled anew without a trace", () =>
  withFolder(async (folder) => {
    // More files than are on their way at once; 2,000 steps are 6 windows and a part.
    const made =
      "generate --env dark-room --tasks 3000 --episodes 100 --out rows --shards 1"
        .split(" ");
    succeeded(await retrial(folder, made));
    const words = "pack --context 300 --out packs rows".split(" ");
    succeeded(await retrial(folder, words));
    const { files, inputs, windows, steps } = JSON.parse(
      fs.readFileSync(`${folder}/packs/pack.json`, "utf8"),
    );
    const sha256 = (file: string) =>
      createHash("sha256").update(fs.readFileSync(file)).digest("hex");
    ok(files.length > 5, `${files.length} files`);
    equal(windows, 3000 * 7);
    equal(steps, 3000 * 2000);
    const [input] = inputs;
    equal(input.sha256, sha256(`${folder}/packs/${input.file}`));
    let seen = 0;
    for (const { file, bytes, sha256: hash } of files) {
      const whole = `${folder}/packs/${file}`;
      equal(fs.statSync(whole).size, bytes);
      equal(sha256(whole), hash);
      const { tensors } = decodeSafetensors(
        new Uint8Array(fs.readFileSync(whole)),
      );
      const { mask, ...columns } = tensors;
      const there = mask!.data as Uint8Array;
      there.forEach((one, i) => {
        if (one === 1) return seen++;
        for (const [name, { data }] of Object.entries(columns)) {
          const none = name.endsWith("actions") ? -1 : 0;
          if (data[i] !== none) equal(data[i], none, `${file} ${name} ${i}`);
        }
      });
    }
    equal(seen, steps);
    deepEqual(fs.readdirSync(`${folder}/packs`).length, files.length + 1);
  }));

/** Tensors whatever their types. */
function asNumbers(tensors: Tensors) {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) =>
      [name, { shape, data: Float64Array.from(data as Float64Array) }] as const
    ),
  );
}

Deno.test("a file is of 16 MiB, however wide its steps are", () => {
  const most = 2 ** 24 + 4096;
  for (const width of [1, 4, 1000]) {
    for (const context of [1, 20, 4096]) {
      const { windows, bytes } = packBlank({
        context,
        observed: { kind: "vector", width },
        actions: 5,
        positions: 300,
        labelled: true,
        tagged: false,
        columns: ["returns"],
      });
      const { length } = bytes(windows);
      ok(windows === 1 || length < most, `${length} bytes`);
      ok(length + length / windows > 2 ** 24, `${length} bytes are few`);
    }
  }
});

Deno.test("integers are as narrow as they may be, and read as one column", () =>
  withFolder(async (folder) => {
    const made = "generate --env dark-room --tasks 5 --episodes 2".split(" ");
    const rows: Array<Trial> = succeeded(await retrial(folder, made)).trim()
      .split("\n").map((line) => JSON.parse(line));
    // What is seen in each trial: rooms of 81 cells have no such, packs may.
    const seen = [127, 128, 32767, 5, 32768];
    const given = rows.map((row, k) => ({
      ...row,
      episodes: row.episodes.map((episode) => ({
        ...episode,
        observations: episode.observations.map((_, t) =>
          t === 1 ? seen[k]! : t
        ),
      })),
    }));
    const { description, columns } = await packed(folder, given, [
      "--context",
      "40",
    ]);
    equal(description["steps"], 5 * 40);
    const packs = openPacks(`${folder}/packs`);
    const types = packs.files.map(({ places }) =>
      places["observations"]!.dtype
    );
    deepEqual(types, ["I8", "I16", "I32"]);
    const { places } = packs.files[2]!;
    deepEqual(
      ["next_observations", "actions", "previous_actions", "positions"]
        .map((name) => places[name]!.dtype),
      ["I32", "I8", "I8", "I8"],
    );
    const order = Int32Array.of(4, 0, 2, 1, 3);
    const read = gather(packs, order, "observations", (n) => new Int32Array(n));
    packs.close();
    deepEqual(
      [...read],
      [...order].flatMap((w) =>
        columns["observations"]!.slice(w * 40, (w + 1) * 40)
      ),
    );
    deepEqual(
      [...order].map((_, i) => [read[i * 40 + 1], read[i * 40 + 21]]),
      [...order].map((w) => [seen[w], seen[w]]),
    );
  }));

peerTest(
  "NumPy packs the same arrays",
  ["numpy", "safetensors"],
  () =>
    withFolder(async (folder) => {
      const made =
        "generate --env frozen-lake --tasks 30 --episodes 30 --policy frontier --seed 3 then label --reference frontier"
          .split(" ");
      fs.writeFileSync(
        `${folder}/rows`,
        succeeded(await retrial(folder, made)),
      );
      const words = "pack --context 64 --label frontier --out packs rows";
      succeeded(await retrial(folder, words.split(" ")));
      const args = [`${folder}/rows`, "64", "frontier", folder];
      await python("bench/pack.py", args);
      const [ours, theirs] = [`${folder}/packs`, folder].map((own) =>
        decodeSafetensors(
          new Uint8Array(fs.readFileSync(`${own}/pack-00000.safetensors`)),
        ).tensors
      );
      deepEqual(asNumbers(ours!), asNumbers(theirs!));
    }),
);
