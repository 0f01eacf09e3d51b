// Assay's verifier: one ES module without dependencies. It trusts keys and policies that its caller
// states; what a node says is bytes to check. § are sections of docs/index.md; docs/design.md has the
// rest. License: Apache-2.0. What a log counts is a BigInt; labels and ids are lower-case hex. Not
// checked: ML-DSA-44 (never counted), whether purls are canonical, predicates.

// --- Errors: `kind` is the check that failed, `culprit` who is to blame

export class AssayError extends Error {
  constructor(kind, message, cause) {
    super(message, cause && { cause });
    this.name = this.constructor.name;
    this.kind = kind;
  }
}
export class LogError extends AssayError { culprit = "log"; }
export class WitnessError extends AssayError { culprit = "witness"; }
/** Whoever served it, or somebody on the way. */
export class ServerError extends AssayError { culprit = "server"; }
export class IssuerError extends AssayError { culprit = "issuer"; }
export class CallerError extends AssayError { culprit = "caller"; }
/** Nobody: this program or engine cannot tell, or nobody answers. */
export class UnsupportedError extends AssayError { culprit = "nobody"; }

const BLAMED = { log: LogError, witness: WitnessError, server: ServerError, issuer: IssuerError,
  caller: CallerError, nobody: UnsupportedError };
const refuse = (kind, message, culprit = "server", cause) => {
  throw new BLAMED[culprit](kind, message, cause);
};
const check = (kind, culprit) => (holds, message) => { if (!holds) refuse(kind, message, culprit); };
// --- Limits, met before anything is allocated ---

const LIMITS = { answer: 64 << 20, entry: 65_535, payload: 32_768, signatures: 16, note: 1 << 20,
  lines: 100, depth: 32, subjects: 1024, whole: 10_000n, listed: 4_194_304n, brought: 1000 };
const U64 = 1n << 64n;

// --- Bytes

const utf8 = (text) => new TextEncoder().encode(text);
const text = (bytes) => {
  try { return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes); }
  catch { return null; }
};
const join = (parts) => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { out.set(part, at); at += part.length; }
  return out;
};
const concat = (...parts) => join(parts);
const equal = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
export const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
/** The bytes of lower-case hex, or null. */
export const fromHex = (hex) => hex.length % 2 === 0 && /^[0-9a-f]*$/.test(hex)
  ? Uint8Array.from({ length: hex.length / 2 }, (_, i) => parseInt(hex.substr(2 * i, 2), 16)) : null;
export const toBase64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
/** The bytes of base64 in its one spelling, or null. */
export const fromBase64 = (encoded) => {
  try {
    const bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
    return toBase64(bytes) === encoded ? bytes : null;
  } catch { return null; }
};
const u64be = (n) => { const b = new Uint8Array(8); new DataView(b.buffer).setBigUint64(0, n); return b; };
const fromU64be = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
// --- SHA-256 (FIPS 180-4): proofs take thousands, and Web Crypto's is asynchronous ---

const PRIMES = [2];
for (let n = 3; PRIMES.length < 64; n += 2) if (PRIMES.every((prime) => n % prime)) PRIMES.push(n);
const fraction = (root) => ((root % 1) * 2 ** 32) | 0;
const START = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
const K = PRIMES.map((prime) => fraction(Math.cbrt(prime)));
const turn = (x, n) => (x >>> n) | (x << (32 - n));

export function sha256(...parts) {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const data = concat(...parts, [0x80], new Uint8Array((119 - (length % 64)) % 64), u64be(BigInt(length) * 8n));
  const view = new DataView(data.buffer), state = Int32Array.from(START), w = new Int32Array(64);
  for (let at = 0; at < data.length; at += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
    for (let i = 16; i < 64; i++) {
      const a = w[i - 15], b = w[i - 2];
      const s0 = turn(a, 7) ^ turn(a, 18) ^ (a >>> 3), s1 = turn(b, 17) ^ turn(b, 19) ^ (b >>> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25), s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
      const t = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      h = g; g = f; f = e; e = (d + t) | 0;
      const u = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      d = c; c = b; b = a; a = (t + u) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => { state[i] += word; });
  }
  const out = new Uint8Array(32), bytes = new DataView(out.buffer);
  state.forEach((word, i) => bytes.setInt32(4 * i, word));
  return out;
}

// --- Ed25519, strictly
// Engines disagree about crafted ones. So y < p and no small order of A and R, and S < L, are checked
// here. That the engine checks the equation without the cofactor, ed25519.js tests, or does it itself.

const P = 2n ** 255n - 19n, L = 2n ** 252n + 27742317777372353535851937790883648493n;
const Y8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
/** The y of the points of small order. */
const SMALL = [0n, 1n, P - 1n, Y8, P - Y8];
const little = (bytes) => BigInt("0x" + toHex(Uint8Array.from(bytes).reverse()));
const yOf = (point) => little(point) & (2n ** 255n - 1n);
const isSound = (point) => { const y = yOf(point); return y < P && !SMALL.includes(y); };

async function engineHolds(key, message, signature) {
  const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]).catch(({ name }) =>
    name === "NotSupportedError" && refuse("engine", "this engine has no Ed25519; see ed25519.js", "nobody"));
  return imported !== false && crypto.subtle.verify("Ed25519", imported, signature, message);
}

