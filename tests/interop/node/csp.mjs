// Judges content security policies, one a line of standard input, as csp_evaluator does. Prints what it finds, a line each.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

// The package is in the folder where it was installed, and not beside this file.
const require = createRequire(process.cwd() + '/')
const { CspParser } = require('csp_evaluator/dist/parser.js')
const { CspEvaluator } = require('csp_evaluator/dist/evaluator.js')
const { Version } = require('csp_evaluator/dist/csp.js')
const { Severity } = require('csp_evaluator/dist/finding.js')

for (const policy of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  for (const finding of new CspEvaluator(new CspParser(policy).csp, Version.CSP3).evaluate()) {
    console.log(Severity[finding.severity], finding.directive, finding.value ?? '', finding.description)
    process.exitCode = 1
  }
}
