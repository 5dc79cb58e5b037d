import {
  alias,
  categorical,
  dirichlet as drawOdds,
} from "../../kernels/random/distributions.ts";
import { integer } from "../../kernels/random/generator.ts";
import { type Actor, integersOnly, type Policy, type Trial } from "./policy.ts";

/** Shares of the one action that is favoured: 0, 0.1, ..., 1. */
const SHARES = 10;

function start({ actions, random }: Trial): Actor {
  const share = integer(random, SHARES + 1) / SHARES;
  const odds = drawOdds(random, new Float64Array(actions).fill(1));
  const favoured = integer(random, actions);
  const table = alias(
    odds.map((p, a) => (1 - share) * p + (a === favoured ? share : 0)),
  );
  return { act: () => categorical(random, table) };
}

/**
 * Actions by odds that are drawn once a trial: (1 - w) Dirichlet(1) + w times one
 * action, w uniform in {0, 0.1, ..., 1}. It behaves as DPT's contexts on bandits
 * do (Lee and others 2023, arXiv 2306.14892, and its code): some of them never
 * try an action that others hardly leave.
 */
export const dirichlet: Policy = {
  name: "dirichlet",
  summary: "Draws actions by odds that are drawn once a trial",
  params: {},
  refuses: integersOnly(() => undefined),
  start,
};
