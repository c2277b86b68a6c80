import type { Argument, Command, Option } from 'commander'

// Written from commander's own definitions. A library that asks the program at every press of the key would
// start Node each time, which takes longer than the eye forgives.

export type Shell = 'bash' | 'zsh' | 'fish'

/** What can stand in a place: files, folders, saved queries of the case, some words, or nothing that a shell knows. */
export type Values = 'files' | 'folders' | 'queries' | 'none' | readonly string[] | Words

/** Words with commas between, or one of them with one of `after` behind a slash. */
interface Words {
  words: readonly string[]
  form: 'list' | 'pair'
  after: readonly string[]
}

interface Flag {
  names: string[]
  description: string
  /** Null for a flag without a value. */
  values: Values | null
  repeatable: boolean
}

interface Entry {
  name: string
  description: string
  flags: Flag[]
  operands: Values
}

/**
 * A script that completes the program's commands, options and files; needs nothing but the shell itself, and sed.
 *
 * @param values of options that the program does not define the values of, by `command --option`.
 */
export function completionScript(program: Command, shell: Shell, values: ReadonlyMap<string, Values>): string {
  const commands = program.createHelp().visibleCommands(program)
  const shared = flagsOf(program, values)
  const names = commands.map(command => command.name()).filter(name => name !== 'help')
  const entries = commands.map(command => entryOf(command, shared, names, values))
  const root = { name: program.name(), description: '', flags: shared, operands: names }
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](root, entries)
}

function entryOf(command: Command, shared: Flag[], names: string[], values: ReadonlyMap<string, Values>): Entry {
  const own = flagsOf(command, values)
  const flags = [
    ...own,
    ...shared.filter(flag => !own.some(mine => mine.names.some(name => flag.names.includes(name)))),
  ]
  const operands = command.name() === 'help' ? names : operandsOf(command.registeredArguments[0])
  const isVersion = (flag: Flag) => flag.names.includes('--version')
  return { name: command.name(), description: command.description(), flags: flags.filter(f => !isVersion(f)), operands }
}

function operandsOf(argument: Argument | undefined): Values {
  if (argument === undefined) return 'none'
  return argument.argChoices ?? 'files'
}

function flagsOf(command: Command, values: ReadonlyMap<string, Values>): Flag[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(option => ({
      names: [option.long, option.short].filter(name => name !== undefined),
      description: option.description,
      values:
        option.required || option.optional
          ? (values.get(`${command.name()} ${option.long}`) ?? valuesOf(option))
          : null,
      repeatable: option.variadic || /repeatable/.test(option.description),
    }))
}

/** By the name of the option's value: `<dir>` is completed with folders, `<file>` with files. */
function valuesOf(option: Option): Values {
  if (option.argChoices !== undefined) return option.argChoices
  const value = /[<[]([\w-]+)/.exec(option.flags)?.[1]
  if (value === 'dir') return 'folders'
  return value === 'file' ? 'files' : 'none'
}

// --- bash: 3.2 and newer, without the bash-completion package.

function bashScript(root: Entry, entries: Entry[]): string {
  const words = (entry: Entry) => entry.flags.flatMap(flag => flag.names).join(' ')
  const cases = (line: (entry: Entry) => string) => [...entries.map(line)].join('\n')
  return `# bash completion of ${root.name}: source <(${root.name} completion bash)
_${root.name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} before=
  local command= dashes= i IFS=$' \\t\\n'
  ((COMP_CWORD > 1)) && before=\${COMP_WORDS[COMP_CWORD-2]}
  # --case=DIR arrives in three words.
  if [[ $cur == = ]]; then cur=
  elif [[ $prev == = ]]; then prev=$before
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      --) dashes=1; break ;;
      ${entries.map(entry => entry.name).join('|')}) [[ -n $command ]] || command=\${COMP_WORDS[i]} ;;
    esac
  done
  COMPREPLY=()
  if [[ -n $dashes ]]; then _${root.name}_paths -f; return; fi
  case "$command $prev" in
${[root, ...entries].map(entry => bashValues(root, entry)).join('')}  esac
  if [[ $cur == -* ]]; then
    case $command in
      '') COMPREPLY=($(compgen -W '${words(root)}' -- "$cur")) ;;
${cases(entry => `      ${entry.name}) COMPREPLY=($(compgen -W '${words(entry)}' -- "$cur")) ;;`)}
    esac
    return
  fi
  case $command in
    '') COMPREPLY=($(compgen -W '${entries.map(entry => entry.name).join(' ')}' -- "$cur")) ;;
${cases(entry => `    ${entry.name}) ${bashReply(root, entry.operands)} ;;`)}
  esac
}
_${root.name}_paths() {
  local path
  compopt -o filenames 2>/dev/null
  while IFS= read -r path; do COMPREPLY+=("$path"); done < <(compgen "$1" -- "$cur")
}
# Words with commas between.
_${root.name}_list() {
  local head= word
  compopt -o nospace 2>/dev/null
  [[ $cur != *,* ]] || head=\${cur%,*},
  while IFS= read -r word; do COMPREPLY+=("$head$word"); done < <(compgen -W "$1" -- "\${cur#"$head"}")
}
# One of the first words, and behind a slash one of the second.
_${root.name}_pair() {
  local head=\${cur%/*} word
  compopt -o nospace 2>/dev/null
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$1" -- "$cur")
  [[ $cur == */* && " $1 " == *" $head "* ]] || return 0
  while IFS= read -r word; do COMPREPLY+=("$head/$word"); done < <(compgen -W "$2" -- "\${cur##*/}")
}
# The saved queries of the case, by the file that holds them.
_${root.name}_queries() {
  local folder=\${TIDEMARK_CASE:-case.${root.name}} i
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ \${COMP_WORDS[i]} != --case ]] || folder=\${COMP_WORDS[i+1]}
    [[ \${COMP_WORDS[i]} != --case || \${COMP_WORDS[i+1]} != = ]] || folder=\${COMP_WORDS[i+2]}
  done
  COMPREPLY=($(compgen -W "$(${namesOf('"$folder/queries.json"')})" -- "$cur"))
}
complete -F _${root.name} ${root.name}
`
}

