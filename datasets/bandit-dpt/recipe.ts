/**
 * The learner of bandits, for one seed or several.
 *
 *     deno task bandit-dpt --seeds 1,2,3
 *
 * @module
 */
import { runLearner } from "../learner.ts";
import { banditDpt } from "./learner.ts";

await runLearner(banditDpt);
