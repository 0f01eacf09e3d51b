// verify.html in Chromium, from disk and at a live node: it verifies and refuses, by keyboard alone, asks
// nobody but the node, and axe finds nothing, in light and dark, on a phone's width and a desk's.
//
//     node browser.mjs CHROMIUM URL KEY ISSUER CLAIM PURL [ED25519VECTORS.json]
//
// With CCTV's vectors of Ed25519 it also holds the verdicts of Chromium to those of Node.js. The packages
// playwright-core and axe-core are in the folder where this runs.

import { strict as assert } from "node:assert";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import * as sdk from "../../../sdk/js/index.js";

const require = createRequire(process.cwd() + "/");
const { chromium } = require("playwright-core"), axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [program, url, key, issuer, claim, purl, vectors] = process.argv.slice(2);
const folder = new URL("../../../sdk/js/", import.meta.url);
const locked = `[[package]]\nname = "none"\nversion = "1.0.0"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\n`;
const lockOf = (name, version) => JSON.stringify({ lockfileVersion: 3, packages: { [`node_modules/${name}`]: { version } } });

/** A page's words after an action, once there are new ones. */
async function shown(page, act) {
  await page.evaluate(() => document.getElementById("out").replaceChildren());
  await act();
  await page.waitForSelector("#out h2");
  return page.innerText("#out");
}

/** Goes to an element as somebody does who has no mouse. */
async function tabTo(page, id) {
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement?.id) === id) return;
  }
  assert.fail(`${id} is not reached by keyboard`);
}

async function judge(page, what) {
  await page.evaluate(axe);
  const violations = await page.evaluate(async () =>
    (await window.axe.run()).violations.map(({ id, nodes }) => [id, nodes[0].html]));
  assert.deepEqual(violations, [], what);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${what}: it is too wide`);
}

async function visit(browser, colorScheme, width) {
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
  const page = await context.newPage(), asked = new Set(), errors = [];
  page.on("request", (request) => asked.add(new URL(request.url()).origin));
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(new URL("verify.html", folder).href);
  await judge(page, "as it opens");
  for (const [id, value] of [["key", key], ["url", url], ["issuers", issuer], ["purl", purl]]) {
    await tabTo(page, id);
    await page.keyboard.insertText(value);
  }
  const found = await shown(page, () => page.keyboard.press("Enter"));
  assert.match(found, /^Verified: 1 claim, nothing left out/);
  assert.ok(found.includes(claim.slice(0, 12)), found);
  assert.equal(await page.evaluate(() => document.activeElement.id), "out");
  await judge(page, "an answer");

  const [, name, version] = /^pkg:npm\/(.*)@(.*)$/.exec(purl);
  const check = async (file, text, isPrivate) => {
    await page.setInputFiles("#locks", { name: file, mimeType: "text/plain", buffer: Buffer.from(text) });
    await page.setChecked("#private", isPrivate);
    return shown(page, () => page.click("#lock button"));
  };
  for (const isPrivate of [false, true]) {
    assert.match(await check("package-lock.json", lockOf(decodeURIComponent(name), version), isPrivate), /^Verified: 1 of 1 packages have claims/);
  }
  await judge(page, "a lock file");
  assert.match(await check("Cargo.lock", locked, false), /^Verified: 0 of 1 packages have claims/);
  assert.match(await check("yarn.lock", "# yarn", false), /^Not proven: .*assay check reads more formats/s);

  // Another log's key: red, and nothing of the answer is shown.
  await page.fill("#key", "other.example/log" + key.slice(key.indexOf("+")));
  const refused = await shown(page, () => page.click("#ask button"));
  assert.match(refused, /^Refused: .*Do not rely on it/s);
  assert.ok(!refused.includes("Verified"), refused);
  await judge(page, "a refusal");
  assert.deepEqual([[...asked].filter((origin) => origin !== "null"), errors], [[new URL(url).origin], []]);
  await context.close();
}

/** What Chromium's engine makes of the vectors, by the SDK. */
async function verdicts(browser, cases) {
  const context = await browser.newContext(), page = await context.newPage(), at = "https://sdk.invalid/";
  const files = new Set(readdirSync(folder).filter((name) => name.endsWith(".js")));
  await page.route(at + "**", (route) => {
    const name = new URL(route.request().url()).pathname.slice(1);
    return route.fulfill(files.has(name) ? { contentType: "text/javascript", body: readFileSync(new URL(name, folder)) }
      : { contentType: "text/html", body: "<title>.</title>" });
  });
  await page.goto(at);
  const all = await page.evaluate(async (cases) => {
    const { fromHex, verifyEd25519 } = await import("/index.js");
    const bytes = new TextEncoder();
    return Promise.all(cases.map(({ key, sig, msg }) => verifyEd25519(fromHex(key), bytes.encode(msg), fromHex(sig))));
  }, cases);
  await context.close();
  return all;
}

const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
try {
  for (const colorScheme of ["light", "dark"]) for (const width of [320, 1000]) await visit(browser, colorScheme, width);
  if (vectors) {
    const cases = JSON.parse(readFileSync(vectors, "utf8")), text = new TextEncoder();
    const here = await Promise.all(cases.map(({ key, sig, msg }) =>
      sdk.verifyEd25519(sdk.fromHex(key), text.encode(msg), sdk.fromHex(sig))));
    assert.ok(here.includes(true) && here.includes(false));
    assert.deepEqual(await verdicts(browser, cases), here);
    console.log(`${cases.length} vectors, ${here.filter(Boolean).length} verify`);
  }
} finally {
  await browser.close();
}
