/** Python, where `scripts/peers.sh` has put it: the other side of some tests. */
import * as fs from "node:fs";
import * as path from "node:path";

const root = path.resolve(import.meta.dirname!, "..");
const PYTHON = path.join(root, ".venv/bin/python");
/** Debian's, for what is too large to install for tests alone. */
const SYSTEM = "/usr/bin/python3";

/** Runs a Python script of `tests/`; gives what it prints. */
export async function python(
  script: string,
  args: ReadonlyArray<string>,
  interpreter: string = PYTHON,
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(interpreter, {
    args: [path.join(root, "tests", script), ...args],
    env: { HF_HUB_OFFLINE: "1", HF_DATASETS_OFFLINE: "1" },
  }).output();
  if (code === 0) return new TextDecoder().decode(stdout);
  throw new Error(new TextDecoder().decode(stderr));
}

/** Why a test that needs these packages cannot run; `undefined` if it can. */
export function missing(
  ...packages: ReadonlyArray<string>
): string | undefined {
  if (!fs.existsSync(PYTHON)) return "no .venv: run scripts/peers.sh";
  return has(PYTHON, packages)
    ? undefined
    : `no ${packages.join(" or ")} in .venv`;
}

function has(interpreter: string, packages: ReadonlyArray<string>): boolean {
  return fs.existsSync(interpreter) && new Deno.Command(interpreter, {
    args: ["-c", packages.map((name) => `import ${name}`).join("\n")],
    stderr: "null",
  }).outputSync().success;
}

/** A Python that has PyTorch: `TORCH_PYTHON`, ours, or Debian's. */
export function torchPython(): string | undefined {
  const named = Deno.env.get("TORCH_PYTHON");
  return [...(named ? [named] : []), PYTHON, SYSTEM].find((interpreter) =>
    has(interpreter, ["torch"])
  );
}

/** A test that runs where its packages are, and says why where they are not. */
export function peerTest(
  name: string,
  packages: ReadonlyArray<string>,
  run: () => Promise<void>,
): void {
  const why = missing(...packages);
  const shown = why ? `${name} (skipped: ${why})` : name;
  Deno.test(shown, { ignore: why !== undefined }, run);
}
