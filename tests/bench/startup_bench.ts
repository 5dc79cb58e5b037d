/**
 * Start-up, which a pipe pays once a stage, against an empty program.
 *
 * @module
 */
import { child, compare, report } from "./measure.ts";

const EMPTY = Deno.makeTempFileSync({ suffix: ".ts" });

async function empty(): Promise<void> {
  await new Deno.Command(Deno.execPath(), { args: ["run", EMPTY] }).output();
}

report(
  await compare("start-up", { work: 1, unit: "per second" }, [
    { name: "deno run of nothing", run: empty },
    { name: "retrial --help", run: async () => void await child(["--help"]) },
  ]),
);
Deno.removeSync(EMPTY);
