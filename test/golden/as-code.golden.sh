#!/usr/bin/env bash
# shellcheck disable=SC2016,SC1003 # A $ or \ in quotes is for AWS to read.
# Written by tidemark controls from recorded flows: C1, C2, C3, C4, C5, C6, C7. Review it before it is used.
# Not code: C8: GuardDuty in every region
#
# Without an option it shows what it would do, and changes nothing. EC2 is asked whether it would (--dry-run).
# --apply does it; what it makes is noted beside the script, in a file with .state behind its name.
# --undo takes back what that file has, the last first, and nothing else.
set -euo pipefail

# Region of the evidence
REGION=us-east-1
# Account of the evidence; nothing is done in another
ACCOUNT_ID=123456789010
# VPC of the controls
VPC_ID=vpc-0a1b2c3d4e5f60718
# Put the group of c1 on the interfaces: only when reviewed: yes or no
ATTACH_C1=no
# Network interface of 10.0.1.20
INTERFACE_ID=eni-0123456789abcdef0
# Put the group of c2 on the interfaces: only when reviewed: yes or no
ATTACH_C2=no
# Put the ACL of c3 before the subnets: only when reviewed: yes or no
ATTACH_C3=no
# Subnet of 10.0.1.20
SUBNET_ID=subnet-0aaaabbbbccccdddd
# Log group of the flow log whose format the filters are written for
LOG_GROUP_NAME=''
# ARN of the SNS topic that alarms go to; empty: they only change their state
ALARM_TOPIC_ARN=''
# What rate rules do: count first, and block once the counts are right: count or block
RATE_ACTION=count
# ARN of the load balancer or API that c6 is to stand before; empty: none yet
C6_TARGET_ARN=''
# ARN of the S3 bucket, or of a folder in it, for the new flow logs: best in an account of its own
FLOW_LOG_BUCKET_ARN=''

mode=plan
case "$#:${1-}" in
0:) ;;
1:--apply) mode=apply ;;
1:--undo) mode=undo ;;
*)
  printf 'usage: %s [--apply | --undo]\n' "$0" >&2
  exit 2
  ;;
esac
state=$0.state
value=''
undo_steps=()
undo_from=()
undo_words=()

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Says where it stopped, and what can be done then.
at=''
stopped() {
  local status=$? count=0 next='--apply goes on, --undo takes them back'
  [[ -n $at && $status != 0 ]] || return 0
  [[ ! -f $state ]] || count=$(grep -c '' "$state" || true)
  [[ $mode != undo ]] || next='--undo goes on'
  printf '%s: stopped at %s. Steps in %s: %s. %s.\n' "${0##*/}" "$at" "$state" "$count" "$next" >&2
}
trap stopped EXIT

# need NAME VALUE WORDS: notes where a variable is empty. To undo, the notes are enough.
unset_names=''
need() {
  [[ -z $2 && $mode != undo ]] || return 0
  unset_names="$unset_names${unset_names:+, }$1"
  if [[ $mode == apply ]]; then printf '%s: %s is empty. Set it above: %s\n' "${0##*/}" "$1" "$3" >&2; fi
  printf -v "$1" '<%s>' "$1"
}

# check_account ACCOUNT: stops where the credentials are of another one. To show, none are needed.
asks=yes
check_account() {
  local account
  if ! command -v aws >/dev/null; then
    [[ $mode == plan ]] || die 'aws is not installed: see https://aws.amazon.com/cli/'
    printf 'aws is not installed: neither the account nor EC2 is asked.\n'
    asks=no
  elif ! account=$(aws sts get-caller-identity --query Account --output text); then
    [[ $mode == plan ]] || die 'AWS does not tell the account of the credentials: nothing is done'
    printf 'No account without credentials: neither the account nor EC2 is asked.\n'
    asks=no
  else
    [[ -z $1 || $account == "$1" ]] || die "the credentials are of account $account, not $1"
  fi
}

# show WORD...: a command as it could be typed.
show() {
  local word quote="'\\''"
  for word in "$@"; do
    case $word in
    '' | *[!A-Za-z0-9_./:=,@%+-]*) printf " '%s'" "${word//\'/$quote}" ;;
    *) printf ' %s' "$word" ;;
    esac
  done
  printf '\n'
}