/** Lines of a \`case\` that answer for the values of options. */
function bashValues(root: Entry, entry: Entry): string {
  const command = entry === root ? '' : entry.name
  const lines = entry.flags
    .filter(flag => flag.values !== null)
    .map(flag => {
      const patterns = flag.names.map(name => `"${command} ${name}"`).join('|')
      return `    ${patterns}) ${bashReply(root, flag.values ?? 'none')}; return ;;\n`
    })
  return lines.join('')
}

function bashReply(root: Entry, values: Values): string {
  if (values === 'none') return ':'
  if (values === 'files') return `_${root.name}_paths -f`
  if (values === 'folders') return `_${root.name}_paths -d`
  if (values === 'queries') return `_${root.name}_queries`
  if (isForm(values)) {
    const words = [values.words, ...(values.form === 'pair' ? [values.after] : [])]
    return `_${root.name}_${values.form} ${words.map(list => single(list.join(' '))).join(' ')}`
  }
  return `COMPREPLY=($(compgen -W '${values.join(' ')}' -- "$cur"))`
}

/** The names in a file of saved queries, one a line: `saveQuery` writes each where nothing else stands at that depth. A pipe would hold the shell. */
function namesOf(path: string): string {
  return `test -f ${path} && sed -n 's/^    "\\([A-Za-z0-9][A-Za-z0-9_.-]*\\)": {.*/\\1/p' ${path} 2>/dev/null`
}

function isForm(values: Values): values is Words {
  return typeof values === 'object' && 'form' in values
}

// --- zsh

function zshScript(root: Entry, entries: Entry[]): string {
  const commands = entries.map(entry => `    ${single(`${entry.name}:${entry.description}`)}`).join('\n')
  const cases = entries.map(entry => `    ${entry.name}) _arguments -s -S ${zshArguments(root, entry).join(' ')} ;;`)
  return `#compdef ${root.name}
# zsh completion of ${root.name}: ${root.name} completion zsh > "\${fpath[1]}/_${root.name}"
_${root.name}() {
  local curcontext=$curcontext context state state_descr line ret=1
  typeset -A opt_args
  local -a commands=(
${commands}
  )
  _arguments -C ${root.flags.flatMap(flag => zshFlag(root, flag)).join(' ')} '1: :->command' '*:: :->rest' && ret=0
  case $state in
    command) _describe -t commands command commands && ret=0 ;;
    rest)
      curcontext="\${curcontext%:*:*}:${root.name}-$words[1]:"
      case $words[1] in
${cases.map(line => `    ${line}`).join('\n')}
      esac && ret=0 ;;
  esac
  return ret
}
# Words with commas between.
_${root.name}_list() {
  compset -P '*,'
  compadd -S '' -- "$@"
}
# One of the first words, and behind a slash one of those after --.
_${root.name}_pair() {
  local head=\${PREFIX%/*} at=\${@[(i)--]}
  compadd -S '' -- "\${(@)argv[1,at-1]}"
  [[ $PREFIX == */* ]] && (( \${argv[1,at-1][(Ie)$head]} )) || return
  compset -P '*/'
  compadd -- "\${(@)argv[at+1,-1]}"
}
# The saved queries of the case, by the file that holds them.
_${root.name}_queries() {
  local folder=\${opt_args[--case]:-\${TIDEMARK_CASE:-case.${root.name}}}
  compadd -- \${(f)"$(${namesOf('"$folder/queries.json"')})"}
}
if [[ $funcstack[1] == _${root.name} ]]; then _${root.name} "$@"; else compdef _${root.name} ${root.name}; fi
`
}

