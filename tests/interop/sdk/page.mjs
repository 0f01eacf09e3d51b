// A node's page about a package, which checks itself in Chromium: behind a proxy that tells the truth it
// says so, and behind one that lies it never does.
//
//     node page.mjs CHROMIUM URL KEY ISSUER CLAIM PURL TRUE FALSE
//
// TRUE is a date of the claim, and FALSE what the proxy makes of it, in as many bytes.

import { strict as assert } from "node:assert";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const { chromium } = createRequire(process.cwd() + "/")("playwright-core");
const [program, url, key, , claim, purl, right, wrong] = process.argv.slice(2);
const path = "/p/" + purl.replaceAll("%", "%25"), isPage = (at) => at.startsWith("/p/"), isAnswer = (at) => at.startsWith("/api/");
const replaced = (from, to) => (body) => {
  const text = body.toString("latin1");
  assert.ok(text.includes(from), `no ${from}`);
  return Buffer.from(text.replaceAll(from, to), "latin1");
};

/** What the page says of itself behind a proxy that changes what it is told to. */
async function visit(browser, { where = isPage, change = (body) => body, host = "127.0.0.1", options = {} } = {}) {
  const asked = new Set(), failed = [];
  const server = createServer(async (request, response) => {
    try {
      const answer = await fetch(url + request.url, { headers: { accept: request.headers.accept } });
      const body = Buffer.from(await answer.arrayBuffer()), headers = {};
      for (const name of ["content-type", "content-security-policy"]) if (answer.headers.has(name)) headers[name] = answer.headers.get(name);
      response.writeHead(answer.status, headers).end(where(request.url) ? change(body) : body);
    } catch (error) {
      failed.push(error);
      response.destroy();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const context = await browser.newContext(options), page = await context.newPage();
  try {
    const origin = `http://${host}:${server.address().port}`;
    page.on("request", (request) => asked.add(new URL(request.url()).origin));
    await page.goto(origin + path);
    if (options.javaScriptEnabled !== false) await page.waitForSelector("#checked:not([data-outcome=''])[data-outcome]", { timeout: 20_000 });
    assert.deepEqual([[...asked].filter((one) => one !== "null"), failed], [[origin], []]);
    return { outcome: await page.getAttribute("#checked", "data-outcome"), words: await page.innerText("#checked"),
      key: await page.textContent("#key") };
  } finally {
    await context.close();
    server.closeAllConnections();
    server.close();
  }
}

const browser = await chromium.launch({ executablePath: program,
  args: ["--no-sandbox", "--host-resolver-rules=MAP node.example 127.0.0.1"] });
try {
  const truth = await visit(browser);
  assert.deepEqual([truth.outcome, truth.words], ["checked", "Checked in your browser: 1 statement, nothing left out."]);
  assert.ok(truth.key.includes(key) && truth.key.includes("has not seen it before"), truth.key);

  const refused = async (what, lie) => {
    const { outcome, words } = await visit(browser, lie);
    assert.equal(outcome, "refused", `${what}: ${words}`);
    assert.match(words, /^Do not rely on this page\./);
  };
  await refused("another date on the page", { change: replaced(right, wrong) });
  await refused("a statement that nobody made", { change: replaced(`data-claim="${claim}`, `data-claim="${"0".repeat(64)}`) });
  await refused("a statement left out", { change: (body) => Buffer.from(body.toString().replace(/<li data-claim[^]*?<\/li>/, "")) });
  await refused("another place", { change: (body) => Buffer.from(body.toString().replace(/data-leaf="/, "$&9")) });
  await refused("another key", { change: replaced("data-keys=\"" + key.split("+")[0], "data-keys=\"other.example/log") });
  // The census has no entries, so that only the answer with the statement has the date in it.
  const lie = (body) => Buffer.from(body.toString("latin1").replaceAll(right, wrong), "latin1");
  await refused("another date in the answer", { where: (at) => at.startsWith("/api/v1/batch"), change: lie });
  for (let turn = 0; turn < 16; turn++) {
    const flip = (body) => {
      body[Math.floor((body.length * turn) / 16)] ^= 1 << turn % 8;
      return body;
    };
    const { outcome, words } = await visit(browser, { where: isAnswer, change: flip });
    assert.notEqual(outcome, "checked", `flip ${turn}: ${words}`);
  }

  const insecure = await visit(browser, { host: "node.example" });
  assert.deepEqual([insecure.outcome, insecure.words], ["open", "Not checked in your browser: the page was loaded insecurely."]);
  const still = await visit(browser, { options: { javaScriptEnabled: false } });
  assert.match(still.words, /^Not checked in your browser, which runs no scripts\./);
} finally {
  await browser.close();
}
