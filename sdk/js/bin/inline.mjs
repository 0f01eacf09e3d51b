#!/usr/bin/env node
// Puts the files of the SDK into verify.html, which then is one file that needs nothing else. Each becomes a
// function that returns what it exports; nothing else of it is changed. With `--check` it only says whether
// verify.html has them as they are.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const here = new URL("..", import.meta.url);
const read = (name) => readFileSync(new URL(name, here), "utf8");
const FILES = ["verify", "ed25519", "policy", "pages", "issuers", "receipt", "lookup", "client", "lock"];

/** A file as a function that returns its exports. */
function inlined(name) {
  const source = read(name + ".js");
  const exported = [...source.matchAll(/^export (?:async )?(?:const|function|class) (\w+)/gm)].map((found) => found[1]);
  const body = source.replace(/^export (?=async |const |function |class )/gm, "")
    .replace(/^import "\.\/\w+\.js";\n/gm, "").replace(/^import \{([^}]*)\}\s+from "\.\/(\w+)\.js";/gm, (_, names, from) => `const {${names}} = ${from}_js;`);
  return `// ===== ${name}.js =====\nconst ${name}_js = (() => {\n${body}return { ${exported.join(", ")} };\n})();\n`;
}

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
const inside = (page, tag) => new RegExp(`<${tag}[^>]*>([^]*?)</${tag}>`).exec(page)[1];

/** The page with the files as they are, and with the hashes of what may run in it. */
export function page() {
  const [, before, after] = /^([^]*\/\/ <<< the SDK\n)[^]*?(\/\/ >>>[^]*)$/.exec(read("verify.html"));
  const filled = before + FILES.map(inlined).join("\n") + after;
  const allowed = `default-src 'none'; script-src ${hash(inside(filled, "script"))}; ` +
    `style-src ${hash(inside(filled, "style"))}; connect-src http: https:; base-uri 'none'; form-action 'none'`;
  return filled.replace(/(Content-Security-Policy" content=")[^"]*/, (_, start) => start + allowed);
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const wanted = page();
  if (process.argv[2] === "--check" && wanted !== read("verify.html")) {
    console.error("verify.html has other files in it: run sdk/js/bin/inline.mjs");
    process.exit(1);
  }
  if (process.argv[2] !== "--check") writeFileSync(new URL("verify.html", here), wanted);
}
