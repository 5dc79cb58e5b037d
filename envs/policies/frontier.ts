import { modelShare } from "../../kernels/choose.ts";
import { plan } from "../../kernels/finite_horizon.ts";
import { integer, uniform } from "../../kernels/random/generator.ts";
import { num } from "../params.ts";
import type { Table } from "../table.ts";
import { blankTable } from "../tabular.ts";
import { type Actor, integersOnly, type Policy, type Trial } from "./policy.ts";

const UNKNOWN = -1;

/** What is known of a world whose moves are certain. */
interface Known {
  readonly states: number;
  readonly actions: number;
  /** Where each action leads, {@linkcode UNKNOWN} where that is not known. */
  readonly next: Int32Array;
  readonly reward: Float64Array;
  readonly terminal: Uint8Array;
  /** States that it has been in. */
  readonly entered: Uint8Array;
}

function nothingKnown(states: number, actions: number): Known {
  const rows = states * actions;
  return {
    states,
    actions,
    next: new Int32Array(rows).fill(UNKNOWN),
    reward: new Float64Array(rows),
    terminal: new Uint8Array(rows),
    entered: new Uint8Array(states),
  };
}

/** A search that goes out from a state; made once for a trial. */
interface Search {
  readonly queue: Int32Array;
  /** The action that the way to each state began with. */
  readonly first: Int32Array;
}

/**
 * The first action of a shortest way to what is not known: an action never
 * tried, or a state never entered. Actions are tried from `turn` on, so that it
 * says which of several ways is taken. `UNKNOWN` where all is known.
 */
function towardsFrontier(
  { actions, next, terminal, entered }: Known,
  { queue, first }: Search,
  from: number,
  turn: number,
): number {
  first.fill(UNKNOWN);
  queue[0] = from;
  for (let head = 0, tail = 1; head < tail; head++) {
    const state = queue[head]!;
    for (let i = 0; i < actions; i++) {
      const action = (i + turn) % actions;
      const row = state * actions + action;
      const to = next[row]!;
      const begun = head === 0 ? action : first[state]!;
      if (to === UNKNOWN || !entered[to]) return begun;
      if (terminal[row] || to === from || first[to] !== UNKNOWN) continue;
      first[to] = begun;
      queue[tail++] = to;
    }
  }
  return UNKNOWN;
}

/** What is known as an MDP: what is not known leads nowhere and pays nothing. */
function knownTable({ states, actions, ...known }: Known): Table {
  const table = blankTable(states, actions, 1, [0]);
  for (let row = 0; row < known.next.length; row++) {
    if (known.next[row] !== UNKNOWN) table.next[row] = known.next[row]!;
  }
  table.reward.set(known.reward);
  table.terminal.set(known.terminal);
  return table;
}

function start(trial: Trial): Actor {
  const { table, actions, observations, horizon, params, random } = trial;
  const known = nothingKnown(observations, actions);
  const isGiven = params.moves === "given";
  if (isGiven) known.next.set(table!.next);
  const search = {
    queue: new Int32Array(observations),
    first: new Int32Array(observations),
  };
  const warmUp = num(params, "warm-up");
  let episode = -1;
  let paid = false;
  let best: ReturnType<typeof plan> | undefined;
  const exploit = (state: number, t: number): number => {
    best ??= plan(knownTable(known), horizon);
    const at = t * observations + state;
    return best.values[at]! > 0 ? best.actions[at]! : UNKNOWN;
  };
  return {
    begin: () => {
      episode++;
    },
    act: (observation, _, t) => {
      const state = observation as number;
      known.entered[state] = 1;
      const share = modelShare(episode, warmUp);
      if (share < 1 && uniform(random) >= share) {
        return integer(random, actions);
      }
      const chosen = paid ? exploit(state, t) : UNKNOWN;
      if (chosen !== UNKNOWN) return chosen;
      const turn = params.ties === "random" ? integer(random, actions) : 0;
      const way = towardsFrontier(known, search, state, turn);
      return way === UNKNOWN ? turn : way;
    },
    learn: (observation, action, reward, next, terminated) => {
      const row = (observation as number) * actions + action;
      const to = next as number;
      const isNew = known.next[row] !== to || !known.entered[to] ||
        known.reward[row] !== reward;
      known.entered[to] = 1;
      known.next[row] = to;
      known.reward[row] = reward;
      known.terminal[row] = terminated ? 1 : 0;
      if (isGiven && reward > 0) payAll(known, to, reward);
      if (!isNew) return;
      best = undefined;
      paid ||= reward > 0;
    },
  };
}

/** Where moves are given, what is paid is paid for entering a state. */
function payAll({ next, reward }: Known, state: number, paid: number): void {
  for (let row = 0; row < next.length; row++) {
    if (next[row] === state) reward[row] = paid;
  }
}

/**
 * Frontier-based exploration (Yamauchi 1997) of worlds whose moves are certain,
 * then the best that is known: it goes a shortest way to the nearest state that
 * it has not entered in this trial, and once it has been paid, does what pays
 * most by all that it has seen. With `moves=learned` it knows nothing, and an
 * action that it never tried is a frontier too; with `moves=given` it knows
 * where actions lead, and neither what they pay nor what they end. With `warm-up` it
 * begins as uniform play, and becomes itself over so many episodes (see
 * {@linkcode modelShare}), as a learner does that begins at random.
 */
export const frontier: Policy = {
  name: "frontier",
  summary: "Goes where it has not been, then where it was paid",
  params: {
    moves: {
      default: "learned",
      choices: ["learned", "given"],
      summary: "Where actions lead: to be found out, or known",
    },
    ties: {
      default: "random",
      choices: ["random", "first"],
      summary: "Which of several shortest ways: any, or by the lowest action",
    },
    "warm-up": {
      default: 0,
      integer: true,
      min: 0,
      summary:
        "Episodes over which its own actions take the place of uniform ones",
    },
  },
  refuses: integersOnly(({ env, observations, table, params }) => {
    if (observations === 0) return "its observations are not discrete";
    if (params.moves !== "given") return undefined;
    const isPlain = table && table.branches === 1 && !table.observation &&
      !table.vectors;
    return isPlain ? undefined : `${env.name} is not a table of certain moves`;
  }),
  start,
};
