// Types of the SDK. Numbers that a log counts with are bigint; labels, names and ids lower-case hex.

/** Who is to blame: `nobody` where this program or engine cannot tell, or no node answers. */
export type Culprit = "log" | "witness" | "server" | "issuer" | "caller" | "nobody";

/** Why something is refused. `kind` is the check that failed, the same in all of Assay's programs. */
export class AssayError extends Error {
  readonly kind: string;
  readonly culprit: Culprit;
}
/** The log signed what must not be: keep what shows it. */
export class LogError extends AssayError {
  readonly culprit: "log";
  /** For kind `fork`: the two notes that contradict each other, or the entries under them. */
  readonly notes?: [string, string];
}
/** Too few witnesses cosigned: genuine, and not enough. */
export class WitnessError extends AssayError { readonly culprit: "witness"; }
/** Whoever served it, or somebody on the way. It proves nothing to others. */
export class ServerError extends AssayError { readonly culprit: "server"; }
/** Whoever made or signed the claim. */
export class IssuerError extends AssayError { readonly culprit: "issuer"; }
/** Whoever called: an argument, a key, a policy, or a question that the node refuses. */
export class CallerError extends AssayError {
  readonly culprit: "caller";
  /** For kind `refused`: the name that gRPC has for it, if the node says one. */
  readonly code?: string;
}
/** Nobody: the answer may be right, or there is none. */
export class UnsupportedError extends AssayError {
  readonly culprit: "nobody";
  /** For kind `unavailable`: in how many seconds to try again, if the node says so. */
  readonly retryAfter?: number;
}

// --- Keys, policies, checkpoints ---

export interface Key { name: string; id: string; type: 1 | 4 | 6; key: Uint8Array; vkey: string; }
/** What `readPolicy` makes of a text. */
export interface Policy { logs: Key[]; witnesses: { name: string; key: Key }[]; quorum: object | null; }
/** The keys of logs, and a policy; at least one key of a log. */
export interface Trust { log?: string | Key | (string | Key)[]; policy?: Policy | null; }
export interface Checkpoint {
  origin: string;
  size: bigint;
  root: Uint8Array;
  /** The signed note, as it was verified. */
  note: string;
  /** The policy's witnesses whose cosignatures were verified. */
  witnesses: string[];
  /** Signatures by known keys of ML-DSA-44: not checked, and not counted. */
  unchecked: number;
  /** When a quorum had cosigned, in seconds since 1970; null if no quorum is asked for. */
  cosignedAt: bigint | null;
}
/** Reads a verifier key, `name+id+base64`. */
export function readKey(vkey: string): Key;
/** Reads a C2SP tlog-policy. */
export function readPolicy(text: string): Policy;
/** Verifies a checkpoint's note: signed by the log, no known key's signature wrong, quorum reached. */
export function verifyCheckpoint(note: string | Uint8Array, trust: Trust): Promise<Checkpoint>;

// --- Signatures and hashes ---