let equation = engineHolds, isPoint = () => true;
export const useEquation = (holds, isOnCurve = isPoint) => { equation = holds; isPoint = isOnCurve; };

/** Whether 64 bytes are the key's signature on the message, by the strict rules. */
export async function verifyEd25519(key, message, signature) {
  if (key.length !== 32 || signature.length !== 64) return false;
  if (!isSound(key) || !isSound(signature.subarray(0, 32))) return false;
  if (little(signature.subarray(32)) >= L) return false;
  if (!globalThis.crypto?.subtle) refuse("engine", "not checked: this page was loaded insecurely", "nobody");
  return equation(key, message, signature);
}

// --- Notes, keys, checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature)

const ED25519 = 1, COSIGNATURE = 4, ML_DSA_44 = 6;
const isKeyName = (name) => name !== "" && !/[\p{White_Space}\p{Cc}+]/u.test(name);
const decimal = (digits) => /^(?:0|[1-9][0-9]{0,19})$/.test(digits) && BigInt(digits) < U64
  ? BigInt(digits) : null;
const needKey = check("key", "caller");

/** Reads a verifier key, `name+id+base64`. Blames the caller. */
export function readKey(vkey) {
  const [, name, id, encoded] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/su.exec(vkey) ?? [];
  const material = fromBase64(encoded);
  needKey(material?.length > 1, "a key is name+id+base64");
  needKey(isKeyName(name), "the key has no sound name");
  const type = material[0], key = material.subarray(1);
  needKey([ED25519, COSIGNATURE, ML_DSA_44].includes(type), "the key has another type");
  needKey(key.length === (type === ML_DSA_44 ? 1312 : 32), "the key has another length");
  needKey(type === ML_DSA_44 || (isSound(key) && isPoint(key)), "the key is not sound");
  needKey(toHex(sha256(utf8(name + "\n"), material).subarray(0, 4)) === id, "the key has another id");
  return { name, id, type, key, vkey };
}

const needNote = check("checkpoint");

function readNote(note) {
  const bytes = typeof note === "string" ? utf8(note) : note;
  needNote(bytes.length <= LIMITS.note, "the note is too long");
  const all = text(bytes), end = all?.lastIndexOf("\n\n") ?? -1;
  needNote(all !== null && !/[\0-\x09\x0b-\x1f]/.test(all), "the note is no plain text");
  needNote(end >= 0 && all.endsWith("\n") && end + 2 < all.length, "the note has no signatures");
  const body = all.slice(0, end + 1), lines = all.slice(end + 2, -1).split("\n");
  needNote(lines.length <= LIMITS.lines, "there are too many signatures");
  const seen = new Set();
  const signatures = lines.map((line) => {
    const [, name, encoded] = /^— ([^ ]*) (.*)$/u.exec(line) ?? [];
    const blob = name !== undefined && isKeyName(name) ? fromBase64(encoded) : null;
    needNote(blob?.length > 4, "a line is no signature");
    const id = toHex(blob.subarray(0, 4)), who = name + "+" + id;
    needNote(!seen.has(who), "a key has two signatures");
    seen.add(who);
    return { name, id, signature: blob.subarray(4) };
  });
  return { note: all, body, signatures };
}

function readBody(body) {
  const lines = body.split("\n");
  needNote(lines.length === 4, "a checkpoint has three lines");
  const [origin, digits, encoded] = lines, size = decimal(digits), root = fromBase64(encoded);
  needNote(origin !== "" && !/\p{Cc}/u.test(origin), "there is no origin");
  needNote(size !== null, "the size is no decimal number");
  needNote(root?.length === 32, "the root is not the base64 of 32 bytes");
  return { origin, size, root };
}

/** When a signature was made, null if it does not say; undefined if it is wrong. */
async function signedAt({ type, key }, body, signature) {
  if (type === ED25519) return await verifyEd25519(key, utf8(body), signature) ? null : undefined;
  if (signature.length !== 72) return undefined;
  const time = fromU64be(signature);
  if (time >= 1n << 63n) return undefined;
  const message = utf8(`cosignature/v1\ntime ${time}\n${body}`);
  return await verifyEd25519(key, message, signature.subarray(8)) ? time : undefined;
}

/**
 * Verifies a checkpoint's note: a log of `trust` signed it under its origin, no signature by a known
 * key is wrong, and the policy's quorum cosigned it. `trust` is `{ log, policy }`: verifier keys of
 * logs; what `readPolicy` (policy.js) makes of a policy; or both.
 */
export async function verifyCheckpoint(note, trust) {
  const { checkpoint, quorum } = await openCheckpoint(note, trust);
  check("witnesses", "witness")(quorum.met, "too few witnesses cosigned; missing: " + quorum.missing.join(", "));
  return checkpoint;
}

