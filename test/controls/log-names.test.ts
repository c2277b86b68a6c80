import assert from 'node:assert/strict'
import { test } from 'node:test'
import { originOf } from '../../src/controls/log-names.ts'

test('the name of a flow log file tells account and region, whatever it lies in', () => {
  const name = '123456789012_vpcflowlogs_us-gov-west-1_fl-0a1b_20230928T1900Z_1a2b.log.gz'
  const origin = { account: '123456789012', region: 'us-gov-west-1' }
  for (const path of [name, `logs/${name}`, `logs\\${name}`, `a.tar:${name}`]) assert.deepEqual(originOf(path), origin)
  for (const path of [`x${name}`, 'a.log', `${name}/b.log`]) assert.equal(originOf(path), null)
})
