/** What AWS's names of flow log files tell: `account_vpcflowlogs_region_flow-log_time_hash` (Amazon VPC User Guide, "Flow log files"). */

const fileName = /(?:^|[\\/:])(\d{12})_vpcflowlogs_([a-z]{2,}(?:-[a-z]+)+-\d)_[^\\/]*$/

/** Account and region; null where a file has no such name. */
export function originOf(path: string): { account: string; region: string } | null {
  const found = fileName.exec(path)
  return found === null ? null : { account: found[1]!, region: found[2]! }
}
