/** Trino (a coordinator and workers) and moto's server on loopback, as children that end with this process. */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const startMax = 300_000
export const region = 'us-east-1'
/** What moto takes for credentials: anything. */
export const credentials = { accessKeyId: 'tidemark-test', secretAccessKey: 'not-a-secret' }

/**
 * @param tools `java`, `trino`, `python` as found; null for what is not to be started
 * @param folder a folder of this cluster's own, for configurations, logs and data
 * @param keepsClasses whether the first cluster writes what makes the next start quicker
 */
export class Cluster {
  constructor({ tools, folder, workers = 2, isQuick = true, keepsClasses = true, cores = [] }) {
    Object.assign(this, { tools, folder, workers, isQuick, keepsClasses, cores })
    this.children = new Map()
    this.lake = join(folder, 'lake')
    /** Java's classes, ready to be mapped: a third of the start. The first cluster writes it when it stops. */
    this.classes = tools.trino && `${tools.trino}-java-${tools.javaVersion}.jsa`
  }

  async start() {
    mkdirSync(join(this.lake, 'metastore'), { recursive: true })
    const starts = []
    const [coordinator, moto, ...workers] = await freePorts(2 + this.workers)
    if (this.tools.python) {
      this.moto = `http://127.0.0.1:${moto}`
      starts.push(this.startMoto(moto))
    }
    if (this.tools.trino) {
      this.trino = `http://127.0.0.1:${coordinator}`
      this.hasClasses = existsSync(this.classes)
      this.isArchiving = !this.hasClasses && this.keepsClasses
      this.ports = new Map([['coordinator', coordinator], ...workers.map((port, i) => [`worker-${i + 1}`, port])])
      starts.push(...[...this.ports.keys()].map(name => this.startNode(name)))
    }
    await Promise.all(starts)
    if (this.tools.trino) await this.untilComplete()
  }

  /** Starts a node that is not running and waits until it answers. */
  async startNode(name) {
    const port = this.ports.get(name)
    const isCoordinator = name === 'coordinator'
    const dir = join(this.folder, name)
    mkdirSync(join(dir, 'etc', 'catalog'), { recursive: true })
    const write = (path, lines) => writeFileSync(join(dir, 'etc', path), `${lines.join('\n')}\n`)
    write('config.properties', [
      `coordinator=${isCoordinator}`,
      ...(isCoordinator ? [`node-scheduler.include-coordinator=${this.workers === 0}`] : []),
      `http-server.http.port=${port}`,
      `discovery.uri=${this.trino}`,
      `node.id=${name}`,
      'node.environment=tidemark',
      'node.bind-ip=127.0.0.1',
      'node.internal-address=127.0.0.1',
      `plugin.dir=${join(this.tools.trino, 'plugin')}`,
      `catalog.config-dir=${join(dir, 'etc', 'catalog')}`,
      'query.max-memory=1GB',
      `query.max-memory-per-node=${isCoordinator ? '300MB' : '700MB'}`,
      `memory.heap-headroom-per-node=${isCoordinator ? '200MB' : '400MB'}`,
      // A worker that is gone is noticed in seconds, not in a minute.
      'query.remote-task.max-error-duration=10s',
    ])
    write('log.properties', ['io.trino=WARN', 'io.airlift=WARN', 'org.eclipse.jetty=WARN', 'Bootstrap=WARN'])
    write('exchange-manager.properties', [
      'exchange-manager.name=filesystem',
      `exchange.base-directories=${join(this.folder, 'exchange')}`,
    ])
    write('catalog/hive.properties', this.catalog())
    const core = this.cores[[...this.ports.keys()].indexOf(name)]
    const pinned = core === undefined ? [] : ['taskset', '-c', String(core)]
    this.launch(name, dir, [...pinned, this.tools.java, ...this.javaArguments(isCoordinator)])
    await this.untilAnswers(name, `http://127.0.0.1:${port}/v1/info`, async response => {
      return response.ok && !(await response.json()).starting
    })
  }

  catalog() {
    const s3 = [
      'fs.native-s3.enabled=true',
      `s3.endpoint=${this.moto}`,
      `s3.region=${region}`,
      's3.path-style-access=true',
      `s3.aws-access-key=${credentials.accessKeyId}`,
      `s3.aws-secret-key=${credentials.secretAccessKey}`,
    ]
    return [
      'connector.name=hive',
      'hive.metastore=file',
      'hive.metastore.catalog.dir=local:///metastore',
      'fs.native-local.enabled=true',
      `local.location=${this.lake}`,
      'hive.non-managed-table-writes-enabled=true',
      // Athena's way: folders within a partition are read too.
      'hive.recursive-directories=true',
      // Days without a file have no folder.
      'hive.ignore-absent-partitions=true',
      ...(this.moto ? s3 : []),
    ]
  }

