// Validates CSAF documents by the schema and the mandatory tests of their version. Prints what fails, a line each.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

// The packages are in the folder where they were installed, and not beside this file.
const require = createRequire(process.cwd() + '/')
const lib = (path) => import(pathToFileURL(require.resolve('@secvisogram/csaf-validator-lib/' + path)).href)

for (const file of process.argv.slice(2)) {
  const document = JSON.parse(readFileSync(file, 'utf8'))
  const version = document.document.csaf_version
  const { default: validate } = await lib('validate.js')
  const tests = await lib(version === '2.1' ? 'csaf_2_1/basic.js' : 'basic.js')
  const chosen = Object.values(tests).filter((test) => typeof test === 'function')
  if (chosen.length < 30) throw new Error('too few tests: ' + chosen.length)
  const result = await validate(chosen, document)
  for (const test of result.tests) {
    for (const error of test.errors) console.log(file, test.name, error.instancePath, error.message)
  }
  if (!result.isValid) process.exitCode = 1
}
