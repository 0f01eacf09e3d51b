import { strict as assert } from "node:assert";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import * as sdk from "../index.js";
import { claimEntry, statementOf } from "./log.mjs";
import { ids, refusedAs, withNode } from "./node.mjs";
import { issuers, keys, makeWorld } from "./world.mjs";

const CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index";
const sum = "ab".repeat(32);
const read = (name, text) => {
  const { purls, own, unread } = sdk.readLock(name, text);
  return [purls, own, unread.map((one) => one.name.trim())];
};

test("Cargo.lock", () => {
  const text = `# by Cargo\nversion = 4\n\n[[package]]\nname = "a"\nversion = "1.0.0+x"\nsource = "${CRATES_IO}"\nchecksum = "${sum}"\n`
    + `dependencies = [\n "b",\n "c 1.0.0",\n]\n\n[[package]]\nname = "b"\nversion = "0.1.0"\n\n`
    + `[[package]]\nname = "c"\nversion = "1.0.0"\nsource = "git+https://host.example/c#${sum.slice(24)}"\n`
    + `\n[[package]]\nname = "d"\nversion = "1.0.0"\nsource = "registry+https://other.example/index"\n`;
  assert.deepEqual(read("app.Cargo.lock", text), [["pkg:cargo/a@1.0.0%2Bx"], ["pkg:cargo/b@0.1.0"], ["c 1.0.0", "d 1.0.0"]]);
});

