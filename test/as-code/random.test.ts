import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parse } from '@cdktf/hcl2json'
import fc from 'fast-check'
import { type CodeFormat, codeFormats } from '../../src/as-code/artefact.ts'
import { codeOf } from '../../src/as-code/code.ts'
import { skipWithout } from '../repo.ts'
import { context, items } from './arbitraries.ts'
import { expectedOf } from './expected.ts'
import { statementsOfCalls, statementsOfHcl, statementsOfTemplate } from './read-back.ts'
import { callsOf, check, filledIn, madeIn, runScript, withoutPython } from './validators.ts'

// Eight recommendations a set: 25 sets are 200.
const sets = Number(process.env.TIDEMARK_CODE_SETS ?? 12)
const cases = fc
  .sample(fc.tuple(items, context), { numRuns: sets, seed: 14 })
  .map(([set, where]) => ({ set, where }))
  .filter(({ set }) => set.some(item => item.artefact.what !== 'advice'))
const folder = mkdtempSync(join(tmpdir(), 'tidemark-as-code-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function documents(format: CodeFormat): string[] {
  return cases.map(({ set, where }) => codeOf(set, where, format)!)
}

test('random recommendations as Terraform: its own parser reads every rule back', async () => {
  for (const [i, text] of documents('terraform').entries()) {
    const parsed = await parse(`${i}.tf`, text)
    assert.deepEqual(statementsOfHcl(parsed), expectedOf(cases[i]!.set, 'terraform'))
  }
})

test('random recommendations as Terraform are laid out as terraform fmt would', skipWithout('terraform'), () => {
  for (const [i, text] of documents('terraform').entries()) writeFileSync(join(folder, `${i}.tf`), text)
  const env = { ...process.env, TF_CLI_CONFIG_FILE: '/dev/null', CHECKPOINT_DISABLE: '1' }
  const { status, stdout, stderr } = spawnSync('terraform', ['fmt', '-check', '-diff', folder], {
    encoding: 'utf8',
    env,
  })
  assert.equal(status, 0, stdout + stderr)
})

test('random recommendations as CloudFormation: cfn-lint finds nothing, and every rule is there', withoutPython, () => {
  const templates = documents('cloudformation')
  for (const [i, { found, read }] of check({ templates, commands: [] }).templates.entries()) {
    assert.deepEqual(found, [], templates[i])
    assert.deepEqual(statementsOfTemplate(read), expectedOf(cases[i]!.set, 'cloudformation'))
  }
})

test(
  'random recommendations as a script: bash runs it, and the AWS CLI would send every rule and take it back',
  withoutPython,
  () => {
    const runs = documents('aws_cli').map((script, i) => {
      const here = join(folder, `script-${i}`)
      const account = /^ACCOUNT_ID=(\d+)$/m.exec(script)?.[1] ?? ''
      const [done, undone] = [['--apply'], ['--undo']].map(args =>
        runScript(here, filledIn(script), args, { AWS_ACCOUNT: account }),
      )
      assert.deepEqual([done!.status, done!.stderr, undone!.status, undone!.stderr], [0, '', 0, ''], script)
      assert.equal(undone!.state, null, 'all is taken back')
      assert.equal(existsSync(join(here, 'tidemark-pwned')), false, 'no text of the evidence runs')
      return { done: done!, undone: undone! }
    })
    const commands = runs.flatMap(({ done, undone }) => [...done.commands, ...undone.commands])
    const { commands: checked } = check({ templates: [], commands: commands.map(one => one.words) })
    const calls = callsOf(commands, checked)
    for (const [i, { done, undone }] of runs.entries()) {
      const own = calls.splice(0, done.commands.length + undone.commands.length).slice(0, done.commands.length)
      assert.deepEqual(statementsOfCalls(own, madeIn(done)), expectedOf(cases[i]!.set, 'aws_cli'))
    }
  },
)

test('shellcheck finds nothing in eight of the scripts', skipWithout('shellcheck'), () => {
  // It takes a second for two of them.
  const paths = documents('aws_cli')
    .slice(0, 8)
    .map((script, i) => {
      const path = join(folder, `${i}.sh`)
      writeFileSync(path, script)
      return path
    })
  const { status, stdout } = spawnSync('shellcheck', paths, { encoding: 'utf8' })
  assert.equal(status, 0, stdout)
})

test('a control alone is a document too, and the same text each time', async () => {
  for (const { set, where } of cases)
    for (const item of set.slice(0, 2))
      for (const format of codeFormats) {
        const text = codeOf([item], where, format)
        assert.equal(codeOf([structuredClone(item)], { ...where }, format), text)
        assert.equal(text === null, item.artefact.what === 'advice')
        if (format === 'terraform' && text !== null)
          assert.deepEqual(statementsOfHcl(await parse('one.tf', text)), expectedOf([item], 'terraform'))
      }
})
