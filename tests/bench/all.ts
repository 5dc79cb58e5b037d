/**
 * All benches but that of memory, which takes minutes and 10 GB of disk.
 *
 * @module
 */
const cpu = /model name\s*: (.*)/.exec(
  Deno.readTextFileSync("/proc/cpuinfo"),
)?.[1];
const line =
  `${cpu}, ${navigator.hardwareConcurrency} cores, deno ${Deno.version.deno}\n`;
Deno.stdout.writeSync(new TextEncoder().encode(line));
await import("./generate_bench.ts");
await import("./anymdp_bench.ts");
await import("./credit_bench.ts");
await import("./advantages_bench.ts");
await import("./startup_bench.ts");
await import("./jobs_bench.ts");
await import("./onnx_bench.ts");
await import("./gather_bench.ts");
await import("./play_bench.ts");
await import("./pack_bench.ts");