async function openCheckpoint(note, trust) {
  const { keys: logs, policy } = readTrust(trust);
  const read = readNote(note), stated = readBody(read.body);
  const ours = logs.filter((key) => key.name === stated.origin);
  if (!ours.length) refuse("log", `no key of the log ${stated.origin} is stated`, "caller");
  const known = [...ours.map((key) => ({ key })), ...(policy?.witnesses ?? [])], times = new Map();
  let isSigned = false, unchecked = 0;
  for (const { name, key } of known) {
    const line = read.signatures.find((one) => one.name === key.name && one.id === key.id);
    if (line && key.type === ML_DSA_44) unchecked++;
    if (!line || key.type === ML_DSA_44) continue;
    const time = await signedAt(key, read.body, line.signature);
    if (time === undefined) refuse(name ? "witnesses" : "checkpoint", `the signature by ${key.name} is wrong`);
    if (name) times.set(name, time); else isSigned = true;
  }
  check("checkpoint", ours.every((key) => key.type === ML_DSA_44) ? "nobody" : "server")(isSigned,
    "no key that is checked here signed for the log");
  const { cosignedAt, ...quorum } = judgeQuorum(policy, times), witnesses = [...times.keys()];
  return { quorum, checkpoint: { ...stated, note: read.note, witnesses, unchecked, cosignedAt } };
}

function judgeQuorum(policy, times) {
  if (!policy?.quorum) return { met: true, missing: [], cosignedAt: null };
  const met = ({ name, members, threshold }, since) => members
    ? members.filter((one) => met(one, since)).length >= threshold : times.get(name) >= since;
  const missing = policy.witnesses.map(({ name }) => name).filter((name) => !times.has(name));
  const since = [...times.values()].filter((time) => met(policy.quorum, time));
  return { met: since.length > 0, missing, cosignedAt: since.reduce((a, b) => (a > b ? a : b), null) };
}

function readTrust({ log = [], policy = null } = {}) {
  needKey(typeof policy !== "string", "a policy is what readPolicy makes");
  const logs = policy?.logs ?? [], keys = [...logs];
  for (const one of [log].flat()) {
    const key = typeof one === "string" ? readKey(one.trim()) : one;
    needKey(key.type !== COSIGNATURE, "this key is a witness's");
    const known = logs.filter(({ name }) => name === key.name), isKnown = known.some(({ vkey }) => vkey === key.vkey);
    needKey(isKnown || !known.length, `two different keys are stated of the log ${key.name}`);
    if (!isKnown) keys.push(key);
  }
  needKey(keys.length, "no key of a log is stated");
  return { keys, policy };
}

// --- The log's tree (§2, 7): RFC 6962

const tagged = (tag) => (...parts) => sha256([tag], ...parts);
export const leafHash = tagged(0x00);
const nodeHash = tagged(0x01), listLeaf = tagged(0x13), listNode = tagged(0x14);

const ascend = (indices) => indices.every((index, i) => !i || indices[i - 1] < index);
const split = (count) => 1n << BigInt((count - 1n).toString(2).length - 1);

/** The root that a multiproof of leaves, pairs of index and hash, leads to (§7). */
function multiproofRoot(size, leaves, proof, need, node = nodeHash) {
  need(leaves.length, "there is no leaf to be proven");
  need(ascend(leaves.map(([index]) => index)), "the leaves are not ascending");
  need(leaves[0][0] >= 0n && leaves.at(-1)[0] < size, "the tree has no such leaf");
  let used = 0;
  const climb = (low, high, first, last) => {
    if (first === last) {
      need(used < proof.length, "the proof has too few hashes");
      return proof[used++];
    }
    if (high - low === 1n) return leaves[first][1];
    const middle = low + split(high - low);
    let at = first, end = last;
    while (at < end) {
      const half = (at + end) >> 1;
      if (leaves[half][0] < middle) at = half + 1; else end = half;
    }
    const left = climb(low, middle, first, at);
    return node(left, climb(middle, high, at, last));
  };
  const root = climb(0n, size, 0, leaves.length);
  need(used === proof.length, "the proof has too many hashes");
  return root;
}

/** Refuses unless leaves, pairs of index and hash, stand in the tree of this size and root. */
export function checkMultiproof(size, root, leaves, proof) {
  const need = check("inclusion");
  need(equal(multiproofRoot(size, leaves, proof, need), root), "the proof leads to another root");
}

/** The root of a label's list (§4). */
export function listRoot(indices) {
  let level = indices.map((index) => listLeaf(u64be(index)));
  if (!level.length) return sha256();
  while (level.length > 1) {
    level = Array.from({ length: (level.length + 1) >> 1 }, (_, i) =>
      2 * i + 1 < level.length ? listNode(level[2 * i], level[2 * i + 1]) : level[2 * i]);
  }
  return level[0];
}

// --- Protobuf

function varints(bytes, need, isCanonical) {
  const from = { at: 0, next() {
    let low = 0, high = 0n;
    for (let i = 0; i < 10; i++) {
      need(from.at < bytes.length, "it ends inside a number");
      const byte = bytes[from.at++];
      if (i < 7) low += (byte & 0x7f) * 2 ** (7 * i); else high |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte > 0x7f) continue;
      need(byte || !i || !isCanonical, "a number has bytes too many");
      need(high < U64, "a number is too large");
      return high | BigInt(low);
    }
    return need(false, "a number is too long");
  } };
  return from;
}

