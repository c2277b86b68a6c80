// @ts-check
/** @type {(tools: import('tidemark').RuleTools) => import('tidemark').CaseRule} */
export default ({ decided, clientsOf, servicesIn, outcome, endText, sureness }) => {
  const { thresholds, reasons } = decided({
    ports: [[21, 23, 512, 513], 'FTP, Telnet, rexec and rlogin: the password crosses the network as it is'],
    packetsMin: [8, 'packets from the client: fewer are a look at what is there'],
  })
  return {
    name: 'X01-clear-text-login',
    title: 'log-ins over a protocol that does not encrypt them',
    needs: { accepted: 'must', answers: 'must' },
    thresholds,
    reasons,
    attack: [{ id: 'T1040', name: 'Network Sniffing' }],
    guardDuty: [],
    scope: 'client',
    find(evidence, limits) {
      const { connections, address } = evidence
      const { ports, packetsMin } = /** @type {typeof thresholds} */ (limits)
      const drafts = []
      for (const client of clientsOf(connections)) {
        for (const { from, to } of servicesIn(connections, client)) {
          if (connections.protocol[from] !== 6 || !ports.includes(connections.port[from])) continue
          const some = []
          for (let i = from; i < to; i++)
            if (connections.outcome[i] === outcome.answered && connections.packetsUp[i] >= packetsMin) some.push(i)
          if (some.length === 0) continue
          const [host, server] = [connections.client[from], connections.server[from]]
          const target = endText(evidence, server, connections.port[from])
          drafts.push({
            title: `Log-ins in clear text to ${target}`,
            severity: /** @type {const} */ ('low'),
            confidence: sureness('medium', evidence, some),
            tactic: /** @type {const} */ ('credential-access'),
            technique: 'T1040',
            technique_name: 'Network Sniffing',
            summary: `${address(host)} held ${some.length} connections with ${target}.`,
            scores: [{ name: 'connections', value: some.length, threshold: '>= 1' }],
            would_change: `fewer than ${packetsMin} packets from the client in every connection`,
            counter_hypotheses: ['a log-in inside a tunnel that is encrypted', 'a device that has nothing else'],
            ...{ subject: [host], peers: [server], connections: some },
          })
        }
      }
      return drafts
    },
  }
}
