/** The program as its users start it: a child process with few permissions. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const root = path.resolve(import.meta.dirname!, "..");

/** What the tasks of deno.json give the program. */
export const PERMISSIONS = [
  "--allow-read",
  "--allow-write",
  "--allow-ffi",
  "--allow-env=TMPDIR,TMP,TEMP",
] as const;

/** Words that start the program. */
export function retrialWords(
  permissions: ReadonlyArray<string> = PERMISSIONS,
): ReadonlyArray<string> {
  const options = ["--cached-only", "--no-prompt", "--quiet"];
  const config = `--config=${path.join(root, "deno.json")}`;
  const program = path.join(root, "pipeline/cli.ts");
  return [Deno.execPath(), "run", ...options, config, ...permissions, program];
}

/** A folder that is gone when its user is done. */
export async function withFolder<A>(
  use: (folder: string) => A | Promise<A>,
): Promise<A> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "retrial-test-"));
  try {
    return await use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Writes `retrial` into `folder`, to be put on PATH. */
export function installWrapper(folder: string): void {
  const file = path.join(folder, "retrial");
  const command = retrialWords().map(quote).join(" ");
  fs.writeFileSync(file, `#!/bin/sh\nexec ${command} "$@"\n`);
  fs.chmodSync(file, 0o755);
}

/** How a program ended, and what it said. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const decoder = new TextDecoder();

async function finish(command: Deno.Command, input?: string): Promise<Ended> {
  const child = command.spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input)).catch(() => {});
    await writer.close().catch(() => {});
  }
  const { code, stdout, stderr } = await child.output();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** Runs the program in `cwd`. */
export function retrial(
  cwd: string,
  words: ReadonlyArray<string>,
  input?: string,
  permissions: ReadonlyArray<string> = PERMISSIONS,
): Promise<Ended> {
  return finish(start(cwd, words, input !== undefined, permissions), input);
}

function start(
  cwd: string,
  words: ReadonlyArray<string>,
  hasInput: boolean,
  permissions: ReadonlyArray<string>,
): Deno.Command {
  const [program, ...rest] = retrialWords(permissions);
  return new Deno.Command(program!, {
    args: [...rest, ...words],
    cwd,
    stdin: hasInput ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Starts the program in `cwd`, to be stopped by a signal. */
export function startRetrial(
  cwd: string,
  words: ReadonlyArray<string>,
): Deno.ChildProcess {
  return start(cwd, words, false, PERMISSIONS).spawn();
}

/** Runs bash in `cwd`, with `retrial` on its PATH and an empty folder as $T. */
export async function bash(cwd: string, script: string): Promise<Ended> {
  return await withFolder((bin) => {
    installWrapper(bin);
    const scratch = path.join(bin, "scratch");
    fs.mkdirSync(scratch);
    return finish(
      new Deno.Command("bash", {
        args: ["-c", script],
        cwd,
        env: {
          PATH: `${bin}:${Deno.env.get("PATH")}`,
          T: scratch,
          LC_ALL: "C.UTF-8",
        },
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      }),
    );
  });
}

/** What a program must say when all goes well. */
export function succeeded(ended: Ended): string {
  if (ended.code === 0) return ended.out;
  throw new Error(`exit ${ended.code}: ${ended.err}`);
}
