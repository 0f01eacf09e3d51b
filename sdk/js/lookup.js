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
