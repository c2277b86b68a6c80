/** A thread that counts metrics: does the steps that it is given, one after the other. */
import { workerData } from 'node:worker_threads'
import { RecordIndex } from '../record-index/read.ts'
import { serve } from '../store/crew.ts'
import { openSame } from '../store/section-file.ts'
import type { SeriesThread } from './alarm-series.ts'
import { SeriesWork } from './series-work.ts'

const { path, digest, settings } = workerData as SeriesThread
serve(() => new SeriesWork(settings, new RecordIndex(openSame(path, digest), () => undefined)))