/** The fields of a message: number, value, and whether it is bytes; undefined for fixed width. */
function* fieldsOf(bytes, need, isCanonical) {
  const from = varints(bytes, need, isCanonical);
  while (from.at < bytes.length) {
    const key = from.next(), field = Number(key >> 3n), type = Number(key & 7n), fixed = { 1: 8n, 5: 4n }[type];
    need(key < 1n << 32n && field > 0, "a field has no number");
    need(type === 0 || type === 2 || (fixed && !isCanonical), "a field has another type");
    const value = fixed ?? from.next();
    if (type === 0) { yield [field, value, false]; continue; }
    need(value <= BigInt(bytes.length - from.at), "it ends inside a field");
    yield [field, bytes.subarray(from.at, from.at += Number(value)), fixed ? undefined : true];
  }
}

/** Reads a message of these fields in its one spelling. */
function canonical(bytes, need, numbers, texts, repeated) {
  const found = {};
  let last = 0;
  for (const [field, value, isText] of fieldsOf(bytes, need, true)) {
    need(field > last || (field === last && field === repeated), "a field is out of its place");
    need((isText ? texts : numbers).includes(field), "a field is unknown");
    need(isText || value, "a zero is spelled out");
    if (field === repeated) {
      (found[field] ??= []).push(value);
      need(found[field].length <= LIMITS.signatures, "there are too many signatures");
    } else found[field] = value;
    last = field;
  }
  return found;
}

const PAYLOAD_TYPE = "application/vnd.in-toto+json";

/** Reads the bytes of a leaf (§1.1): its time, and its claim or its commitment. */
export function parseEntry(bytes, need = check("entry")) {
  const filled = (found, field) => {
    need(found[field]?.length !== 0, "an empty field is spelled out");
    return found[field] ?? new Uint8Array();
  };
  need(bytes.length <= LIMITS.entry, "the entry is too long");
  const { 1: loggedAt = 0n, 2: claimBytes, 3: commitmentBytes } = canonical(bytes, need, [1], [2, 3]);
  need(!claimBytes !== !commitmentBytes, "it holds neither or both");
  if (commitmentBytes) {
    const found = canonical(commitmentBytes, need, [2, 3, 4], [1]);
    const [labels, mapping, admission] = [2, 3, 4].map((field) => found[field] ?? 0n);
    need(mapping >> 32n === 0n && admission >> 32n === 0n, "a version is too large");
    return { loggedAt, commitment: { root: filled(found, 1), labels, mapping, admission } };
  }
  const found = canonical(claimBytes, need, [], [1, 2, 3], 3), payload = filled(found, 1);
  need(payload.length <= LIMITS.payload, "the payload is too long");
  need(text(filled(found, 2)) === PAYLOAD_TYPE, "the payload type is another one");
  need(found[3], "there is no signature");
  const signatures = found[3].map((one) => {
    const read = canonical(one, need, [], [1, 2, 3]);
    const [signature, key, issuer] = [1, 2, 3].map((field) => filled(read, field));
    need(signature.length === 64 && key.length === 32 && issuer.length === 32,
      "a signature has another length");
    return { signature, key, issuer: toHex(issuer) };
  });
  return { loggedAt, claim: { payload, signatures } };
}

// --- Strict JSON (§3.5)

/** Reads strict JSON. `fractions` are the predicate's own members that are no natural numbers. */
function strictJson(bytes, need = check("claim", "issuer")) {
  const source = text(bytes);
  let value;
  try { value = JSON.parse(source ?? ""); } catch { need(false, "it is not JSON"); }
  // The grammar holds: of its tokens only strings, brackets and numbers matter.
  const open = [], fractions = [], token = /["{}[\]]|[-0-9][-+.0-9eE]*/g, special = /["\\]/g;
  for (let found; (found = token.exec(source));) {
    const [it] = found, top = open.at(-1);
    if (it === "{" || it === "[") {
      need(open.push({ keys: new Set() }) <= LIMITS.depth, "it is nested too deep");
    } else if (it === "}" || it === "]") {
      open.pop();
    } else if (it === '"') {
      special.lastIndex = token.lastIndex;
      while (special.exec(source)[0] === "\\") special.lastIndex++;
      token.lastIndex = special.lastIndex;
      const string = JSON.parse(source.slice(found.index, special.lastIndex));
      need(!/[\ud800-\udfff]/u.test(string), "a string has half a surrogate pair");
      let at = special.lastIndex;
      while (" \t\r\n".includes(source[at] ?? ":")) at++;
      if (source[at] !== ":") continue;
      need(!top.keys.has(string), "a key stands twice");
      top.keys.add(top.key = string);
    } else if (open.length === 2 && open[0].key === "predicate" && !/^[0-9]+$/.test(it)) fractions.push(top.key);
  }
  return { value, fractions };
}

const typeOf = (value) => value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
const member = (value, key, type) => typeOf(value) === "object" && Object.hasOwn(value, key) &&
  typeOf(value[key]) === type ? value[key] : undefined;
const members = (value, key) => member(value, key, "array") ?? [];

// --- Labels (§3)

export const nameHalf = (kind, value) =>
  toHex(sha256(utf8(`assay.index.v2\n${kind}\n${value}`)).subarray(0, 16));
