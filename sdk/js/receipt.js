// C2SP tlog-proofs, and receipts (docs/design.md 3.6): the claim as DSSE JSON beside a tlog-proof
// whose extra data is the log's entry without the claim's payload. Each file has one spelling.

import { AssayError, fromBase64, internals, leafHash, openClaim, parseEntry, sha256, toBase64, toHex }
  from "./verify.js";
import { judgeIssuers } from "./issuers.js";

const { check, concat, decimal, equal, member, members, nodeHash, openCheckpoint, refuse,
  strictJson, text, utf8 } = internals;
const MOST = { bytes: 512 << 10, hashes: 64, files: 10_000, entry: 65_535 };
const HEADER = "c2sp.org/tlog-proof@v1", MINUTE = 60_000n;

const bytesOf = (data) => (typeof data === "string" ? utf8(data) : data);

/** Reads a tlog-proof. Nothing of it is verified. */
export function readProof(proof) {
  const need = check("proof"), bytes = bytesOf(proof);
  need(bytes.length <= MOST.bytes, "the proof is too long");
  const all = text(bytes), end = all?.indexOf("\n\n") ?? -1;
  need(end >= 0 && end + 2 < all.length, "the proof is no text, or has no checkpoint");
  const [header, ...lines] = all.slice(0, end).split("\n"), checkpoint = all.slice(end + 2);
  need(header === HEADER, "the proof does not begin with " + HEADER);
  let extra = null;
  if (lines[0]?.startsWith("extra ")) {
    extra = fromBase64(lines.shift().slice(6));
    need(extra, "the extra data of the proof is not base64");
  }
  const index = lines[0]?.startsWith("index ") ? decimal(lines.shift().slice(6)) : null;
  need(index !== null, "the proof states no index");
  need(lines.length <= MOST.hashes, "the proof has too many hashes");
  const path = lines.map(fromBase64);
  need(path.every((hash) => hash?.length === 32), "a line of the proof is no hash");
  return { extra, index, path, checkpoint };
}

/** Refuses unless a leaf stands in the tree of this size and root (RFC 9162, 2.1.3.2). */
export function checkInclusion(leaf, index, size, path, root) {
  const need = check("inclusion");
  need(index < size, "the tree has no such leaf");
  let at = index, last = size - 1n, hash = leaf;
  for (const other of path) {
    need(last > 0n, "the path is too long");
    if ((at & 1n) === 1n || at === last) {
      hash = nodeHash(other, hash);
      while ((at & 1n) === 0n && at !== 0n) { at >>= 1n; last >>= 1n; }
    } else hash = nodeHash(hash, other);
    at >>= 1n;
    last >>= 1n;
  }
  need(last === 0n, "the path is too short");
  need(equal(hash, root), "the path leads to another root than the checkpoint's");
}

/** Verifies a tlog-proof of the leaf with this hash, under the logs and the policy that are trusted. */
export async function verifyProof(proof, hash, trust) {
  const { index, path, checkpoint, extra } = readProof(proof);
  const opened = await openCheckpoint(checkpoint, trust);
  checkInclusion(hash, index, opened.checkpoint.size, path, opened.checkpoint.root);
  if (!opened.quorum.met) refuse("witnesses", "too few witnesses cosigned the checkpoint", "witness");
  return { index, extra, checkpoint: opened.checkpoint };
}

/** The payload of a DSSE envelope: either alphabet of base64, with padding or without. */
function payloadOf(envelope) {
  const need = check("envelope"), { value } = strictJson(envelope, need);
  const either = (encoded) => {
    const isUrl = encoded !== undefined && !/[+/]/.test(encoded);
    const padded = isUrl ? encoded.replace(/-/g, "+").replace(/_/g, "/") : encoded ?? "!";
    let end = padded.length;
    while (padded[end - 1] === "=") end--;
    const standard = padded.slice(0, end);
    return fromBase64(standard.padEnd(Math.ceil(standard.length / 4) * 4, "="));
  };
  const payload = either(member(value, "payload", "string")), signatures = members(value, "signatures");
  need(payload, "the envelope has no payload in base64");
  need(member(value, "payloadType", "string") !== undefined, "the envelope has no payload type");
  need(signatures.length, "the envelope has no signature");
  for (const one of signatures) {
    need(either(member(one, "sig", "string")), "a signature of the envelope is not base64");
    need(one.keyid == null || typeof one.keyid === "string", "a keyid is no text");
  }
  return payload;
}

