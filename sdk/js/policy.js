// C2SP tlog-policy: which logs are known, which witnesses, and how many must have cosigned. As in
// Assay's other programs, keys whose names differ only in the role at their end are one operator.

import { internals, readKey } from "./verify.js";
import "./ed25519.js";

const { check, decimal, refuse } = internals;
const ED25519 = 1, COSIGNATURE = 4, ML_DSA_44 = 6;
const MOST = { lines: 100, length: 1 << 20 };
const need = check("policy", "caller");

/** Who has a key of this name: the name without the role at its end. */
const operator = (name) => name.replace(/(?<=.)\/(?:witness|mirror|audit)$/su, "");

/** Reads a policy strictly; blames the caller. The result is for `trust.policy`. */
export function readPolicy(policyText) {
  need(typeof policyText === "string" && policyText.length <= MOST.length, "the policy is too long");
  const policy = { logs: [], witnesses: [], groups: [], quorum: undefined };
  const reading = { policy, names: new Map(), keys: new Set() };
  for (const row of policyText.split("\n")) {
    need(!/[\0-\x08\x0b-\x1f\x7f]/.test(row), "the policy has a control character");
    const [word, ...rest] = row.split(/[ \t]+/).filter(Boolean);
    if (word === undefined || word.startsWith("#")) continue;
    need(Object.hasOwn(LINES, word), "a line begins with log, witness, group, quorum or #");
    LINES[word](reading, rest);
  }
  need(policy.quorum !== undefined, "there is no quorum line");
  checkOperators(policy.witnesses);
  return policy;
}

const LINES = {
  log(reading, words) {
    need(words.length === 1 || words.length === 2, "a line has the form log VKEY [URL]");
    put(reading.policy.logs, takeKey(reading, words[0], [ED25519, ML_DSA_44]));
  },
  witness(reading, words) {
    need(words.length === 2 || words.length === 3, "a line has the form witness NAME VKEY [URL]");
    const [name, vkey] = words, witness = { name, key: takeKey(reading, vkey, [COSIGNATURE, ML_DSA_44]) };
    define(reading, name, witness);
    put(reading.policy.witnesses, witness);
  },
  group(reading, [name, stated, ...listed]) {
    need(listed.length, "a line has the form group NAME any|all|NUMBER MEMBER…");
    const words = { any: 1, all: listed.length };
    const threshold = Object.hasOwn(words, stated) ? words[stated] : Number(decimal(stated) ?? 0n);
    need(threshold >= 1 && threshold <= listed.length, "a threshold is from 1 to the members");
    const group = { name, threshold, members: [] };
    for (const member of listed.map((one) => find(reading, one))) {
      need(!member.parent, `${member.name} is a member of a group already`);
      member.parent = group;
      group.members.push(member);
    }
    define(reading, name, group);
    put(reading.policy.groups, group);
  },
  quorum(reading, words) {
    need(words.length === 1 && reading.policy.quorum === undefined, "there is one line quorum NAME|none");
    reading.policy.quorum = words[0] === "none" ? null : find(reading, words[0]);
  },
};

const put = (list, item) => need(list.push(item) <= MOST.lines, "there are too many lines of a kind");

function takeKey({ keys }, vkey, types) {
  const read = readKey(vkey), bytes = read.key.join();
  need(types.includes(read.type), "a key of the policy signs something else");
  need(!keys.has(bytes), "a key stands twice in the policy");
  keys.add(bytes);
  return read;
}

function define({ names }, name, what) {
  need(name !== "none" && !names.has(name), `the name ${name} is taken`);
  names.set(name, what);
}

const find = ({ names }, name) =>
  names.get(name) ?? refuse("policy", `no line above defines ${name}`, "caller");

/** Keys of one operator count once: wherever several are counted, in one group of `any`. */
function checkOperators(witnesses) {
  const parents = new Map();
  for (const { key: { name }, parent } of witnesses) {
    if (!parent) continue;
    const who = operator(name), before = parents.get(who);
    need(!before || (before === parent && parent.threshold === 1), `${who} could be counted twice`);
    parents.set(who, parent);
  }
}