/** Who speaks: an issuer, or for kind `issuer` a predicate type. */
export const byHalf = (kind, by) => kind === "issuer" ? nameHalf("type", by) : by.slice(0, 32);

/** The package and the version that a purl names (§3.2), as [kind, value]. */
export function packageNames(uri) {
  if (!/^pkg:[!-~]*$/.test(uri)) return [];
  const [front] = uri.split("#", 1), [path] = front.split("?", 1);
  const at = path.lastIndexOf("@"), isVersion = at > path.lastIndexOf("/");
  const named = foldName(isVersion ? path.slice(0, at) : path), version = isVersion && path.slice(at + 1);
  if (!version) return [["package", named]];
  const pairs = front.slice(path.length + 1).split("&");
  const epoch = pairs.find((pair) => pair.startsWith("epoch="))?.slice(6) ?? "";
  const suffix = epoch === "" || epoch === "0" ? "" : "?epoch=" + epoch;
  return [["package", named], ["version", `${named}@${version}${suffix}`]];
}

function foldName(named) {
  const isPypi = named.startsWith("pkg:pypi/");
  if (!isPypi && !named.startsWith("pkg:nuget/")) return named;
  const at = named.lastIndexOf("/") + 1;
  return named.slice(0, at) + named.slice(at).replace(/%..|[-_.]+|[A-Z]+/g, (part) =>
    part[0] === "%" ? part : isPypi && /[-_.]/.test(part) ? "-" : part.toLowerCase());
}

const STATEMENT = "https://in-toto.io/Statement/v1", FINDING = "urn:assay:finding:v1";
const TARGETING = ["urn:assay:withdrawal:v1", "urn:assay:response:v1", FINDING];
const OPENVEX = ["", "/v0.0.1", "/v0.2.0"].map((end) => "https://openvex.dev/ns" + end);
const GIT = [40, 64], DIGITS = { sha256: [64], sha512: [128], gitCommit: GIT, purl: [64], md5: [32], sha1: [40],
  sha224: [56], sha384: [96], sha512_224: [56], sha512_256: [64], sha3_224: [56], sha3_256: [64], sha3_384: [96],
  sha3_512: [128], ripemd160: [40], sm3: [64], gitTree: GIT, gitBlob: GIT, gitTag: GIT };
const isHex = (value, lengths = []) => typeof value === "string" && lengths.includes(value.length) &&
  /^[0-9a-f]+$/.test(value);

/** §3.4 */
function vulnerabilities(type, predicate) {
  const named = (value, key) => [member(value, key, "string"), ...members(value, "aliases")];
  if (type === "https://in-toto.io/attestation/vulns/v0.2") {
    return members(member(predicate, "scanner", "object"), "result").map((one) => member(one, "id", "string"));
  }
  if (type === FINDING) return named(member(predicate, "osv", "object"), "id");
  if (!OPENVEX.includes(type)) return [];
  return members(predicate, "statements").flatMap((one) => [member(one, "vulnerability", "string"),
    ...named(member(one, "vulnerability", "object"), "name")]);
}

/** What a statement is about, as [kind, value]. */
function namesOf(statement, type) {
  const names = [];
  for (const subject of members(statement, "subject")) {
    for (const [algorithm, value] of Object.entries(member(subject, "digest", "object") ?? {})) {
      const isNamed = ["sha256", "sha512", "gitCommit"].includes(algorithm);
      if (isNamed && isHex(value, DIGITS[algorithm])) names.push(["digest", algorithm + ":" + value]);
    }
    names.push(...packageNames(member(subject, "uri", "string") ?? ""));
  }
  const predicate = member(statement, "predicate", "object"), target = member(predicate, "target", "string");
  if (TARGETING.includes(type) && isHex(target, [64])) names.push(["claim", target]);
  for (const one of vulnerabilities(type, predicate)) {
    if (typeof one === "string" && /^[!-~]{1,128}$/.test(one)) names.push(["vuln", one]);
  }
  return names;
}

/** All names of an entry with who speaks (§3.3), as [kind, value, by]. */
export function namesIn({ claim }) {
  if (!claim) return [];
  let statement = null;
  try { statement = strictJson(claim.payload).value; } catch { /* a payload without names */ }
  const stated = member(statement, "predicateType", "string");
  const isOne = member(statement, "_type", "string") === STATEMENT && stated !== undefined;
  const names = isOne ? namesOf(statement, stated) : [], type = isOne ? stated : "";
  return [...new Set(claim.signatures.map((signature) => signature.issuer))].flatMap((issuer) =>
    [...names.map(([kind, value]) => [kind, value, issuer]), ["issuer", issuer, type]]);
}

/** The label of a name and a speaker (§3.1). */
export const labelOf = (kind, value, by) => nameHalf(kind, value) + byHalf(kind, by);
export const labelsOf = (entry) => new Set(namesIn(entry).map((name) => labelOf(...name)));

// --- Cuts and questions (§5, 6). Labels and prefixes are 64 hex digits

