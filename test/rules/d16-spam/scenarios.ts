import { answered, type Flow, many, type Scenario, scenariosOf } from '../flows.ts'

const d16 = scenariosOf('D16-spam')
/** Mail to one of many servers, which takes it. */
const mail = (i: number, rest: Partial<Flow> = {}): Flow =>
  answered({ at: 7200 + 300 * i, from: 1, to: -1 - i, port: 25, up: [12, 4000], down: [10, 900], ...rest })
const { down: _, ...silent } = mail(0)
const unanswered = (i: number, rest: Partial<Flow> = {}): Flow => ({
  ...{ ...silent, at: 300 * i, to: -1 - i, up: [2, 120] },
  ...rest,
})
const sending = many(11, i => mail(i))
const received = (count: number, port = 25): Flow[] =>
  many(count, i => answered({ at: 20 + i, from: -100 - i, to: 1, port }))

export const scenarios: readonly Scenario[] = [
  d16('mail to eleven servers within an hour, from a host that sent none before', 'medium medium', sending),
  d16('mail to nine servers', null, sending.slice(2)),
  d16(
    'mail to twelve servers in many hours',
    null,
    many(12, i => mail(i, { at: 7200 + 3000 * i })),
  ),
  d16('mail to eleven servers, of which many do not answer', 'high medium', [
    ...sending.slice(3),
    ...many(3, i => unanswered(i, { at: 7300 + 300 * i })),
  ]),
  d16(
    'tries of eleven servers that do not answer, from the beginning',
    'high medium',
    many(11, i => unanswered(i)),
  ),
  d16(
    'a mail server that always was',
    null,
    many(40, i => mail(i, { at: 60 + 300 * i })),
  ),
  d16('a mail server that always was, one of whose peers is down', null, [
    ...many(40, i => mail(i, { at: 60 + 300 * i })),
    ...many(2, i => unanswered(i)),
  ]),
  d16(
    'a mail server that sent its first mail late in the first hour',
    null,
    many(11, i => mail(i, { at: 3300 + 300 * i })),
  ),
  d16('a mail server that takes mail from others', null, [...sending, ...received(3)]),
  d16('a mail server that is sent to by its users', null, [...sending, ...received(2, 587)]),
  d16('a host whose port 25 somebody looked at', 'medium medium', [...sending, ...received(1)]),
  d16(
    'a newsletter through a provider',
    null,
    many(500, i => mail(i, { at: 7200 + i, to: -1 - (i % 20), port: 587 })),
  ),
  d16(
    'mail to twelve internal servers',
    null,
    many(12, i => mail(i, { to: 10 + i })),
  ),
  d16(
    'pages of twelve servers',
    null,
    many(12, i => mail(i, { port: 443 })),
  ),
]
