/**
 * The learner of Dark Rooms, for one seed or several.
 *
 *     deno task darkroom-ad --seeds 1,2,3
 *
 * @module
 */
import { runLearner } from "../learner.ts";
import { darkroomAd } from "./learner.ts";

await runLearner(darkroomAd);