function zshArguments(root: Entry, entry: Entry): string[] {
  const operands = entry.operands === 'none' ? [] : [single(`*:${entry.name}:${zshAction(root, entry.operands)}`)]
  return [...entry.flags.flatMap(flag => zshFlag(root, flag)), ...operands]
}

function zshFlag(root: Entry, flag: Flag): string[] {
  // Within _arguments, brackets and colons end the description.
  const about = flag.description.replace(/[[\]:\\]/g, '\\$&')
  const value = flag.values === null ? '' : `:value:${zshAction(root, flag.values)}`
  return flag.names.map(name => {
    const others = flag.repeatable ? '*' : `(${flag.names.join(' ')})`
    return single(`${others}${name}${value !== '' && name.startsWith('--') ? '=' : ''}[${about}]${value}`)
  })
}

function zshAction(root: Entry, values: Values): string {
  if (values === 'none') return ' '
  if (values === 'files') return '_files'
  if (values === 'folders') return '_files -/'
  // With a blank before it a function is called as it stands.
  if (values === 'queries') return ` _${root.name}_queries`
  if (!isForm(values)) return `(${values.join(' ')})`
  const words = [values.words, ...(values.form === 'pair' ? [['--'], values.after] : [])].flat()
  return ` _${root.name}_${values.form} ${words.join(' ')}`
}

/** A word in single quotes. */
function single(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

// --- fish

function fishScript(root: Entry, entries: Entry[]): string {
  const names = entries.map(entry => entry.name).join(' ')
  const none = `not __fish_seen_subcommand_from ${names}`
  return [
    `# fish completion of ${root.name}: ${root.name} completion fish > ~/.config/fish/completions/${root.name}.fish`,
    fishFunctions(root),
    `complete -c ${root.name} -f`,
    ...entries.map(entry => `complete -c ${root.name} -n '${none}' -a ${entry.name} -d ${fishText(entry.description)}`),
    ...root.flags.map(flag => fishFlag(root, flag, none)),
    ...entries.flatMap(entry => fishEntry(root, entry)),
    '',
  ].join('\n')
}

function fishFunctions({ name }: Entry): string {
  return `# Words with commas between.
function __${name}_list
  set -l head (string match -r '^.*,' -- (__${name}_value)); or set head ''
  for word in $argv; echo $head$word; end
end
# One of the first words, and behind a slash one of those after --.
function __${name}_pair
  set -l at (contains -i -- -- $argv)
  set -l words $argv[1..(math $at - 1)]
  string join \\n -- $words
  set -l head (string replace -r '/[^/]*$' '' -- (__${name}_value))
  contains -- "$head" $words; and string join \\n -- $head/$argv[(math $at + 1)..-1]
end
# The value of an option that is being typed.
function __${name}_value
  string replace -r '^--[a-z]+=' '' -- (commandline -ct)
end
# The saved queries of the case, by the file that holds them.
function __${name}_queries
  set -l words (commandline -opc)
  set -l folder case.${name}
  set -q TIDEMARK_CASE; and test -n "$TIDEMARK_CASE"; and set folder $TIDEMARK_CASE
  set -l at (contains -i -- --case $words); and set folder $words[(math $at + 1)]
  ${namesOf('$folder/queries.json')}
end`
}

function fishEntry(root: Entry, entry: Entry): string[] {
  const seen = `__fish_seen_subcommand_from ${entry.name}`
  const operands = fishValues(root, entry.operands)
  const line = operands === '' ? [] : [`complete -c ${root.name} -n '${seen}' ${operands}`]
  return [...line, ...entry.flags.map(flag => fishFlag(root, flag, seen))]
}

function fishFlag(root: Entry, flag: Flag, condition: string): string {
  const names = flag.names.map(name => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
  const value =
    flag.values === null ? '' : ` ${flag.values === 'files' ? '-r' : '-x'} ${fishValues(root, flag.values)}`.trimEnd()
  return `complete -c ${root.name} -n '${condition}' ${names.join(' ')}${value} -d ${fishText(flag.description)}`
}

function fishValues(root: Entry, values: Values): string {
  if (values === 'none') return ''
  if (values === 'files') return '-F'
  if (values === 'folders') return "-a '(__fish_complete_directories)'"
  if (values === 'queries') return `-a '(__${root.name}_queries)'`
  if (!isForm(values)) return `-a '${values.join(' ')}'`
  const words = [values.words, ...(values.form === 'pair' ? [['--'], values.after] : [])].flat()
  return `-a '(__${root.name}_${values.form} ${words.join(' ')})'`
}

/** A word in single quotes, in which fish knows two escapes. */
function fishText(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}
