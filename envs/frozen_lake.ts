/**
 * Frozen Lake on maps of random size, with several starts and goals, as in
 * Rentschler and Roberts 2025, "RL + Transformer = A general-purpose problem
 * solver" (arXiv 2501.14176); the ice is not slippery unless asked.
 *
 * @module
 */
import {
  type Generator,
  integer,
  uniform,
} from "../kernels/random/generator.ts";
import { num, ParamError, type Params, type ParamSpec } from "./params.ts";
import type { Refusal } from "./env.ts";
import {
  drawLake,
  goalDistances,
  type Lake,
  lakeTable,
  rowsOf,
} from "./lake.ts";
import { defineTabular } from "./tabular.ts";

/** Why the map is no good: a start is missing, cut off, or next to a goal. */
function fault(tiles: string, width: number, hops: number): string | undefined {
  if (!tiles.includes("S")) return "no-start";
  const distance = goalDistances(tiles, width);
  let near = false;
  for (let cell = 0; cell < tiles.length; cell++) {
    if (tiles[cell] !== "S") continue;
    if (distance[cell] === -1) return "unreachable";
    near ||= distance[cell]! < hops;
  }
  return near ? "too-near" : undefined;
}

/** Tiles with one of the starts; the other starts become frozen tiles. */
function fixStart(random: Generator, tiles: string): string {
  let start = integer(random, tiles.split("S").length - 1);
  return tiles.replaceAll("S", () => start-- === 0 ? "S" : "F");
}

function side(random: Generator, params: Params): number {
  const [low, high] = [num(params, "min-size"), num(params, "max-size")];
  if (low <= high) return low + integer(random, high - low + 1);
  throw new ParamError(
    `Cannot set min-size to ${low}: above max-size, ${high}`,
    "min-size",
  );
}

/** One map, whatever it is worth: sides first, then tile by tile. */
function drawTiles(random: Generator, params: Params): [string, number] {
  const [width, height] = [side(random, params), side(random, params)];
  const [start, goal] = [num(params, "start"), num(params, "goal")];
  const hole = num(params, "hole");
  let tiles = "";
  for (let i = 0; i < width * height; i++) {
    tiles += uniform(random) < start
      ? "S"
      : uniform(random) < goal
      ? "G"
      : uniform(random) < hole
      ? "H"
      : "F";
  }
  return [tiles, width];
}

function sampleLake(random: Generator, params: Params): Lake | Refusal {
  const [tiles, width] = drawTiles(random, params);
  const refused = fault(tiles, width, num(params, "min-hops"));
  if (refused !== undefined) return { refused };
  return {
    map: rowsOf(params["fixed-start"] ? fixStart(random, tiles) : tiles, width),
    horizon: num(params, "horizon"),
    grip: params.slippery ? 1 / 3 : 1,
  };
}

function probability(value: number, summary: string): ParamSpec {
  return { default: value, min: 0, max: 1, summary };
}

function count(value: number, max: number, summary: string): ParamSpec {
  return { default: value, integer: true, min: 1, max, summary };
}

/**
 * Every tile is a start with probability `start`, else a goal with `goal`, else
 * a hole with `hole`. A map is taken if from every start some goal can be
 * reached, none of them in fewer than `min-hops` moves.
 */
export const frozenLake = defineTabular<Lake>({
  name: "frozen-lake",
  version: 1,
  summary: "Cross a frozen lake to a goal without falling into a hole",
  params: {
    "min-size": count(3, 32, "Tiles on the shortest side"),
    "max-size": count(5, 32, "Tiles on the longest side"),
    hole: probability(0.2, "Share of holes among other tiles"),
    start: probability(0.1, "Share of starts among all tiles"),
    goal: probability(0.1, "Share of goals among tiles that are no start"),
    "min-hops": {
      ...count(4, 1000, "Moves that every start is away from every goal"),
      min: 0,
    },
    horizon: count(100, 10_000, "Steps of an episode"),
    slippery: { default: false, summary: "Moves slip two times in three" },
    "fixed-start": {
      default: false,
      summary: "Keep one start of the map instead of one for each episode",
    },
  },
  label: (params) => `${params["min-size"]}to${params["max-size"]}`,
  distinct: true,
  world: (lake) => lake.map,
  sampleTask: sampleLake,
  horizon: (lake) => lake.horizon,
  table: lakeTable,
  render: drawLake,
});
