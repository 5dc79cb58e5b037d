/**
 * The rules of Gymnasium's `FrozenLake-v1`, on any map.
 *
 * A map is its rows, of the letters S (start), F (frozen), H (hole), G (goal);
 * its tiles are these rows joined.
 *
 * @module
 */
import { drawRoom, type Move, walk } from "./grid.ts";
import { blankTable } from "./tabular.ts";
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

/** The map's rows, from its tiles row by row. */
export function rowsOf(tiles: string, width: number): ReadonlyArray<string> {
  return Array.from(
    { length: tiles.length / width },
    (_, y) => tiles.slice(y * width, (y + 1) * width),
  );
}

/** The map, with the agent @ where it is known. */
export function drawLake({ map }: Lake, agent?: number): string {
  const tiles = [...map.join("")].map((tile, i) => [i, tile] as const);
  return drawRoom(map[0]!.length, map.length, [...tiles, [agent, "@"]]);
}
