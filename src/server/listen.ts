/** The workbench's server: one loopback address, one table of routes, files from memory. It reads no evidence itself. */
import { randomBytes, randomInt } from 'node:crypto'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { errorCode, UserError } from '../errors.ts'
import { caseFolder } from '../store/nodes.ts'
import { loadAssets } from './assets.ts'
import { type Gate, hostOf } from './gate.ts'
import { httpServer } from './http.ts'
import { allRoutes } from './routes/all.ts'
import { startFindings } from './routes/findings.ts'
import { closeServices, startServices } from './start-services.ts'

export interface WorkbenchOptions {
  caseDir: string
  /** 0: any that is free. */
  port: number
  demo: boolean
  /** Networks that count as internal beside those that the internet does not route. */
  internal?: readonly string[]
  /** What belongs on the terminal: a process that died, the stack of a bug. */
  onNote?: (text: string) => void
  /** Told each time that somebody brings the token. */
  onEntered?: () => void
}

export interface Workbench {
  /** With the token: opening it lets the browser in. */
  url: string
  /** Numbers of the processes that answer. */
  pids(): Record<'work' | 'view', number[]>
  close(): Promise<void>
}

/** @throws UserError where the port is taken, or the case is no folder. */
export async function startWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const { demo, internal = [], onNote = () => undefined, onEntered = () => undefined } = options
  const caseDir = await caseFolder(options.caseDir)
  const assets = loadAssets()
  const gate: Gate = { host: '', token: randomBytes(32).toString('base64url') }
  const services = startServices({ caseDir, demo, internal, onNote })
  const server = httpServer({ gate, assets, routes: allRoutes, services, onNote, onEntered })
  try {
    gate.host = await listening(server, options.port)
  } catch (error) {
    await closeServices(services)
    throw error
  }
  services.work.warm()
  services.view.warm()
  // The first thing that is seen of the demo is who attacked.
  if (demo && services.state.loaded !== null) startFindings(services, [...internal], services.state.loaded)
  return {
    url: `http://${gate.host}/?token=${gate.token}`,
    pids: () => ({ work: services.work.pids, view: services.view.pids }),
    close: async () => {
      server.close()
      await closeServices(services)
      server.closeAllConnections()
    },
  }
}

/** @returns the address and port, as a browser calls them. */
async function listening(server: Server, port: number): Promise<string> {
  const address = loopback()
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(notListening(error, address, port)))
    server.listen(port, address, resolve)
  })
  return hostOf(address, (server.address() as AddressInfo).port)
}

/** Cookies go to every port of a host: on Linux all of 127.0.0.0/8 is this machine, so that each workbench has a host of its own. */
function loopback(): string {
  return process.platform === 'linux'
    ? `127.${randomInt(1, 255)}.${randomInt(0, 256)}.${randomInt(2, 255)}`
    : '127.0.0.1'
}

function notListening(error: Error, address: string, port: number): Error {
  if (errorCode(error) === 'EADDRINUSE')
    return new UserError(`port ${port} of ${address} is taken`, { hint: 'name another with --port, or none' })
  if (errorCode(error) === 'EACCES')
    return new UserError(`port ${port} may not be opened`, { hint: 'name one above 1023 with --port' })
  return error
}
