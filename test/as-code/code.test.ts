import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeFormats } from '../../src/as-code/artefact.ts'
import { codeOf } from '../../src/as-code/code.ts'
import { golden } from '../golden.ts'
import { labContext, labSet } from './lab-set.ts'

const endings = { terraform: 'tf', cloudformation: 'yaml', aws_cli: 'sh' }

for (const format of codeFormats)
  test(`a set of every kind is one document of ${format}`, () => {
    const text = codeOf(labSet, labContext, format)
    golden(`as-code.golden.${endings[format]}`, text ?? '')
    assert.equal(codeOf(structuredClone(labSet), { ...labContext }, format), text)
  })

test('advice is no code', () => {
  for (const format of codeFormats) assert.equal(codeOf(labSet.slice(-1), labContext, format), null)
})
