/**
 * The learner of Frozen Lakes, for one seed or several.
 *
 *     deno task frozen-lake-icrl --seeds 1,2,3
 *
 * @module
 */
import { runLearner } from "../learner.ts";
import { frozenLakeIcrl } from "./learner.ts";

await runLearner(frozenLakeIcrl);