# begin WORD...: shows what runs. A function of this script shows its own command by shown.
begin() {
  if [[ $1 == aws ]]; then printf 'running: '; else printf 'by a function of this script:'; fi
  show "$@"
}
exec 3>&1
shown() {
  { printf 'running: ' && show "$@"; } >&3
  "$@"
}

# noted STEP: whether the step is done; $value is then what it made. id_of STEP prints it.
noted() {
  local step
  [[ -f $state ]] || return 1
  while IFS='=' read -r step value; do
    [[ $step != "$1" ]] || return 0
  done <"$state"
  return 1
}
id_of() {
  if noted "$1"; then printf '%s' "$value"; else printf '<id of %s>' "$1"; fi
}

# run STEP COMMAND...: runs the command and notes what it prints, in one line.
run() {
  local step=$1 made
  shift
  case "$*" in *'<id of '*) die "$step needs what is not made: $*" ;; esac
  begin "$@"
  at=$step
  made=$("$@")
  made=${made//$'\n'/ }
  [[ $made != None ]] || die "$step made nothing. See what the command above answers without --query"
  printf '%s=%s\n' "$step" "$made" >>"$state"
  at=''
}

# keep STEP COMMAND...: notes what is there now, for undo. Changes nothing.
keep() {
  case $mode in
  plan)
    printf '%-9s' 'note:'
    show "${@:2}"
    ;;
  apply) noted "$1" || run "$@" ;;
  undo) undo "$1" : ;;
  esac
}

# absent STEP COMMAND...: stops where the command finds one that this script did not make.
absent() {
  local found
  if [[ $mode == apply ]] && ! noted "$1"; then
    found=$("${@:2}")
    [[ -z $found || $found == None ]] || die "$1 is there, and not from this script: $found"
  fi
}

# make STEP COMMAND...: the step, done once.
make() {
  case $mode in
  plan)
    printf '%-9s' 'would:'
    show "${@:2}"
    dry_run "${@:2}"
    ;;
  apply)
    if noted "$1"; then printf 'done before: %s %s\n' "$1" "$value"; else run "$@"; fi
    ;;
  esac
}

# dry_run COMMAND...: asks EC2 whether it would do it. What needs an id that is not there yet cannot be asked.
dry_run() {
  local said
  [[ $1 == aws && $2 == ec2 && $asks == yes ]] || return 0
  case "$*" in *'<'*'>'*) return 0 ;; esac
  said=$("$@" --dry-run 2>&1) || true
  case $said in
  *DryRunOperation*) printf 'dry run:  EC2 would do it\n' ;;
  *) printf 'dry run:  %s\n' "$said" ;;
  esac
}

# undo STEP COMMAND...: what takes the step back, if this script did it. ":" where it goes with a step before it.
undo() {
  case $mode in
  plan)
    if [[ $2 != : ]]; then
      printf '%-9s' '  undo:'
      show "${@:2}"
    fi
    ;;
  undo)
    if noted "$1"; then
      undo_steps+=("$1")
      undo_from+=("${#undo_words[@]}")
      undo_words+=("${@:2}")
    fi
    ;;
  esac
}

