// Checks the page that it is on: asks this node's read API, verifies what it answers with the key
// that the page names, and compares which statements there are with those that the page shows.

import { nameHalf, namesIn, packageNames, readKey, verifyAnswer } from "./verify.js";

const place = document.getElementById("checked");
const { purl, size, part, base } = place.dataset, keys = place.dataset.keys.split(" ");
/** Another key of the page's, with which all answers verify as well: the one that takes the place of the first. */
let next = keys[1];
const MOST = { bytes: 16 << 20, speakers: 1000, at_once: 50, ms: 20_000 };

/** Says one line in the page; `act` marks what must not be overlooked. */
function say(words, act) {
  const line = document.createElement(act ? "strong" : "span"), block = document.createElement("p");
  line.textContent = words;
  block.className = act ? "refused" : "when";
  block.append(line);
  place.replaceChildren(block);
  place.dataset.outcome = act ? "refused" : "open";
}

class Mismatch extends Error {}
class Later extends Error {}

async function ask(key, route, question, query) {
  const response = await fetch(`${base}api/v1/${route}?${new URLSearchParams(query)}`, {
    headers: { accept: "application/protobuf" }, redirect: "error", credentials: "omit",
    signal: AbortSignal.timeout(MOST.ms) });
  if (!response.ok) throw new Later(`the node answers ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length > MOST.bytes) throw new Later("the answer is too long");
  const verified = (one) => verifyAnswer(bytes, question, { log: [readKey(one)], policy: null });
  const answer = await verified(key);
  if (next && next !== key) await verified(next).catch(() => next = undefined);
  if (answer.checkpoint.size < BigInt(size)) throw new Later("the node answers as of an older head than the page's");
  return answer;
}

/** Everything that is said of the package, by its leaf, with the names that it is about. */
async function all(key, name) {
  const prefix = nameHalf(...name), found = new Map();
  const census = await ask(key, "prefix", { prefix, bits: 128 }, [["prefix", prefix], ["bits", "128"]]);
  const by = census.census.map(({ label }) => label.slice(32));
  if (by.length > MOST.speakers) throw new Later("too many speak of it");
  for (let at = 0; at < by.length; at += MOST.at_once) {
    const some = by.slice(at, at + MOST.at_once);
    const answer = await ask(key, "batch", { names: [prefix], by: some }, [["name", prefix], ...some.map((one) => ["by", one])]);
    if (!answer.complete) throw new Later("it is too much for one answer");
    for (const one of answer.claims) found.set(one.leaf, { ...one, names: namesIn(answer.entries.get(one.leaf)) });
  }
  return found;
}

/** Whether a claim is about a version, or about its package and no version of it. */
function isAbout({ names }, [whole, version]) {
  const has = ([kind, value]) => names.some((name) => name[0] === kind && name[1] === value);
  const isOther = names.some(([kind, value]) => kind === "version" && value.startsWith(whole[1] + "@"));
  return version ? has(version) || (has(whole) && !isOther) : has(whole);
}

/** The days that a signed text names, as it spells them and in UTC. */
function daysIn(text) {
  const days = new Set();
  for (const [time, day] of text.matchAll(/(\d{4}-\d\d-\d\d)(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?/g)) {
    days.add(day);
    if (!Number.isNaN(Date.parse(time))) days.add(new Date(time).toISOString().slice(0, 10));
  }
  return days;
}

/** Refuses a line whose days or vulnerabilities are not those that were signed. */
function compare(line, { claim, leaf }) {
  const signed = JSON.stringify(claim.statement), days = daysIn(signed), lower = signed.toLowerCase();
  const says = line.querySelector(".says").textContent;
  if (line.dataset.leaf !== String(leaf)) throw new Mismatch("a statement stands at another place than the page says");
  for (const [day] of says.matchAll(/\b\d{4}-\d\d-\d\d\b/g)) {
    if (!days.has(day)) throw new Mismatch(`nobody signed the date ${day}`);
  }
  for (const [id] of says.matchAll(/\b(?:CVE|GHSA|RUSTSEC)-[0-9a-z-]+/gi)) {
    if (!lower.includes(id.toLowerCase())) throw new Mismatch(`nobody signed ${id}`);
  }
}

const counted = (count) => (count === 1 ? "1 statement" : `${count} statements`);

async function check(key) {
  const names = packageNames(purl), found = await all(key, names[0]);
  const shown = document.querySelectorAll("[data-claim]"), claims = new Map(), newer = [];
  for (const one of found.values()) if (!one.error) claims.set(one.claim.id, one);
  const listed = new Set();
  for (const line of shown) {
    const one = claims.get(line.dataset.claim);
    if (!one) throw new Mismatch("the page shows a statement that the record does not have");
    compare(line, one);
    listed.add(line.dataset.claim);
  }
  for (const [id, one] of claims) {
    if (listed.has(id) || !isAbout(one, names)) continue;
    if (one.leaf >= BigInt(size)) newer.push(id);
    else if (part !== "true") throw new Mismatch("the page leaves out a statement that the record has");
  }
  if (newer.length) return { words: `The record has ${counted(newer.length)} that this page does not have yet. Load it again to have it checked.` };
  const words = `Checked in your browser: ${counted(listed.size)}`;
  return part === "true" ? { words: words + ". The page does not show all that there are." }
    : { words: words + ", nothing left out.", isWhole: true };
}

/**
 * Returns the key that this browser has seen of the record, or the page's if it has seen none, and how to keep it. While
 * a key is replaced, pages name the next one besides, and the record is signed with both.
 */
function judgeKeys() {
  const { name } = readKey(keys[0]), place = "assay-log-key " + name;
  let seen = null;
  try {
    seen = localStorage.getItem(place);
  } catch { /* nothing is kept */ }
  const key = seen === null ? keys[0] : keys.find((one) => seen.split(" ").includes(one));
  if (!key) {
    throw new Mismatch(`it names another key of the record ${name} than your browser has seen before, ${seen}. If whoever `
      + "runs the record announced a new key, clear what your browser keeps of this site, and load the page again");
  }
  document.getElementById("key").textContent = `The key is the one of the record ${name}, by this page's own word: ${key}. `
    + (seen === null ? "Your browser has not seen it before." : "It is one that your browser has seen before.");
  return { key, keep() {
    try {
      localStorage.setItem(place, next && next !== key ? `${key} ${next}` : key);
    } catch { /* nothing is kept */ }
  } };
}

if (!globalThis.crypto?.subtle) say("Not checked in your browser: the page was loaded insecurely.");
else {
  try {
    const { key, keep } = judgeKeys(), { words, isWhole } = await check(key);
    keep();
    say(words);
    if (isWhole) place.dataset.outcome = "checked";
  } catch (error) {
    const isNobodys = error instanceof Later || error.culprit === "nobody" || error.name === "TypeError" || error.name === "TimeoutError";
    if (isNobodys) say(`Not checked in your browser: ${error.message}.`);
    else say(`Do not rely on this page. It does not match the record: ${error.message}.`, true);
  }
}
