import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder, tidemark } from './run.ts'

interface Row {
  args: string[]
  says: RegExp
  hint: RegExp
}

const rows: Row[] = [
  { args: ['investigat', '192.0.2.1'], says: /unknown command 'investigat'/, hint: /did you mean investigate\?/ },
  { args: ['help', 'evidense'], says: /unknown command or topic 'evidense'/, hint: /did you mean evidence\?/ },
  { args: ['xyzzy'], says: /unknown command 'xyzzy'/, hint: /tidemark --help/ },
  { args: ['investigate', '192.0.2.1', '--jsno'], says: /unknown option '--jsno'/, hint: /did you mean --json\?/ },
  { args: ['verify', '--jsonn'], says: /unknown option '--jsonn'/, hint: /did you mean --json\?/ },
  { args: ['evidence', 'x'], says: /too many arguments/, hint: /tidemark evidence --help/ },
  { args: ['evidence', '--case'], says: /argument missing/, hint: /tidemark evidence --help/ },
  { args: ['evidence', '--case', ''], says: /Expected the name of a folder/, hint: /--help/ },
  { args: ['flows', '--case', 'case', '--baad'], says: /unknown option '--baad'/, hint: /tidemark flows --help/ },
  {
    args: ['add', 's3://bucket/x', '--endpoint-url', 'http://127.0.0.1:9000'],
    says: /unknown option '--endpoint-url'/,
    hint: /did you mean --endpoint\?/,
  },
  { args: ['add'], says: /missing required argument 'path'/, hint: /tidemark add --help/ },
  { args: ['investigate'], says: /missing required argument 'address'/, hint: /tidemark investigate --help/ },
  { args: ['completion', 'tcsh'], says: /bash, zsh, fish/, hint: /tidemark completion --help/ },
  { args: ['demo', '--files', '3'], says: /'--files <n>' needs '--records <n>'/, hint: /tidemark demo --help/ },
  { args: ['demo', '--records', '0'], says: /Expected a whole number from 1/, hint: /--help/ },
  { args: ['demo', '--seed', '-1'], says: /Expected a whole number from 0/, hint: /--help/ },
  { args: ['add', '.', '--workers', '1.5'], says: /Expected a whole number from 1/, hint: /--help/ },
  { args: ['add', '.', '--max-expanded', '5X'], says: /Expected a size/, hint: /--help/ },
  { args: ['add', '.', '--max-expand', '0.5'], says: /Expected a number from 1/, hint: /--help/ },
  { args: ['investigate', '192.0.2.1', '--approved-ports', '22,x'], says: /Expected port numbers/, hint: /--help/ },
  { args: ['investigate', '192.0.2.1', '--approved-ports', '70000'], says: /Expected port numbers/, hint: /--help/ },
  {
    args: ['investigate', '192.0.2.1', '--internal', '10.0/8'],
    says: /Expected an address or network/,
    hint: /--help/,
  },
  { args: ['add', 'nowhere'], says: /no such file or folder: nowhere/, hint: /check the spelling/ },
  { args: ['add', 'logs/*.gz'], says: /no such file or folder/, hint: /quotes/ },
  { args: ['add', 's3://'], says: /not the name of a bucket: s3:\/\/$/, hint: /s3:\/\/bucket\/AWSLogs/ },
  {
    args: ['add', 's3://192.0.2.1/x'],
    says: /not the name of a bucket: s3:\/\/192\.0\.2\.1$/,
    hint: /3 to 63 lower-case/,
  },
  { args: ['watch', 's3://-logs/'], says: /not the name of a bucket: s3:\/\/-logs$/, hint: /3 to 63 lower-case/ },
  { args: ['add', 'arn:aws:s3:::bucket/x'], says: /no such file or folder: arn:/, hint: /s3:\/\/BUCKET\/PREFIX/ },
  { args: ['add', 's3:bucket'], says: /no such file or folder: s3:/, hint: /s3:\/\/BUCKET\/PREFIX/ },
  { args: ['add', 'https://b.s3.amazonaws.com/x'], says: /no such file or folder/, hint: /s3:\/\/BUCKET\/PREFIX/ },
  { args: ['investigate', '192.0.2.1', '--engine', 'x'], says: /unknown option '--engine'/, hint: /tidemark pull/ },
  { args: ['flows', '--from', '2023-09-28'], says: /unknown option '--from'/, hint: /'between .* and .*'/ },
  { args: ['sql', '--from', '2023-09-28'], says: /unknown option '--from'/, hint: /tidemark sql --help/ },
  { args: ['flows', '--engine', 'http://x/a/b/c'], says: /not a table of Trino or Athena/, hint: /athena:\/\// },
  { args: ['add', 'gs://bucket/x'], says: /no such file or folder: gs:/, hint: /spelling/ },
  {
    args: ['investigate', '20.106.124'],
    says: /not an address and no such file: 20\.106\.124$/m,
    hint: /four parts.*20\.106\.124\.0\/24/,
  },
  { args: ['investigate', '192.0.2.1', 'nosuch/'], says: /no such file: nosuch\//, hint: /check the spelling/ },
  { args: ['investigate', '10.1/16'], says: /not an address/, hint: /10\.1\.0\.0\/16/ },
  { args: ['investigate', '192.0.2.1:80'], says: /not an address/, hint: /without its port: 192\.0\.2\.1$/m },
  { args: ['investigate', '[2001:db8::1]:80'], says: /not an address/, hint: /without its port: 2001:db8::1$/m },
  { args: ['investigate', '192.0.2.1/40'], says: /not an address/, hint: /from 0 to 32/ },
  { args: ['investigate', '2001:db8::/200'], says: /not an address/, hint: /from 0 to 128/ },
  { args: ['investigate', 'fe80::1%eth0'], says: /not an address/, hint: /zone/ },
  { args: ['investigate', '192.0.2.1', 'nowhere'], says: /not an address and no such file: nowhere/, hint: /hint/ },
  {
    args: ['investigate', '192.0.2.1', '.', '192.0.2.2'],
    says: /an address after a path/,
    hint: /addresses come first/,
  },
  { args: ['investigate', '192.0.2.1', '--', 'nowhere'], says: /no such file or folder: nowhere/, hint: /spelling/ },
  { args: ['investigate', '.'], says: /no address to investigate/, hint: /tidemark investigate 203\.0\.113\.7 \./ },
  { args: ['investigate', '--', '.'], says: /no address to investigate/, hint: /name it first/ },
]

for (const { args, says, hint } of rows) {
  test(`refuses: tidemark ${args.map(arg => arg || "''").join(' ')}`, t => {
    const { status, stdout, stderr } = tidemark(args, { cwd: temporaryFolder(t) })
    const [message = '', second = ''] = stderr.split('\n')
    assert.match(message, says)
    assert.match(message, /^tidemark: /)
    assert.match(second, hint)
    assert.match(second, /^ {2}hint: /)
    assert.equal(stdout, '')
    assert.equal(status, 2)
  })
}

test('what is typed is shown without what a terminal would obey', t => {
  const { status, stderr } = tidemark(['add', 'a\u001b[2J\nb\u202e'], { cwd: temporaryFolder(t) })
  assert.equal(status, 2)
  assert.match(stderr, /no such file or folder: a\\x1b\[2J\\x0ab\\u202e$/m)
})

test('a missing path stops everything before a case is made', t => {
  const cwd = temporaryFolder(t)
  writeFileSync(join(cwd, 'here.log'), '')
  assert.equal(tidemark(['add', 'here.log', 'gone.log'], { cwd }).status, 2)
  mkdirSync(join(cwd, 'case.tidemark')) // fails if it were there
})

test('a demo of a size that cannot be leaves no folder', t => {
  const cwd = temporaryFolder(t)
  const { status, stderr } = tidemark(['demo', '--records', '100', '--out', 'small'], { cwd })
  assert.equal(status, 2)
  assert.match(stderr, /records must be a whole number from 1000/)
  assert.deepEqual(readdirSync(cwd), [])
})

test('an option that is near no other has no suggestion', () => {
  assert.doesNotMatch(tidemark(['flows', '--sortt']).stderr, /did you mean/)
  assert.match(tidemark(['flows', '--limitt']).stderr, /did you mean --limit\?/)
})
