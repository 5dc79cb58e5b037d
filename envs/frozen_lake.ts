/**
 * Frozen Lake on maps of random size, with several starts and goals, as in
 * Rentschler and Roberts 2025, "RL + Transformer = A general-purpose problem
 * solver" (arXiv 2501.14176). The rules of the ice are those of Gymnasium's
 * `FrozenLake-v1`; here it is not slippery unless asked.
 *
 * A map is its rows, of the letters S (start), F (frozen), H (hole), G (goal).
 *
 * @module
 */
import {
  type Generator,
  integer,
  uniform,
} from "../kernels/random/generator.ts";
import { num, ParamError, type Params, type ParamSpec } from "./params.ts";
import { drawRoom, type Move, walk } from "./grid.ts";
import type { Refusal } from "./env.ts";
import { blankTable, defineTabular } from "./tabular.ts";
import type { Table } from "./table.ts";

/** Left, down, right, up. */
const MOVES: ReadonlyArray<Move> = [[-1, 0], [0, 1], [1, 0], [0, -1]];

export interface Lake {
  readonly map: ReadonlyArray<string>;
  readonly horizon: number;
  /**
   * Probability that a move goes where it was meant to; it slips to each side
   * with half of what is left.
   */
  readonly grip: number;
}

/** The lake as a table. Stepping onto a hole or a goal ends the episode. */
export function lakeTable({ map, grip }: Lake): Table {
  const [tiles, width] = [map.join(""), map[0]!.length];
  const starts = [...tiles].flatMap((tile, i) => tile === "S" ? [i] : []);
  const table = blankTable(tiles.length, 4, grip < 1 ? 3 : 1, starts);
  const cells = walk(width, map.length, MOVES);
  for (let cell = 0; cell < tiles.length; cell++) {
    const over = tiles[cell] === "H" || tiles[cell] === "G";
    for (let action = 0; action < 4; action++) {
      const k = (cell * 4 + action) * table.branches;
      if (over) table.terminal[k] = 1;
      else if (grip === 1) enter(table, k, tiles, cells[cell * 4 + action]!, 1);
      else slip(table, k, tiles, cells, cell, action, grip);
    }
  }
  return table;
}

/** Outcome `k` goes to `cell`. */
function enter(
  table: Table,
  k: number,
  tiles: string,
  cell: number,
  probability: number,
): void {
  const goal = tiles[cell] === "G" ? 1 : 0;
  table.next[k] = cell;
  table.probability[k] = probability;
  table.reward[k] = table.success[k] = goal;
  table.terminal[k] = goal || tiles[cell] === "H" ? 1 : 0;
}

/** Outcomes `k` to `k + 2`: to one side, as meant, to the other side. */
function slip(
  table: Table,
  k: number,
  tiles: string,
  cells: Int32Array,
  from: number,
  action: number,
  grip: number,
): void {
  for (let turn = -1; turn <= 1; turn++) {
    const cell = cells[from * 4 + ((action + turn + 4) & 3)]!;
    const probability = turn === 0 ? grip : (1 - grip) / 2;
    enter(table, k + 1 + turn, tiles, cell, probability);
  }
}

/** Moves from each cell to the nearest goal around the holes; -1 if none. */
export function goalDistances(tiles: string, width: number): Int32Array {
  const cells = walk(width, tiles.length / width, MOVES);
  const distance = new Int32Array(tiles.length).fill(-1);
  const queue = new Int32Array(tiles.length);
  let end = 0;
  for (let cell = 0; cell < tiles.length; cell++) {
    if (tiles[cell] === "G") distance[queue[end++] = cell] = 0;
  }
  for (let i = 0; i < end; i++) {
    const cell = queue[i]!;
    for (let move = 0; move < 4; move++) {
      // Moves can be taken back, so distances to goals are those from them.
      const near = cells[cell * 4 + move]!;
      if (tiles[near] === "H" || distance[near] !== -1) continue;
      distance[near] = distance[cell]! + 1;
      queue[end++] = near;
    }
  }
  return distance;
}

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

/** The map's rows, from its tiles row by row. */
export function rowsOf(tiles: string, width: number): ReadonlyArray<string> {
  return Array.from(
    { length: tiles.length / width },
    (_, y) => tiles.slice(y * width, (y + 1) * width),
  );
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

/** The map, with the agent @ where it is known. */
export function drawLake({ map }: Lake, agent?: number): string {
  const tiles = [...map.join("")].map((tile, i) => [i, tile] as const);
  return drawRoom(map[0]!.length, map.length, [...tiles, [agent, "@"]]);
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