const bitOf = (label, bit) => (parseInt(label[bit >> 2], 16) >> (3 - (bit & 3))) & 1;
const prefixOf = (label, bits) => {
  const digits = label.slice(0, bits >> 2), rest = bits & 3;
  const next = rest ? (parseInt(label[bits >> 2], 16) & (0xf0 >> rest)).toString(16) : "";
  return (digits + next).padEnd(64, "0");
};
const begins = (label, prefix, bits) => prefixOf(label.padEnd(64, "0"), bits) === prefixOf(prefix, bits);

/** What a question asks of an inner node's children (§6.3): questions, or null. */
function below(question, { bits, prefix }) {
  const parted = (items, whole, make) => [0, 1].map((side) => {
    const its = items.filter((item) => begins(whole(item), prefix, bits) && bitOf(whole(item), bits) === side);
    return its.length ? make(its) : null;
  });
  if (question.names) {
    if (bits < 128) {
      return parted(question.names, (name) => name.padEnd(64, "0"), (names) => ({ ...question, names }));
    }
    const name = prefix.slice(0, 32);
    if (!question.names.includes(name)) return [null, null];
    return parted(question.by, (by) => name + by, (by) => ({ names: [name], by }));
  }
  if (bits >= question.bits && begins(prefix, question.prefix, question.bits)) {
    if (bits < 128 || !question.by) return [question, question];
    return below({ names: [prefix.slice(0, 32)], by: question.by }, { bits, prefix });
  }
  return parted(bits < question.bits ? [question.prefix] : [], (whole) => whole, () => question);
}

const asksFor = (question, label) => question.names
  ? question.names.includes(label.slice(0, 32)) && question.by.includes(label.slice(32))
  : begins(label, question.prefix, question.bits) && (question.by?.includes(label.slice(32)) ?? true);

function readQuestion({ names, by, prefix, bits }) {
  const halves = (list) => list == null || (Array.isArray(list) && list.every((one) => isHex(one, [32])));
  const isOne = names != null ? by != null : Number.isInteger(bits) && bits >= 0 && bits <= (by ? 128 : 256) &&
    /^[0-9a-f]{0,64}$/.test(prefix);
  check("question", "caller")(isOne && halves(names) && halves(by), "this is no question of §6.3");
  return names != null ? { names: [...new Set(names)], by: [...new Set(by)] }
    : { prefix: prefix.padEnd(64, "0"), bits, ...(by && { by }) };
}

const EMPTY_TRIE = sha256([0x10]);

/** A cut that fits a commitment. */
export class Cut {
  constructor(bytes, root, labels) {
    this.root = readCut(bytes);
    const need = check("cut");
    need(equal(this.root?.hash ?? EMPTY_TRIE, root), "the cut leads to another root");
    need((this.root?.labels ?? 0n) === labels, "the cut has another number of labels");
  }

  /** The labels that are asked for, ascending, with length and root of their lists (§6.4). */
  ask(question) {
    const found = [];
    const visit = (node, asked) => {
      if (!node || !asked || (asked.names && !(asked.names.length && asked.by.length))) return;
      if (node.label !== undefined) {
        const { label, length, listRoot: root } = node;
        return void (asksFor(asked, label) && found.push({ label, length, root }));
      }
      if (!node.left) refuse("question", "the cut does not answer");
      const [left, right] = below(asked, node);
      visit(node.left, left);
      visit(node.right, right);
    };
    visit(this.root, readQuestion(question));
    return found;
  }
}

function readCut(bytes) {
  const need = check("cut");
  let at = 0;
  const take = (count) => {
    need(count <= bytes.length - at, "the cut ends too early");
    return bytes.subarray(at, at += count);
  };
  const inner = (tag, above) => {
    const [bits] = take(1);
    need(bits > above, "bits are not greater than the parent's");
    let prefix = tag === 3 ? toHex(take((bits + 7) >> 3)).padEnd(64, "0") : null;
    need(!prefix || prefix === prefixOf(prefix, bits), "a prefix has bits after its end");
    const left = node(bits), right = node(bits), first = left.first ?? right.first;
    need((first === undefined) === (tag === 3), "a prefix is missing or too many");
    prefix ??= prefixOf(first, bits);
    [left, right].forEach((child, side) => {
      const its = child.label ?? child.prefix;
      if (its === undefined) return;
      need(begins(its, prefix, bits) && bitOf(its, bits) === side, "a child is out of its place");
    });
    const labels = left.labels + right.labels;
    need(labels < U64, "the labels are too many");
    const hash = sha256([0x12, 0, bits], fromHex(prefix), u64be(left.labels), u64be(right.labels),
      left.hash, right.hash);
    return { hash, labels, bits, prefix, left, right, first };
  };
  const node = (above) => {
    const [tag] = take(1);
    need(tag <= 3, "a node has an unknown tag");
    if (tag >= 2) return inner(tag, above);
    if (tag === 0) {
      const labels = fromU64be(take(8));
      need(labels > 0n, "a stub has no labels");
      return { labels, hash: take(32) };
    }
    const name = take(32), length = take(8), root = take(32), label = toHex(name);
    need(fromU64be(length) > 0n, "a list is empty");
    return { hash: sha256([0x11], name, length, root), labels: 1n, label, first: label,
      length: fromU64be(length), listRoot: root };
  };
  const root = bytes.length ? node(-1) : null;
  need(at === bytes.length, "bytes follow the cut");
  return root;
}

