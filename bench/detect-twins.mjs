// Scores `detect` on generated attacks with their benign twins and on the labelled sets, and prints a table for the documentation.
//
//   node bench/detect-twins.mjs                            one seed, both intervals, three formats
//   node bench/detect-twins.mjs --seeds 3 --only DNS       scenarios whose name or rule holds the word
//   node bench/detect-twins.mjs --keep DIR --verbose       leaves logs, truth and documents; names every miss and false alarm
//
// Needs python3 and, for the scorer and the labelled sets, ../shared/data/labelled (or --labelled DIR).
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    labelled: { type: 'string', default: join(root, '..', 'shared', 'data', 'labelled') },
    keep: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
})
const labelled = resolve(values.labelled)
if (!existsSync(join(labelled, 'score_detect.py'))) {
  process.stderr.write(`detect-twins: no score_detect.py in ${labelled}: name its folder with --labelled\n`)
  process.exit(2)
}
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
if (spawnSync(process.execPath, [tsc, '-p', 'tsconfig.json'], { cwd: root, stdio: 'inherit' }).status !== 0)
  process.exit(1)
const load = name => import(pathToFileURL(join(root, 'build', 'test', 'twins', `${name}.js`)).href)
const [{ scenarios }, { writeLabelled, writeResult }] = await Promise.all([load('generator'), load('labelled')])

const dir = values.keep === undefined ? mkdtempSync(join(tmpdir(), 'tidemark-score-')) : resolve(values.keep)
mkdirSync(join(dir, 'logs'), { recursive: true })
const cases = [...(await generated()), ...(values.only === '' ? await labelledCases() : [])]
const truth = join(dir, 'truth.json')
writeFileSync(truth, JSON.stringify({ format: 1, set: 'generated and labelled', root: '/', cases }))
const args = [join(labelled, 'score_detect.py'), truth, '--results', join(dir, 'results')]
if (values.verbose) spawnSync('python3', [...args, '--verbose'], { stdio: 'inherit' })
const scored = spawnSync('python3', [...args, '--json'], { encoding: 'utf8', maxBuffer: 1 << 28 })
if (scored.status !== 0) {
  process.stderr.write(scored.stderr)
  process.exit(1)
}
print(JSON.parse(scored.stdout))
if (values.keep === undefined) rmSync(dir, { recursive: true })

async function generated() {
  const wanted = scenarios.filter(({ name, rule }) => `${rule} ${name}`.includes(values.only))
  const made = []
  for (let seed = 1; seed <= Number(values.seeds); seed++)
    for (const interval of [60, 600])
      for (const format of ['flags', 'no flags', 'default'])
        for (const scenario of wanted) {
          const one = await writeLabelled(dir, scenario, { interval, format }, seed)
          if (one !== null) made.push(one)
        }
  return made
}

async function labelledCases() {
  const known = JSON.parse(readFileSync(join(labelled, 'truth.json'), 'utf8'))
  const made = []
  for (const one of known.cases) {
    const files = one.files.map(file => join(labelled, known.root, file))
    await writeResult(dir, one.id, files, { internal: one.internal })
    made.push({ ...one, files })
  }
  return made
}

function print({ overall, all_positive, per_rule, twins, not_decidable, rank_summary, cases: count }) {
  const ruleOf = new Map(
    cases.map(({ id }) => [id, scenarios.find(({ name }) => id.startsWith(`${slug(name)}-`))?.rule]),
  )
  const rules = [...new Set([...per_rule.map(({ rule }) => rule), ...ruleOf.values()])]
    .filter(one => /^D/.test(one))
    .sort()
  const rows = rules.map(rule => {
    const of = per_rule.find(one => one.rule === rule)
    const own = twins.filter(({ case: id }) => ruleOf.get(id) === rule)
    return [
      rule,
      of?.expected ?? 0,
      of?.found ?? 0,
      of?.missed ?? 0,
      `${own.filter(({ false_alarms }) => false_alarms === 0).length} of ${own.length}`,
      of?.false_alarms ?? 0,
      of?.false_alarm_hosts ?? 0,
    ]
  })
  const { attacks, found, missed, false_alarms, false_alarm_hosts, benign_hosts, benign_host_hours } = overall
  const quiet = twins.filter(one => one.false_alarms === 0).length
  const table = [
    ['rule', 'attacks', 'found', 'missed', 'twins silent', 'false alarms', 'hosts accused'],
    rows[0]?.map(() => '---') ?? [],
    ...rows,
    ['all', attacks, found, missed, `${quiet} of ${twins.length}`, false_alarms, false_alarm_hosts],
    [
      'all-positive',
      all_positive.found,
      all_positive.found,
      0,
      `0 of ${twins.length}`,
      '',
      all_positive.false_alarm_hosts,
    ],
  ]
  for (const row of table) process.stdout.write(`| ${row.join(' | ')} |\n`)
  process.stdout.write(
    `\n${count} cases, ${benign_hosts} benign hosts over ${benign_host_hours} host-hours; the attacker first in ${rank_summary.first} of ${rank_summary.cases}, among the first three in ${rank_summary.top3}; said to be not decidable ${not_decidable.told ?? 0} of ${not_decidable.expected ?? 0}.\n`,
  )
}

function slug(name) {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
}
