/** What `pack` makes of rows, to look into. */
import * as fs from "node:fs";
import { decodeSafetensors } from "../../../kernels/safetensors.ts";
import type { Trial } from "../../../pipeline/schema.ts";
import { retrial, succeeded } from "../../shell.ts";
import { lines } from "../trials.ts";

interface Unpacked {
  readonly description: {
    readonly windows: number;
    readonly steps: number;
    readonly [name: string]: unknown;
  };
  readonly columns: { readonly [name: string]: ReadonlyArray<number> };
}

/** What `pack` makes of rows, its files joined. */
export async function packed(
  folder: string,
  rows: ReadonlyArray<Trial>,
  flags: ReadonlyArray<string>,
): Promise<Unpacked> {
  fs.writeFileSync(`${folder}/rows.jsonl`, lines(rows));
  const words = ["pack", "--out", "packs", "--overwrite", ...flags];
  succeeded(await retrial(folder, [...words, "rows.jsonl"]));
  const description = JSON.parse(
    fs.readFileSync(`${folder}/packs/pack.json`, "utf8"),
  );
  const columns: { [name: string]: Array<number> } = {};
  for (const { file } of description.files) {
    const bytes = new Uint8Array(fs.readFileSync(`${folder}/packs/${file}`));
    for (
      const [name, { data }] of Object.entries(decodeSafetensors(bytes).tensors)
    ) {
      columns[name] = [...(columns[name] ?? []), ...Array.from(data, Number)];
    }
  }
  return { description, columns };
}