// --- Answers (§8, 9)

const needMessage = check("message");
const hashesOf = (bytes) => {
  needMessage(bytes.length % 32 === 0, "a hash has another length");
  return Array.from({ length: bytes.length / 32 }, (_, i) => bytes.subarray(32 * i, 32 * i + 32));
};

/** Reads the message `Answer` (§9), or its pieces in order. Verifies nothing. */
export function readAnswer(pieces) {
  const single = [1, 2, 3, 7, 8], parts = single.map(() => []), lists = [], leaves = [], entries = [];
  let taken = 0, listed = 0;
  const put = (its, value, isPacked) => {
    const from = isPacked ? varints(value, needMessage) : { at: 0, next: () => (from.at = 1, value) };
    for (const end = isPacked ? value.length : 1; from.at < end;) {
      needMessage(++listed <= 5_000_000, "there are too many leaves");
      its.push(from.next());
    }
  };
  const putList = (message) => {
    let label;
    const its = [];
    for (const [field, value, isText] of fieldsOf(message, needMessage)) {
      needMessage(field === 1 ? isText : field > 2 || isText !== undefined, "a field has another type");
      if (field === 1) label = value;
      if (field === 2) put(its, value, isText);
    }
    addList(lists, label, its);
  };
  for (const piece of Array.isArray(pieces) ? pieces : [pieces]) {
    needMessage((taken += piece.length) <= LIMITS.answer, "the answer is too long");
    const last = [];
    for (const [field, value, isText] of fieldsOf(piece, needMessage)) {
      // What is nearly empty takes memory, too.
      needMessage((taken += isText ? 64 : 0) <= LIMITS.answer, "there are too many parts");
      needMessage(isText || field > 8 || (field === 5 && isText === false), "a field has another type");
      if (field === 5) put(leaves, value, isText);
      if (field === 4) putList(value);
      if (field === 6) entries.push(value);
      last[field] = value;
    }
    // In a message the last one of a field that stands twice counts.
    single.forEach((field, i) => last[field] && parts[i].push(last[field]));
  }
  const [note, commitment, cut, inclusion, range] = parts.map(join);
  return assemble({ checkpoint: note, commitment, cut, lists, leaves, entries, inclusion, range });
}

function addList(lists, label, leaves) {
  needMessage(label?.length === 32, "a label has another length");
  const hex = toHex(label), last = lists.at(-1);
  needMessage(!last || last.label <= hex, "the lists are not in order");
  if (last?.label === hex) for (const index of leaves) last.leaves.push(index);
  else lists.push({ label: hex, leaves });
}

function assemble({ leaves, entries, inclusion, range, ...rest }) {
  needMessage(leaves.length === entries.length, "entries and indices are not as many");
  return { ...rest, entries: entries.map((entry, i) => [leaves[i], entry]),
    inclusion: hashesOf(inclusion), range: hashesOf(range) };
}

/** What every answer rests on: entries and commitment are in the log (§8.2, 1–4). */
function checkBasis({ size, root, cosignedAt = null }, answer) {
  if (size === 0n) refuse("empty", "the log is empty", "log");
  const leaves = answer.entries.map(([index, bytes]) => [index, leafHash(bytes)]);
  checkMultiproof(size, root, [...leaves, [size - 1n, leafHash(answer.commitment)]], answer.inclusion);
  const need = check("commitment", "log"), { loggedAt, commitment } = parseEntry(answer.commitment, need);
  need(commitment, "the last leaf is no commitment");
  check("unsupported", "nobody")(commitment.mapping === 2n,
    `unsupported mapping version ${commitment.mapping}; version 2 is supported`);
  need(commitment.root.length === 32, "its root has another length");
  if (cosignedAt !== null) {
    const after = loggedAt - cosignedAt * 1000n;
    check("time", "log")(after <= 300_000n && after >= -4_200_000n,
      "its last leaf and the cosignatures are of other times");
  }
  const since = cosignedAt === null ? loggedAt : cosignedAt * 1000n;
  return { asOf: since < loggedAt ? since : loggedAt, committedAt: loggedAt, commitment, cut: new Cut(answer.cut, commitment.root, commitment.labels) };
}

/** Reads the entries; each is in a list, and has the labels of its lists (§8.2, 7). */
function checkEntries(answer, lists) {
  const under = new Map(answer.entries.map(([index]) => [index, []])), entries = new Map();
  for (const { label, leaves } of lists) for (const index of leaves) under.get(index)?.push(label);
  for (const [index, bytes] of answer.entries) {
    check("entries")(under.get(index).length, "an entry is in none of the lists");
    const need = check("entries", "log"), entry = parseEntry(bytes, need), labels = labelsOf(entry);
    need(under.get(index).every((label) => labels.has(label)),
      `leaf ${index} does not have the label that it is listed under`);
    entries.set(index, { ...entry, leaf: index, hash: toHex(leafHash(bytes)) });
  }
  return entries;
}

const checkOrder = (size, leaves, culprit) => {
  const need = check("lists", culprit);
  need(ascend(leaves), "a list is not ascending");
  need(!leaves.length || leaves.at(-1) < size - 1n, "a list names a leaf that is not covered");
};

