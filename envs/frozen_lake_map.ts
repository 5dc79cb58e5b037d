/**
 * Frozen Lake on one map, which is given: for tests on maps of a purpose, such as
 * that of stitching (Rentschler and Roberts 2025, arXiv 2501.14176).
 *
 * @module
 */
import { horizonParam, num, ParamError, type Params } from "./params.ts";
import { drawLake, type Lake, lakeTable } from "./lake.ts";
import { defineTabular } from "./tabular.ts";

/**
 * Two paths cross on it: 2, 6, 10, 14, 18, 22 reaches the goal from where none
 * starts, 8, 9, 10, 11 goes from the start into a hole.
 */
export const STITCHING = "HHFF/FFFF/SFFH/HFFF/HFFF/HFGF";

/** Rows of a map as it is written; a ParamError if it is none. */
function readMap(text: string): ReadonlyArray<string> {
  const rows = text.split("/");
  const isEven = rows.every((row) => row.length === rows[0]!.length);
  if (isEven && /^[SFHG/]+$/.test(text) && text.includes("S")) return rows;
  throw new ParamError(
    `Cannot set map to ${
      JSON.stringify(text)
    }: rows of one length, of S, F, H and G, with a start among them, joined by / expected`,
    "map",
  );
}

function theLake(params: Params): Lake {
  return {
    map: readMap(String(params.map)),
    horizon: num(params, "horizon"),
    grip: params.slippery ? 1 / 3 : 1,
  };
}

/** All tasks are the same, whatever their seeds. */
export const frozenLakeMap = defineTabular<Lake>({
  name: "frozen-lake-map",
  version: 1,
  summary: "Frozen Lake on a map of your own",
  params: {
    map: {
      default: STITCHING,
      summary: "Rows of S (start), F (frozen), H (hole), G (goal), joined by /",
    },
    horizon: horizonParam(100),
    slippery: { default: false, summary: "Moves slip two times in three" },
  },
  world: (lake) => lake.map,
  sampleTask: (_random, params) => theLake(params),
  horizon: (lake) => lake.horizon,
  table: lakeTable,
  render: drawLake,
});
