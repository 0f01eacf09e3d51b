// How long a verified answer takes with the JavaScript SDK, about one package and about many, asked of
// a live node: in Chromium, or in Node.js if there is no browser. For `make bench`.
//
//     node speed.mjs CHROMIUM|- QUESTION.json
//
// The question has the node's url, its log's key, the ids of issuers, and purls of each of which one of
// these has said one thing. Prints the medians in milliseconds, as JSON. The package playwright-core is
// in the folder where this runs.

import { createReadStream, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [program, file] = process.argv.slice(2);
const question = JSON.parse(readFileSync(file, "utf8")), folder = new URL("../../../sdk/js/", import.meta.url);

/** Asks anew each time, knowing nothing of what was asked before. Runs in either engine. */
async function measure({ sdk, url, key, issuers, purls }) {
  const { Log } = await import(sdk), times = { one: [], many: [] };
  const need = ({ complete, claims }, count) => {
    if (!complete || claims.length !== count) throw new Error(`${claims.length} claims, complete: ${complete}`);
  };
  for (let run = 0; run < 7; run++) {
    const start = performance.now();
    need(await new Log({ url, log: key }).lookup({ purl: purls[run], issuers }), 1);
    const middle = performance.now();
    need(await new Log({ url, log: key }).lookupAll({ purls, issuers }), purls.length);
    times.one.push(middle - start);
    times.many.push(performance.now() - middle);
  }
  const median = (list) => list.sort((a, b) => a - b)[3];
  return { one: median(times.one), many: median(times.many) };
}

async function inBrowser() {
  const { chromium } = createRequire(process.cwd() + "/")("playwright-core");
  const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
  const server = createServer(({ url }, response) => {
    const name = /^\/([a-z0-9]+\.js)$/.exec(url)?.[1];
    response.writeHead(200, { "content-type": name ? "text/javascript" : "text/html" });
    if (name) createReadStream(new URL(name, folder)).pipe(response);
    else response.end("<!doctype html><title>Speed</title>");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    return { engine: "Chromium", ...await page.evaluate(measure, { ...question, sdk: "/index.js" }) };
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
}

const taken = program === "-"
  ? { engine: "Node.js", ...await measure({ ...question, sdk: new URL("index.js", folder).href }) } : await inBrowser();
console.log(JSON.stringify(taken));
