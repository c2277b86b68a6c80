/** The parts of a script that are the same whatever it does: bash 3.2 and later. */

/** What it does with its steps. Its variables stand above. */
export const scriptFrame = String.raw`mode=plan
case "$#:${'$'}{1-}" in
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
  printf '%s: %s\n' "${'$'}{0##*/}" "$*" >&2
  exit 1
}

# Says where it stopped, and what can be done then.
at=''
stopped() {
  local status=$? count=0 next='--apply goes on, --undo takes them back'
  [[ -n $at && $status != 0 ]] || return 0
  [[ ! -f $state ]] || count=$(grep -c '' "$state" || true)
  [[ $mode != undo ]] || next='--undo goes on'
  printf '%s: stopped at %s. Steps in %s: %s. %s.\n' "${'$'}{0##*/}" "$at" "$state" "$count" "$next" >&2
}
trap stopped EXIT

# need NAME VALUE WORDS: notes where a variable is empty. To undo, the notes are enough.
unset_names=''
need() {
  [[ -z $2 && $mode != undo ]] || return 0
  unset_names="$unset_names${'$'}{unset_names:+, }$1"
  if [[ $mode == apply ]]; then printf '%s: %s is empty. Set it above: %s\n' "${'$'}{0##*/}" "$1" "$3" >&2; fi
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
    '' | *[!A-Za-z0-9_./:=,@%+-]*) printf " '%s'" "${'$'}{word//\'/$quote}" ;;
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
  made=${'$'}{made//$'\n'/ }
  [[ $made != None ]] || die "$step made nothing. See what the command above answers without --query"
  printf '%s=%s\n' "$step" "$made" >>"$state"
  at=''
}

# keep STEP COMMAND...: notes what is there now, for undo. Changes nothing.
keep() {
  case $mode in
  plan)
    printf '%-9s' 'note:'
    show "${'$'}{@:2}"
    ;;
  apply) noted "$1" || run "$@" ;;
  undo) undo "$1" : ;;
  esac
}

# absent STEP COMMAND...: stops where the command finds one that this script did not make.
absent() {
  local found
  if [[ $mode == apply ]] && ! noted "$1"; then
    found=$("${'$'}{@:2}")
    [[ -z $found || $found == None ]] || die "$1 is there, and not from this script: $found"
  fi
}

# make STEP COMMAND...: the step, done once.
make() {
  case $mode in
  plan)
    printf '%-9s' 'would:'
    show "${'$'}{@:2}"
    dry_run "${'$'}{@:2}"
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
      show "${'$'}{@:2}"
    fi
    ;;
  undo)
    if noted "$1"; then
      undo_steps+=("$1")
      undo_from+=("${'$'}{#undo_words[@]}")
      undo_words+=("${'$'}{@:2}")
    fi
    ;;
  esac
}

# undo_all: the last step first. What is taken back is no longer noted.
undo_all() {
  local i to=${'$'}{#undo_words[@]} command
  ((to > 0)) || die "$state has nothing to take back"
  for ((i = ${'$'}{#undo_steps[@]} - 1; i >= 0; i--)); do
    at=${'$'}{undo_steps[i]}
    command=("${'$'}{undo_words[@]:undo_from[i]:to-undo_from[i]}")
    [[ ${'$'}{command[0]} == : ]] || begin "${'$'}{command[@]}"
    "${'$'}{command[@]}"
    to=${'$'}{undo_from[i]}
    grep -v "^${'$'}{undo_steps[i]}=" "$state" >"$state.new" || true
    mv "$state.new" "$state"
  done
  at=''
  [[ -s $state ]] || rm -f "$state"
}
`

/** Groups of an interface are replaced all at once: the others stay. */
export const groupFrame = `# attach_group INTERFACE GROUP, detach_group INTERFACE GROUP: the interface keeps its other groups.
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
`

/** A subnet always has one ACL: another one takes its place. */
export const aclFrame = `# acl_of SUBNET FIELD: NetworkAclId, or NetworkAclAssociationId. set_acl SUBNET ACL
acl_of() {
  aws ec2 describe-network-acls --filters "Name=association.subnet-id,Values=$1" --query "NetworkAcls[0].Associations[?SubnetId=='$1']|[0].$2" --output text
}
set_acl() {
  local association
  association=$(acl_of "$1" NetworkAclAssociationId)
  shown aws ec2 replace-network-acl-association --association-id "$association" --network-acl-id "$2" --query NewAssociationId --output text
}
`

/** AWS WAF deletes only with the token of the last change. */
export const webAclFrame = `# delete_web_acl NAME ID
delete_web_acl() {
  local token
  token=$(aws wafv2 get-web-acl --name "$1" --scope REGIONAL --id "$2" --query LockToken --output text)
  shown aws wafv2 delete-web-acl --name "$1" --scope REGIONAL --id "$2" --lock-token "$token"
}
`

export const scriptEnd = String.raw`case $mode in
plan)
  if [[ -z $unset_names ]]; then printf 'Nothing was changed. --apply does it.\n'; else
    printf 'Nothing was changed. To set before --apply: %s.\n' "$unset_names"
  fi
  ;;
apply) printf 'Done. %s has what was made, for --undo.\n' "$state" ;;
undo) undo_all ;;
esac
`
