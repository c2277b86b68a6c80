import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type CodeItem, codeOf } from '../../src/as-code/code.ts'
import { labContext, labSet } from './lab-set.ts'
import { filledIn, runScript } from './validators.ts'

const root = mkdtempSync(join(tmpdir(), 'tidemark-script-'))
after(() => rmSync(root, { recursive: true, force: true }))

const script = codeOf(labSet, labContext, 'aws_cli')!
let folders = 0
const folder = (): string => join(root, String(folders++))
const changing = /^(create|put|authorize|revoke|modify|replace|associate|disassociate|delete)-/

test('without an option it changes nothing, and shows each step with what takes it back', () => {
  const { status, stdout, stderr, commands, state } = runScript(folder(), filledIn(script), [])
  assert.deepEqual([status, stderr, state], [0, '', null])
  assert.deepEqual(
    commands.map(one => one.words[2]),
    ['get-caller-identity'],
  )
  assert.match(
    stdout,
    /^would: {4}aws ec2 create-security-group --group-name ssh-known .*\ndry run: {2}EC2 would do it\n {2}undo: {3}aws ec2 delete-security-group --group-id '<id of c1>'$/m,
  )
  assert.match(stdout, /Nothing was changed\. --apply does it\.\n$/)
})

test('a variable without a value stops it, with its name', () => {
  const { status, stdout, stderr, commands } = runScript(folder(), script, ['--apply'])
  assert.deepEqual([status, stdout, commands], [1, '', []])
  assert.match(stderr, /^controls\.sh: LOG_GROUP_NAME is empty\. Set it above: Log group of the flow log/)
})

test('without values it shows their names, and --apply tells all of them before anything is done', () => {
  const shown = runScript(folder(), script, [])
  assert.equal(shown.status, 0, shown.stderr)
  assert.match(shown.stdout, /'<LOG_GROUP_NAME>'/)
  assert.match(shown.stdout, /To set before --apply: LOG_GROUP_NAME, FLOW_LOG_BUCKET_ARN\.\n$/)
  const { status, stderr, commands } = runScript(folder(), script, ['--apply'])
  assert.deepEqual([status, commands], [1, []])
  assert.match(stderr, /LOG_GROUP_NAME is empty[\s\S]*FLOW_LOG_BUCKET_ARN is empty/)
})

test('in another account it does not even show', () => {
  const { status, stderr } = runScript(folder(), filledIn(script), [], { AWS_ACCOUNT: '210987654321' })
  assert.equal(status, 1)
  assert.match(stderr, /the credentials are of account 210987654321, not 123456789010/)
})

test('it stops in another account, and at an option that it does not know', () => {
  const other = runScript(folder(), filledIn(script), ['--apply'], { AWS_ACCOUNT: '210987654321' })
  assert.equal(other.status, 1)
  assert.equal(other.stderr, 'controls.sh: the credentials are of account 210987654321, not 123456789010\n')
  assert.deepEqual(
    other.commands.map(one => one.words[2]),
    ['get-caller-identity'],
  )
  for (const args of [['--aply'], ['--apply', '--undo'], ['']])
    assert.equal(runScript(folder(), script, args).status, 2)
})

test('done twice, it does each step once', () => {
  const here = folder()
  const first = runScript(here, filledIn(script), ['--apply'])
  const again = runScript(here, filledIn(script), ['--apply'])
  assert.deepEqual([first.status, again.status], [0, 0])
  assert.deepEqual(
    again.commands.map(one => one.words[2]),
    ['get-caller-identity'],
  )
  assert.deepEqual(again.state, first.state)
})

test('what it undoes is what it did, the last first', () => {
  const here = folder()
  const { commands: done } = runScript(here, filledIn(script), ['--apply'])
  const { commands: undone, state } = runScript(here, filledIn(script), ['--undo'])
  assert.equal(state, null)
  const names = (list: typeof done): string[] => list.map(one => one.words[2]!).filter(name => changing.test(name))
  const back: Record<string, string> = {
    'create-security-group': 'delete-security-group',
    'authorize-security-group-ingress': 'revoke-security-group-ingress',
    'authorize-security-group-egress': 'revoke-security-group-egress',
    'create-network-acl': 'delete-network-acl',
    'create-network-acl-entry': 'delete-network-acl-entry',
    'put-metric-filter': 'delete-metric-filter',
    'put-metric-alarm': 'delete-alarms',
    'create-web-acl': 'delete-web-acl',
    'associate-web-acl': 'disassociate-web-acl',
    'create-flow-logs': 'delete-flow-logs',
  }
  // The default rules of a new group go with it, and do not come back.
  const steps = names(done).filter(name => name !== 'revoke-security-group-egress')
  assert.deepEqual(
    names(undone),
    steps.reverse().map(name => back[name] ?? name),
  )
})

