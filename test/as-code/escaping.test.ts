import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from '@cdktf/hcl2json'
import { codeFormats } from '../../src/as-code/artefact.ts'
import { type CodeItem, codeOf } from '../../src/as-code/code.ts'
import { hclString } from '../../src/as-code/hcl.ts'
import { groupName, groupText, lineOf, plainName } from '../../src/as-code/names.ts'
import { optionText, shellString } from '../../src/as-code/shell.ts'
import { yamlString } from '../../src/as-code/yaml.ts'
import { parsePrefix } from '../../src/net/prefix.ts'
import { visible } from '../../src/visible.ts'
import { skipWithout } from '../repo.ts'
import { hostileTexts } from './arbitraries.ts'
import { hclText } from './read-back.ts'
import { check, withoutPython } from './validators.ts'

/** No format has a place for half a character; the printers get none. */
const texts = hostileTexts.filter(text => Buffer.from(text).toString() === text)

test('what an HCL string holds is what the parser reads, and nothing in it expands', async () => {
  const body = texts.map((text, i) => `t${i} = ${hclString(text)}`).join('\n')
  const read = (await parse('texts.tf', `${body}\n`)) as Record<string, unknown>
  assert.deepEqual(
    texts.map((_, i) => hclText(read[`t${i}`])),
    texts.map(text => text.normalize()),
  )
})

test('Terraform itself evaluates an HCL string to the text', skipWithout('terraform'), () => {
  const plain = texts.filter(text => !text.includes('\0'))
  const input = `base64encode(jsonencode([${plain.map(hclString).join(', ')}]))\n`
  const env = { ...process.env, TF_CLI_CONFIG_FILE: '/dev/null', CHECKPOINT_DISABLE: '1' }
  // Not in a folder that has a configuration.
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-terraform-'))
  const { stdout, stderr } = spawnSync('terraform', ['console'], { input, encoding: 'utf8', env, cwd: folder })
  rmSync(folder, { recursive: true, force: true })
  const encoded = /"([A-Za-z0-9+/=]+)"/.exec(stdout)
  assert(encoded !== null, stdout + stderr)
  assert.deepEqual(
    JSON.parse(Buffer.from(encoded[1]!, 'base64').toString()),
    plain.map(text => text.normalize()),
  )
})

test('bash takes a quoted text as it is', () => {
  // One character that means something to it, in a text that means nothing else.
  const special = [...'$`*?[]{}~#!&;|<>()"\'\\ \t\n^'].flatMap(one => [one, `${one}HOME`, `a${one}b`])
  const plain = [...texts.filter(text => !text.includes('\0')), ...special]
  const script = `printf '%s\\0' ${plain.map(shellString).join(' ')}`
  const { stdout, stderr } = spawnSync('bash', ['-s'], { input: script, encoding: 'utf8', cwd: tmpdir() })
  assert.equal(stderr, '')
  assert.deepEqual(stdout.split('\0').slice(0, -1), plain)
})

test('a reader of YAML 1.1 gets each text back as a text, and CloudFormation resolves none', withoutPython, () => {
  const told = texts.map((text, i) => `  T${i}: ${yamlString(text)}\n`).join('')
  const { templates } = check({ templates: [`Metadata:\n${told}Resources: {}\n`], commands: [] })
  const read = templates[0]!.read['Metadata'] as Record<string, unknown>
  const expected = texts.map(text => text.replaceAll('{{resolve:', '{ {resolve:').replace(/\$\{([A-Z])/g, '$ {$1'))
  assert.deepEqual(Object.values(read), expected)
})

test('the AWS CLI opens no file, and takes no text for an option', withoutPython, () => {
  const plain = texts.filter(text => !text.includes('\0'))
  const base =
    'cloudwatch put-metric-alarm --alarm-name a --evaluation-periods 1 --comparison-operator GreaterThanThreshold'
  const commands = plain.map(text => ['aws', ...base.split(' '), '--alarm-description', optionText(text)])
  for (const [i, checked] of check({ templates: [], commands }).commands.entries()) {
    if (checked.error !== null) assert.fail(`${plain[i]}: ${checked.error}`)
    assert.equal(checked.parameters['AlarmDescription'], optionText(plain[i]!))
    assert.equal(optionText(plain[i]!).trimStart(), plain[i]!.trimStart())
  }
})

test('names and descriptions have only what AWS takes, within its lengths', () => {
  for (const text of hostileTexts) {
    assert.match(groupText(text), /^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]{0,255}$/)
    assert.match(groupName(text, 'fallback'), /^(?!sg-)[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]{1,255}$/i)
    assert.match(plainName(text, 100), /^[A-Za-z0-9_-]{0,100}$/)
    assert.equal(visible(lineOf(text, 255)), lineOf(text, 255))
    assert(lineOf(text, 255).length <= 255)
  }
  assert.equal(groupText('caf\u00e9 "x" \u202e'), 'caf_ _x_ _')
  assert.equal(groupName('default', 'fallback'), 'tidemark default')
  assert.equal(groupText('x'.repeat(300)), `${'x'.repeat(252)}...`)
})

/** A comment with the text, in a set of one. */
function saying(text: string): CodeItem {
  const rule = { id: null, protocol: 6, ports: { from: 22, to: 22 }, icmp: null, description: `x${text}` }
  const remote = { kind: 'prefix' as const, prefix: parsePrefix('192.0.2.1')! }
  const group = { id: '', name: text, vpc: null, ingress: [{ ...rule, remote }], egress: [] }
  const artefact = {
    what: 'security-group' as const,
    direction: 'ingress' as const,
    group,
    addresses: [text],
    interfaces: [],
  }
  return { id: 'C1', title: text, why: text, cost: text, confirm: [text], tried: [text], artefact }
}

test('a comment ends with its line, whatever is in it', () => {
  const context = { region: null, account: null, vpc: null }
  const code = (text: string, format: (typeof codeFormats)[number]) =>
    codeOf([saying(text)], context, format)!
      .split('\n')
      .filter(line => !/^ *#/.test(line)).length
  for (const format of codeFormats)
    for (const text of hostileTexts) {
      assert.equal(code(text, format), code('x', format), JSON.stringify(text))
      for (const line of codeOf([saying(text)], context, format)!.split('\n')) assert.equal(visible(line), line)
    }
})
