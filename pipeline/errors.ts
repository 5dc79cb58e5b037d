/**
 * How stages fail: expected failures, each with the exit code that scripts see.
 *
 * @module
 */
import * as Data from "effect/Data";

/** Exit codes, after sysexits.h. */
export const EXIT = {
  done: 0,
  usage: 2,
  data: 65,
  bug: 70,
  retry: 75,
} as const;

/** The command was not understood, or cannot be done as asked. */
export class UsageError extends Data.TaggedError("UsageError")<{
  readonly message: string;
}> {}

/** The data is not what it should be; says where. */
export class DataError extends Data.TaggedError("DataError")<{
  readonly message: string;
}> {}

/** The machine refused (disk full, no permission): the same call may work later. */
export class HostError extends Data.TaggedError("HostError")<{
  readonly message: string;
}> {}

/** Whoever reads our output has seen enough. */
export class ClosedPipe extends Data.TaggedError("ClosedPipe") {}

export type StageError = UsageError | DataError | HostError | ClosedPipe;

/** A line of a file, as errors name it. */
export interface Place {
  readonly origin: string;
  readonly line: number;
}

/** `trials.jsonl: line 17: episodes[2].rewards has 9 entries, expected 10` */
export function badLine(place: Place, problem: string): DataError {
  return new DataError({
    message: `${place.origin}: line ${place.line}: ${problem}`,
  });
}

/** Operating-system errors, as people read them. */
const HOST_REASONS: { readonly [code: string]: string } = {
  ENOSPC: "no space left on the device",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EROFS: "read-only file system",
  ENOENT: "no such file or folder",
  ENOTDIR: "not a folder",
  EISDIR: "it is a folder",
  EMFILE: "too many open files",
  EDQUOT: "disk quota exceeded",
  EIO: "input/output error",
};

const DATA_CODES = new Set(["ENOENT", "ENOTDIR", "EISDIR"]);

/** The tagged error for whatever a host call threw while doing `what`. */
export function hostError(what: string, cause: unknown): StageError {
  if (isStageError(cause)) return cause;
  const { code, message, name } = cause as Error & { code?: string };
  if (code === "EPIPE" || name === "BrokenPipe") return new ClosedPipe();
  const reason = HOST_REASONS[code ?? ""];
  if (code !== undefined && DATA_CODES.has(code)) {
    return new DataError({ message: `Cannot ${what}: ${reason}` });
  }
  if (reason === undefined && name !== "NotCapable") throw cause;
  return new HostError({ message: `Cannot ${what}: ${reason ?? message}` });
}

export function isStageError(error: unknown): error is StageError {
  return error instanceof UsageError || error instanceof DataError ||
    error instanceof HostError || error instanceof ClosedPipe;
}

/** The exit code of an error. */
export function exitCode(error: StageError): number {
  switch (error._tag) {
    case "UsageError":
      return EXIT.usage;
    case "DataError":
      return EXIT.data;
    case "HostError":
      return EXIT.retry;
    case "ClosedPipe":
      return EXIT.done;
  }
}
