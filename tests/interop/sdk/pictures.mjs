// A node's pages as people see them, in Chromium: axe finds nothing in light and dark, nothing is wider
// than a phone, the keyboard is enough, nobody but the node is asked, without scripts the same is said,
// and on paper stands what is to be read.
//
//     node pictures.mjs CHROMIUM URL FOLDER|- NAME=PATH...
//
// With a FOLDER it keeps a picture of each page there; of the one that is called quiet also on a phone,
// in the dark, and as it is printed. The packages playwright-core and axe-core are in the folder where
// this runs.

import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.cwd() + "/");
const { chromium } = require("playwright-core"), axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [program, url, folder, ...pages] = process.argv.slice(2), origin = new URL(url).origin;
const kept = (name) => `${folder}/page-${name}.png`;

/** Opens a page, and hands it to `look` once it has checked itself. */
async function open(browser, path, options, look) {
  const context = await browser.newContext({ viewport: { width: 700, height: 800 }, ...options });
  const page = await context.newPage(), asked = new Set();
  page.on("request", (request) => asked.add(new URL(request.url()).origin));
  try {
    await page.goto(url + path);
    const checks = await page.locator("#checked").count();
    if (checks && options.javaScriptEnabled !== false) await page.waitForSelector("#checked[data-outcome]");
    await look(page);
    asked.delete("null");
    assert.deepEqual([...asked], [origin], path);
  } finally {
    await context.close();
  }
}

async function judge(page, what) {
  await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
  await page.evaluate(axe);
  const violations = await page.evaluate(async () =>
    (await window.axe.run()).violations.map(({ id, nodes }) => [id, nodes[0].html]));
  assert.deepEqual(violations, [], what);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${what}: it is too wide`);
}

/** Looks something up as somebody does who has no mouse. */
async function byKeyboard(page) {
  for (let turn = 0; turn < 10 && await page.evaluate(() => document.activeElement?.id) !== "q"; turn++) {
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText("pkg:npm/looked-up");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/p/pkg:npm/looked-up");
}

/** What stands on paper: all but what only a screen has. */
async function onPaper(page, name, words) {
  await page.emulateMedia({ media: "print" });
  assert.ok(!await page.isVisible("form"), "a form is printed");
  assert.equal(await page.innerText(".first"), words);
  if (folder !== "-" && name === "quiet") await page.pdf({ path: `${folder}/page-print.pdf`, format: "A5" });
}

const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
try {
  for (const one of pages) {
    const [name, ...rest] = one.split("="), path = rest.join("=");
    let words;
    await open(browser, path, {}, async (page) => {
      words = await page.innerText(".first");
      if (folder !== "-") await page.screenshot({ path: kept(name) });
      await judge(page, `${name}, on a desk`);
      await byKeyboard(page);
    });
    for (const [what, colorScheme, width] of [["dark", "dark", 700], ["phone", "light", 360]]) {
      await open(browser, path, { colorScheme, viewport: { width, height: 800 } }, async (page) => {
        if (folder !== "-" && name === "quiet") await page.screenshot({ path: kept(what) });
        await judge(page, `${name}, ${what}`);
        await page.setViewportSize({ width: 320, height: 800 });
        await judge(page, `${name}, ${what}, narrow`);
      });
    }
    await open(browser, path, { javaScriptEnabled: false }, async (page) =>
      assert.equal(await page.innerText(".first"), words));
    await open(browser, path, {}, (page) => onPaper(page, name, words));
  }
} finally {
  await browser.close();
}