# undo_all: the last step first. What is taken back is no longer noted.
undo_all() {
  local i to=${#undo_words[@]} command
  ((to > 0)) || die "$state has nothing to take back"
  for ((i = ${#undo_steps[@]} - 1; i >= 0; i--)); do
    at=${undo_steps[i]}
    command=("${undo_words[@]:undo_from[i]:to-undo_from[i]}")
    [[ ${command[0]} == : ]] || begin "${command[@]}"
    "${command[@]}"
    to=${undo_from[i]}
    grep -v "^${undo_steps[i]}=" "$state" >"$state.new" || true
    mv "$state.new" "$state"
  done
  at=''
  [[ -s $state ]] || rm -f "$state"
}

# attach_group INTERFACE GROUP, detach_group INTERFACE GROUP: the interface keeps its other groups.
attach_group() {
  set_groups "$1" "[NetworkInterfaces[0].Groups[?GroupId!='$2'].GroupId,['$2']][]"
}
detach_group() {
  set_groups "$1" "NetworkInterfaces[0].Groups[?GroupId!='$2'].GroupId"
}
set_groups() {
  local groups
  groups=$(aws ec2 describe-network-interfaces --network-interface-ids "$1" --query "$2" --output json)
  shown aws ec2 modify-network-interface-attribute --network-interface-id "$1" --groups "$groups"
}

# acl_of SUBNET FIELD: NetworkAclId, or NetworkAclAssociationId. set_acl SUBNET ACL
acl_of() {
  aws ec2 describe-network-acls --filters "Name=association.subnet-id,Values=$1" --query "NetworkAcls[0].Associations[?SubnetId=='$1']|[0].$2" --output text
}
set_acl() {
  local association
  association=$(acl_of "$1" NetworkAclAssociationId)
  shown aws ec2 replace-network-acl-association --association-id "$association" --network-acl-id "$2" --query NewAssociationId --output text
}

# delete_web_acl NAME ID
delete_web_acl() {
  local token
  token=$(aws wafv2 get-web-acl --name "$1" --scope REGIONAL --id "$2" --query LockToken --output text)
  shown aws wafv2 delete-web-acl --name "$1" --scope REGIONAL --id "$2" --lock-token "$token"
}

need REGION "$REGION" 'Region of the evidence'
need ACCOUNT_ID "$ACCOUNT_ID" 'Account of the evidence; nothing is done in another'
need VPC_ID "$VPC_ID" 'VPC of the controls'
[[ $ATTACH_C1 == yes || $ATTACH_C1 == no ]] || die 'ATTACH_C1 is yes or no'
[[ $ATTACH_C2 == yes || $ATTACH_C2 == no ]] || die 'ATTACH_C2 is yes or no'
[[ $ATTACH_C3 == yes || $ATTACH_C3 == no ]] || die 'ATTACH_C3 is yes or no'
need LOG_GROUP_NAME "$LOG_GROUP_NAME" 'Log group of the flow log whose format the filters are written for'
[[ $RATE_ACTION == count || $RATE_ACTION == block ]] || die 'RATE_ACTION is count or block'
need FLOW_LOG_BUCKET_ARN "$FLOW_LOG_BUCKET_ARN" 'ARN of the S3 bucket, or of a folder in it, for the new flow logs: best in an account of its own'
if [[ $ATTACH_C1 == yes ]]; then
  need INTERFACE_ID "$INTERFACE_ID" 'Network interface of 10.0.1.20'
fi
if [[ $ATTACH_C2 == yes ]]; then
  need INTERFACE_ID "$INTERFACE_ID" 'Network interface of 10.0.1.20'
fi
if [[ $ATTACH_C3 == yes ]]; then
  need SUBNET_ID "$SUBNET_ID" 'Subnet of 10.0.1.20'
fi
export AWS_REGION="$REGION" AWS_DEFAULT_REGION="$REGION"
export AWS_PAGER=''
if [[ $mode == undo && ! -f $state ]]; then die "no $state: nothing to take back"; fi
if [[ $mode == apply && -n $unset_names ]]; then exit 1; fi
check_account "$ACCOUNT_ID"

# What is there already, and not from this script, is in the way.
absent c4_filter aws logs describe-metric-filters --log-group-name "$LOG_GROUP_NAME" --filter-name-prefix c4_Bytes_out_to_ports_that_are_not_approved --query 'metricFilters[?filterName=='\''c4_Bytes_out_to_ports_that_are_not_approved'\''].filterName' --output text
absent c4_alarm aws cloudwatch describe-alarms --alarm-names 'Bytes out to ports that are not approved' --query 'MetricAlarms[].AlarmArn' --output text
absent c5_alarm aws cloudwatch describe-alarms --alarm-names 'Flow log silent' --query 'MetricAlarms[].AlarmArn' --output text
if [[ -n $C6_TARGET_ARN ]]; then absent c6_attached aws wafv2 get-web-acl-for-resource --resource-arn "$C6_TARGET_ARN" --query WebACL.Name --output text; fi

# C1: SSH only from the addresses that held answered sessions before the incident
#   F2: 198.51.100.7 guessed passwords on port 22 of 10.0.1.20 and was let in at 19:25. Before that, two addresses
#   held sessions there; confirm that they are yours.
#   Costs: Who administers these hosts from another address is refused.
#   Tried: It stops 4 of 2,173 connections of the attack, 1,720,984 bytes, the first at 2023-09-28T19:25:40Z.
#   Tried: It breaks none of 812 other connections.
#   Confirm first:
#     - 203.0.113.10: 14 sessions: is it one of yours?
#     - 2001:db8::10: 3 sessions: is it one of yours?
make c1 aws ec2 create-security-group --group-name ssh-known --description 'C1 SSH only from the addresses that held answered sessions before the incident' --vpc-id "$VPC_ID" --tag-specifications '[{"ResourceType":"security-group","Tags":[{"Key":"Name","Value":"ssh-known"}]}]' --query GroupId --output text
undo c1 aws ec2 delete-security-group --group-id "$(id_of c1)"
# AWS puts rules that allow all egress into a new group: they go, and do not come back.
keep c1_default aws ec2 describe-security-group-rules --filters Name=group-id,Values="$(id_of c1)" --query 'SecurityGroupRules[?IsEgress].SecurityGroupRuleId' --output json
make c1_closed aws ec2 revoke-security-group-egress --group-id "$(id_of c1)" --security-group-rule-ids "$(id_of c1_default)" --query Return --output text
undo c1_closed :
make c1_ingress_1 aws ec2 authorize-security-group-ingress --group-id "$(id_of c1)" --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"203.0.113.10/32","Description":"SSH: 14 sessions since 2023-09-21"}]}]' --query 'SecurityGroupRules[0].SecurityGroupRuleId' --output text
undo c1_ingress_1 aws ec2 revoke-security-group-ingress --group-id "$(id_of c1)" --security-group-rule-ids "$(id_of c1_ingress_1)" --query Return --output text
make c1_ingress_2 aws ec2 authorize-security-group-ingress --group-id "$(id_of c1)" --ip-permissions '[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"Ipv6Ranges":[{"CidrIpv6":"2001:db8::10/128","Description":"SSH: 3 sessions since 2023-09-24"}]}]' --query 'SecurityGroupRules[0].SecurityGroupRuleId' --output text
undo c1_ingress_2 aws ec2 revoke-security-group-ingress --group-id "$(id_of c1)" --security-group-rule-ids "$(id_of c1_ingress_2)" --query Return --output text
make c1_ingress_3 aws ec2 authorize-security-group-ingress --group-id "$(id_of c1)" --ip-permissions '[{"IpProtocol":"tcp","FromPort":443,"ToPort":443,"UserIdGroupPairs":[{"GroupId":"sg-0fedcba9876543210","Description":"HTTPS from the load balancer"}]}]' --query 'SecurityGroupRules[0].SecurityGroupRuleId' --output text
undo c1_ingress_3 aws ec2 revoke-security-group-ingress --group-id "$(id_of c1)" --security-group-rule-ids "$(id_of c1_ingress_3)" --query Return --output text
make c1_ingress_4 aws ec2 authorize-security-group-ingress --group-id "$(id_of c1)" --ip-permissions '[{"IpProtocol":"icmp","FromPort":-1,"ToPort":-1,"IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"ICMP"}]}]' --query 'SecurityGroupRules[0].SecurityGroupRuleId' --output text
undo c1_ingress_4 aws ec2 revoke-security-group-ingress --group-id "$(id_of c1)" --security-group-rule-ids "$(id_of c1_ingress_4)" --query Return --output text
# Attaching is a step of its own. Groups add up: the interface keeps every ingress rule of its other groups, so
# this stops nothing until those rules go. It has no egress rules: what the interface may send is for its other
# groups to say. For: eni-0123456789abcdef0, 10.0.1.20.
if [[ $ATTACH_C1 == yes || $mode == undo ]]; then
  make c1_attached_1 attach_group "$INTERFACE_ID" "$(id_of c1)"
  undo c1_attached_1 detach_group "$INTERFACE_ID" "$(id_of c1)"
