import { bash, withFolder } from "../../shell.ts";
import { toolTest } from "../../tools.ts";
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { shuffle } from "../../../pipeline/transforms/shuffle.ts";
import { apply, failure, ids, lines, trial } from "../trials.ts";
import { chiSquared } from "./chi_squared.ts";

const many = Array.from({ length: 3000 }, (_, i) => trial(`task-${i}`, 0));

Deno.test("shuffle gives each order of four rows equally often", async () => {
  const rows = lines(["a", "b", "c", "d"].map((id) => trial(id, 0)));
  const seen = new Map<string, number>();
  for (let seed = 0; seed < 2400; seed++) {
    const order = ids(await apply(shuffle, { seed: `${seed}` }, rows)).join();
    seen.set(order, (seen.get(order) ?? 0) + 1);
  }
  equal(seen.size, 24);
  // The 0.999 quantile at 23 degrees of freedom.
  const statistic = chiSquared([...seen.values()], Array(24).fill(1 / 24));
  ok(statistic < 49.73, `chi-squared is ${statistic}`);
});

Deno.test("shuffle neither loses nor makes rows, and moves them", async () => {
  const shuffled = ids(await apply(shuffle, {}, many));
  const before = many.map((row) => row.id);
  notEqual(shuffled.join(), before.join());
  deepEqual([...shuffled].sort(), [...before].sort());
  // Of a random order, one row in all is where it was, give or take.
  ok(shuffled.filter((id, i) => id === before[i]).length < 8);
});

Deno.test("shuffle does not depend on the limit of memory", async () => {
  const large = many.map((row) => ({ ...row, tags: "x".repeat(2000) }));
  const whole = await apply(shuffle, { memory: 128 }, large);
  equal(await apply(shuffle, { memory: 1 }, large), whole);
});

Deno.test("shuffle tells equal rows apart", async () => {
  const rows = [...Array(64).fill(trial("a", 0)), trial("b", 0)];
  const places = new Set<number>();
  for (let seed = 0; seed < 20; seed++) {
    const order = ids(await apply(shuffle, { seed: `${seed}` }, rows));
    places.add(order.indexOf("b/0"));
  }
  ok(places.size > 10);
});

toolTest(
  "shuffle names a bad line and leaves no files",
  ["bash"],
  () =>
    withFolder(async (folder) => {
      const { out, err } = await bash(
        folder,
        `mkdir tmp; export TMPDIR=$PWD/tmp
      retrial generate --env dark-room --tasks 6000 > in
      (cat in; echo '{}') | retrial shuffle --memory 1 > none; echo $?
      retrial shuffle --memory 1 in | wc -l
      ls -A tmp`,
      );
      equal(err, "retrial: stdin: line 6001: id is missing\n");
      equal(out, "65\n6000\n");
    }),
);

Deno.test("shuffle refuses what is no seed", async () => {
  const error = await failure(apply(shuffle, { seed: "x" }, many));
  equal(error._tag, "UsageError");
});
