// Asks a node over its read API and verifies what it answers. Nothing is stored, and nobody else is
// asked. The node learns what is asked for, and whose word is trusted.

import { AssayError, byHalf, fromBase64, internals, labelOf, nameHalf, packageNames, readAnswer, verifyAnswer,
  verifyCheckpoint } from "./verify.js";
import { judgeIssuers } from "./issuers.js";
import { arePagesWhole, checkPage } from "./pages.js";
import { verifyReceipts } from "./receipt.js";

const { addList, assemble, check, decimal, equal, isHex, member, members, needMessage, refuse, text, utf8,
  strictJson } = internals;
const MOST = { bytes: 16 << 20, halves: 190, pages: 10_000, names: 65_536 };
const TYPES = ["urn:assay:issuer:v1", "urn:assay:key-compromise:v1"];
const needArgument = check("argument", "caller");

/** Reads the message `Answer` from protobuf's JSON: bytes in base64, numbers as text. */
export function readAnswerJson(json) {
  const bytes = (value) => fromBase64(value) ?? needMessage(false, "bytes are not base64");
  const field = (key) => bytes(member(json, key, "string") ?? "");
  const numbers = (value) => members(value, "leaves").map((one) =>
    decimal(String(one)) ?? needMessage(false, "an index is no number"));
  const lists = [];
  for (const one of members(json, "lists")) addList(lists, bytes(member(one, "label", "string") ?? ""), numbers(one));
  return assemble({ checkpoint: member(json, "checkpoint", "string") ?? "", commitment: field("commitment"),
    cut: field("cut"), lists, leaves: numbers(json), entries: members(json, "entries").map(bytes),
    inclusion: field("inclusion"), range: field("range") });
}

/** The names that something has: `{ purl }`, `{ digest }`, `{ vuln }`, `{ claim }` or `{ issuer }`. */
function namesFor(about) {
  const kinds = ["purl", "digest", "vuln", "claim", "issuer"].filter((kind) => about[kind] !== undefined);
  needArgument(kinds.length === 1, "ask for one of purl, digest, vuln, claim and issuer");
  const [kind] = kinds, value = about[kind];
  needArgument(typeof value === "string" && value !== "", `${kind} is a text`);
  const named = kind === "purl" ? packageNames(value) : [[kind, value]];
  needArgument(named.length, "a purl begins with pkg: and has visible ASCII characters only");
  return named;
}

/** A log at a node. `trust` is what `verifyCheckpoint` takes; `fetch` and `timeoutMs` may be given. */
export class Log {
  #last = null;

  constructor({ url, log, policy, fetch = globalThis.fetch, timeoutMs = 20_000 }) {
    needArgument(/^https?:\/\//.test(url), "the address of a node begins with https:// or http://");
    Object.assign(this, { url: url.replace(/\/+$/, ""), trust: { log, policy }, fetch, timeoutMs });
  }

  /**
   * What each of some issuers said about something: claims that are proven to be in the log and whose
   * signatures hold, each with the standing of its signers, by the records that they have in the log.
   * `complete`: nothing that these issuers said about it was left out, as of `asOf`.
   */
  async lookup({ issuers, ...about }) {
    needArgument(Array.isArray(issuers) && issuers.length && issuers.every((id) => isHex(id, [64])),
      "issuers are ids in hex; whose word counts is yours to say");
    const named = namesFor(about), isIssuer = named[0][0] === "issuer";
    const names = named.map(([kind, value]) => nameHalf(kind, value));
    const by = isIssuer ? TYPES.map((type) => byHalf("issuer", type)) : issuers.map((id) => byHalf("", id));
    const answers = await this.#ask(names, by);
    const records = isIssuer ? [] : await this.#ask(issuers.map((id) => nameHalf("issuer", id)),
      TYPES.map((type) => byHalf("issuer", type)));
    return summary(answers, records, isIssuer ? null : { issuers, named });
  }

  /** The records of an issuer and its declarations of keys that are not to be trusted. */
  async issuer(id) { return this.lookup({ issuer: id, issuers: [id] }); }

  /** How many claims each label of a name has: who speaks of it, by the halves of labels. */
  async census(about) {
    const [kind, value] = namesFor(about).at(-1), prefix = nameHalf(kind, value);
    const bytes = await this.#get("prefix", { prefix, bits: "128" });
    return this.#seen(await verifyAnswer(bytes, { prefix, bits: 128 }, this.trust));
  }