fi

# C2: Egress to what the server needs
#   F5: 265 MB went to 198.51.100.7 port 8889 from 19:32 on. These rules let through 99 % of the other
#   connections.
make c2 aws ec2 create-security-group --group-name egress-needed --description 'C2 Egress to what the server needs' --vpc-id "$VPC_ID" --tag-specifications '[{"ResourceType":"security-group","Tags":[{"Key":"Name","Value":"egress-needed"}]}]' --query GroupId --output text
undo c2 aws ec2 delete-security-group --group-id "$(id_of c2)"
# AWS puts rules that allow all egress into a new group: they go, and do not come back.
keep c2_default aws ec2 describe-security-group-rules --filters Name=group-id,Values="$(id_of c2)" --query 'SecurityGroupRules[?IsEgress].SecurityGroupRuleId' --output json
make c2_closed aws ec2 revoke-security-group-egress --group-id "$(id_of c2)" --security-group-rule-ids "$(id_of c2_default)" --query Return --output text
undo c2_closed :
make c2_egress_1 aws ec2 authorize-security-group-egress --group-id "$(id_of c2)" --ip-permissions '[{"IpProtocol":"tcp","FromPort":443,"ToPort":443,"IpRanges":[{"CidrIp":"0.0.0.0/0","Description":"HTTPS: 812 connections"}]}]' --query 'SecurityGroupRules[0].SecurityGroupRuleId' --output text
undo c2_egress_1 aws ec2 revoke-security-group-egress --group-id "$(id_of c2)" --security-group-rule-ids "$(id_of c2_egress_1)" --query Return --output text
make c2_egress_2 aws ec2 authorize-security-group-egress --group-id "$(id_of c2)" --ip-permissions '[{"IpProtocol":"udp","FromPort":53,"ToPort":53,"IpRanges":[{"CidrIp":"10.0.0.2/32","Description":"DNS of the VPC"}]}]' --query 'SecurityGroupRules[0].SecurityGroupRuleId' --output text
undo c2_egress_2 aws ec2 revoke-security-group-egress --group-id "$(id_of c2)" --security-group-rule-ids "$(id_of c2_egress_2)" --query Return --output text
make c2_egress_3 aws ec2 authorize-security-group-egress --group-id "$(id_of c2)" --ip-permissions '[{"IpProtocol":"tcp","FromPort":443,"ToPort":443,"PrefixListIds":[{"PrefixListId":"pl-63a5400a","Description":"S3, by its prefix list"}]}]' --query 'SecurityGroupRules[0].SecurityGroupRuleId' --output text
undo c2_egress_3 aws ec2 revoke-security-group-egress --group-id "$(id_of c2)" --security-group-rule-ids "$(id_of c2_egress_3)" --query Return --output text
make c2_egress_4 aws ec2 authorize-security-group-egress --group-id "$(id_of c2)" --ip-permissions '[{"IpProtocol":"-1","UserIdGroupPairs":[{"GroupId":"'"$(id_of c1)"'","Description":"Servers of C1"}]}]' --query 'SecurityGroupRules[0].SecurityGroupRuleId' --output text
undo c2_egress_4 aws ec2 revoke-security-group-egress --group-id "$(id_of c2)" --security-group-rule-ids "$(id_of c2_egress_4)" --query Return --output text
# Attaching is a step of its own. Groups add up: the interface keeps every egress rule of its other groups, so
# this stops nothing until those rules go. It has no ingress rules: what may reach the interface is for its
# other groups to say. For: eni-0123456789abcdef0, 10.0.1.20.
if [[ $ATTACH_C2 == yes || $mode == undo ]]; then
  make c2_attached_1 attach_group "$INTERFACE_ID" "$(id_of c2)"
  undo c2_attached_1 detach_group "$INTERFACE_ID" "$(id_of c2)"
