/**
 * Tests on devices. A runtime of a device may not be opened by several threads of
 * a process at once, as tests in parallel would, so they run in processes of their
 * own: `devices_test.ts` starts them.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Device } from "../../../kernels/onnx/session.ts";

const SOFTWARE = "/usr/lib/chromium/vk_swiftshader_icd.json";
const HARDWARE = ["/dev/dri", "/dev/nvidia0"];

/** Where there is no GPU, Debian's chromium-common carries one of software. */
export function environment(): Record<string, string> {
  const isPlain = HARDWARE.some((file) => fs.existsSync(file)) ||
    Deno.env.has("VK_ICD_FILENAMES") || !fs.existsSync(SOFTWARE);
  if (isPlain) return {};
  return {
    VK_ICD_FILENAMES: SOFTWARE,
    XDG_RUNTIME_DIR: os.tmpdir(),
  };
}

/** What a process of Deno's does with a file of this folder. */
export async function inProcess(
  args: ReadonlyArray<string>,
  env: Record<string, string>,
): Promise<{ readonly code: number; readonly out: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: path.resolve(import.meta.dirname!, "../../.."),
    env: { NO_COLOR: "1", ...env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout) + text(stderr) };
}

/** Whether a device is here, as the runtime itself has it. */
export async function isHere(
  device: Device,
  env: Record<string, string> = {},
): Promise<boolean> {
  if (device === "cpu") return true;
  const probe = path.join(import.meta.dirname!, "probe.ts");
  const run = ["run", "--quiet", "--no-check", "--allow-all", probe, device];
  return (await inProcess(run, env)).code === 0;
}

/** A test of a device, which runs where `devices_test.ts` asks for it. */
export function deviceTest(
  name: string,
  device: Device,
  run: () => Promise<void>,
): void {
  const isAsked = device === "cpu" || Deno.env.get("TEST_DEVICE") === device;
  const why = isAsked ? "" : " (skipped: devices_test.ts runs it)";
  const ignore = !isAsked;
  Deno.test({ name: `${name} on ${device}${why}`, ignore, fn: run });
}
