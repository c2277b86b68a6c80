/** Words of network records, for readers of other trades. */
import { type Block, fact, facts, heading } from '../block.ts'

export function glossaryBlocks(): Block[] {
  return [
    heading('Glossary'),
    facts([
      fact('flow record', 'A line of a log: who sent how much to whom, in which time. It has no content.'),
      fact('connection', 'Flow records that belong together: both ways between two programs, from beginning to end.'),
      fact('NODATA', 'A line of the log that says: in this time there was nothing to record.'),
      fact('SKIPDATA', 'A line of the log that says: in this time records were lost.'),
      fact('port', 'A number that says which service of a host is meant, such as a web server.'),
      fact('security group', 'Rules of AWS at a host: who may reach it, and whom it may reach.'),
      fact('network ACL', 'Rules of AWS at a subnet, for all hosts in it; they can also deny.'),
      fact('severity', 'How bad it is if the finding is what it looks like.'),
      fact('confidence', 'How sure the rule is that it is what it looks like.'),
    ]),
  ]
}
