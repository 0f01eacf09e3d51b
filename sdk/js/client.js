// Asks a node over its read API and verifies what it answers. Nothing is stored, and nobody else is
// asked. The node learns what is asked for, and whose word is trusted.

import { AssayError, CallerError, UnsupportedError, byHalf, fromBase64, internals, labelOf, nameHalf, packageNames, readAnswer,
  readKey, verifyAnswer, verifyCheckpoint } from "./verify.js";
import { claimsAbout, contradiction, isAbout, summarize, withdrawals } from "./lookup.js";
import { arePagesWhole, checkPage } from "./pages.js";
import { verifyReceipts } from "./receipt.js";

const { addList, assemble, check, decimal, equal, isHex, member, members, needMessage, refuse, text, typeOf, utf8,
  strictJson } = internals;
// Of a list: bytes, milliseconds, and pages of fewer leaves than fill half a MiB. `ahead` are
// milliseconds, and `heads` those that are remembered.
const MOST = { bytes: 16 << 20, halves: 190, names: 65_536, receipts: 1000, heads: 64, ahead: 300_000,
  list: { bytes: 64 << 20, ms: 15 * 60_000, short: 64, leaves: 8 } };
const TYPES = ["urn:assay:issuer:v1", "urn:assay:key-compromise:v1"];
const needArgument = check("argument", "caller");
// Another spelling has other labels, and of those the log proves that nothing is said.
const CANONICAL = /^pkg:[a-z][a-z0-9.+-]*(\/([A-Za-z0-9._~:-]|%[0-9A-F]{2})+)+(@([A-Za-z0-9._~:-]|%[0-9A-F]{2})+)?([?#]|$)/;
const NEEDLESS = /^[^?#]*%(2[DE]|3[0-9A]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])/;
// What types write in lower case: 1 is the namespace, 2 the name, 4 the version. Names of PyPI are folded by the index.
const LOWER = new Map(Object.entries({ alpm: 3, apk: 3, bitbucket: 3, bitnami: 2, brew: 3, "chrome-extension": 2, composer: 3,
  deb: 3, github: 3, golang: 3, hex: 3, huggingface: 4, luarocks: 7, oci: 6, otp: 2, pub: 2, qpkg: 1, rpm: 1,
  "vscode-extension": 7, yocto: 1 }));
// What else they write otherwise.
const OTHERWISE = new Map(Object.entries({ cpan: /^[^/]*[a-z][^/]*\//, golang: /^std$/, hackage: /_|%20/, pub: /[^a-z0-9_]/ }));

/** Reads the message `Answer` from protobuf's JSON: bytes in base64, numbers as text. */
export function readAnswerJson(json) {
  const field = (value, key, type, absent) => {
    const its = typeOf(value) === "object" && Object.hasOwn(value, key) ? value[key] : null;
    needMessage(its === null || typeOf(its) === type, `${key} is no ${type}`);
    return its ?? absent;
  };
  const bytes = (value) => fromBase64(value) ?? needMessage(false, "bytes are not base64");
  const encoded = (value, key) => bytes(field(value, key, "string", ""));
  // Numbers that are not safe were rounded when they were read.
  const number = (one) => (typeof one === "string" ? decimal(one)
    : Number.isSafeInteger(one) ? decimal(String(one)) : null) ?? needMessage(false, "an index is no number");
  const numbers = (value) => field(value, "leaves", "array", []).map(number);
  const lists = [];
  for (const one of field(json, "lists", "array", [])) addList(lists, encoded(one, "label"), numbers(one));
  return assemble({ checkpoint: field(json, "checkpoint", "string", ""), commitment: encoded(json, "commitment"),
    cut: encoded(json, "cut"), lists, leaves: numbers(json), entries: field(json, "entries", "array", []).map(bytes),
    inclusion: encoded(json, "inclusion"), range: encoded(json, "range") });
}

const needIssuers = (issuers) => needArgument(Array.isArray(issuers) && issuers.length && issuers.every((id) => isHex(id, [64])),
  "issuers are ids in hex; whose word counts is yours to say");

/** Whether no letter is one that is written in lower case. */
function isLower(part) {
  try {
    const text = decodeURIComponent(part);
    return !/\p{Uppercase}/u.test(text) || text === text.toLowerCase();
  } catch {
    return false;
  }
}

/** Whether a purl of this syntax is written as its type has it, as far as that is known here. */
function isOfType(purl) {
  const [, type, path, version = ""] = /^pkg:([^/]*)\/([^@?#]*)(?:@([^?#]*))?/.exec(purl), last = path.lastIndexOf("/");
  const parts = [path.slice(0, Math.max(last, 0)), path.slice(last + 1), version], lower = LOWER.get(type) ?? 0;
  // A subpath that ends in the version's major number is the path of a module.
  const major = type === "golang" ? /#(?:.*\/)?v([2-9]|[1-9][0-9]+)$/.exec(purl)?.[1] : undefined;
  const isModule = major !== undefined && (version === ""
    || (version.replace(/^v/, "").split(".")[0] === major && !version.endsWith("%2Bincompatible")));
  return !isModule && !OTHERWISE.get(type)?.test(path) && parts.every((part, at) => !(lower >> at & 1) || isLower(part));
}

/** The names that something has: `{ purl }`, `{ digest }`, `{ vuln }`, `{ claim }` or `{ issuer }`. */
function namesFor(about) {
  const kinds = ["purl", "digest", "vuln", "claim", "issuer"].filter((kind) => about[kind] !== undefined);
  needArgument(kinds.length === 1, "ask for one of purl, digest, vuln, claim and issuer");
  const [kind] = kinds, value = about[kind];
  needArgument(typeof value === "string" && value !== "", `${kind} is a text`);
  const named = kind === "purl" ? packageNames(value) : [[kind, value]];
  needArgument(named.length, "a purl begins with pkg: and has visible ASCII characters only");
  needArgument(kind !== "purl" || (CANONICAL.test(value) && !NEEDLESS.test(value) && isOfType(value)), "the purl is not in "
    + "canonical form, as in pkg:npm/%40scope/name@1.2.3: @ in a name is %40, + in a version is %2B, and some types are "
    + "written in lower case, as pkg:github/owner/name");
  return named;
}

/** The keys of the one log that is meant, with the policy's witnesses, as `trust`; and its origin. */
function ownTrust(log, policy, stated) {
  needArgument(typeof policy !== "string", "a policy is what readPolicy makes");
  const keys = [log ?? []].flat().map((one) => (typeof one === "string" ? readKey(one.trim()) : one));
  const logs = policy?.logs ?? [], origins = new Set((keys.length ? keys : logs).map(({ name }) => name));
  needArgument(origins.size > 0, "no key of a log is stated");
  needArgument(origins.size === 1 || stated !== undefined, "a Log is one log: state the key or the origin of which");
  const origin = stated ?? [...origins][0], own = (list) => list.filter(({ name }) => name === origin);
  needArgument(origins.has(origin), `no key of the log ${origin} is stated`);
  return { origin, trust: { log: own(keys), policy: policy && { ...policy, logs: own(logs) } } };
}

/**
 * One log at a node: that of its key, of the only log in a policy, or of `origin`. `log` and `policy`
 * are as in what `verifyCheckpoint` takes; `fetch`, `timeoutMs` and a clock `now` may be given.
 */
export class Log {
  /** The latest of its heads, by size. */
  #heads = new Map();
  #size = 0n;

  constructor({ url, log, policy = null, origin, fetch = globalThis.fetch, timeoutMs = 20_000, now = Date.now }) {
    needArgument(/^https?:\/\//.test(url), "the address of a node begins with https:// or http://");
    let end = url.length;
    while (url[end - 1] === "/") end--;
    Object.assign(this, { url: url.slice(0, end), ...ownTrust(log, policy, origin), fetch, timeoutMs, now });
  }

  /**
   * What each of some issuers said about something: claims that are proven to be in the log and whose
   * signatures hold, each with the standing of its signers, by the records that they have in the log.
   * `complete`: nothing that these issuers said about it was left out, as of `asOf`. What an issuer
   * declared of its keys is in `compromises` and `compromisedKeys`, and `withdrawn` has the leaves of
   * claims that their own issuers withdrew.
   */
  async lookup({ issuers, ...about } = {}) {
    needIssuers(issuers);
    const named = namesFor(about), isIssuer = named[0][0] === "issuer";
    const names = named.map(([kind, value]) => nameHalf(kind, value));
    const by = isIssuer ? TYPES.map((type) => byHalf("issuer", type)) : issuers.map((id) => byHalf("", id));
    const answers = await this.#ask(names, by);
    if (isIssuer) return { ...summarize(answers, [], named, null), withdrawn: new Set() };
    const records = await this.#records(issuers);
    return this.#withWithdrawals(summarize(answers, records, named, issuers), records, issuers);
  }

  /** Marks claims that their own issuers withdrew, for which it asks. */
  async #withWithdrawals(found, records, issuers) {
    const targets = [...new Set(found.claims.map(({ claim }) => claim.id))].map((id) => ["claim", id]);
    if (!targets.length) return { ...found, withdrawn: new Set() };
    const replies = await this.#ask(targets.map(([kind, id]) => nameHalf(kind, id)), issuers.map((id) => byHalf("", id)));
    // With what was answered before: two entries at one leaf are two histories.
    const said = summarize(replies, [...records, ...found.answers], targets, issuers);
    return { ...found, complete: said.complete, asOf: said.asOf,
      checkpoints: [...found.checkpoints, ...replies.map((answer) => answer.checkpoint)],
      withdrawn: withdrawals(found.claims, said.claims) };
  }

  /**
   * The same about many packages: `about` has for each purl the claims about that version, and those about
   * its package and no version. With `isPrivate` the node is told at most 12 bits of each package's name, and sends what is said of all
   * others whose names begin so; of claims that are found it then is asked whether they were withdrawn.
   */
  async lookupAll({ purls, issuers, isPrivate = false } = {}) {
    needIssuers(issuers);
    needArgument(Array.isArray(purls) && purls.length > 0 && purls.length <= MOST.names, "purls are a list");
    const named = new Map(purls.map((purl) => [purl, namesFor({ purl })]));
    const packages = [...new Set([...named.values()].map(([[, value]]) => value))].map((value) => ["package", value]);
    const halves = packages.map(([kind, value]) => nameHalf(kind, value)), by = issuers.map((id) => byHalf("", id));
    const answers = await (isPrivate ? this.#askCrowds(halves, by) : this.#ask(halves, by));
    const records = await this.#records(issuers), found = summarize(answers, records, packages, issuers);
    return { ...await this.#withWithdrawals(found, records, issuers), about: claimsAbout(found, named, issuers) };
  }

  #records(issuers) {
    return this.#ask(issuers.map((id) => nameHalf("issuer", id)), TYPES.map((type) => byHalf("issuer", type)));
  }

  /** What is said of all names that begin like some, as far as the node is told how. */
  async #askCrowds(names, by) {
    const answers = [];
    needArgument(by.length < MOST.halves, "too much is asked at once");
    for (const first of [...new Set(names.map((name) => name.slice(0, 3)))].sort()) {
      const prefix = first + "0", question = { prefix, bits: 12, by };
      answers.push(await this.#fresh(async () =>
        verifyAnswer(await this.#get("prefix", { prefix, bits: "12", by }), question, this.trust)));
    }
    return answers;
  }

  /** The records of an issuer and its declarations of keys that are not to be trusted. */
  async issuer(id) { return this.lookup({ issuer: id, issuers: [id] }); }

  /** How many claims each label of a name has: who speaks of it, by the halves of labels. */
  async census(about) {
    const [kind, value] = namesFor(about).at(-1), prefix = nameHalf(kind, value);
    return this.#fresh(async () =>
      verifyAnswer(await this.#get("prefix", { prefix, bits: "128" }), { prefix, bits: 128 }, this.trust));
  }

  /**
   * A whole list that is too long for an answer, page by page: what `by` said about a name. The pages
   * have all entries of the list whose names are that in full.
   */
  async list({ by, ...about }) {
    const [kind, value] = namesFor(about).at(-1), label = labelOf(kind, value, by), pages = [];
    const until = this.now() + MOST.list.ms, isOurs = (entry) => isAbout(entry, [[kind, value]], [by]);
    let bytes = 0, short = 0, from = 0n;
    const need = check("unavailable", "nobody");
    const ask = async () => {
      const encoded = await this.#get("lookup", { label, from: String(from) }), answer = readAnswer(encoded);
      need((bytes += encoded.length) <= MOST.list.bytes, "the list takes more memory than is set aside");
      return checkPage(await verifyCheckpoint(answer.checkpoint, this.trust), label, from, answer);
    };
    for (;;) {
      const page = await this.#fresh(ask);
      check("entries")(!page.missing.length, `leaf ${page.missing[0]} is listed, and its entry is withheld`);
      pages.push(page);
      from += BigInt(page.leaves.length);
      if (!page.list || from >= page.list.length) break;
      need((short += page.leaves.length < MOST.list.leaves) <= MOST.list.short, "the list comes in too short pages");
      need(this.now() <= until, "the list takes too long");
    }
    check("lists")(arePagesWhole(pages), "the pages are not the list that the index has");
    return pages.map((page) => ({ ...page, entries: new Map([...page.entries].filter(([, entry]) => isOurs(entry))) }));
  }

  /**
   * The receipt of a claim with those of its issuers' records, verified, and its files to keep. Whoever signs the
   * same statement makes a claim of the same id: without `leaf`, it is the first one's.
   */
  async receipt(claimId, { leaf } = {}) {
    needArgument(isHex(claimId, [64]), "a claim's id has 64 hex digits");
    needArgument(leaf === undefined || /^\d{1,20}$/.test(String(leaf)), "a leaf is a number, from 0 on");
    const which = leaf === undefined ? {} : { leaf: String(leaf) };
    const { value } = strictJson(await this.#get("receipt/" + claimId, which, "application/json"), needMessage);
    const records = members(value, "issuers");
    needMessage(records.length <= MOST.receipts, "the node sends too many records of issuers");
    const files = [value, ...records].map((one) => ({
      envelope: utf8(member(one, "envelope", "string") ?? ""), proof: utf8(member(one, "proof", "string") ?? "") }));
    const [receipt] = await verifyReceipts(files, this.trust);
    if (receipt.verdict === "refused") throw receipt.error;
    check("match")(receipt.claim.id === claimId, "this is the receipt of another claim");
    check("match")(leaf === undefined || receipt.leaf === BigInt(leaf), "this is the receipt of another leaf");
    this.#compare(receipt.checkpoint);
    return { ...receipt, files };
  }

  /** The log's latest checkpoint, verified. */
  async checkpoint() {
    const { checkpoint } = await this.#fresh(async () => {
      const note = text(await this.#get("checkpoint", {}, "text/plain"));
      const checkpoint = await verifyCheckpoint(note ?? "", this.trust);
      return { checkpoint, committedAt: (checkpoint.cosignedAt ?? 0n) * 1000n };
    });
    return checkpoint;
  }

  /** Answers to as many questions as their addresses have to be. */
  async #ask(names, by) {
    needArgument(names.length + by.length <= MOST.names && by.length < MOST.halves, "too much is asked at once");
    const each = MOST.halves - by.length, answers = [];
    for (let at = 0; at < names.length; at += each) {
      answers.push(...await this.#askSome(names.slice(at, at + each), by));
    }
    return answers;
  }

  /** One answer, or several if the node says that it would be too large. */
  async #askSome(names, by) {
    try {
      return [await this.#fresh(async () =>
        verifyAnswer(await this.#get("batch", { name: names, by }), { names, by }, this.trust))];
    } catch (error) {
      if (error.code !== "OUT_OF_RANGE" || names.length + by.length === 2) throw error;
    }
    const answers = [], whole = names.length > 1 ? names : by, middle = whole.length >> 1;
    for (const part of [whole.slice(0, middle), whole.slice(middle)]) {
      answers.push(...await (whole === names ? this.#askSome(part, by) : this.#askSome(names, part)));
    }
    return answers;
  }

  /**
   * What comes of asking, unless it is as of an older head than was seen before it was asked for, or
   * of one from the future, which would look fresh for longer than it is.
   */
  async #fresh(ask) {
    const least = this.#size, answer = await ask(), { checkpoint, committedAt } = answer;
    this.#compare(checkpoint);
    check("unavailable")(checkpoint.size >= least,
      `the node answers as of an older head, of size ${checkpoint.size}, than was seen before, of size ${least}`);
    check("time", "nobody")(committedAt <= BigInt(Math.floor(this.now()) + MOST.ahead),
      "the log's head is dated in the future: its clock is wrong, or that of this machine");
    if (checkpoint.size > this.#size) this.#size = checkpoint.size;
    return answer;
  }

  /** Two heads of one size with different roots: the log signed two histories. */
  #compare(checkpoint) {
    const { size, root } = checkpoint, other = this.#heads.get(size);
    if (other && !equal(other.root, root)) {
      throw contradiction("the log signed two different trees of one size", other, checkpoint);
    }
    if (!other) this.#heads.set(size, checkpoint);
    if (this.#heads.size > MOST.heads) this.#heads.delete(this.#heads.keys().next().value);
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
      refuse("unavailable", "the node cannot be reached: " + reason(error), "nobody", error);
    }
    const bytes = await bounded(response);
    if (response.status !== 200) refused(response, bytes);
    const type = (response.headers.get("content-type") ?? "").toLowerCase();
    check("message")(type.startsWith(accept), "something else answers in place of a log");
    return bytes;
  }
}

/** The body of a response, as far as is read of any. */
async function bounded(response) {
  const reader = response.body?.getReader();
  // It may come byte by byte.
  let bytes = new Uint8Array(1 << 16), length = 0;
  try {
    for (let part; reader && !(part = await reader.read()).done;) {
      const end = length + part.value.length;
      if (end > MOST.bytes) {
        await reader.cancel();
        refuse("message", "the answer is too long");
      }
      if (end > bytes.length) {
        const larger = new Uint8Array(Math.max(2 * bytes.length, end));
        larger.set(bytes);
        bytes = larger;
      }
      bytes.set(part.value, length);
      length = end;
    }
  } catch (error) {
    if (error instanceof AssayError) throw error;
    refuse("unavailable", "the answer broke off: " + reason(error), "nobody", error);
  }
  return bytes.slice(0, length);
}

/** Why a request failed. Engines keep it in the cause: a name, a port, a certificate, a redirect. */
const reason = ({ message, cause }) => (cause?.message ? `${message}: ${cause.message}` : message).slice(0, 300);

/** Says what a node that answers no says, in a line of plain text, and when to try again. */
function refused(response, bytes) {
  const { status } = response, wait = /^\d{1,9}$/.exec(response.headers.get("retry-after") ?? "");
  let problem = null;
  try { problem = strictJson(bytes).value; } catch { /* not the node's words */ }
  const detail = (member(problem, "detail", "string") ?? "").replace(/\p{C}/gu, " ").slice(0, 300);
  const isCallers = status >= 400 && status < 500 && ![408, 425, 429].includes(status) && problem;
  const text = `the node answers ${status}: ${detail || "no reason given"}`;
  if (isCallers) throw Object.assign(new CallerError("refused", text), { code: member(problem, "code", "string") });
  const error = new UnsupportedError("unavailable", wait ? `${text}; try again in ${wait[0]} seconds` : text);
  throw wait ? Object.assign(error, { retryAfter: Number(wait[0]) }) : error;
}
