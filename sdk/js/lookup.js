// What several answers of one log say together: see `Log.lookup` in client.js.

import { LogError, namesIn } from "./verify.js";
import { judgeIssuers, readCompromise } from "./issuers.js";

/** The error for two things that a log signed and that cannot both be; `notes` are its checkpoints. */
export const contradiction = (message, one, other) =>
  Object.assign(new LogError("fork", message), { notes: [one.note, other.note] });

/**
 * Whether one of these issuers (`null`: whoever) said an entry of one of these names, pairs of kind
 * and value. Halves of labels select; what an entry is about is read from it, in full (§10).
 */
export const isAbout = (entry, named, issuers) => namesIn(entry).some(([kind, value, by]) =>
  named.some((name) => name[0] === kind && name[1] === value) && (issuers === null || issuers.includes(by)));

/**
 * What answers say, with those about issuers' records. Refuses if they show two entries at one leaf:
 * a log that signed both has two histories.
 */
export function summarize(answers, records, named, issuers) {
  const all = [...answers, ...records], places = placesIn(all);
  const distinct = new Map(all.flatMap((answer) => answer.claims).map((one) => [one.leaf, one]));
  const sound = [...distinct.values()].filter((one) => !one.error), standings = judgeIssuers(sound);
  const judged = sound.map((one, i) => ({ ...one, ...standings[i] }));
  const compromises = judged.filter(({ standing, claim }) => standing === "proven" && readCompromise(claim));
  const declared = new Set(compromises.map(({ claim }) => readCompromise(claim)).map(pair));
  const compromisedKeys = ({ claim: { signers } }) => [...new Set(signers.map(({ key }) => key))].filter((key) =>
    signers.some(({ issuer }) => declared.has(pair({ issuer, key }))));
  const leaves = new Set(answers.flatMap((answer) => answer.claims).map((one) => one.leaf));
  const isAsked = ({ leaf }) => leaves.has(leaf) && isAbout(places.get(leaf).entry, named, issuers);
  return {
    complete: all.every((answer) => answer.complete),
    asOf: all.map((answer) => answer.asOf).reduce((a, b) => (a < b ? a : b)),
    checkpoints: all.map((answer) => answer.checkpoint),
    claims: judged.filter(isAsked).map((one) => ({ ...one, compromisedKeys: compromisedKeys(one) })),
    compromises,
    refused: [...distinct.values()].filter((one) => one.error && isAsked(one)),
    answers,
  };
}

const pair = ({ issuer, key }) => issuer + key;

/** Each entry of some answers by its leaf, with the checkpoint that it was proven under. */
function placesIn(answers) {
  const places = new Map();
  for (const { entries, checkpoint } of answers) {
    for (const [leaf, entry] of entries) {
      const other = places.get(leaf);
      if (other && other.entry.hash !== entry.hash) {
        throw contradiction(`the log shows two entries at leaf ${leaf}`, other.checkpoint, checkpoint);
      }
      places.set(leaf, { entry, checkpoint });
    }
  }
  return places;
}

/**
 * Of each purl, with its names, the claims about its version, and those about its package and no version
 * of it, in the order of the log.
 */
export function claimsAbout({ claims, answers }, named, issuers) {
  const entries = new Map(answers.flatMap((answer) => [...answer.entries])), byName = new Map();
  for (const one of claims) {
    const names = namesIn(entries.get(one.leaf)).filter(([, , by]) => issuers.includes(by));
    const versions = names.filter(([kind]) => kind === "version").map(([, value]) => value);
    const packages = names.filter(([kind]) => kind === "package").map(([, value]) => value);
    const whole = packages.filter((value) => !versions.some((version) => version.startsWith(value + "@")));
    for (const value of new Set([...versions, ...whole])) byName.set(value, [...(byName.get(value) ?? []), one]);
  }
  return new Map([...named].map(([purl, names]) => [purl,
    [...new Set(names.flatMap(([, value]) => byName.get(value) ?? []))].sort((a, b) => (a.leaf < b.leaf ? -1 : 1))]));
}

const WITHDRAWAL = "urn:assay:withdrawal:v1";

/** The leaves of claims that one of their own issuers withdrew, by a claim that is proven. */
export function withdrawals(claims, replies) {
  const issuersOf = ({ claim }) => claim.signers.map(({ issuer }) => issuer);
  const said = replies.filter(({ standing, claim }) => standing === "proven" && claim.statement.predicateType === WITHDRAWAL);
  const withdrawn = claims.filter((one) => said.some((reply) => reply.claim.statement.predicate?.target === one.claim.id
    && issuersOf(reply).some((issuer) => issuersOf(one).includes(issuer))));
  return new Set(withdrawn.map(({ leaf }) => leaf));
}
