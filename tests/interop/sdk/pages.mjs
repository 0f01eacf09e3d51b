// A node's pages in Chromium: axe finds nothing, in light and dark, on a phone's width and a desk's; nothing
// is wider than the window; nobody but the node is asked; and without scripts they say the same.
//
//     node pages.mjs CHROMIUM URL PATH...
//
// The packages playwright-core and axe-core are in the folder where this runs.

import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.cwd() + "/");
const { chromium } = require("playwright-core"), axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [program, url, ...paths] = process.argv.slice(2);

async function judge(page, what) {
  await page.evaluate(axe);
  const violations = await page.evaluate(async () =>
    (await window.axe.run()).violations.map(({ id, nodes }) => [id, nodes[0].html]));
  assert.deepEqual(violations, [], what);
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(width[0] <= width[1], `${what}: it is ${width[0]} wide`);
}

/** Looks at each page as somebody does whose window is so. Only pages about packages have scripts. */
async function visit(browser, options) {
  const context = await browser.newContext(options), page = await context.newPage();
  const asked = new Set(), failed = [];
  page.on("request", (request) => asked.add(new URL(request.url()).origin));
  page.on("console", (message) => /Content Security Policy/.test(message.text()) && failed.push(message.text()));
  for (const path of paths) {
    const what = `${path} ${JSON.stringify(options)}`;
    await page.goto(url + path);
    if (options.javaScriptEnabled !== false) await judge(page, what);
    assert.ok((await page.innerText("main h1")).length > 3, what);
    assert.equal(await page.locator("script").count(), path.startsWith("/p/") ? 1 : 0, what);
  }
  assert.deepEqual([[...asked].filter((origin) => origin !== "null"), failed], [[url], []]);
  await context.close();
}

/** The heads of a table are told to whoever does not see it, also where its cells are stacked. */
async function table(browser, path) {
  for (const width of [320, 1000]) {
    const context = await browser.newContext({ viewport: { width, height: 800 } }), page = await context.newPage();
    await page.goto(url + path);
    const names = await page.getByRole("columnheader").allInnerTexts();
    assert.equal(names.length, 2, `${path} ${width}`);
    assert.ok(await page.getByRole("cell").count() >= 12, `${path} ${width}`);
    const [first, second] = await page.getByRole("cell").all();
    const [a, b] = [await first.boundingBox(), await second.boundingBox()];
    assert.equal(b.y >= a.y + a.height, width === 320, `${path} ${width}: stacked`);
    await context.close();
  }
}

const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
try {
  for (const colorScheme of ["light", "dark"]) for (const width of [320, 1000]) {
    await visit(browser, { colorScheme, viewport: { width, height: 800 } });
  }
  await visit(browser, { viewport: { width: 320, height: 800 }, javaScriptEnabled: false });
  for (const path of paths.filter((path) => path.startsWith("/compare?a=pkg:"))) await table(browser, path);
} finally {
  await browser.close();
}
