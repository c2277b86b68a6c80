/** What alarms are asked for. */
import type { Prefix } from '../net/prefix.ts'
import type { ProtectedTraffic } from './protected.ts'
import type { Use } from './uses.ts'

export interface AlarmRequest {
  traffic: ProtectedTraffic
  /** Of the traffic. */
  uses: readonly Use[]
  approvedPorts: readonly number[]
  /** The analyst's own networks beside the private ones. */
  own: readonly Prefix[]
  /** When the alarms are put in place, microseconds; null: before everything. */
  at_us: number | null
}