  javaArguments(isCoordinator) {
    const heap = isCoordinator ? '-Xmx1G' : '-Xmx2G'
    const writes = this.isArchiving && isCoordinator
    const shared = [
      ...(this.hasClasses ? [`-XX:SharedArchiveFile=${this.classes}`] : []),
      ...(writes ? [`-XX:ArchiveClassesAtExit=${this.classesPart()}`] : []),
    ]
    return [
      ...[heap, '-XX:+UseG1GC', '-XX:+ExitOnOutOfMemoryError', '-XX:-OmitStackTraceInFastThrow'],
      // Half of the start is the second compiler, which small tests never earn back.
      ...(this.isQuick ? ['-XX:TieredStopAtLevel=1'] : []),
      ...[...shared, '-Xlog:disable', '-Xlog:all=error:stderr'],
      ...['-Djdk.attach.allowAttachSelf=true', '-Djdk.nio.maxCachedBufferSize=2000000', '-Dfile.encoding=UTF-8'],
      ...[
        '-XX:+EnableDynamicAgentLoading',
        '--enable-native-access=ALL-UNNAMED',
        '--sun-misc-unsafe-memory-access=allow',
      ],
      ...['--add-modules=jdk.incubator.vector', '-Duser.timezone=UTC', '-Dconfig=etc/config.properties'],
      ...['-cp', `${this.tools.trino}/lib/*`, 'io.trino.server.TrinoServer'],
    ]
  }

  classesPart() {
    return `${this.classes}.${process.pid}`
  }

  async startMoto(port) {
    const dir = join(this.folder, 'moto')
    mkdirSync(dir, { recursive: true })
    this.launch('moto', dir, [this.tools.python, '-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)])
    await this.untilAnswers('moto', `${this.moto}/moto-api/data.json`, async response => response.ok)
  }

  /** The kernel ends a child whose parent is gone, also where the parent could not say so. */
  launch(name, dir, command) {
    const log = openSync(join(dir, 'log'), 'a')
    const guard =
      process.platform === 'linux' && existsSync('/usr/bin/setpriv') ? ['setpriv', '--pdeathsig', 'KILL'] : []
    const [program, ...args] = [...guard, ...command]
    const child = spawn(program, args, { cwd: dir, stdio: ['ignore', log, log], env: this.environment() })
    closeSync(log)
    child.ended = new Promise(resolve => {
      child.once('error', resolve)
      child.once('exit', resolve)
    })
    this.children.set(name, child)
    void child.ended.then(() => this.children.get(name) === child && this.children.delete(name))
  }

  /** Nothing of the developer's own AWS or Java reaches the servers. */
  environment() {
    const { PATH, HOME, LANG } = process.env
    return { PATH, HOME, ...(LANG && { LANG }), AWS_EC2_METADATA_DISABLED: 'true' }
  }

  async untilAnswers(name, url, isReady) {
    const until = Date.now() + startMax
    while (Date.now() < until) {
      if (!this.children.has(name)) throw new Error(`${name} ended while it started:\n${this.logOf(name)}`)
      try {
        if (await isReady(await fetch(url, { signal: AbortSignal.timeout(5000) }))) return
      } catch {
        // Not yet.
      }
      await sleep(200)
    }
    throw new Error(`${name} did not start in ${startMax / 1000} s:\n${this.logOf(name)}`)
  }

  logOf(name) {
    return readFileSync(join(this.folder, name, 'log'), 'utf8')
      .trim()
      .split('\n')
      .slice(-15)
      .join('\n')
  }

  /** Waits until the coordinator knows all workers that run. */
  async untilComplete() {
    const running = [...this.children.keys()].filter(name => name.startsWith('worker-')).length
    const until = Date.now() + startMax
    const sql = `SELECT count(*) FROM system.runtime.nodes WHERE state = 'active' AND NOT coordinator`
    while (Date.now() < until) {
      const [[count]] = await this.ask(sql).catch(() => [[-1]])
      if (count >= running) return
      await sleep(200)
    }
    throw new Error(`the workers did not join in ${startMax / 1000} s`)
  }

  async ask(sql) {
    const headers = { 'X-Trino-User': 'tidemark' }
    const rows = []
    let answer = await (await fetch(`${this.trino}/v1/statement`, { method: 'POST', headers, body: sql })).json()
    for (;;) {
      if (answer.error) throw new Error(answer.error.message)
      rows.push(...(answer.data ?? []))
      if (!answer.nextUri) return rows
      answer = await (await fetch(answer.nextUri, { headers })).json()
    }
  }

  /** Ends a node at once, as a machine that fails. */
  async kill(name) {
    const child = this.children.get(name)
    child?.kill('SIGKILL')
    await child?.ended
  }

  /** @param isOrderly whether there is time to keep Java's classes for the next start */
  async stop(isOrderly) {
    const coordinator = this.children.get('coordinator')
    const keeps = isOrderly && this.isArchiving && coordinator !== undefined
    const others = [...this.children].filter(([name]) => !keeps || name !== 'coordinator')
    for (const [, child] of others) child.kill('SIGKILL')
    await Promise.all(others.map(([, child]) => child.ended))
    if (!keeps) return
    coordinator.kill('SIGTERM')
    const code = await Promise.race([coordinator.ended, sleep(120_000, 'slow', { ref: false })])
    coordinator.kill('SIGKILL')
    // 143 is how Java ends after SIGTERM, its hooks done.
    if (code === 143 && existsSync(this.classesPart())) renameSync(this.classesPart(), this.classes)
    rmSync(this.classesPart(), { force: true })
  }
}

/** Ports that nobody has at the moment. */
async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map(server => server.address().port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}
