/** Who does the work on an index's records: another thread, or this one. */
import { type TransferListItem, Worker } from 'node:worker_threads'
import type { SystemDetails } from '../system-error.ts'
import { type Gathered, Gathering, type GatheringSettings } from './gathering.ts'
import type { EncodedGroup, GroupPart } from './groups.ts'
import { buffersOf, type WaitingRecords } from './pages.ts'
import { Settling, type SettlingSettings } from './settling.ts'
import type { SlotBatch } from './slots.ts'

/** What can be asked, and what is answered. */
interface Tasks {
  gather: { asked: GatheringSettings; answer: null }
  take: { asked: readonly SlotBatch[]; answer: null }
  gathered: { asked: null; answer: Gathered }
  settling: { asked: SettlingSettings; answer: null }
  settle: { asked: { buckets: WaitingRecords[]; before: number }; answer: (EncodedGroup | GroupPart)[] }
}
type TaskName = keyof Tasks

/** A task that was sent to another thread. */
export type Task = { [Name in TaskName]: { name: Name; asked: Tasks[Name]['asked'] } }[TaskName]
/** What comes back, in the order of the tasks. */
export type TaskAnswer = { answer: unknown } | { message: string; stack: string | undefined; system: SystemDetails }

/** The work itself, in whichever thread. */
export class Work {
  private gathering: Gathering | null = null
  private settling: Settling | null = null

  do<Name extends TaskName>(name: Name, asked: Tasks[Name]['asked']): Tasks[Name]['answer'] {
    return this.done({ name, asked } as Task) as Tasks[Name]['answer']
  }

  private done(task: Task): Tasks[TaskName]['answer'] {
    switch (task.name) {
      case 'gather':
        this.gathering = new Gathering(task.asked)
        return null
      case 'take':
        for (const batch of task.asked) this.gathering!.take(batch)
        return null
      case 'gathered':
        return this.gathering!.finish()
      case 'settling':
        this.settling = new Settling(task.asked)
        return null
      case 'settle':
        return this.settling!.settle(task.asked.buckets, task.asked.before)
    }
  }

  close(): void {
    this.gathering?.close()
    this.settling?.close()
  }
}

/** Somebody who does tasks, in the order in which they are asked. */
export interface Helper {
  /** Buffers that go to another thread are no longer here. */
  ask<Name extends TaskName>(name: Name, asked: Tasks[Name]['asked']): Promise<Tasks[Name]['answer']>
  close(): Promise<void>
}

/** An answer for which nobody may wait any more when it rejects. */
function unwatched<T>(answer: Promise<T>): Promise<T> {
  answer.catch(() => undefined)
  return answer
}

/** In this thread. */
export function localHelper(): Helper {
  const work = new Work()
  return {
    ask: (name, asked) => unwatched(Promise.resolve().then(() => work.do(name, asked))),
    close: async () => work.close(),
  }
}

/** In a thread of its own. Its answers reject with the system's error where it met one, or could not be started. */
export class ThreadHelper implements Helper {
  private readonly worker = new Worker(new URL('./worker.js', import.meta.url))
  private readonly asked: { resolve: (answer: never) => void; reject: (error: unknown) => void }[] = []
  private failure: Error | null = null

  constructor() {
    this.worker.on('error', error => this.fail(error))
    this.worker.on('exit', code => this.fail(new Error(`a thread ended early, with status ${code}`)))
    this.worker.on('message', (given: TaskAnswer) => {
      const { resolve, reject } = this.asked.shift()!
      if ('answer' in given) resolve(given.answer as never)
      else {
        const error: Error = Object.assign(new Error(given.message), given.system)
        if (given.stack !== undefined) error.stack = given.stack
        reject(error)
      }
    })
  }

  ask<Name extends TaskName>(name: Name, asked: Tasks[Name]['asked']): Promise<Tasks[Name]['answer']> {
    const task = { name, asked } as Task
    return unwatched(
      new Promise((resolve, reject) => {
        if (this.failure !== null) return reject(this.failure)
        this.asked.push({ resolve, reject })
        this.worker.postMessage(task, handedOver(task))
      }),
    )
  }

  private fail(error: Error): void {
    this.failure ??= error
    for (const { reject } of this.asked.splice(0)) reject(error)
  }

  async close(): Promise<void> {
    await this.worker.terminate()
  }
}

/** Buffers that need not be copied on their way to another thread. */
function handedOver(task: Task): TransferListItem[] {
  return task.name === 'settle' ? task.asked.buckets.flatMap(buffersOf) : []
}

/** The same of an answer. */
export function handedBack(name: TaskName, answer: Tasks[TaskName]['answer']): TransferListItem[] {
  if (name === 'gathered') {
    const { buckets, hosts } = answer as Gathered
    return [...buckets.flatMap(buffersOf), hosts.hi.buffer as ArrayBuffer, hosts.lo.buffer as ArrayBuffer]
  }
  if (name !== 'settle') return []
  const pieces = answer as Tasks['settle']['answer']
  return pieces.flatMap(piece => {
    const arrays = 'sections' in piece ? piece.sections : Object.values(piece.columns)
    return arrays.map(array => array.buffer as ArrayBuffer)
  })
}