test("package-lock.json", () => {
  const at = "https://registry.npmjs.org";
  const packages = { "": { name: "top", version: "1.0.0" }, "node_modules/@s/a": { version: "1.0.0", resolved: `${at}/@s/a/-/a-1.0.0.tgz` },
    "node_modules/b/node_modules/c": { version: "2.0.0" }, "node_modules/alias": { name: "real", version: "3.0.0" },
    "node_modules/w": { resolved: "packages/w", link: true }, "packages/w": { version: "0.1.0" }, "node_modules/gone": { resolved: "x", link: true },
    "node_modules/git": { version: "1.0.0", resolved: "git+ssh://git@host.example/git.git#1" },
    "node_modules/else": { version: "1.0.0", resolved: `${at}/other/-/other-1.0.0.tgz` } };
  assert.deepEqual(read("package-lock.json", JSON.stringify({ lockfileVersion: 3, packages })),
    [["pkg:npm/%40s/a@1.0.0", "pkg:npm/c@2.0.0", "pkg:npm/real@3.0.0"], ["top", "packages/w"], ["gone", "git 1.0.0", "else 1.0.0"]]);
  const dependencies = { a: { version: "1.0.0", dependencies: { b: { version: "2.0.0" } } }, c: { version: "npm:d@1.0.0" } };
  assert.deepEqual(read("x", JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.5" })), [[], [], []]);
  assert.deepEqual(read("npm-shrinkwrap.json", JSON.stringify({ lockfileVersion: 1, dependencies })),
    [["pkg:npm/a@1.0.0", "pkg:npm/b@2.0.0"], [], ["c npm:d@1.0.0"]]);
});

test("uv.lock and poetry.lock", () => {
  const one = (name, source) => `[[package]]\nname = "${name}"\nversion = "1.0"\nsource = { ${source} }\n`
    + `wheels = [\n  { url = "u", hash = "sha256:${sum}", size = 1 },\n]\n`;
  const uv = 'version = 1\nrequires-python = ">=3.9"\n' + one("Typing_Extensions", 'registry = "https://pypi.org/simple"')
    + one("b", 'registry = "https://index.example/simple"') + one("c", 'git = "https://host.example/c"') + one("d", 'editable = "."');
  assert.deepEqual(read("uv.lock", uv), [["pkg:pypi/typing-extensions@1.0"], ["pkg:pypi/d@1.0"], ["b 1.0", "c 1.0"]]);
  const poetry = `[[package]]\nname = "a.b"\nversion = "1.0"\nfiles = [\n    {file = "f", hash = "sha256:${sum}"},\n]\n\n[package.dependencies]\n`
    + 'c = {version = ">=1", markers = "python_version < \\"3\\""}\n\n[[package]]\nname = "l"\nversion = "2"\n\n[package.source]\ntype = "git"\nurl = "u"\n'
    + '\n[metadata]\nlock-version = "2.0"\n';
  assert.deepEqual(read("poetry.lock", poetry), [["pkg:pypi/a.b@1.0"], [], ["l 2"]]);
});

test("requirements.txt, go.sum and go.mod", () => {
  const pins = `# c\nA_b[x]==1.0 ; python_version < "3" \\\n    --hash=sha256:${sum}\nc >= 2\nd===3  # why\n-r other.txt\n-i https://i.example\n./e\n`;
  assert.deepEqual(read("requirements.txt", pins), [["pkg:pypi/a-b@1.0", "pkg:pypi/d@3"], [], ["c >= 2", "-r other.txt", "./e"]]);
  const h = "h1:" + "A".repeat(43) + "=";
  const sums = ["Host.example/A v1.0.0", "Host.example/A v1.2.0", "Host.example/A v1.2.0-rc.1", "b.example/c/v2 v2.0.0/go.mod", "d.example/e v0.0.0-2024-x"];
  assert.deepEqual(read("go.sum", sums.map((one) => `${one} ${h}\n`).join("")),
    [["pkg:golang/d.example/e@v0.0.0-2024-x", "pkg:golang/host.example/a@v1.2.0"], [], []]);
  const mod = "module own.example/m // x\n\ngo 1.21\n\nrequire (\n\ta.example/b v1.0.0 // indirect\n\tc.example/d v2.0.0+incompatible\n)\nrequire e.example/f v1.0.0\nreplace e.example/f => ../f\n";
  assert.deepEqual(read("go.mod", mod),
    [["pkg:golang/a.example/b@v1.0.0", "pkg:golang/c.example/d@v2.0.0%2Bincompatible"], ["own.example/m"], ["e.example/f v1.0.0"]]);
});

test("SBOMs: what is not spelled as canonical purls are is not guessed", () => {
  const components = [["pkg:npm/%40s/a@1.0.0"], ["pkg:pypi/a", "2.0"], ["pkg:deb/debian/a@1?arch=x86_64&distro=debian-12"],
    ["pkg:npm/@s/a@1.0.0"], ["pkg:golang/Host/a@v1.0.0"], ["pkg:pypi/a_b@1"], ["pkg:odd/a@1"], ["pkg:npm/a", "^1.0"], ["pkg:npm/a"], [undefined, "1"],
    ["pkg:deb/debian/a@1?distro=x&arch=y"], ["pkg:npm/%61@1"]]
    .map(([purl, version], i) => ({ name: "n" + i, purl, version, ...(i === 0 && { components: [{ name: "in", purl: "pkg:cargo/in@1.0.0" }] }) }));
  const bom = { bomFormat: "CycloneDX", specVersion: "1.6", metadata: { component: { name: "top" } }, components };
  const wanted = ["pkg:cargo/in@1.0.0", "pkg:deb/debian/a@1?arch=x86_64&distro=debian-12", "pkg:npm/%40s/a@1.0.0", "pkg:pypi/a@2.0"];
  const [purls, own, unread] = read("sbom.json", JSON.stringify(bom));
  assert.deepEqual([purls, own, unread.length], [wanted, ["top"], 9]);
  const packages = components.map(({ name, purl, version }) => ({ SPDXID: "SPDXRef-" + name, name, versionInfo: version,
    externalRefs: purl ? [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl }] : [] }));
  const spdx = { spdxVersion: "SPDX-2.3", documentDescribes: ["SPDXRef-n0"], packages };
  assert.deepEqual(read("x.spdx.json", JSON.stringify(spdx)).slice(0, 2), [wanted.slice(1).filter((one) => !one.includes("%40")), ["pkg:npm/%40s/a@1.0.0"]]);
});

test("what cannot be read is refused whole", () => {
  for (const [name, text] of [["Cargo.lock", "version = 9\n"], ["Cargo.lock", "[[package]\n"], ["Cargo.lock", "version = 4\nversion = 4\n"],
    ["Cargo.lock", 'a = """x"""\n'], ["Cargo.lock", '[[package]]\nname = "a"\n'], ["package-lock.json", "{}"], ["package-lock.json", "["],
    ["package-lock.json", '{"lockfileVersion":3,"lockfileVersion":3,"packages":{}}'], ["uv.lock", "version = 2\n"], ["poetry.lock", "[metadata]\nlock-version = \"3\"\n"],
    ["go.sum", "a v1\n"], ["go.mod", "go 1.21\n"], ["yarn.lock", "# yarn"], ["__proto__", "{}"],
    ["Cargo.lock", "a = " + "[".repeat(1000) + "]".repeat(1000) + "\n"]]) {
    assert.throws(() => sdk.readLock(name, text), (error) => error instanceof sdk.Unreadable && refusedAs("unreadable", "nobody")(error), `${name}: ${text.slice(0, 40)}`);
  }
  sdk.readLock("Cargo.lock", "__proto__ = { polluted = 1 }\n[constructor.prototype]\npolluted = 1\n");
  assert.equal({}.polluted, undefined);
});

const VEX = "pkg:cargo/serde", review = "pkg:cargo/serde@1.0.0", none = "pkg:cargo/serde@2.0.0";

test("many packages are asked for at once, and what was withdrawn is marked", async () => {
  const world = makeWorld(), { log, leaves } = world, signer = [[keys.audits, issuers.audits.issuer]];
  let time = 1_767_225_600_000n + 13_000n;
  const say = (purl, type, predicate, by = signer) => {
    const leaf = log.append(claimEntry(time += 1000n, statementOf(purl, type, predicate), by));
    log.commit(time += 1000n);
    return BigInt(leaf);
  };
  const whole = say(VEX, "urn:x", { of: "all versions" }), leaf = BigInt(leaves.review);
  const id = (await sdk.openClaim(sdk.parseEntry(log.entries[leaves.review]))).id;
  const withdrawal = (predicate, by) => say("pkg:cargo/other@1", "urn:assay:withdrawal:v1", predicate, by);
  withdrawal({ target: id, reason: "wrong" });
  // Nobody else withdraws what an issuer said: not another one, nor whoever names it without its keys.
  const ended = (await sdk.openClaim(sdk.parseEntry(log.entries[leaves.ended]))).id;
  withdrawal({ target: ended, reason: "not ours" });
  withdrawal({ target: ended, reason: "forged" }, [[keys.stranger, issuers.maintainer.issuer]]);
  for (const isPrivate of [false, true]) {
    await withNode((url) => void asked.push(url), async (client) => {
      asked.length = 0;
      const found = await client.lookupAll({ purls: [review, none, "pkg:cargo/tokio@1.2.3", "pkg:npm/absent@1"], issuers: ids, isPrivate });
      const shown = [...found.about].map(([purl, claims]) => [purl, claims.map((one) => one.leaf)]);
      const both = [leaf, BigInt(leaves.both), BigInt(leaves.forged), whole];
      assert.deepEqual(shown, [[review, both], [none, [whole]], ["pkg:cargo/tokio@1.2.3", [BigInt(leaves.ended)]], ["pkg:npm/absent@1", []]]);
      assert.deepEqual([...found.withdrawn], [leaf]);
      assert.equal(found.complete, true);
      const names = [review, "pkg:npm/absent@1"].map((purl) => sdk.nameHalf(...sdk.packageNames(purl)[0]));
      const told = names.filter((name) => asked.some((url) => url.search.includes(name)));
      assert.equal(told.length, isPrivate ? 0 : 2);
      assert.equal(asked.some((url) => url.searchParams.get("bits") > 12), false);
      assert.deepEqual([...(await client.lookup({ purl: review, issuers: ids })).withdrawn], [leaf]);
    }, { world });
  }
});
const asked = [];
