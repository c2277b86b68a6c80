/** A thread that gathers connections: does the steps that it is given, one after the other. */
import { workerData } from 'node:worker_threads'
import { KeptConnections } from '../conversations/kept-connections.ts'
import { serve } from '../store/crew.ts'
import { openSame } from '../store/section-file.ts'
import type { GatherThread } from './gather.ts'
import { GatherWork } from './gather-work.ts'

const { path, digest, settings } = workerData as GatherThread
serve(() => new GatherWork(settings, new KeptConnections(openSame(path, digest))))
