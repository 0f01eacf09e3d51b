// Where tests find vectors. Those of other projects are in no repository of ours: they are read from the
// folder that ASSAY_TEST_DATA names, from ../shared/data beside the workspace, or from where
// scripts/vectors brings what is public. In CI a test that needs them fails without them.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readVectors } from "./vectors.mjs";

export const workspace = fileURLToPath(new URL("../../..", import.meta.url));
const env = process.env;

/** The folder of one kind of other projects' data; null, with the test skipped, outside of CI. */
export function require(test, kind) {
  const fetched = [[env.ASSAY_CACHE, "vectors"], [env.XDG_CACHE_HOME, "assay/vectors"],
    [env.HOME, ".cache/assay/vectors"]].flatMap(([root, below]) => (root ? [join(root, below)] : []));
  const shared = join(workspace, "../shared/data");
  const root = env.ASSAY_TEST_DATA ?? [shared, ...fetched, join(workspace, "target/cache/vectors")].find(existsSync);
  const folder = join(root ?? shared, kind);
  if (existsSync(folder)) return folder;
  const isPublic = readFileSync(join(workspace, "tests/vectors/sources.tsv"), "utf8").includes(`\t${kind}/`);
  const missing = `no test data in ${folder}; ` + (isPublic ? "scripts/vectors brings it"
    : "it has no public source: set ASSAY_TEST_DATA to a folder that has it");
  if (env.CI && (isPublic || !fetched.includes(root))) throw new Error(missing);
  test.skip(missing);
  return null;
}

/** The JSON files of a folder, each with its name and text. */
export const jsonFiles = (folder) => readdirSync(folder).filter((name) => name.endsWith(".json")).sort()
  .map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));

/** The shared vectors of a folder below tests/vectors. */
export const shared = (folder) => jsonFiles(join(workspace, "tests/vectors", folder))
  .map(({ name, text }) => ({ name, file: readVectors(text) }));

/** Random numbers that are the same at every run. */
export function numbers(seed) {
  let state = BigInt(seed);
  const next = () => {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) & 0xffff_ffff_ffff_ffffn;
    return Number(state >> 33n);
  };
  return (bound) => next() % bound;
}

/** A change of bytes: bits, bytes, pieces cut out, doubled, moved, or taken from another text. */
export function mutate(bytes, below, other) {
  const at = below(bytes.length), length = 1 + below(40), end = Math.min(bytes.length, at + length);
  const parts = (...list) => Uint8Array.from(list.flatMap((part) => [...part]));
  switch (below(7)) {
    case 0: { const out = bytes.slice(); out[at] ^= 1 << below(8); return out; }
    case 1: { const out = bytes.slice(); out[at] = below(256); return out; }
    case 2: return parts(bytes.subarray(0, at), bytes.subarray(end));
    case 3: return parts(bytes.subarray(0, end), bytes.subarray(at));
    case 4: return parts(bytes.subarray(0, at), [below(256)], bytes.subarray(at));
    case 5: return bytes.slice(0, at);
    default: { const from = below(other.length);
      return parts(bytes.subarray(0, at), other.subarray(from, from + length), bytes.subarray(end)); }
  }
}