fi

# C3: Network ACL: the attacker both ways
#   F1: 198.51.100.7 swept the subnet before it guessed. An ACL is stateless: the answers have entries of their
#   own.
make c3 aws ec2 create-network-acl --vpc-id "$VPC_ID" --tag-specifications '[{"ResourceType":"network-acl","Tags":[{"Key":"Name","Value":"tidemark-c3"}]}]' --query NetworkAcl.NetworkAclId --output text
undo c3 aws ec2 delete-network-acl --network-acl-id "$(id_of c3)"
make c3_ingress_10 aws ec2 create-network-acl-entry --network-acl-id "$(id_of c3)" --rule-number 10 --rule-action deny --protocol -1 --cidr-block 198.51.100.7/32 --ingress
undo c3_ingress_10 aws ec2 delete-network-acl-entry --network-acl-id "$(id_of c3)" --rule-number 10 --ingress
make c3_ingress_100 aws ec2 create-network-acl-entry --network-acl-id "$(id_of c3)" --rule-number 100 --rule-action allow --protocol 6 --cidr-block 0.0.0.0/0 --port-range From=22,To=22 --ingress
undo c3_ingress_100 aws ec2 delete-network-acl-entry --network-acl-id "$(id_of c3)" --rule-number 100 --ingress
make c3_ingress_110 aws ec2 create-network-acl-entry --network-acl-id "$(id_of c3)" --rule-number 110 --rule-action allow --protocol 6 --cidr-block 0.0.0.0/0 --port-range From=1024,To=65535 --ingress
undo c3_ingress_110 aws ec2 delete-network-acl-entry --network-acl-id "$(id_of c3)" --rule-number 110 --ingress
make c3_ingress_120 aws ec2 create-network-acl-entry --network-acl-id "$(id_of c3)" --rule-number 120 --rule-action allow --protocol 58 --ipv6-cidr-block ::/0 --icmp-type-code Type=128,Code=-1 --ingress
undo c3_ingress_120 aws ec2 delete-network-acl-entry --network-acl-id "$(id_of c3)" --rule-number 120 --ingress
make c3_egress_10 aws ec2 create-network-acl-entry --network-acl-id "$(id_of c3)" --rule-number 10 --rule-action deny --protocol -1 --cidr-block 198.51.100.7/32 --egress
undo c3_egress_10 aws ec2 delete-network-acl-entry --network-acl-id "$(id_of c3)" --rule-number 10 --egress
make c3_egress_100 aws ec2 create-network-acl-entry --network-acl-id "$(id_of c3)" --rule-number 100 --rule-action allow --protocol -1 --cidr-block 0.0.0.0/0 --egress
undo c3_egress_100 aws ec2 delete-network-acl-entry --network-acl-id "$(id_of c3)" --rule-number 100 --egress
# Attaching is a step of its own: a subnet has one ACL, so this one takes the place of the present one, for all
# that is in the subnet. For: subnet-0aaaabbbbccccdddd, 10.0.1.20.
if [[ $ATTACH_C3 == yes || $mode == undo ]]; then
  keep c3_before_1 acl_of "$SUBNET_ID" NetworkAclId
  make c3_attached_1 set_acl "$SUBNET_ID" "$(id_of c3)"
  undo c3_attached_1 set_acl "$SUBNET_ID" "$(id_of c3_before_1)"