/**
 * Verifies an answer to a question under a verified checkpoint. What was asked for, and is neither in
 * `lists` nor `overlong`, is in no entry of the log. Claims are not verified: see `openClaims`.
 */
export function checkAnswer(checkpoint, question, answer) {
  const basis = checkBasis(checkpoint, answer), { cut } = basis;
  const isCensus = question.names == null && question.by == null;
  const all = cut.ask(question), found = isCensus ? [] : all.filter(({ length }) => length <= LIMITS.whole);
  const overlong = isCensus ? [] : all.filter(({ length }) => length > LIMITS.whole);
  check("limit")(found.reduce((sum, { length }) => sum + length, 0n) <= LIMITS.listed,
    "the lists have too many leaves");
  const need = check("lists");
  need(found.length === answer.lists.length, "the lists are others than the cut shows");
  found.forEach(({ label, length, root }, i) => {
    const its = answer.lists[i];
    need(its.label === label, "the lists are others than the cut shows");
    need(BigInt(its.leaves.length) === length, "a list has another length");
    need(equal(listRoot(its.leaves), root), "a list has another root");
    checkOrder(checkpoint.size, its.leaves, "log");
  });
  check("range")(!answer.range.length, "there is a range proof");
  const entries = checkEntries(answer, answer.lists), missing = new Set();
  for (const { leaves } of answer.lists) {
    leaves.forEach((index, i) => {
      if (entries.has(index)) return;
      check("entries")(i >= LIMITS.brought, "an entry is missing");
      missing.add(index);
    });
  }
  const lists = new Map(answer.lists.map(({ label, leaves }) => [label, leaves]));
  return { checkpoint, ...basis, lists, entries, overlong, census: isCensus ? all : [],
    missing: [...missing], complete: !overlong.length && !missing.size };
}

// --- Claims (docs/design.md 3.2, 3.3)

export const pae = (payload) =>
  concat(utf8(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `), payload);

function isStatement(statement) {
  const subjects = members(statement, "subject"), isText = (one) => one == null || typeof one === "string";
  const isDigest = ([algorithm, value]) => algorithm !== "" && value !== "" && typeof value === "string" &&
    (!Object.hasOwn(DIGITS, algorithm) || isHex(value, DIGITS[algorithm]));
  const isSubject = (subject) => {
    const digest = member(subject, "digest", "object") ?? {}, digests = Object.entries(digest);
    const { name, uri } = subject, stated = member(digest, "purl", "string");
    return digests.length > 0 && digests.every(isDigest) && isText(name) && isText(uri) &&
      (!stated || (/^pkg:/i.test(uri) && stated === toHex(sha256(utf8(uri)))));
  };
  return member(statement, "_type", "string") === STATEMENT && !!member(statement, "predicateType", "string") &&
    ["undefined", "null", "object"].includes(typeOf(statement.predicate)) && subjects.length > 0 &&
    subjects.length <= LIMITS.subjects && subjects.every((one) => typeOf(one) === "object" && isSubject(one));
}

/** Verifies the claim of an entry: its statement and all signatures. Blames the issuer. */
export async function openClaim(entry) {
  const need = check("claim", "issuer"), { payload, signatures } = entry.claim;
  const { value: statement, fractions } = strictJson(payload);
  need(isStatement(statement), "it is no sound in-toto statement");
  const message = pae(payload);
  const holds = await Promise.all(signatures.map((one) => verifyEd25519(one.key, message, one.signature)));
  need(holds.every(Boolean), "a signature does not fit payload and key");
  const signers = new Map(signatures.map(({ issuer, key }) => [issuer + toHex(key), { issuer, key: toHex(key) }]));
  return { id: toHex(sha256(message)), statement, fractions, signers: [...signers.values()] };
}

/** For each leaf its claim, or the error. */
export async function openClaims({ entries, checkpoint: { origin } }) {
  const opened = [...entries.values()].filter(({ claim }) => claim).map(async (entry) => {
    const { leaf, loggedAt, hash } = entry, place = { origin, leaf, loggedAt, hash };
    try { return { ...place, claim: await openClaim(entry) }; } catch (error) {
      if (!(error instanceof AssayError)) throw error;
      return { ...place, error };
    }
  });
  return Promise.all(opened);
}

/** Verifies an answer with its checkpoint and its claims. */
export async function verifyAnswer(bytes, question, trust) {
  const answer = bytes instanceof Uint8Array || Array.isArray(bytes) ? readAnswer(bytes) : bytes;
  const checked = checkAnswer(await verifyCheckpoint(answer.checkpoint, trust), question, answer);
  return { ...checked, claims: await openClaims(checked) };
}

/** For the other files of this SDK. */
export const internals = { L, P, addList, assemble, begins, below, check, checkBasis, checkEntries, checkOrder,
  concat, decimal, engineHolds, equal, isHex, isSound, join, listLeaf, listNode, little, member, members,
  multiproofRoot, needMessage, nodeHash, openCheckpoint, readNote, refuse, signedAt, strictJson, text, typeOf,
  u64be, utf8, yOf };
