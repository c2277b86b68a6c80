import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Jobs } from '../../src/server/jobs.ts'

function stillWorking(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

const isOver = (jobs: Jobs, id: string): boolean => !['waiting', 'running'].includes(jobs.state(id)!.state)

test('a job that two wait for goes on until both have left', async () => {
  const jobs = new Jobs({ send: () => undefined }, assert.fail)
  const { id } = jobs.start({ kind: 'dossier', title: 'Dossier of 10.0.0.1' }, stillWorking)
  jobs.join(id)
  jobs.leave(id)
  await new Promise(setImmediate)
  assert.equal(isOver(jobs, id), false)
  jobs.leave(id)
  await new Promise(setImmediate)
  assert.equal(jobs.state(id)?.state, 'stopped')
})

test('whoever stops a job stops it for all', async () => {
  const jobs = new Jobs({ send: () => undefined }, assert.fail)
  const { id } = jobs.start({ kind: 'dossier', title: 'Dossier of 10.0.0.1' }, stillWorking)
  jobs.join(id)
  jobs.stop(id)
  await new Promise(setImmediate)
  assert.equal(jobs.state(id)?.state, 'stopped')
})
