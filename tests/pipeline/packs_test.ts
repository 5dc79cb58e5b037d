/** Packs that are read a batch at a time, and not held. */
import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import * as fs from "node:fs";
import {
  decodeSafetensors,
  encodeSafetensors,
  type Tensors,
} from "../../kernels/safetensors.ts";
import { gather, openPacks } from "../../pipeline/training/packs.ts";
import { retrial, succeeded, withFolder } from "../shell.ts";

/** Windows `from` to `to` of tensors. */
function cut(tensors: Tensors, from: number, to: number): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => {
      const size = data.length / shape[0]!;
      return [name, {
        shape: [to - from, ...shape.slice(1)],
        data: data.slice(from * size, to * size) as Float32Array,
      }];
    }),
  );
}

/** A packed set of one file, in files of so many windows; gives its tensors. */
function divide(folder: string, sizes: ReadonlyArray<number>): Tensors {
  const description = JSON.parse(
    fs.readFileSync(`${folder}/pack.json`, "utf8"),
  );
  const whole = new Uint8Array(
    fs.readFileSync(`${folder}/pack-00000.safetensors`),
  );
  const { tensors } = decodeSafetensors(whole);
  let from = 0;
  const files = sizes.map((windows, i) => {
    const file = `part-${i}.safetensors`;
    const part = cut(tensors, from, from += windows);
    fs.writeFileSync(`${folder}/${file}`, encodeSafetensors(part));
    return { file, windows };
  });
  equal(from, description.windows);
  const made = JSON.stringify({ ...description, files });
  fs.writeFileSync(`${folder}/pack.json`, made);
  return tensors;
}

async function makePacks(
  folder: string,
  env: string,
  tasks: number,
  context: number,
): Promise<void> {
  const made = `generate --env ${env} --tasks ${tasks} --seed 1`;
  const words = `${made} then pack --context ${context} --out p`;
  succeeded(await retrial(folder, words.split(" ")));
}

const READ = {
  int32: (n: number) => new Int32Array(n),
  float32: (n: number) => new Float32Array(n),
};

function openFiles(): number {
  return fs.readdirSync("/proc/self/fd").length;
}

Deno.test({
  name: "a batch is what the files hold, of more files than may be open",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withFolder(async (folder) => {
      await makePacks(folder, "random-cartpole", 160, 3);
      const { windows } = JSON.parse(
        fs.readFileSync(`${folder}/p/pack.json`, "utf8"),
      );
      ok(windows > 160);
      const sizes = [...Array(150).fill(1), windows - 150];
      const tensors = divide(`${folder}/p`, sizes);
      const before = openFiles();
      const packs = openPacks(`${folder}/p`);
      const last = windows - 1;
      const chosen = Int32Array.of(last, 0, 149, 150, 3, 3, 151, 77);
      const names = Object.keys(tensors);
      ok(names.length >= 10);
      for (const name of names) {
        const { shape, data } = tensors[name]!;
        const size = data.length / shape[0]!;
        const wanted = [...chosen].flatMap((
          w,
        ) => [...data.slice(w * size, (w + 1) * size) as Float32Array]);
        const isFloat = data instanceof Float32Array;
        const read = isFloat ? READ.float32 : READ.int32;
        const found = gather<Int32Array | Float32Array>(
          packs,
          chosen,
          name,
          read,
        );
        equal(found.constructor, read(0).constructor);
        deepEqual([...found], wanted, name);
      }
      // Each window of each file, so that files are opened again.
      const all = Int32Array.from({ length: windows }, (_, i) => i);
      const { data } = tensors["positions"]!;
      const positions = gather(packs, all, "positions", READ.int32);
      deepEqual([...positions], [...data as Int8Array]);
      ok(openFiles() - before <= 128, `${openFiles() - before} files are open`);
      packs.close();
      equal(openFiles(), before);
    }),
});

Deno.test("files of a packed set have the same columns, and last", () =>
  withFolder(async (folder) => {
    await makePacks(folder, "bandit-bernoulli", 6, 50);
    const tensors = divide(`${folder}/p`, [4, 8]);
    const file = `${folder}/p/part-1.safetensors`;
    const { rewards, ...rest } = cut(tensors, 4, 12);
    const write = (some: Tensors) =>
      fs.writeFileSync(file, encodeSafetensors(some));
    const why = (wanted: RegExp) => (error: unknown) => {
      match((error as Error).message, wanted);
      return true;
    };
    write(rest);
    throws(() => openPacks(`${folder}/p`), why(/part-1.*: rewards is missing/));
    const doubled = {
      ...rewards!,
      data: Float64Array.from(rewards!.data as Float32Array),
    };
    write({ ...rest, rewards: doubled });
    throws(
      () => openPacks(`${folder}/p`),
      why(/part-1.*: rewards is not as in the first file/),
    );
    write({ ...rest, rewards: rewards! });
    const packs = openPacks(`${folder}/p`);
    fs.truncateSync(file, 900);
    const read = () =>
      gather(packs, Int32Array.of(11), "rewards", READ.float32);
    throws(read, why(/part-1.*: ends before byte \d+$/));
    throws(
      () => gather(packs, Int32Array.of(0), "labels", READ.int32),
      why(/part-0.*: labels is missing/),
    );
    packs.close();
  }));
