/** Random exports, judged by validators of other people (`.ci/requirements.txt`). */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { guardDutyPrinter } from '../../src/export/guardduty.ts'
import type { ExportedFinding, LeftOut, Printer } from '../../src/export/items.ts'
import { ocsfPrinter, ocsfRelease } from '../../src/export/ocsf.ts'
import { sigmaPrinter } from '../../src/export/sigma.ts'
import { stixPrinter } from '../../src/export/stix.ts'
import { randomFrom } from '../filter/flows.ts'
import { repoRoot } from '../repo.ts'
import { context, randomConnection, randomFinding, randomRecord } from './random.ts'

const exports = Number(process.env['TIDEMARK_EXPORTS'] ?? 500)
const places = [
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tidemark-ci', 'bin', 'python'),
  'python3',
]

function pythonWith(...modules: string[]): string | null {
  const names = modules.map(name => `"${name}"`).join(', ')
  const script = `import importlib.util as u, sys; sys.exit(not all(u.find_spec(m) for m in (${names},)))`
  const has = (path: string): boolean =>
    (!path.startsWith('/') || existsSync(path)) && spawnSync(path, ['-c', script]).status === 0
  return places.find(has) ?? null
}

const python = pythonWith('ocsf_json_schema', 'jsonschema', 'stix2', 'stix2validator', 'sigma')
const withValidators = { skip: python === null && 'no Python with the validators: .ci/run installs them' }

interface Asked {
  ocsf?: string[]
  stix?: string[]
  sigma?: string[]
}

function validate(asked: Asked): Required<Asked> {
  const run = spawnSync(python!, [join(repoRoot, 'test', 'export', 'validate.py')], {
    input: JSON.stringify({ ...asked, release: ocsfRelease }),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, PYTHONUTF8: '1' },
  })
  assert.equal(run.status, 0, run.stderr)
  return JSON.parse(run.stdout) as Required<Asked>
}

function written(given: string | LeftOut): string {
  assert(typeof given === 'string', 'what has a time and addresses is written')
  return given
}

function whole(printer: Printer, items: () => string): string {
  return `${printer.begin?.() ?? ''}${items()}${printer.end?.() ?? ''}`
}

/** Sigma names rules of one file by their ids: findings of one export have numbers of their own. */
const someFindings = (seed: number): ExportedFinding[] =>
  Array.from({ length: 20 }, (_, i) => randomFinding(randomFrom(1000 * seed + i), i + 1))

/** Which may have hosts in common. */
function twoFindings(printer: Printer, finding: ExportedFinding): string {
  return (
    written(printer.finding!(finding)) +
    written(printer.finding!({ ...finding, id: `${finding.id}0`, confidence: 'high' }))
  )
}

test('1,000 random exports are sound OCSF and STIX', withValidators, () => {
  const [ocsf, stix]: [string[], string[]] = [[], []]
  for (let seed = 0; seed < exports; seed++) {
    const random = randomFrom(seed)
    const [record, connection, finding] = [
      ...([randomRecord(random), randomConnection(random), randomFinding(random, seed)] as const),
    ] as const
    const events = ocsfPrinter(context)
    ocsf.push(
      written(events.record!(record)),
      written(events.connection!(connection)),
      written(events.finding!(finding)),
    )
    const bundle = stixPrinter(context)
    const isOfFinding = seed % 2 === 0
    stix.push(
      whole(bundle, () => (isOfFinding ? twoFindings(bundle, finding) : written(bundle.connection!(connection)))),
    )
  }
  const found = validate({ ocsf, stix })
  assert.deepEqual([found.ocsf.slice(0, 5), found.stix.slice(0, 5)], [[], []])
})

test('the validators refuse what is wrong', withValidators, () => {
  const random = randomFrom(1)
  const event = written(ocsfPrinter(context).connection!(randomConnection(random)))
  const other = JSON.parse(event) as { traffic: object; connection_info: object }
  const bundle = stixPrinter(context)
  const text = whole(bundle, () => written(bundle.connection!(randomConnection(random))))
  const found = validate({
    ocsf: [
      JSON.stringify({ ...other, traffic: { bytes_sent: 1 } }),
      JSON.stringify({ ...other, connection_info: { direction_id: 9 } }),
      event.replace(ocsfRelease, '9.9.9'),
    ],
    stix: [text.replace('"number_observed":1', '"number_observed":0'), text.replace(/"value":"[^"]*"/, '"value":"x"')],
    sigma: ['title: a\nlogsource:\n  product: aws\ndetection:\n  a:\n    b: 1\n  condition: c\n'],
  })
  assert(found.ocsf.length >= 3 && found.stix.length >= 2 && found.sigma.length >= 1, JSON.stringify(found))
})

test('random findings are sound Sigma rules, but where neither side is named', withValidators, () => {
  let left = 0
  const sigma = Array.from({ length: Math.ceil(exports / 100) }, (_, seed) => {
    const printer = sigmaPrinter(context)
    return whole(printer, () =>
      someFindings(seed)
        .map(one => {
          const given = printer.finding!(one)
          if (typeof given === 'string') return given
          assert.match(given?.left ?? '', /match everything/)
          left++
          return ''
        })
        .join(''),
    )
  })
  assert.ok(left < sigma.length * 10, `${left} of ${sigma.length * 20} are left out`)
  assert.deepEqual(validate({ sigma }).sigma.slice(0, 5), [])
})

const withAws = pythonWith('botocore')

test('findings have the members of GuardDuty’s model, and say that they are none of its', {
  skip: withAws === null && 'no Python with botocore',
}, () => {
  const printer = guardDutyPrinter(context)
  const text = whole(printer, () =>
    someFindings(7)
      .map(one => written(printer.finding!(one)))
      .join(''),
  )
  const script = `
import json, sys
from botocore.session import get_session
model = get_session().get_service_model("guardduty")
def check(shape, value, path):
    if shape.type_name == "structure":
        names = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for name, one in value.items():
            key = name[:1].lower() + name[1:]
            if key not in names: yield path + "/" + name
            else: yield from check(names[key], one, path + "/" + name)
    elif shape.type_name == "list":
        for one in value: yield from check(shape.member, one, path)
findings = json.load(sys.stdin)["Findings"]
print(json.dumps([fault for one in findings for fault in check(model.shape_for("Finding"), one, "")]))`
  const run = spawnSync(withAws!, ['-c', script], { input: text, encoding: 'utf8' })
  assert.equal(run.status, 0, run.stderr)
  assert.deepEqual(JSON.parse(run.stdout), [])
})
