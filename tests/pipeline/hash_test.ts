/** Digests of files, on this thread and on another. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import * as fs from "node:fs";
import { hashFile } from "../../pipeline/digest.ts";
import { hasher } from "../../pipeline/hash.ts";
import { withFolder } from "../shell.ts";

/** FIPS 180-2, appendix B.1, and the digest of nothing. */
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const NOTHING =
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

Deno.test("files are hashed, here or on a thread of its own", () =>
  withFolder(async (folder) => {
    fs.writeFileSync(`${folder}/abc`, "abc");
    fs.writeFileSync(`${folder}/nothing`, "");
    const files = ["abc", "nothing"].map((name) => `${folder}/${name}`);
    const expected = [
      { bytes: 3, sha256: ABC },
      { bytes: 0, sha256: NOTHING },
    ];
    deepEqual(files.map(hashFile), expected);
    const { hash, stop } = hasher();
    const [abc, lost, nothing] = [files[0]!, `${folder}/lost`, files[1]!]
      .map(hash);
    deepEqual(await nothing, expected[1]);
    deepEqual(await abc, expected[0]);
    await rejects(lost!, (error: Error & { code?: string }) => {
      equal(error.code, "ENOENT");
      return true;
    });
    stop();
  }));
