// A reader who comes back: opens a node's page about a package in Chromium, with what the browser kept
// in the folder PROFILE, and prints what the page says of itself.
//
//     node returns.mjs CHROMIUM URL PURL PROFILE

import { createRequire } from "node:module";

const { chromium } = createRequire(process.cwd() + "/")("playwright-core");
const [program, url, purl, profile] = process.argv.slice(2);

const browser = await chromium.launchPersistentContext(profile, { executablePath: program, args: ["--no-sandbox"] });
try {
  const page = await browser.newPage();
  await page.goto(url + "/p/" + purl.replaceAll("%", "%25"));
  await page.waitForSelector("#checked:not([data-outcome=''])[data-outcome]", { timeout: 20_000 });
  console.log(JSON.stringify({ outcome: await page.getAttribute("#checked", "data-outcome"),
    words: await page.innerText("#checked"), key: await page.textContent("#key") }));
} finally {
  await browser.close();
}
