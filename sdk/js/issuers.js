// Issuers (docs/design.md 3.4): whether the signers of claims that are proven to be in a log satisfied
// the records of the issuers that they name. Claims show what a log holds and not what it lacks: that
// no rotation followed which was not given takes an answer about the issuer.

import { fromHex, internals, sha256, toHex } from "./verify.js";
import { isOnCurve } from "./ed25519.js";

const { check, concat, isHex, isSound, member, members, refuse, typeOf, utf8 } = internals;
const RECORD = "urn:assay:issuer:v1", COMPROMISE = "urn:assay:key-compromise:v1";
const MOST = { keys: 8, items: 64, text: 512 };
const ROLES = ["maintainer", "auditor", "scanner", "supplier", "finder", "coordinator", "builder"];
const u32be = (n) => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n);
const needRecord = check("claim", "issuer");

/** The id of an issuer whose first record has these keys, in hex, and thresholds. */
export function issuerId(threshold, keys, rotationThreshold = 0, rotationKeys = []) {
  const part = (count, list) => [u32be(count), u32be(list.length), ...[...list].sort().map(fromHex)];
  return toHex(sha256(utf8("assay.issuer.v2\n"), ...part(threshold, keys),
    ...part(rotationThreshold, rotationKeys)));
}

const isAbsent = (value) => value === undefined || value === null;
const isText = (value) => typeof value === "string" && value !== "" && !/\p{Cc}/u.test(value) &&
  utf8(value).length <= MOST.text;

function keysOf(predicate, name) {
  const keys = members(predicate, name);
  needRecord(keys.length >= 1 && keys.length <= MOST.keys, `a record has 1 to 8 ${name}`);
  for (const key of keys) {
    const isKey = isHex(key, [64]) && isSound(fromHex(key)) && isOnCurve(fromHex(key));
    needRecord(isKey, `one of the ${name} is no sound key`);
  }
  needRecord(new Set(keys).size === keys.length, `one of the ${name} stands twice`);
  return keys;
}

function numberOf(predicate, name, fractions) {
  const number = member(predicate, name, "number"), isNatural = Number.isInteger(number) && !fractions.includes(name);
  needRecord(isNatural && number >= 0 && number < 2 ** 32, `${name} is no number of 32 bits`);
  return number;
}

/** What a record says, checked whole; null for a claim of another type. */
export function readRecord({ id: claimId, statement, fractions }) {
  if (statement.predicateType !== RECORD) return null;
  const { predicate, subject: [subject, ...others] } = statement;
  needRecord(typeOf(predicate) === "object", "a record is an object");
  needRecord(isText(predicate.name), "a record has a name");
  for (const list of ["contacts", "namespaces", "roles"]) {
    const items = isAbsent(predicate[list]) ? [] : predicate[list];
    needRecord(Array.isArray(items) && items.length <= MOST.items && items.every(isText),
      `the ${list} of a record are texts`);
  }
  needRecord(members(predicate, "roles").every((role) => ROLES.includes(role)), "a role is unknown");
  const keys = keysOf(predicate, "keys"), threshold = numberOf(predicate, "threshold", fractions);
  needRecord(threshold >= 1 && threshold <= keys.length, "the threshold is from 1 to the keys");
  const root = rotationOf(predicate, keys, fractions), sequence = numberOf(predicate, "sequence", fractions);
  const previous = isAbsent(predicate.previous) ? null : predicate.previous;
  needRecord((sequence === 0) === (previous === null) && (previous === null || isHex(previous, [64])),
    "a registration has no previous record, and a rotation has one");
  const issuer = member(member(subject, "digest", "object"), "sha256", "string");
  needRecord(!others.length && isHex(issuer, [64]), "a record has one subject, the issuer");
  const derived = issuerId(threshold, keys, root?.threshold, root?.keys);
  needRecord(sequence !== 0 || derived === issuer, "the keys make another issuer id");
  return { issuer, claimId, name: predicate.name, keys, threshold, rotation: root, sequence, previous };
}

function rotationOf(predicate, keys, fractions) {
  if (isAbsent(predicate.rotationKeys) && isAbsent(predicate.rotationThreshold)) return null;
  const rotation = { keys: keysOf(predicate, "rotationKeys"),
    threshold: numberOf(predicate, "rotationThreshold", fractions) };
  needRecord(rotation.threshold >= 1 && rotation.threshold <= rotation.keys.length,
    "the rotation threshold is from 1 to the rotation keys");
  needRecord(!rotation.keys.some((key) => keys.includes(key)), "a rotation key signs claims, too");
  return rotation;
}

/**
 * The issuer and the key that a declaration of a key compromise names; null for a claim of another
 * type. Its one subject is the issuer.
 */
export function readCompromise({ statement }) {
  if (statement.predicateType !== COMPROMISE) return null;
  const { predicate, subject: [subject, ...others] } = statement;
  const issuer = member(predicate, "issuer", "string"), key = member(predicate, "key", "string");
  needRecord(isHex(issuer, [64]) && isHex(key, [64]), "a key compromise names an issuer and a key");
  needRecord(!others.length && member(member(subject, "digest", "object"), "sha256", "string") === issuer,
    "a key compromise has one subject, the issuer that it names");
  return { issuer, key };
}

const allKeys = (record) => [...record.keys, ...(record.rotation?.keys ?? [])];
const rootOf = (record) => record.rotation ?? record;

/** Who is registered in one log, as far as records were given, in the order of their leaves. */
class Registry {
  records = new Map();
  owners = new Map();
  halves = new Set();