  /** A whole list that is too long for an answer, page by page: what `by` said about a name. */
  async list({ by, ...about }) {
    const [kind, value] = namesFor(about).at(-1), label = labelOf(kind, value, by), pages = [];
    for (let from = 0n; pages.length < MOST.pages;) {
      const answer = readAnswer(await this.#get("lookup", { label, from: String(from) }));
      const page = checkPage(await verifyCheckpoint(answer.checkpoint, this.trust), label, from, answer);
      pages.push(this.#seen(page));
      from += BigInt(page.leaves.length);
      if (!page.list || from >= page.list.length) break;
    }
    check("lists")(arePagesWhole(pages), "the pages are not the list that the index has");
    return pages;
  }

  /** The receipt of a claim with those of its issuers' records, verified, and its files to keep. */
  async receipt(claimId) {
    needArgument(isHex(claimId, [64]), "a claim's id has 64 hex digits");
    const { value } = strictJson(await this.#get("receipt/" + claimId, {}, "application/json"));
    const files = [value, ...members(value, "issuers")].map((one) => ({
      envelope: utf8(member(one, "envelope", "string") ?? ""), proof: utf8(member(one, "proof", "string") ?? "") }));
    const [receipt] = await verifyReceipts(files, this.trust);
    if (receipt.verdict === "refused") throw receipt.error;
    check("match")(receipt.claim.id === claimId, "this is the receipt of another claim");
    return { ...receipt, files };
  }

  /** The log's latest checkpoint, verified. */
  async checkpoint() {
    const note = text(await this.#get("checkpoint", {}, "text/plain"));
    return this.#seen({ checkpoint: await verifyCheckpoint(note ?? "", this.trust) }).checkpoint;
  }

  /** Answers to as many questions as their addresses have to be. */
  async #ask(names, by) {
    needArgument(names.length + by.length <= MOST.names && by.length < MOST.halves, "too much is asked at once");
    const each = MOST.halves - by.length, answers = [];
    for (let at = 0; at < names.length; at += each) {
      const question = { names: names.slice(at, at + each), by };
      const bytes = await this.#get("batch", { name: question.names, by });
      answers.push(this.#seen(await verifyAnswer(bytes, question, this.trust)));
    }
    return answers;
  }

  /** Two heads of one size with different roots: the log signed two histories. */
  #seen(answer) {
    const { checkpoint } = answer, last = this.#last;
    if (last?.size === checkpoint.size && !equal(last.root, checkpoint.root)) {
      try { refuse("fork", "the log signed two different trees of one size", "log"); } catch (error) {
        throw Object.assign(error, { notes: [last.note, checkpoint.note] });
      }
    }
    if (!last || last.size < checkpoint.size) this.#last = checkpoint;
    return answer;
  }

  async #get(route, parameters, accept = "application/protobuf") {
    const query = new URLSearchParams();
    for (const [key, values] of Object.entries(parameters)) for (const one of [values].flat()) query.append(key, one);
    const address = `${this.url}/api/v1/${route}${query.size ? "?" + query : ""}`;
    let response;
    try {
      response = await this.fetch.call(globalThis, address, { headers: { accept }, redirect: "error",
        credentials: "omit", referrerPolicy: "no-referrer", signal: AbortSignal.timeout(this.timeoutMs) });
    } catch (error) {
      refuse("unavailable", "the node cannot be reached: " + error.message, "nobody", error);
    }
    const bytes = await bounded(response);
    if (response.status !== 200) refused(response.status, bytes);
    const type = response.headers.get("content-type") ?? "";
    check("message")(type.startsWith(accept), "something else answers in place of a log");
    return bytes;
  }
}

/** What answers say together. */
function summary(answers, records, asked) {
  const claims = answers.flatMap((answer) => answer.claims), others = records.flatMap((answer) => answer.claims);
  const distinct = new Map([...others, ...claims].map((one) => [String(one.leaf), one]));
  const sound = [...distinct.values()].filter((one) => !one.error), standings = judgeIssuers(sound);
  const standingOf = (one) => standings[sound.findIndex((other) => other.leaf === one.leaf)];
  const isAsked = (one) => !asked || one.claim.signers.some(({ issuer }) => asked.issuers.includes(issuer));
  const leaves = [...new Set(claims.map((one) => one.leaf))].map((leaf) => claims.find((one) => one.leaf === leaf));
  return {
    complete: [...answers, ...records].every((answer) => answer.complete),
    asOf: answers.map((answer) => answer.asOf).reduce((a, b) => (a < b ? a : b)),
    checkpoints: answers.map((answer) => answer.checkpoint),
    // Halves of ids select; whose claim it is is read from the claim.
    claims: leaves.filter((one) => !one.error && isAsked(one)).map((one) => ({ ...one, ...standingOf(one) })),
    refused: leaves.filter((one) => one.error),
    answers,
  };
}

/** The body of a response, as far as is read of any. */
async function bounded(response) {
  const parts = [], reader = response.body?.getReader();
  let length = 0;
  try {
    for (let part; reader && !(part = await reader.read()).done;) {
      length += part.value.length;
      if (length > MOST.bytes) {
        await reader.cancel();
        refuse("message", "the answer is too long");
      }
      parts.push(part.value);
    }
  } catch (error) {
    if (error instanceof AssayError) throw error;
    refuse("unavailable", "the answer broke off: " + error.message, "nobody", error);
  }
  return internals.concat(...parts);
}

/** Says what a node that answers no says, in a line of plain text. */
function refused(status, bytes) {
  let problem = null;
  try { problem = strictJson(bytes).value; } catch { /* not the node's words */ }
  const detail = (member(problem, "detail", "string") ?? "").replace(/\p{C}/gu, " ").slice(0, 300);
  const isCallers = status >= 400 && status < 500 && ![408, 425, 429].includes(status) && problem;
  refuse(isCallers ? "refused" : "unavailable", `the node answers ${status}: ${detail || "no reason given"}`,
    isCallers ? "caller" : "nobody");
}
