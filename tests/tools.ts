/** Tests that need other programs: skipped, with the reason, where these are not. */
import * as fs from "node:fs";
import * as path from "node:path";

function isThere(tool: string): boolean {
  const folders = (Deno.env.get("PATH") ?? "").split(path.delimiter);
  return folders.some((folder) => fs.existsSync(path.join(folder, tool)));
}

/** Which of these programs cannot be found. */
export function missingTools(
  tools: ReadonlyArray<string>,
): ReadonlyArray<string> {
  return tools.filter((tool) => !isThere(tool));
}

/** `Deno.test`, for a test that needs `tools`. */
export function toolTest(
  name: string,
  tools: ReadonlyArray<string>,
  run: (t: Deno.TestContext) => void | Promise<void>,
): void {
  const missing = missingTools(tools);
  const ignore = missing.length > 0;
  const why = ignore ? ` (skipped: no ${missing.join(", ")} here)` : "";
  Deno.test(name + why, { ignore }, run);
}
