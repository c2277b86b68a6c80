import { METADATA_SERVICE, METRICS_PORT } from './capture-hosts.ts'
import type { Conversation } from './conversation.ts'
import { BRUTE_FORCE_END, OUTWARD_PORT, SSH_PORT } from './incident.ts'
import { ATTACKER, WEB_SERVER } from './network.ts'

/** An even number of bytes, so that what follows begins a 16-bit word of the checksum. */
const even = (text: string): Buffer => Buffer.from(text.length % 2 ? `${text}\n` : text, 'latin1')

const WORDS = {
  login: even('POST /wp-login.php HTTP/1.1\r\nHost: blog.example.com\r\n'),
  web_answer: even('HTTP/1.1 200 OK\r\nServer: Apache/2.4.52 (Ubuntu)\r\n'),
  browse: even('GET /wp-admin/ HTTP/1.1\r\nHost: blog.example.com\r\n'),
  page: even('GET / HTTP/1.1\r\nHost: blog.example.com\r\nAccept: */*\r\n'),
  file: even('GET /wp-content/uploads/ HTTP/1.1\r\nHost: blog.example.com\r\n'),
  token: even('PUT /latest/api/token HTTP/1.1\r\nHost: 169.254.169.254\r\n'),
  metadata: even('GET /latest/meta-data/instance-id HTTP/1.1\r\n'),
  metadata_answer: even('HTTP/1.1 200 OK\r\nServer: EC2ws\r\n'),
  package: even('GET /ubuntu/pool/main/ HTTP/1.1\r\nHost: us-east-2.ec2.archive.ubuntu.com\r\n'),
  ssh_client: even('SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.4\r\n'),
  ssh_server: even('SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.3\r\n'),
  metrics: even('GET /metrics HTTP/1.1\r\nHost: 10.130.8.94:9100\r\n'),
  client_hello: even('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
  server_hello: even('\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03'),
  encrypted: even('\x17\x03\x03\x05\x28'),
}

/** What the client's and the server's first data of a turn begin with; null where it is contents from the start. */
export function wordsOf(conversation: Conversation, turn: number, opens: boolean): [Buffer | null, Buffer | null] {
  const { client, server, server_port, start } = conversation
  const isFirst = opens && turn === 0
  if (server_port === OUTWARD_PORT) return [null, null]
  if (server_port === SSH_PORT) return isFirst ? [WORDS.ssh_client, WORDS.ssh_server] : [null, null]
  if (server_port === METRICS_PORT) return [WORDS.metrics, WORDS.web_answer]
  if (server_port === 443) {
    return isFirst ? [WORDS.client_hello, WORDS.server_hello] : [WORDS.encrypted, WORDS.encrypted]
  }
  if (server === METADATA_SERVICE) return [isFirst ? WORDS.token : WORDS.metadata, WORDS.metadata_answer]
  if (client === WEB_SERVER.address) return [WORDS.package, WORDS.web_answer]
  if (client === ATTACKER) return [start < BRUTE_FORCE_END ? WORDS.login : WORDS.browse, WORDS.web_answer]
  return [isFirst ? WORDS.page : WORDS.file, WORDS.web_answer]
}