test('nothing is attached unless a variable says so', () => {
  const asked = filledIn(script)
    .replace(/^(ATTACH_\w+)=yes$/gm, '$1=no')
    .replace(/^C6_TARGET_ARN=.*$/m, "C6_TARGET_ARN=''")
  const { commands } = runScript(folder(), asked, ['--apply'])
  const attaching = /^(modify-network-interface|replace-network-acl|associate-web-acl)/
  assert.deepEqual(
    commands.filter(one => attaching.test(one.words[2]!)),
    [],
  )
})

test('a group joins those that the interface has, and leaves the others there', () => {
  const here = folder()
  const { commands, state } = runScript(here, filledIn(script), ['--apply'])
  const read = commands.find(one => one.words[2] === 'describe-network-interfaces')!
  const id = state!.get('c1')!
  assert(read.words.includes(`[NetworkInterfaces[0].Groups[?GroupId!='${id}'].GroupId,['${id}']][]`))
  const put = commands.find(one => one.words[2] === 'modify-network-interface-attribute')!
  assert.deepEqual(JSON.parse(put.words.at(-1)!), ['sg-other'])
})

test('an alarm that is there already, and not from this script, is not touched', () => {
  const { status, stderr, commands } = runScript(folder(), filledIn(script), ['--apply'], {
    AWS_THERE: 'arn:of:another',
  })
  assert.equal(status, 1)
  assert.equal(stderr, 'controls.sh: c4_filter is there, and not from this script: arn:of:another\n')
  // Nothing is changed before it is found.
  assert.deepEqual(
    commands.filter(one => changing.test(one.words[2]!)),
    [],
  )
})

test('a step that fails ends it, and what was done before can be taken back', () => {
  const here = folder()
  const failing = filledIn(script).replace('make c3_ingress_10 aws', 'make c3_ingress_10 false aws')
  const { status, state, stderr } = runScript(here, failing, ['--apply'])
  assert.equal(status, 1)
  assert.match(
    stderr,
    /stopped at c3_ingress_10\. Steps in .*controls\.sh\.state: \d+\. --apply goes on, --undo takes them back\.$/m,
  )
  assert.equal(state!.has('c3'), true)
  assert.equal(state!.has('c3_ingress_10'), false)
  const back = runScript(here, failing, ['--undo'])
  assert.deepEqual([back.status, back.state], [0, null])
  assert.deepEqual(back.commands.map(one => one.words[2]).slice(1, 2), ['delete-network-acl'])
  const twice = runScript(here, failing, ['--undo'])
  assert.match(twice.stderr, /no .*controls\.sh\.state: nothing to take back$/m)
})

test('once taken back it can be done again, with the default egress of the new groups closed', () => {
  const here = folder()
  runScript(here, filledIn(script), ['--apply'])
  runScript(here, filledIn(script), ['--undo'])
  const { status, commands } = runScript(here, filledIn(script), ['--apply'])
  assert.equal(status, 0)
  const closed = commands.filter(one => one.words[2] === 'revoke-security-group-egress')
  assert.equal(closed.length, 2)
  for (const { words } of closed) assert.deepEqual(JSON.parse(words[6]!), ['sgr-default'])
})

test('two groups that name each other are both made before their rules', () => {
  const naming = (id: string, own: string, other: string): CodeItem => {
    const rule = { id: null, protocol: 6, ports: { from: 22, to: 22 }, icmp: null, description: '' }
    const ingress = [{ ...rule, remote: { kind: 'group' as const, group: other } }]
    const group = { id: own, name: own, vpc: null, ingress, egress: [] }
    const artefact = {
      what: 'security-group' as const,
      direction: 'ingress' as const,
      group,
      addresses: [],
      interfaces: [],
    }
    return { id, title: own, why: '', cost: '', confirm: [], tried: [], artefact }
  }
  const text = codeOf([naming('C1', 'a', 'b'), naming('C2', 'b', 'a')], labContext, 'aws_cli')!
  const { status, state, commands } = runScript(folder(), filledIn(text), ['--apply'])
  assert.equal(status, 0)
  const rules = commands.filter(one => one.words[2] === 'authorize-security-group-ingress')
  const named = rules.map(one => JSON.parse(one.words[6]!)[0].UserIdGroupPairs[0].GroupId)
  assert.deepEqual(named, [state!.get('c2'), state!.get('c1')])
})

test('a command whose id was not made is not run', () => {
  const broken = filledIn(script).replace(/^make c1 aws .*$/m, '')
  const { status, stderr, commands } = runScript(folder(), broken, ['--apply'])
  assert.equal(status, 1)
  assert.match(stderr, /^controls\.sh: c1_default needs what is not made: aws ec2 describe-security-group-rules /)
  assert.deepEqual(
    commands.filter(one => changing.test(one.words[2]!)),
    [],
  )
})
