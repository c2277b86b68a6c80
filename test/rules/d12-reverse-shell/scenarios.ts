/** Connections out: of somebody who has a shell, and of programs that share some of its signs. */
import { answered, type Flow, highPeers, many, type Scenario } from '../flows.ts'

const late = 10_000
/** Answered, a new peer, the pace of a person, and its sizes: eight points on a registered port. */
const shell = (rest: Partial<Flow> = {}): Flow =>
  answered({ at: late, seconds: 900, from: 1, to: -1, port: 4444, up: [150, 45_000], down: [150, 9000], ...rest })
/** The host calls out all the time. */
const agent = answered({ at: 10, from: 1, to: -9, port: 6514 })
const inward = (at: number, rest: Partial<Flow> = {}): Flow => answered({ at, from: -2, to: 1, port: 443, ...rest })
const others = many(2, i => answered({ at: 30_000 + i, from: 3 + i, to: -1, port: 4444 }))
const d12 = (name: string, found: string | null, flows: readonly Flow[]): Scenario => ({
  ...{ rule: 'D12-reverse-shell', name, found, flows },
})
const [alert, high, lead] = ['medium medium', 'high medium', 'info medium']

export const scenarios: Scenario[] = [
  d12('a shell', alert, [agent, shell()]),
  d12('a shell on a port without a service', high, [agent, shell({ port: 48_888 })]),
  d12('a shell after somebody came to a page', high, [inward(late - 100), shell()]),
  d12('a shell long after somebody came to a page', alert, [inward(late - 1200), shell()]),
  d12('a shell, and later somebody comes to a page', alert, [shell(), inward(late + 100)]),
  d12('a shell after somebody came to another service', alert, [inward(late - 100, { port: 5000 }), shell()]),
  d12('a shell to a peer that was there from the beginning', lead, [agent, shell({ at: 1000 })]),
  d12('a shell to a peer that was there a little later', lead, [agent, shell({ at: 2700 })]),
  d12('a minute of it, and an interval of the log', lead, [
    agent,
    shell({ seconds: 660, up: [200, 60_000], down: [200, 12_000] }),
  ]),
  d12('the pace of a machine', lead, [agent, shell({ up: [3000, 900_000], down: [3000, 180_000] })]),
  d12('a slow pace', lead, [agent, shell({ seconds: 3000, up: [25, 7500], down: [25, 1500] })]),
  d12('a slower pace than two a minute', alert, [
    agent,
    shell({ seconds: 3000, up: [100, 30_000], down: [100, 6000] }),
  ]),
  d12('answers as long as what is sent', lead, [agent, shell({ up: [150, 12_000], down: [150, 12_000] })]),
  d12('large answers', lead, [agent, shell({ up: [150, 150_000], down: [150, 30_000] })]),
  d12('a short exchange with a new peer', null, [agent, shell({ seconds: 5, up: [10, 1000], down: [10, 3000] })]),
  d12('a page that is held open', null, [agent, shell({ port: 443 })]),
  d12('a peer that three internal hosts use', null, [agent, shell(), ...others]),
  d12('a host in a peer-to-peer network', null, [agent, shell(), ...highPeers(60)]),
  d12('a host that uses some high ports', alert, [agent, shell(), ...highPeers(10)]),
  d12('ends of whom nobody knows who called', null, [agent, shell({ flags: [0, 0], port: 48_889 })]),
  d12('somebody outside who works on an internal host', null, [answered({ ...shell(), from: -1, to: 1 })]),
]