  /**
   * The records that the signers of a claim satisfy; refuses if they do not, with kind `issuers`.
   * `record` is what `readRecord` read of it.
   */
  authorize(claim, record, leaf) {
    if (record) return [this.#admit(record, claim.signers, leaf)];
    const compromise = readCompromise(claim);
    if (compromise) return [this.#compromise(compromise.issuer, claim.signers)];
    return [...new Set(claim.signers.map((one) => one.issuer))].map((issuer) => {
      const inForce = this.#inForce(issuer), signed = keysFor(claim.signers, issuer);
      need(signed.every((key) => inForce.keys.includes(key)), "a key that signed is not the issuer's");
      enough(inForce, signed);
      return inForce;
    });
  }

  #inForce(issuer) {
    return this.records.get(issuer) ?? refuse("unregistered", `no record of ${issuer} stands before it`, "nobody");
  }

  #compromise(issuer, signers) {
    need(signers.every((one) => one.issuer === issuer), "it is signed for another issuer");
    const inForce = this.#inForce(issuer), signed = keysFor(signers, issuer);
    need(signed.every((key) => allKeys(inForce).includes(key)), "a key that signed is not the issuer's");
    enough(rootOf(inForce), signed);
    return inForce;
  }

  #admit(record, signers, leaf) {
    const { issuer } = record, before = this.records.get(issuer), signed = keysFor(signers, issuer);
    need(signers.every((one) => one.issuer === issuer), "a record is signed for another issuer");
    if (record.sequence === 0) {
      need(!before, "the issuer is registered already");
      need(!this.halves.has(issuer.slice(0, 32)), "another issuer has the same half of an id");
      need(same(signed, allKeys(record)), "a registration is signed by all of its keys and no other");
    } else this.#rotate(this.#inForce(issuer), record, signed);
    for (const key of allKeys(record)) {
      need((this.owners.get(key) ?? issuer) === issuer, "a key stands in a record of another issuer");
    }
    for (const key of allKeys(record)) this.owners.set(key, issuer);
    this.halves.add(issuer.slice(0, 32));
    this.records.set(issuer, { ...record, leaf });
    return { ...record, leaf };
  }

  #rotate(before, record, signed) {
    if (record.sequence > before.sequence + 1) {
      refuse("unregistered", "the record before this one was not given", "nobody");
    }
    need(record.sequence === before.sequence + 1, "it does not follow the record in force");
    need(record.previous === before.claimId, "it names another record as the one before it");
    const known = [...allKeys(before), ...allKeys(record)];
    need(signed.every((key) => known.includes(key)), "a key that signed is not the issuer's");
    enough(rootOf(before), signed);
    enough(record, signed);
    const added = allKeys(record).filter((key) => !allKeys(before).includes(key));
    need(added.every((key) => signed.includes(key)), "a new key did not sign the record");
  }
}

const need = check("issuers", "issuer");
const keysFor = (signers, issuer) => signers.filter((one) => one.issuer === issuer).map((one) => one.key);
const same = (some, others) => some.length === others.length && some.every((one) => others.includes(one));
const enough = ({ keys, threshold }, signed) =>
  need(keys.filter((key) => signed.includes(key)).length >= threshold, "too few of the issuer's keys signed");

const place = ({ origin, leaf }) => `${origin}\n${leaf}`;

/**
 * Says of each claim that is proven to be in a log, in their order, whether its signers satisfied the
 * latest records of their issuers among these claims that stand before it in its log:
 * `{ standing: "proven", records }`, `{ standing: "unproven" }` if no record decides it, or
 * `{ standing: "refuted", error }`. Where a log shows two entries at one leaf, both are refuted, and
 * the log is to blame.
 */
export function judgeIssuers(claims) {
  const seen = new Map(), registries = new Map(), registered = new Map(), standings = new Map();
  for (const one of claims) {
    if (!seen.has(place(one))) seen.set(place(one), { ...read(one), hashes: new Set() });
    const { record, hashes } = seen.get(place(one));
    hashes.add(one.hash);
    const who = `${one.origin}\n${record?.issuer}`, last = registered.get(who);
    if (record?.sequence === 0 && !(last > one.leaf)) registered.set(who, one.leaf);
  }
  const sorted = [...claims].sort((a, b) => (a.leaf < b.leaf ? -1 : a.leaf > b.leaf ? 1 : 0));
  for (const one of sorted) {
    if (standings.has(place(one))) continue;
    const registry = registries.get(one.origin) ?? new Registry();
    registries.set(one.origin, registry);
    // Who is registered later was not yet, and no record is missing.
    const isLater = ({ issuer }) => registered.get(`${one.origin}\n${issuer}`) > one.leaf;
    standings.set(place(one), standing(one, registry, seen.get(place(one)), isLater));
  }
  return claims.map((one) => standings.get(place(one)));
}

/** The record that a claim is, read once, or why it is none. */
function read({ claim }) {
  try { return { record: readRecord(claim) }; } catch (error) {
    if (error.kind === undefined) throw error;
    return { error };
  }
}

function standing({ claim, leaf }, registry, { record, error: malformed, hashes }, isLater) {
  try {
    if (hashes.size > 1) refuse("log", "the log shows two entries at one leaf", "log");
    if (malformed) throw malformed;
    return { standing: "proven", records: registry.authorize(claim, record, leaf) };
  } catch (error) {
    if (error.kind === undefined) throw error;
    if (error.kind === "unregistered" && !claim.signers.some(isLater)) return { standing: "unproven" };
    return { standing: "refuted", error };
  }
}
