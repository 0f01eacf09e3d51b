// Reads lock files and SBOMs where they are, and asks a log for what they list. The file is not sent
// anywhere: the node is told hashes of the packages' names. What this does not read as `assay check`
// does is said to be unread, and never guessed.

import { AssayError, internals } from "./verify.js";

const { strictJson, utf8 } = internals;
const MOST = { bytes: 16 << 20, components: 20_000, depth: 32 };

/** Why a file is not read: an error of the caller's whom this program is too small for. */
const fault = (message) => { throw new Unreadable(message); };
export class Unreadable extends AssayError {
  culprit = "nobody";
  constructor(message) { super("unreadable", message); }
}

// --- Purls, as `assay check` writes them

const encode = (text) => encodeURIComponent(text).replace(/%3A/g, ":")
  .replace(/[!'()*]/g, (char) => "%" + char.charCodeAt(0).toString(16).toUpperCase());

/** The canonical purl of a package in a version; the namespace is what stands before the last slash of `path`. */
function purlOf(type, path, version) {
  const name = type === "pypi" ? path.toLowerCase().replaceAll("_", "-") : type === "golang" ? path.toLowerCase() : path;
  const isWhole = name.split("/").every((part) => part !== "") && version !== "";
  if (!isWhole || (type !== "npm" && type !== "golang" && name.includes("/"))) fault(`no package is called ${path}`);
  return `pkg:${type}/${name.split("/").map(encode).join("/")}@${encode(version)}`;
}

// What of a purl is written in lower case; of other types this program knows no rules.
const ANY = /(?!)/, LOWER = { cargo: ANY, npm: ANY, maven: ANY, gem: ANY, golang: /[A-Z]/, pypi: /[A-Z_]/, github: /[A-Z]/,
  deb: /[A-Z]/, apk: /[A-Z]/, composer: /[A-Z]/, rpm: /^\/[^/]*[A-Z]/ };
const SEGMENTS = { cargo: 1, gem: 1, pypi: 1, github: 2, maven: 2, deb: 2, apk: 2, composer: 2, rpm: 2 };
const PART = "(?:[A-Za-z0-9._~:-]|%[0-9A-F]{2})+";
const PURL = new RegExp(`^pkg:([a-z]+)((?:/${PART})+)(?:@(${PART}))?(?:\\?([a-z][a-z0-9._-]*=${PART}(?:&[a-z][a-z0-9._-]*=${PART})*))?$`);
const NEEDLESS = /%(2[DE]|3[0-9A]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])/;

/** A purl of an SBOM with its version, if it is canonical already; or why not. */
function stated(purl, version) {
  const [, type, path, own, qualifiers = ""] = PURL.exec(purl) ?? [], keys = qualifiers.split("&").map((pair) => pair.split("=")[0]);
  const isSorted = keys.every((key, i) => !i || keys[i - 1] < key);
  if (!type || NEEDLESS.test(purl) || !isSorted) return { why: "its purl is not canonical" };
  if (!Object.hasOwn(LOWER, type)) return { why: `purls of type ${type} are not read here` };
  if (LOWER[type].test(path)) return { why: "its purl is not canonical" };
  const segments = path.split("/").length - 1;
  if ((SEGMENTS[type] ?? segments) !== segments || (type === "golang" && path === "/std")) return { why: "its purl is not canonical" };
  const pinned = own === undefined ? version : decodeURIComponent(own);
  if (!pinned || !/^[0-9A-Za-z][0-9A-Za-z.+_~:-]*$/.test(pinned) || !/[0-9]/.test(pinned)) return { why: "it has no version that is one" };
  // Platforms of gems are qualifiers, and parts of modules stand between slashes.
  if ((type === "gem" && pinned.includes("-")) || (type === "golang" && path.includes("%2F"))) return { why: "its purl is not canonical" };
  const base = `pkg:${type}${path}@${encode(pinned)}`;
  return { base, purl: qualifiers ? `${base}?${qualifiers}` : base };
}

// --- TOML, as lock files use it

/** Reads tables, strings, numbers, booleans, arrays and inline tables; refuses the rest of TOML. */
function readToml(text) {
  const root = Object.create(null), words = /\s*(?:#[^\n]*\s*)*/y;
  let table = root, at = 0;
  const line = () => text.slice(0, at).split("\n").length;
  const bad = () => fault(`line ${line()} is not read here`);
  const skip = () => { words.lastIndex = at; words.exec(text); at = words.lastIndex; };
  const take = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const key = () => {
    const path = [];
    do path.push(take(/[ \t]*([A-Za-z0-9_-]+)[ \t]*/y)?.[1] ?? string(take(/[ \t]*("(?:[^"\\\n]|\\.)*")[ \t]*/y)?.[1]));
    while (take(/\./y));
    return path;
  };
  const string = (quoted) => {
    if (quoted === undefined) bad();
    try { return JSON.parse(quoted); } catch { return bad(); }
  };
  const into = (path, from) => path.reduce((inner, name) => {
    const next = inner[name] ??= Object.create(null);
    const last = Array.isArray(next) ? next.at(-1) : next;
    return last !== null && typeof last === "object" ? last : bad();
  }, from);
  const put = (path, where, what) => {
    const inner = into(path.slice(0, -1), where), name = path.at(-1);
    if (name in inner) bad();
    inner[name] = what;
  };
  const value = (depth) => {
    skip();
    if (depth > MOST.depth) bad();
    if (take(/"""|'''/y)) bad();
    const basic = take(/"(?:[^"\\\n]|\\.)*"/y);
    if (basic) return string(basic[0]);
    const literal = take(/'([^'\n]*)'/y);
    if (literal) return literal[1];
    const other = take(/true|false|-?(?:0|[1-9][0-9]*)(?![0-9A-Za-z._:-])/y);
    if (other) return JSON.parse(other[0]);
    if (take(/\[/y)) return array(depth);
    if (!take(/\{/y)) bad();
    const inline = Object.create(null);
    for (skip(); !take(/\}/y); skip()) {
      const path = key();
      if (!take(/=/y)) bad();
      put(path, inline, value(depth + 1));
      skip();
      if (!take(/,/y) && text[at] !== "}") bad();
    }
    return inline;
  };
  const array = (depth) => {
    const items = [];
    for (skip(); !take(/\]/y); skip()) {
      items.push(value(depth + 1));
      skip();
      if (!take(/,/y) && text[at] !== "]") bad();
    }
    return items;
  };
  for (skip(); at < text.length; skip()) {
    if (take(/\[\[/y)) {
      const path = key(), inner = into(path.slice(0, -1), root), list = inner[path.at(-1)] ??= [];
      if (!Array.isArray(list) || !take(/\]\]/y)) bad();
      list.push(table = Object.create(null));
    } else if (take(/\[/y)) {
      const path = key();
      if (!take(/\]/y)) bad();
      table = into(path, root);
    } else {
      const path = key();
      if (!take(/=/y)) bad();
      put(path, table, value(0));
    }
    if (!take(/[ \t]*(?:#[^\n]*)?(?:\r?\n|$)/y)) bad();
  }
  return root;
}

// --- Formats

const texts = (value) => (typeof value === "string" && value !== "" ? value : null);
const array = (value) => (value === undefined ? [] : Array.isArray(value) ? value : fault("a list is none"));
const object = (value) => (value !== null && typeof value === "object" && !Array.isArray(value) ? value : fault("a table is none"));

/** What is listed: purls, those of the project itself, and what is not read, with a reason. */
class Listed {
  purls = new Set();
  own = [];
  unread = [];
  add(type, name, version) { this.purls.add(purlOf(type, name, version)); }
  skip(name, why) { this.unread.push({ name: String(name), why }); }
}

const CRATES_IO = /^(registry\+https:\/\/github\.com\/rust-lang\/crates\.io-index|sparse\+https:\/\/index\.crates\.io\/)$/;
const PYPI = /^https:\/\/pypi\.org\/simple\/?$/;

function readCargo(text, listed) {
  const lock = readToml(text);
  if (lock.version !== undefined && !(lock.version <= 4)) fault("a Cargo.lock of this version is not known here");
  if (lock.root) fault("a Cargo.lock of before 2017 is not read here");
  for (const { name, version, source } of array(lock.package)) {
    if (!texts(name) || !texts(version)) fault("a package has no name or version");
    if (source === undefined) listed.own.push(purlOf("cargo", name, version));
    else if (CRATES_IO.test(source)) listed.add("cargo", name, version);
    else listed.skip(`${name} ${version}`, "it is not from crates.io");
  }
}

function readPython(text, listed, isPoetry) {
  const lock = readToml(text);
  const isKnown = isPoetry ? lock.metadata && /^[12](\.|$)/.test(lock.metadata["lock-version"] ?? "1") : lock.version === 1;
  if (!isKnown) fault("a lock file of this version is not known here");
  for (const { name, version, source } of array(lock.package)) {
    if (!texts(name) || (isPoetry && !texts(version)) || (!isPoetry && !source)) fault("a package has no name, version or source");
    const isPlain = isPoetry ? source === undefined || (source.type === "legacy" && PYPI.test(source.url)) : PYPI.test(source.registry ?? "");
    const isOwn = isPoetry ? source?.type === "directory" : "editable" in source || "virtual" in source || "directory" in source;
    if (isOwn) listed.own.push(texts(version) ? purlOf("pypi", name, version) : name);
    else if (isPlain && texts(version)) listed.add("pypi", name, version);
    else listed.skip(`${name} ${version ?? ""}`, "it is not from PyPI");
  }
}

const json = (text) => strictJson(utf8(text), (holds, message) => { if (!holds) fault(message); }).value;

/** Whether an address is where npm's registry has the tarball of a package. */
function isOfNpm(address, name, version) {
  const base = name.split("/").at(-1), file = `${base}-${version.split("+")[0]}.tgz`;
  return ["https://registry.npmjs.org", "https://registry.yarnpkg.com"].some((at) => address === `${at}/${name}/-/${file}`);
}

function addNpm(listed, name, version, resolved) {
  if (!texts(version)) listed.skip(name, "it has no version");
  else if (resolved !== undefined && !isOfNpm(resolved, name, version)) listed.skip(`${name} ${version}`, "it is not from npm's registry");
  else listed.add("npm", name, version);
}

function readNpm(text, listed) {
  const lock = object(json(text)), version = lock.lockfileVersion;
  if (version === 1) return readNpmTree(lock, listed, 0);
  if (version !== 2 && version !== 3) fault("a lock file of this version is not known here");
  for (const [folder, one] of Object.entries(object(lock.packages))) {
    object(one);
    const at = folder.lastIndexOf("node_modules/"), name = texts(one.name) ?? (at < 0 ? null : folder.slice(at + 13));
    if (one.link === true) {
      if (!Object.hasOwn(lock.packages, one.resolved ?? "")) listed.skip(name ?? folder, "it is a link to what the file does not list");
    } else if (at < 0) listed.own.push(name ?? (folder || "the project"));
    else addNpm(listed, name, one.version, one.resolved);
  }
}

function readNpmTree({ dependencies = {} }, listed, depth) {
  if (depth > MOST.depth) fault("it is nested too deep");
  for (const [name, one] of Object.entries(object(dependencies))) {
    if (/[:]/.test(object(one).version ?? "")) listed.skip(`${name} ${one.version}`, "it is an alias, or not from npm's registry");
    else addNpm(listed, name, one.version, one.resolved);
    readNpmTree(one, listed, depth + 1);
  }
}

function readRequirements(text, listed) {
  const lines = text.replace(/^[ \t]*#[^\n]*/gm, "").replace(/\\\r?\n/g, " ").split(/\r?\n/);
  for (const line of lines.map((one) => one.replace(/(^|[ \t])#.*/, "").trim()).filter(Boolean)) {
    if (/^--?(c|constraint|i|index-url|extra-index-url|f|find-links|no-index|require-hashes|pre|trusted-host|no-binary|only-binary|prefer-binary|use-feature)\b/.test(line)) continue;
    const [, name, version] = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*={2,3}\s*([A-Za-z0-9.!+_-]+)\s*(?:;.*?)?(?:\s+--.*)?$/.exec(line) ?? [];
    if (name && !/\.(whl|zip|tar\.gz|tar\.bz2)$/.test(name)) listed.add("pypi", name, version);
    else listed.skip(line.slice(0, 120), "it is not pinned: write NAME==VERSION");
  }
}

/** Whether one version of a module is older than another, as SemVer orders them; null if they are none. */
function isOlder(a, b) {
  const parse = (text) => /^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?$/.exec(text);
  const one = parse(a), other = parse(b);
  if (!one || !other) return null;
  for (const i of [1, 2, 3]) if (one[i] !== other[i]) return BigInt(one[i]) < BigInt(other[i]);
  if (one[4] === other[4]) return false;
  if (!one[4] || !other[4]) return Boolean(one[4]);
  const left = one[4].split("."), right = other[4].split(".");
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    if (left[i] === right[i]) continue;
    if (left[i] === undefined || right[i] === undefined) return left[i] === undefined;
    const [isA, isB] = [left[i], right[i]].map((part) => /^[0-9]+$/.test(part));
    if (isA && isB) return BigInt(left[i]) < BigInt(right[i]);
    return isA === isB ? left[i] < right[i] : isA;
  }
  return false;
}

function readGoSum(text, listed) {
  const built = new Map();
  for (const line of text.split(/\r?\n/).filter((one) => one.trim())) {
    const [module, version, hash, ...more] = line.trim().split(/\s+/);
    if (!hash || more.length || !version.startsWith("v")) fault(`${line.slice(0, 80)} is not MODULE VERSION HASH`);
    if (!version.endsWith("/go.mod")) built.set(module, [...(built.get(module) ?? []), version]);
  }
  for (const [module, versions] of built) {
    for (const one of versions) if (!versions.some((other) => isOlder(one, other) === true)) listed.add("golang", module, one);
  }
}

function readGoMod(text, listed) {
  let block = null, module = null, go = [1, 16];
  const required = [], replaced = new Set();
  for (const line of text.split(/\r?\n/)) {
    const words = line.replace(/\/\/.*/, "").trim().split(/\s+/).filter(Boolean);
    if (!words.length) continue;
    if (words.some((word) => /["`]/.test(word))) fault("quoted words are not read here");
    if (block && words[0] === ")") { block = null; continue; }
    if (!block && words[1] === "(") { block = words[0]; continue; }
    const [directive, ...rest] = block ? [block, ...words] : words;
    if (directive === "module") module = rest[0];
    else if (directive === "go") go = rest[0].split(".").map(Number);
    else if (directive === "replace") replaced.add(rest[0]);
    else if (directive === "require") {
      if (rest.length !== 2 || !rest[1].startsWith("v")) fault(`${line.trim().slice(0, 80)} is not read here`);
      required.push(rest);
    } else if (!["exclude", "godebug", "ignore", "retract", "tool", "toolchain"].includes(directive)) fault(`${directive} is not known here`);
  }
  if (!module || block) fault("it names no module, or has no end");
  listed.own.push(module);
  for (const [name, version] of required) {
    if (replaced.has(name)) listed.skip(`${name} ${version}`, "something else stands in for it");
    else listed.add("golang", name, version);
  }
  if (go[0] === 1 && go[1] < 17 && required.length) listed.skip("other modules", "a go.mod of before Go 1.17 does not name all");
}

function readCycloneDx(text, listed) {
  const bom = object(json(text));
  if (!/^1\.[2-7]$/.test(bom.specVersion)) fault("CycloneDX of this version is not read here");
  const read = (one, isOwn, depth) => {
    if (depth > MOST.depth) fault("it is nested too deep");
    const name = texts(object(one).name) ?? fault("a component has no name");
    const sources = array(one.properties).some((property) => property?.name === "aquasecurity:trivy:SrcName");
    const { purl, why } = sources ? { why: "it names its source package" } : texts(one.purl) ? stated(one.purl, texts(one.version)) : { why: "it has no purl" };
    if (isOwn) listed.own.push(purl ?? name);
    else if (purl) listed.purls.add(purl);
    else listed.skip(`${name} ${one.version ?? ""}`, why);
    for (const inner of array(one.components)) read(inner, false, depth + 1);
  };
  if (bom.metadata?.component) read(bom.metadata.component, true, 0);
  for (const one of array(bom.components)) read(one, false, 0);
}

function readSpdx(text, listed) {
  const document = object(json(text));
  if (!["SPDX-2.2", "SPDX-2.3"].includes(document.spdxVersion)) fault("SPDX of this version is not read here");
  const described = [...array(document.documentDescribes), ...array(document.relationships).filter((one) =>
    one?.relationshipType === "DESCRIBES" && one.spdxElementId === "SPDXRef-DOCUMENT").map((one) => one.relatedSpdxElement)];
  const own = new Set(described).size === 1 ? described[0] : null;
  for (const one of array(document.packages)) {
    const name = texts(object(one).name) ?? one.SPDXID, version = ["NOASSERTION", "NONE"].includes(one.versionInfo) ? null : texts(one.versionInfo);
    const purls = array(one.externalRefs).filter((ref) => String(ref?.referenceType).split("/").at(-1) === "purl");
    const found = purls.map((ref) => stated(String(ref.referenceLocator), version));
    const why = /^built package from:/.test(one.sourceInfo ?? "") ? "it names its source package" : found.find((each) => each.why)?.why;
    if (one.SPDXID === own) listed.own.push(found[0]?.purl ?? name);
    else if (!found.length || why) listed.skip(`${name} ${version ?? ""}`, why ?? "it has no purl");
    else for (const [i, { base, purl }] of found.entries()) {
      // The many places where one package is to be had are one package.
      if (found.findIndex((other) => other.base === base) === i) listed.purls.add(purl);
    }
  }
}

/** Formats: what they are called, which file names they have, and what is in their text. */
const FORMATS = [
  ["Cargo.lock", /(^|\.)Cargo\.lock$/, readCargo],
  ["package-lock.json", /(^|\.)(package-lock|npm-shrinkwrap)\.json$/, readNpm],
  ["uv.lock", /(^|\.)uv\.lock$/, (text, listed) => readPython(text, listed, false)],
  ["poetry.lock", /(^|\.)poetry\.lock$/, (text, listed) => readPython(text, listed, true)],
  ["go.sum", /(^|\.)go\.(work\.)?sum$/, readGoSum],
  ["go.mod", /(^|\.)go\.mod$/, readGoMod],
  ["requirements.txt", /(requirements|constraints)[^/\\]*\.txt$/, readRequirements],
  ["CycloneDX JSON", null, readCycloneDx, /"bomFormat"\s*:\s*"CycloneDX"/],
  ["SPDX 2 JSON", null, readSpdx, /"spdxVersion"\s*:\s*"SPDX-2/],
];

/**
 * Reads a lock file or an SBOM by its name and text: `{ format, purls, own, unread }`, the purls
 * canonical, once each and sorted. Throws `Unreadable` where `assay check` has to be asked.
 */
export function readLock(name, text) {
  if (text.length > MOST.bytes) fault("the file is too long to be read here");
  const found = FORMATS.find(([, file]) => file?.test(name)) ?? FORMATS.find(([, , , sign]) => sign?.test(text));
  if (!found) fault("it could not be read here: assay check reads more formats");
  const [format, , read] = found, listed = new Listed();
  read(text.replace(/^\ufeff/, ""), listed);
  if (listed.purls.size + listed.unread.length > MOST.components) fault("it lists more than is read here");
  return { format, purls: [...listed.purls].sort(), own: listed.own, unread: listed.unread };
}