fi

# C4: Alarm: bytes out to ports that are not approved
#   F5: it would have fired at 19:33, and never in the seven days before.
make c4_filter aws logs put-metric-filter --log-group-name "$LOG_GROUP_NAME" --filter-name c4_Bytes_out_to_ports_that_are_not_approved --filter-pattern '[version, account, eni, source="10.0.1.20", destination, srcport, destport!="443", protocol="6", packets, bytes, windowstart, windowend, action="ACCEPT", flowlogstatus]' --metric-transformations '[{"metricName":"c4_Bytes_out_to_ports_that_are_not_approved","metricNamespace":"Tidemark","metricValue":"$bytes","unit":"Bytes"}]'
undo c4_filter aws logs delete-metric-filter --log-group-name "$LOG_GROUP_NAME" --filter-name c4_Bytes_out_to_ports_that_are_not_approved
make c4_alarm aws cloudwatch put-metric-alarm --alarm-name 'Bytes out to ports that are not approved' --alarm-description 'C4 Alarm: bytes out to ports that are not approved: F5: it would have fired at 19:33, and never in the seven days before.' --namespace Tidemark --metric-name c4_Bytes_out_to_ports_that_are_not_approved --statistic Sum --comparison-operator GreaterThanThreshold --threshold 10000000 --period 300 --evaluation-periods 1 --treat-missing-data notBreaching ${ALARM_TOPIC_ARN:+--alarm-actions "$ALARM_TOPIC_ARN"}
undo c4_alarm aws cloudwatch delete-alarms --alarm-names 'Bytes out to ports that are not approved'

