/** `man/tidemark.1`, made of the commands and their options. */
import { buildProgram } from '../../src/cli/program.ts'

type Program = ReturnType<typeof buildProgram>

/** The page in the macros of man(7). */
export function manPage(): string {
  const program = buildProgram()
  const commands = program.commands.filter(command => command.name() !== 'help')
  return `${[
    '.TH TIDEMARK 1',
    '.SH NAME',
    'tidemark \\- network-flow forensics: from a folder of VPC flow logs to the dossier of an address',
    '.SH SYNOPSIS',
    '.B tidemark',
    '.I COMMAND',
    '[\\fIoptions\\fR]',
    '.SH DESCRIPTION',
    'Reads VPC flow logs, packet captures and nfcapd files into a case, which is a folder, and answers from it: who, from when to when, how',
    'much, in which direction, through which services, and how sure that is. Nothing reaches the network. Times are UTC.',
    '.PP',
    '.B tidemark help',
    '.I TOPIC',
    'prints the pages of the documentation;',
    '.B tidemark help',
    'lists them.',
    '.SH OPTIONS',
    ...program.options.flatMap(option => optionLines(option)),
    '.SH COMMANDS',
    ...commands.flatMap(commandLines),
    '.SH EXIT STATUS',
    ...entry('0', 'Done.'),
    ...entry('1', 'Failed.'),
    ...entry('2', 'Bad usage.'),
    ...entry('3', 'Done, but some evidence could not be read: standard error says which.'),
    ...entry('70', 'A bug in Tidemark.'),
    '.SH ENVIRONMENT',
    ...entry('TIDEMARK_CASE', 'Folder of the case, as --case.'),
    ...entry('NO_COLOR', 'Not empty: no colours.'),
    ...entry('FORCE_COLOR', '1: colours also where standard output is no terminal.'),
    ...entry('COLUMNS', 'Width of pages that are not written to a terminal.'),
    ...entry('TMPDIR', 'Where the case of a question about files lies while it is answered.'),
    '.SH EXAMPLES',
    ...examplesOf(program).flatMap(line => ['.PP', '.nf', text(line), '.fi']),
    '.SH SEE ALSO',
    '.BR nfdump (1),',
    '.BR zgrep (1)',
  ].join('\n')}\n`
}

function commandLines(command: Program): string[] {
  return [
    '.SS',
    `tidemark ${command.name()} ${text(command.usage())}`,
    text(command.description()),
    ...command.options.filter(option => !option.hidden).flatMap(option => optionLines(option)),
  ]
}

function optionLines(option: Program['options'][number]): string[] {
  const { flags, description, argChoices, defaultValue } = option
  const choices = argChoices === undefined ? '' : ` (${argChoices.join(', ')})`
  const standard = typeof defaultValue === 'string' ? ` By default ${defaultValue}.` : ''
  return entry(
    flags,
    `${description}${choices}.${standard}`.replace(/^./, letter => letter.toUpperCase()),
  )
}

function entry(name: string, meaning: string): string[] {
  return ['.TP', `.B ${text(name)}`, text(meaning)]
}

function examplesOf(program: Program): string[] {
  let help = ''
  program.configureOutput({ writeOut: written => void (help += written) })
  program.outputHelp()
  const lines = help.slice(help.indexOf('Examples:')).split('\n').slice(1)
  return lines.slice(0, lines.indexOf('')).map(line => line.trim())
}

/** Text in which troff sees no request, and takes hyphens for what is typed. */
function text(plain: string): string {
  return plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', '\\(cq')
    .replaceAll('…', '...')
    .replace(/^([.'])/, '\\&$1')
}
