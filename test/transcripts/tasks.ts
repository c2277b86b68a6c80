/** What people do with the demo case: what they type, and what then stands on the screen. */
export interface Task {
  /** What they want. */
  wants: string
  /** What they type, in a shell, from within `tidemark-demo`. */
  types: string
  /** What the screen shows, in this order. */
  shows?: readonly RegExp[]
  /** What it does not. */
  hides?: readonly RegExp[]
  /** Lines of it at most. */
  lines?: number
  /** Cells of its longest line at most. */
  width?: number
  status?: number
  /** Standard input. */
  input?: string
  columns?: number
}

const wrongFile = `printf 'version srcaddr dstaddr\\n2 10.9.9.9 10.9.9.8\\n' > wrong.log`

/** Evidence that can be put right. */
const evidence: Task[] = [
  {
    wants: 'to know what is in the case',
    types: 'tidemark case',
    shows: [/172,211 flow records/, /17:00:00Z/],
    lines: 60,
    columns: 100,
  },
  {
    wants: 'to read a file without a header that was refused, and to have no gap left',
    types:
      'zcat 20230928/*.gz | grep -v version | head -20 > bare.log; zcat 20230928/*.gz | head -1 > header; tidemark add bare.log --case bare; tidemark add bare.log --case bare --format v2; tidemark add bare.log --case bare --again --format "$(cat header)"; tidemark investigate 192.0.2.1 --case bare > page; echo "status $?"',
    shows: [/say which with --format/, /20 fields where\s+the format names 14/, /^ {2}20 flow records/m, /status 0/],
  },
  {
    wants: 'to take out a mistaken file, and to put it back',
    types: `${wrongFile}; tidemark add wrong.log --case own 2>&1 | tail -1; tidemark remove wrong.log --case own --reason mistake && tidemark evidence --case own && tidemark remove wrong.log --undo --case own`,
    shows: [/[Rr]emoved/, /mistake/],
  },
  {
    wants: 'to be told the nearest field name',
    types: 'tidemark add 20230928 --case no --format scraddr,dstaddr',
    shows: [/did you mean srcaddr/],
    status: 2,
  },
  {
    wants: 'to pipe records into it',
    types: 'zcat 20230928/*.gz | head -5 | tidemark flows any - --csv | wc -l',
    shows: [/^5$/m],
  },
]

/** The dossier. */
const dossier: Task[] = [
  {
    wants: 'to read aloud what happened, on one screen',
    types: 'tidemark investigate 20.106.124.93',
    shows: [
      /17:22:35Z.*[Bb]rute force/s,
      /19:23:40Z.*SSH session/s,
      /19:32:36Z.*252\.9 MiB/s,
      /How sure/,
      /Findings/,
      /Services/,
    ],
    hides: [/No rule found/],
    lines: 60,
    width: 100,
    columns: 100,
  },
  {
    wants: 'a part of the time',
    types: 'tidemark investigate 20.106.124.93 --from 2023-09-28T19:00 --to 2023-09-28T20:00',
    shows: [/SSH session/, /connection/],
    hides: [/21:\d\d:\d\dZ/],
  },
  {
    wants: 'to sweep a list of indicators as mail has them',
    types: 'tidemark investigate @iocs.txt',
    input: '# from a mail\n20[.]106[.]124[.]93\nhxxp://203.0.113.77/x\n198.51.100.0/24\nnot-an-address\n',
    shows: [/20\.106\.124\.93/, /tidemark investigate 20\.106\.124\.93/, /Not seen in what was read/, /iocs\.txt:5/],
    status: 3,
  },
  {
    wants: 'every raw line of the transfer (step 4 of the lab)',
    types:
      "tidemark investigate 20.106.124.93 --lines F5 | sort | cut -d: -f3- | sed 's/^ //' | sort > a; zcat 20230928/*.gz | grep -w 20.106.124.93 | grep -w 8889 | sort > b; wc -l < a; cmp a b && echo same",
    shows: [/^538$/m, /^same$/m],
  },
  {
    wants: 'a JSON that a script can hold',
    types:
      'tidemark investigate 20.106.124.93 --json | wc -c; tidemark investigate 20.106.124.93 --json | grep -A3 \'"listed"\'',
    shows: [/^\d{1,7}$/m, /"total"/],
  },
]

/** `flows` and `sql`. */
const questions: Task[] = [
  {
    wants: 'two rows of many, at once',
    types: 'tidemark flows -n 0 --ndjson | head -2 | wc -l; echo $PIPESTATUS',
    shows: [/^2$/m, /^0$/m],
  },
  {
    wants: 'who tried most ports',
    types: 'tidemark flows -A srcip -O distinct_dstport -n 10',
    shows: [/distinct/, /10\.130\.8\.94/, /First 10 of/],
    lines: 24,
    width: 100,
    columns: 100,
  },
  {
    wants: 'what people type first',
    types:
      'tidemark flows 20.106.124.93 -n 1 -q && tidemark flows dport 8889 -n 1 -q && tidemark flows port ssh -n 1 -q && tidemark flows tcp -n 1 -q && tidemark flows "bytes > 1MB" -n 1 -q',
    shows: [/20\.106\.124\.93/, /:8889/, /:22 /],
  },
  {
    wants: 'to know why nothing matches',
    types: 'tidemark flows "ip 20.106.124.93 and port 9999"',
    shows: [/33,232/, /port/],
  },
  {
    wants: 'a status for a script where nothing matches',
    types: 'tidemark flows "port 9999 and ip 192.0.2.1" --fail-empty -q',
    status: 4,
  },
  {
    wants: 'to fail a build on a severe finding',
    types: 'tidemark investigate 20.106.124.93 --fail-on high > page',
    status: 4,
  },
  {
    wants: 'a table that fits a small terminal',
    types: 'tidemark flows "ip 20.106.124.93" -s dstport/bytes -n 5',
    width: 80,
    lines: 20,
    columns: 80,
    shows: [/8889/, /265,183,813|252\.9 MiB/],
  },
  {
    wants: 'times of where they are',
    types: 'tidemark flows "ip 20.106.124.93 and port 8889" -n 1 --tz America/New_York',
    shows: [/America\/New_York/, /15:3\d:\d\d/],
  },
  {
    wants: 'to compare an address in SQL',
    types: 'tidemark sql "SELECT count(*) FROM flows WHERE srcaddr = \'20.106.124.93\'"',
    shows: [/addr\('20\.106\.124\.93'\)/],
    status: 2,
  },
  {
    wants: 'the outbound connections of the victim by peer, as CSV',
    types:
      "tidemark flows 'src ip 10.130.8.94 and role client' -A dstip,dstport -n 0 --csv > peers.csv; head -1 peers.csv; grep -c . peers.csv; grep '^20.106.124.93,8889' peers.csv",
    shows: [/^dstaddr,dstport,/m, /^20\.106\.124\.93,8889,/m],
  },
  {
    wants: 'a page of the documentation',
    types: 'tidemark help filter | head -3',
    shows: [/filter language/],
  },
]

export const tasks: readonly Task[] = [...evidence, ...dossier, ...questions]