# C5: Alarm: the flow log fell silent
#   Nothing else tells that nothing is recorded.
make c5_alarm aws cloudwatch put-metric-alarm --alarm-name 'Flow log silent' --alarm-description 'C5 Alarm: the flow log fell silent: Nothing else tells that nothing is recorded.' --namespace AWS/Logs --metric-name IncomingLogEvents --dimensions Name=LogGroupName,Value="$LOG_GROUP_NAME" --statistic Sum --comparison-operator LessThanThreshold --threshold 1 --period 900 --evaluation-periods 4 --datapoints-to-alarm 2 --treat-missing-data breaching ${ALARM_TOPIC_ARN:+--alarm-actions "$ALARM_TOPIC_ARN"}
undo c5_alarm aws cloudwatch delete-alarms --alarm-names 'Flow log silent'

# C6: Rate rule before the web server
#   F4: 198.51.100.7 opened 1,904 connections to port 80 in five minutes; no other address more than 31.
c6_action='{"Count":{}}'
if [[ $RATE_ACTION == block ]]; then c6_action='{"Block":{}}'; fi
make c6 aws wafv2 create-web-acl --name web-guessing --scope REGIONAL --default-action 'Allow={}' --visibility-config '{"SampledRequestsEnabled":true,"CloudWatchMetricsEnabled":true,"MetricName":"web-guessing"}' --rules '[{"Name":"web-guessing","Priority":0,"Action":'"$c6_action"',"Statement":{"RateBasedStatement":{"Limit":310,"EvaluationWindowSec":300,"AggregateKeyType":"IP"}},"VisibilityConfig":{"SampledRequestsEnabled":true,"CloudWatchMetricsEnabled":true,"MetricName":"web-guessing"}}]' --query Summary.Id --output text
undo c6 delete_web_acl web-guessing "$(id_of c6)"
# A web ACL stands before a load balancer, an API or the like, never before an instance. It counts requests; 310
# in 300 seconds came from connections, which may carry several. For: 10.0.1.20.
if [[ -n $C6_TARGET_ARN ]]; then
  keep c6_arn aws wafv2 get-web-acl --name web-guessing --scope REGIONAL --id "$(id_of c6)" --query WebACL.ARN --output text
  make c6_attached aws wafv2 associate-web-acl --resource-arn "$C6_TARGET_ARN" --web-acl-arn "$(id_of c6_arn)"
  undo c6_attached aws wafv2 disassociate-web-acl --resource-arn "$C6_TARGET_ARN"
fi

# C7: Flow log with the fields that were missing
#   Who began a connection, and whether a NAT gateway stood between, could not be told.
make c7 aws ec2 create-flow-logs --resource-type VPC --resource-ids "$VPC_ID" --traffic-type ALL --max-aggregation-interval 60 --log-destination-type s3 --log-destination "$FLOW_LOG_BUCKET_ARN" --log-format '${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${pkt-srcaddr} ${pkt-dstaddr} ${tcp-flags}' --destination-options FileFormat=plain-text,HiveCompatiblePartitions=false,PerHourPartition=true --tag-specifications '[{"ResourceType":"vpc-flow-log","Tags":[{"Key":"Name","Value":"tidemark-c7"}]}]' --query 'FlowLogIds[0]' --output text
undo c7 aws ec2 delete-flow-logs --flow-log-ids "$(id_of c7)"

case $mode in
plan)
  if [[ -z $unset_names ]]; then printf 'Nothing was changed. --apply does it.\n'; else
    printf 'Nothing was changed. To set before --apply: %s.\n' "$unset_names"
  fi
  ;;
apply) printf 'Done. %s has what was made, for --undo.\n' "$state" ;;
undo) undo_all ;;
esac