/** Whether a signature verifies by the strict rules. */
export function verifyEd25519(key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
export type Equation = (key: Uint8Array, message: Uint8Array, signature: Uint8Array) => Promise<boolean>;
/** Says what checks the equation of sound keys and signatures, in place of the engine, and whether keys are points. */
export function useEquation(equation: Equation, isOnCurve?: (key: Uint8Array) => boolean): void;
/** The equation in BigInt. */
export const equationHolds: Equation;
/** Whether an equation is the one that is wanted, without the cofactor. */
export function isWanted(equation: Equation): Promise<boolean>;
export function sha256(...parts: ArrayLike<number>[]): Uint8Array;
export function toHex(bytes: ArrayLike<number>): string;
export function fromHex(hex: string): Uint8Array | null;
export function toBase64(bytes: Uint8Array): string;
/** The bytes of standard base64 in its one spelling. */
export function fromBase64(text: string): Uint8Array | null;
export function leafHash(...parts: ArrayLike<number>[]): Uint8Array;
export function listRoot(indices: bigint[]): Uint8Array;

// --- Entries and labels (docs/index.md 1, 3) ---

export interface Entry {
  /** Milliseconds since 1970, by the log's clock. */
  loggedAt: bigint;
  claim?: { payload: Uint8Array; signatures: { signature: Uint8Array; key: Uint8Array; issuer: string }[] };
  commitment?: { root: Uint8Array; labels: bigint; mapping: bigint; admission: bigint };
}
export type Kind = "digest" | "package" | "version" | "issuer" | "claim" | "vuln";
/** Reads the bytes of a leaf, in their one spelling. */
export function parseEntry(bytes: Uint8Array): Entry;
export function namesIn(entry: Entry): [Kind, string, string][];
export function labelsOf(entry: Entry): Set<string>;
export function nameHalf(kind: Kind, value: string): string;
export function byHalf(kind: Kind, by: string): string;
export function labelOf(kind: Kind, value: string, by: string): string;
/** The package and the version that a purl names, as pairs of kind and value. */
export function packageNames(purl: string): ["package" | "version", string][];

// --- Answers (docs/index.md 6, 8) ---

/** Names and speakers; a prefix and speakers (a crowd); or a prefix alone (a census). */
export type Question = { names: string[]; by: string[] } | { prefix: string; bits: number; by?: string[] };
export interface Found { label: string; length: bigint; root: Uint8Array; }
/** The message `Answer`, of which nothing is verified. */
export interface Answer {
  checkpoint: string | Uint8Array;
  commitment: Uint8Array;
  cut: Uint8Array;
  lists: { label: string; leaves: bigint[] }[];
  entries: [bigint, Uint8Array][];
  inclusion: Uint8Array[];
  range: Uint8Array[];
}
export interface ProvenEntry extends Entry { leaf: bigint; hash: string; }
export interface CheckedAnswer {
  checkpoint: Checkpoint;
  /** Since when it is fresh, in milliseconds since 1970: the older of the commitment's time and the quorum's. */
  asOf: bigint;
  /** When the commitment was made: what was logged later is not in the answer. */
  committedAt: bigint;
  commitment: NonNullable<Entry["commitment"]>;
  cut: Cut;
  /** The whole list of each label that was asked for and is in the index. */
  lists: Map<string, bigint[]>;
  entries: Map<bigint, ProvenEntry>;
  /** Labels whose lists are too long for an answer. */
  overlong: Found[];
  /** Leaves in lists whose entries did not come. */
  missing: bigint[];
  /** What a census found. */
  census: Found[];
  /** Nothing is overlong or missing: what was asked for is all here. */
  complete: boolean;
}
export class Cut {
  constructor(bytes: Uint8Array, root: Uint8Array, labels: bigint);
  ask(question: Question): Found[];
}
/** Reads the protobuf message `Answer`, or its pieces in the order of a stream. */
export function readAnswer(pieces: Uint8Array | Uint8Array[]): Answer;
/** Reads the same message from protobuf's JSON. */
export function readAnswerJson(json: unknown): Answer;
export function checkAnswer(checkpoint: Checkpoint, question: Question, answer: Answer): CheckedAnswer;
/** Verifies checkpoint, answer and claims. It may be of any log that is trusted: `checkpoint.origin` says which. */
export function verifyAnswer(answer: Uint8Array | Uint8Array[] | Answer, question: Question, trust: Trust):
  Promise<CheckedAnswer & { claims: LoggedClaim[] }>;
export function checkMultiproof(size: bigint, root: Uint8Array, leaves: [bigint, Uint8Array][], proof: Uint8Array[]): void;
export function checkRange(length: bigint, root: Uint8Array, from: bigint, indices: bigint[], proof: Uint8Array[]): void;
export interface Page {
  checkpoint: Checkpoint; asOf: bigint; committedAt: bigint; label: string; from: bigint;
  /** Length and root of the whole list; null if the index does not have the label. */
  list: Found | null;
  leaves: bigint[];
  entries: Map<bigint, ProvenEntry>;
  /** Leaves of the page whose entries did not come. */
  missing: bigint[];
}
/** Verifies a page of a list. It says nothing about the rest. */
export function checkPage(checkpoint: Checkpoint, label: string, from: bigint, answer: Answer): Page;
/** Whether pages, at least one, make up the whole list as of the last one. */
export function arePagesWhole(pages: Page[]): boolean;
export function crowdNames(cut: Cut, prefix: string, bits: number): string[];
export function speakers(cut: Cut, name: string): bigint;

// --- Claims and issuers (docs/design.md 3.2 to 3.4) ---

/** An in-toto statement. All of it is what strangers wrote: show it as text. */
export interface Statement {
  _type: string;
  subject: { name?: string | null; uri?: string | null; digest: Record<string, string> }[];
  predicateType: string;
  predicate?: Record<string, unknown> | null;
}
export interface Claim {
  id: string;
  statement: Statement;
  /** The predicate's own members that are numbers and not natural ones. */
  fractions: string[];
  /** Who signed, and for which issuer they say they did. */
  signers: { issuer: string; key: string }[];
}
export interface Place { origin: string; leaf: bigint; loggedAt: bigint; hash: string; }
export type LoggedClaim = Place & ({ claim: Claim; error?: undefined } | { error: AssayError; claim?: undefined });
export interface IssuerRecord {
  issuer: string; claimId: string;
  /** What the issuer calls itself. It proves nothing. */
  name: string;
  keys: string[]; threshold: number; rotation: { keys: string[]; threshold: number } | null;
  sequence: number; previous: string | null; leaf?: bigint;
}
export type Standing = { standing: "proven"; records: IssuerRecord[] } | { standing: "unproven" }
  | { standing: "refuted"; error: AssayError };
export function pae(payload: Uint8Array): Uint8Array;
/** Verifies a claim by itself. */
export function openClaim(entry: Entry): Promise<Claim>;
export function openClaims(answer: CheckedAnswer): Promise<LoggedClaim[]>;
export function issuerId(threshold: number, keys: string[], rotationThreshold?: number, rotationKeys?: string[]): string;
/** The record that a claim is; null if it is of another type. */
export function readRecord(claim: Claim): IssuerRecord | null;
/** The issuer and the key that a key compromise names; null for a claim of another type. */
export function readCompromise(claim: Claim): { issuer: string; key: string } | null;
/** Whether signers may speak for their issuers, by the records among the same claims. */
export function judgeIssuers(claims: (Place & { claim: Claim })[]): Standing[];

// --- Receipts (docs/design.md 3.6) ---

export interface ReceiptFiles { envelope: Uint8Array | string; proof: Uint8Array | string; }
export interface Receipt extends Place {
  claim: Claim; checkpoint: Checkpoint; isWitnessed: boolean; missingWitnesses: string[];
}
export type CheckedReceipt =
  | (Receipt & { verdict: "ok"; records: IssuerRecord[]; error?: undefined })
  | (Receipt & { verdict: "unproven"; records: IssuerRecord[]; error: AssayError })
  | (Partial<Receipt> & { verdict: "refused"; records?: IssuerRecord[]; error: AssayError });
export interface Proof { index: bigint; path: Uint8Array[]; extra: Uint8Array | null; checkpoint: string; }
export function readProof(proof: Uint8Array | string): Proof;
export function checkInclusion(leaf: Uint8Array, index: bigint, size: bigint, path: Uint8Array[], root: Uint8Array): void;
/** Verifies a C2SP tlog-proof of a leaf. Its extra data is not authenticated. */
export function verifyProof(proof: Uint8Array | string, leafHash: Uint8Array, trust: Trust):
  Promise<{ index: bigint; extra: Uint8Array | null; checkpoint: Checkpoint }>;
/** Verifies a receipt by itself, without its issuers and the quorum. */
export function openReceipt(receipt: ReceiptFiles, trust: Trust): Promise<Receipt>;
/** Verifies receipts together; the verdicts stand in their order. */
export function verifyReceipts(receipts: ReceiptFiles[], trust: Trust): Promise<CheckedReceipt[]>;
/** Verifies one receipt with those of issuer records; throws unless its verdict is `ok`. */
export function verifyReceipt(receipt: ReceiptFiles, trust: Trust, records?: ReceiptFiles[]): Promise<CheckedReceipt>;

// --- The client ---

export type About = { purl: string } | { digest: string } | { vuln: string } | { claim: string } | { issuer: string };
export interface LookedUp {
  /** Nothing that these issuers said about it, or in withdrawal of that, was left out, as of `asOf`. */
  complete: boolean;
  /** That of the oldest of all answers, those about the issuers' records included. */
  asOf: bigint;
  /** Those of all answers. */
  checkpoints: Checkpoint[];
  /**
   * Claims whose signatures hold, each with the standing of its signers, and with those of its keys that
   * its issuers ever declared compromised: from when on is in `compromises`.
   */
  claims: (Place & { claim: Claim; compromisedKeys: string[] } & Standing)[];
  /** Leaves of claims that one of their own issuers withdrew. */
  withdrawn: Set<bigint>;
  /** The issuers' declarations of keys that are not to be trusted, rightly signed. */
  compromises: (Place & { claim: Claim; standing: "proven"; records: IssuerRecord[] })[];
  /** Claims in the log that do not verify. */
  refused: LoggedClaim[];
  answers: CheckedAnswer[];
}
/**
 * One log at a node: that of its key, of the only log in the policy, or of `origin`. It remembers heads,
 * and nothing on disk: one that is older than one seen before is refused, and so is one from the future.
 */
export class Log {
  readonly origin: string;
  constructor(options: { url: string; log?: Trust["log"]; policy?: Policy | null; origin?: string;
    fetch?: typeof fetch; timeoutMs?: number; now?: () => number });
  lookup(question: About & { issuers: string[] }): Promise<LookedUp>;
  /**
   * The same about many packages: of each purl the claims about that version, and those about its package
   * and no version. With `isPrivate` the node is told at most 12 bits of each package's name.
   */
  lookupAll(question: { purls: string[]; issuers: string[]; isPrivate?: boolean }): Promise<LookedUp & {
    about: Map<string, LookedUp["claims"]>;
  }>;
  issuer(id: string): Promise<LookedUp>;
  census(about: About): Promise<CheckedAnswer>;
  /** A whole list in pages, with its entries of that name and speaker in full. */
  list(about: About & { by: string }): Promise<Page[]>;
  receipt(claimId: string, which?: { leaf?: bigint | number }): Promise<CheckedReceipt & { files: ReceiptFiles[] }>;
  checkpoint(): Promise<Checkpoint>;
}

// --- Lock files and SBOMs

/** Why a file is not read here; `assay check` may. */
export class Unreadable extends AssayError { readonly culprit: "nobody"; }
export interface Listed {
  format: string;
  /** Canonical, once each, sorted. */
  purls: string[];
  /** What is the project itself: purls, or names. */
  own: string[];
  /** What is listed and not read here, with the reason. */
  unread: { name: string; why: string }[];
}
/** Reads a lock file or an SBOM by its name and text, as `assay check` does or not at all. */
export function readLock(name: string, text: string): Listed;