/** The one envelope of a claim: a line of JSON, each keyid being the SHA-256 of the key. */
const envelopeOf = ({ payload, signatures }) => JSON.stringify({
  payload: toBase64(payload),
  payloadType: "application/vnd.in-toto+json",
  signatures: signatures.map(({ signature, key }) => ({ keyid: toHex(sha256(key)), sig: toBase64(signature) })),
}) + "\n";

/** Puts the payload back into the entry that it was cut out of. */
function attach(extra, payload) {
  const need = check("entry");
  need(extra.length >= 4, "the proof holds no entry");
  const offset = new DataView(extra.buffer, extra.byteOffset).getUint32(0), rest = extra.subarray(4);
  need(offset <= rest.length && rest.length + payload.length <= MOST.entry, "the entry is cut off");
  const bytes = concat(rest.subarray(0, offset), payload, rest.subarray(offset));
  const entry = parseEntry(bytes);
  need(entry.claim, "the leaf holds a commitment, not a claim");
  // The payload is a view into the bytes: where it stands says whether it was put in its place.
  const stands = entry.claim.payload.byteOffset - bytes.byteOffset;
  need(payload.length && stands === offset && entry.claim.payload.length === payload.length,
    "what was logged has another payload");
  return { entry, hash: leafHash(bytes) };
}

/**
 * Verifies the two files of a receipt by themselves: exactly this claim is in a log that is trusted,
 * valid, and dated before witnesses cosigned. `isWitnessed` says whether the policy's quorum did.
 */
export async function openReceipt({ envelope, proof }, trust) {
  const bytes = bytesOf(envelope);
  check("proof")(bytes.length <= MOST.bytes, "the envelope is too long");
  const payload = payloadOf(bytes), { extra, index, path, checkpoint: note } = readProof(proof);
  const { entry, hash } = attach(extra ?? new Uint8Array(), payload);
  const { checkpoint, quorum } = await openCheckpoint(note, trust);
  checkInclusion(hash, index, checkpoint.size, path, checkpoint.root);
  check("match")(text(bytes) === envelopeOf(entry.claim), "the envelope is not exactly the claim in the log");
  const claim = await openClaim(entry);
  const { cosignedAt } = checkpoint;
  check("time", "log")(cosignedAt === null || entry.loggedAt <= cosignedAt * 1000n + 5n * MINUTE,
    "the claim is dated after the witnesses cosigned the checkpoint");
  return { origin: checkpoint.origin, leaf: index, loggedAt: entry.loggedAt, hash: toHex(hash), claim, checkpoint,
    isWitnessed: quorum.met, missingWitnesses: quorum.missing };
}

/**
 * Verifies receipts together, as `assay verify` does: records of issuers among them say whether the
 * signers of the others may speak for their issuers. Of each, in their order, `verdict`: `ok`;
 * `unproven`, which is genuine and not enough; or `refused`. With the latter two, `error` says why.
 */
export async function verifyReceipts(receipts, trust) {
  check("argument", "caller")(receipts.length <= MOST.files, "too many receipts at once");
  const opened = [];
  for (const receipt of receipts) {
    try { opened.push(await openReceipt(receipt, trust)); } catch (error) {
      if (!(error instanceof AssayError)) throw error;
      opened.push({ error });
    }
  }
  const standings = judgeIssuers(opened.filter((one) => !one.error)).values();
  return opened.map((one) => one.error ? { verdict: "refused", ...one } : { ...one, ...judge(one, standings.next().value) });
}

function judge(one, { standing, records = [], error }) {
  if (standing === "refuted") return { verdict: "refused", records, error };
  const unproven = (kind, culprit, message) => {
    try { return refuse(kind, message, culprit); } catch (why) { return { verdict: "unproven", records, error: why }; }
  };
  if (!one.isWitnessed) {
    return unproven("witnesses", "witness", "too few witnesses cosigned the checkpoint; missing: " +
      one.missingWitnesses.join(", "));
  }
  if (standing === "unproven") return unproven("issuers", "nobody", "no record of the issuer was given");
  return { verdict: "ok", records };
}

/** Verifies one receipt with the receipts of issuer records, and throws unless its verdict is `ok`. */
export async function verifyReceipt(receipt, trust, records = []) {
  const [one] = await verifyReceipts([receipt, ...records], trust);
  if (one.error) throw one.error;
  return one;
}
