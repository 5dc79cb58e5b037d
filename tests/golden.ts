/**
 * Numbers that other programs gave, by section. `tests/vectors` holds copies, so
 * that a checkout tests itself.
 *
 * @module
 */
import credit from "./vectors/credit.json" with { type: "json" };

// deno-lint-ignore no-explicit-any -- the sections have shapes of their own
export type GoldenCase = { readonly name: string } & any;

/** The cases of one section of `credit.json`. */
export function goldenCases(
  section: Exclude<
    keyof typeof credit,
    "schema" | "generated" | "tolerance" | "sources" | "conventions"
  >,
): ReadonlyArray<GoldenCase> {
  return credit[section];
}
