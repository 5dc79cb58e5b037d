import { type Generator, uniform } from "../kernels/random/generator.ts";
import {
  drawLake,
  goalDistances,
  type Lake,
  lakeTable,
  rowsOf,
} from "./lake.ts";
import { num, ParamError, type Params } from "./params.ts";
import type { Refusal } from "./env.ts";
import { defineTabular } from "./tabular.ts";

/** The two maps that Gymnasium has by name. */
const MAPS: ReadonlyMap<number, ReadonlyArray<string>> = new Map([
  [4, ["SFFF", "FHFH", "FFFH", "HFFG"]],
  [8, [
    "SFFFFFFF",
    "FFFFFFFF",
    "FFFHFFFF",
    "FFFFFHFF",
    "FFFHFFFF",
    "FHHFFFHF",
    "FHFFHFHF",
    "FFFHFFFG",
  ]],
]);

function namedMap(size: number): ReadonlyArray<string> {
  const map = MAPS.get(size);
  if (map !== undefined) return map;
  throw new ParamError(
    `Cannot set size to ${size}: the fixed maps are of size 4 and 8`,
    "size",
  );
}

/** Every tile but the two corners is frozen with probability `frozen`. */
function randomTiles(random: Generator, size: number, frozen: number): string {
  let tiles = "S";
  for (let i = 1; i < size * size - 1; i++) {
    tiles += uniform(random) < frozen ? "F" : "H";
  }
  return tiles + "G";
}

function sampleTask(random: Generator, params: Params): Lake | Refusal {
  const size = num(params, "size");
  const horizon = num(params, "horizon") || (size >= 8 ? 200 : 100);
  const grip = params.slippery ? num(params, "success-rate") : 1;
  if (params.map === "fixed") return { map: namedMap(size), horizon, grip };
  const tiles = randomTiles(random, size, num(params, "frozen"));
  if (goalDistances(tiles, size)[0] === -1) return { refused: "unreachable" };
  return { map: rowsOf(tiles, size), horizon, grip };
}

/**
 * Gymnasium's `FrozenLake-v1`, slippery, on its two maps or on its random ones,
 * which start in the first corner and end in the last. Its registered limits
 * are 100 steps, and 200 for the map of size 8: `horizon` 0 means these.
 */
export const frozenLakeGym = defineTabular<Lake>({
  name: "frozen-lake-gym",
  version: 1,
  summary: "Frozen Lake as Gymnasium has it",
  params: {
    size: {
      default: 4,
      integer: true,
      min: 2,
      max: 32,
      summary: "Tiles on a side; 4 or 8 for the fixed maps",
    },
    map: {
      default: "fixed",
      choices: ["fixed", "random"],
      summary: "One map for all tasks, or one for each",
    },
    frozen: {
      default: 0.8,
      min: 0,
      max: 1,
      summary: "Share of frozen tiles of random maps",
    },
    slippery: { default: true, summary: "Moves can slip to either side" },
    "success-rate": {
      default: 1 / 3,
      min: 0,
      max: 1,
      summary: "Probability that a move on slippery ice goes as meant",
    },
    horizon: {
      default: 0,
      integer: true,
      min: 0,
      max: 10_000,
      summary: "Steps of an episode; 0 for 100, or 200 from size 8 on",
    },
  },
  label: (params) => `${params.size}x${params.size}`,
  world: (lake) => lake.map,
  sampleTask,
  horizon: (lake) => lake.horizon,
  table: lakeTable,
  render: drawLake,
});
