/** A thread of the whole way: does the steps that it is given, one after the other. */
import { workerData } from 'node:worker_threads'
import { RecordIndex } from '../record-index/read.ts'
import { serve } from '../store/crew.ts'
import { openSame } from '../store/section-file.ts'
import type { ThreadSettings } from './whole.ts'
import { WholeWork } from './whole-work.ts'

const { path, digest, work } = workerData as ThreadSettings
serve(() => new WholeWork(work, new RecordIndex(openSame(path, digest)), null))
