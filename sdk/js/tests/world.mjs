// A log with witnesses, issuers and claims, the same at every run.

import { byHalf, nameHalf, readPolicy } from "../index.js";
import { TestLog, claimEntry, keyOf, recordOf, statementOf, vkeyOf } from "./log.mjs";

const START = 1_767_225_600_000n;
export const ORIGIN = "log.example/test";
export const keys = Object.fromEntries(
  ["log", "one", "two", "three", "audits", "root", "maintainer", "next", "stranger"].map((name) => [name, keyOf(name)]));

export const logKey = vkeyOf(ORIGIN, 1, keys.log);
const witnesses = ["one", "two", "three"];
export const policyText = [`log ${logKey}`,
  ...witnesses.map((name) => `witness ${name} ${vkeyOf(name + ".example/witness", 4, keys[name])}`),
  "group some 2 one two three", "quorum some", ""].join("\n");
export const trust = { policy: readPolicy(policyText) };

/** Cosignatures of some witnesses, made some seconds after the log's last entry. */
export const cosigned = (names = witnesses, seconds = 30n) => names.map((name) =>
  [name + ".example/witness", keys[name], START / 1000n + 20n + seconds]);

export const issuers = {
  audits: recordOf("Example Audits", [keys.audits]),
  maintainer: recordOf("Example maintainers", [keys.maintainer], 1,
    { rotationKeys: [keys.root.hex], rotationThreshold: 1 }),
};

/** What the log has, by name; the values are its leaves. */
export function makeWorld() {
  const log = new TestLog(ORIGIN, keys.log), leaves = {};
  let time = START;
  const say = (name, statement, signers) => {
    leaves[name] = log.append(claimEntry(time += 1000n, statement, signers));
    log.commit(time += 1000n);
  };
  const { audits, maintainer } = issuers;
  say("registration", audits.statement, [[keys.audits, audits.issuer]]);
  say("withRoot", maintainer.statement, [keys.maintainer, keys.root].map((key) => [key, maintainer.issuer]));
  say("review", statementOf("pkg:cargo/serde@1.0.0", "urn:x", { verdict: "pass" }),
    [[keys.audits, audits.issuer]]);
  say("ended", statementOf("pkg:cargo/tokio@1.2.3", "urn:x", { supported: false }),
    [[keys.maintainer, maintainer.issuer]]);
  say("both", statementOf("pkg:cargo/serde@1.0.0", "urn:x", { note: "agreed" }),
    [[keys.audits, audits.issuer], [keys.maintainer, maintainer.issuer]]);
  say("forged", statementOf("pkg:cargo/serde@1.0.0", "urn:x", { note: "not by its issuer" }),
    [[keys.stranger, audits.issuer]]);
  return { log, leaves };
}

/** What both issuers said about a package. */
export const questionAbout = (kind, value) => ({ names: [nameHalf(kind, value)],
  by: Object.values(issuers).map(({ issuer }) => byHalf(kind, issuer)) });
