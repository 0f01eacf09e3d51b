// Verifies Sigstore bundles with `@sigstore/verify`. Arguments: a trusted root; a list of npm's keys or `-`; the file that was
// signed, for bundles of files, or `-`; and files that each hold a bundle, or bundles as npm answers. Prints a line for each file: its name, and `verified` or why it is not.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

// The packages are in the folder where they were installed, and not beside this file.
const require = createRequire(process.cwd() + '/')
const { bundleFromJSON } = require('@sigstore/bundle')
const { PublicKey, TrustedRoot } = require('@sigstore/protobuf-specs')
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify')

const read = (file) => JSON.parse(readFileSync(file, 'utf8'))
const [root, keyFile, artifact, ...files] = process.argv.slice(2)
const keys = keyFile === '-' ? [] : read(keyFile).keys.filter((key) => key.keyUsage === 'npm:attestations')
const find = (hint) => {
  const key = keys.find((key) => key.keyId === hint)
  if (!key) throw new Error('an unknown key: ' + hint)
  const known = PublicKey.fromJSON(key.publicKey)
  return { publicKey: require('@sigstore/core').crypto.createPublicKey(known.rawBytes), validFor: () => true }
}
const material = toTrustMaterial(TrustedRoot.fromJSON(read(root)), find)

for (const file of files) {
  let verdict = 'verified'
  try {
    const document = read(file)
    const bundles = document.attestations ? document.attestations.map((one) => one.bundle) : [document]
    for (const bundle of bundles) {
      const signed = bundle.messageSignature ? readFileSync(artifact) : undefined
      new Verifier(material).verify(toSignedEntity(bundleFromJSON(bundle), signed))
    }
  } catch (error) {
    verdict = `${error.code ?? error.name}: ${error.message}`.replace(/\s+/g, ' ')
  }
  console.log(file + '\t' + verdict)
}
