#!/usr/bin/env node
// Reads a folder of shared vectors (index, receipts, lies) and a file of CCTV's Ed25519 vectors, and
// prints one JSON line for each vector, so that the verdicts of several implementations can be compared:
//
//     node sdk/js/bin/verdicts.mjs tests/vectors [ED25519VECTORS.json]
//
// {"set","table","name","verdict","kind","culprit"}, and "reason", which is in this program's words.

import { readFileSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { judgeFile, readVectors } from "../tests/vectors.mjs";

/** The vector files below a folder, sorted by path. */
function filesBelow(folder) {
  return readdirSync(folder).sort().map((name) => join(folder, name)).flatMap((path) =>
    statSync(path).isDirectory() ? filesBelow(path) : path.endsWith(".json") ? [path] : []);
}

const [folder, ed25519] = process.argv.slice(2);
if (!folder) {
  console.error("usage: verdicts.mjs FOLDER [ED25519VECTORS.json]");
  process.exit(2);
}
for (const path of filesBelow(folder)) {
  const file = readVectors(readFileSync(path, "utf8"));
  for await (const line of judgeFile(basename(dirname(path)), file)) console.log(JSON.stringify(line));
}
if (ed25519) {
  const file = { kind: "ed25519", cases: JSON.parse(readFileSync(ed25519, "utf8")), bad: [] };
  for await (const line of judgeFile(null, file)) console.log(JSON.stringify(line));
}
