/** A case, or a part of it, in the form of another tool. */

import { type OutputTarget, outputTarget } from '../disk/output.ts'
import { OutputFile } from '../disk/output-file.ts'
import type { FlowsColumn } from '../flows/request.ts'
import { countText, integerText } from '../net/counts.ts'
import { matchNotes, noNotes } from '../report/case-report/notes.ts'
import type { Case } from '../store/case.ts'
import { fileName } from '../store/ledger.ts'
import { version } from '../version.ts'
import { Addresses } from './addresses.ts'
import { connLogPrinter } from './conn-log.ts'
import { eachConnection } from './connections.ts'
import { csvPrinter } from './csv.ts'
import { ecsPrinter } from './ecs.ts'
import { type FindingsFound, findingsOfCase, findingsOfSubject } from './findings.ts'
import { type ExportOptions, type ExportReport, kindOf, kindsOf, type OneKind } from './formats.ts'
import { guardDutyPrinter } from './guardduty.ts'
import type { ExportContext, ExportedFinding, LeftOut, Printer } from './items.ts'
import { ndjsonPrinter } from './ndjson.ts'
import { ocsfPrinter } from './ocsf.ts'
import { askRecords } from './records.ts'
import { sigmaPrinter } from './sigma.ts'
import { stixPrinter } from './stix.ts'
import { ownNamespace, uuidOf } from './uuid.ts'

/**
 * Writes findings, connections or flow records of a case in the format of another tool. Neither records nor connections are held in memory.
 *
 * @throws UserError (status 2) for what a format cannot hold, and for what `detect` and `queryFlows` refuse; where the output cannot be written.
 */
export async function exportCase(c: Case, options: ExportOptions): Promise<ExportReport> {
  const what = kindOf(options)
  const addresses = new Addresses(options.change ?? null)
  const report: ExportReport = {
    ...{ out: options.out ?? '-', format: options.to, what, records: 0, connections: 0, findings: 0 },
    ...{ left_out: [], notes: [], enrichment_problems: [] },
  }
  const work = new ExportWork(c, options, kindsOf(what, options.to), addresses, report)
  await work.run()
  return report
}

function printerOf(
  { to, rawCsv }: ExportOptions,
  kind: OneKind,
  columns: readonly FlowsColumn[],
  context: ExportContext,
): Printer {
  switch (to) {
    case 'ocsf':
      return ocsfPrinter(context)
    case 'ecs':
      return ecsPrinter(context)
    case 'stix':
      return stixPrinter(context)
    case 'sigma':
      return sigmaPrinter(context)
    case 'guardduty':
      return guardDutyPrinter(context)
    case 'csv':
      return csvPrinter(kind, columns, rawCsv === true ? 'raw' : 'exact')
    case 'ndjson':
      return ndjsonPrinter()
    case 'conn-log':
      return connLogPrinter()
  }
}

/** One export: what is asked is asked before the output is begun, as far as that is soon known. */
class ExportWork {
  readonly #c: Case
  readonly #options: ExportOptions
  readonly #kinds: readonly OneKind[]
  readonly #addresses: Addresses
  readonly #report: ExportReport
  /** How many items were left out, by kind and reason. */
  readonly #left = new Map<string, number>()

  constructor(c: Case, options: ExportOptions, kinds: readonly OneKind[], addresses: Addresses, report: ExportReport) {
    this.#c = c
    this.#options = options
    this.#kinds = kinds
    this.#addresses = addresses
    this.#report = report
  }

  async run(): Promise<void> {
    const target = this.#target()
    const found = this.#kinds.includes('findings') ? await this.#findings() : []
    const records = this.#kinds.includes('records') ? await askRecords(this.#c, this.#options, this.#addresses) : null
    const context = { version: version(), source: this.#c.source, key: this.#key() }
    const printer = printerOf(this.#options, this.#kinds[0]!, records?.columns ?? [], context)
    const file = await OutputFile.begin(target, this.#options.signal)
    try {
      file.text(printer.begin?.() ?? '')
      for (const finding of found) this.#give(file, 'findings', printer.finding!(finding))
      if (this.#kinds.includes('connections')) await this.#connections(file, printer)
      if (records !== null) {
        await records.each(
          record => this.#give(file, 'records', printer.record!(record)),
          () => file.settle(),
        )
        this.#noteRecords(records)
      }
      file.text(printer.end?.() ?? '')
      await file.finish()
    } catch (error) {
      file.abandon()
      throw error
    }
    for (const [why, count] of this.#left) this.#report.left_out.push(`${integerText(count)} ${why}`)
  }

  #target(): OutputTarget {
    const { out = '-', force = false, kept = [] } = this.#options
    const inputs = [...this.#c.evidence, ...this.#c.out].map(fileName)
    return outputTarget(out, { option: '-o', force, inputs: [...inputs, ...kept] })
  }

  /** The same for the same export of the same case. */
  #key(): string {
    const { to, filter = '', from_us = '', to_us = '', of = [] } = this.#options
    return uuidOf(ownNamespace, JSON.stringify([this.#c.head, to, this.#report.what, filter, from_us, to_us, of]))
  }

  async #findings() {
    const { of, ...options } = this.#options
    const found =
      of === undefined
        ? await findingsOfCase(this.#c, options, this.#addresses)
        : await findingsOfSubject(this.#c, of, options, this.#addresses)
    for (const { rule, count } of found.others)
      this.#report.left_out.push(`${countText(count, 'finding')} of ${rule}: of each rule 1,000 are told singly`)
    this.#report.notes.push(...found.notes)
    if (this.#addresses.areChanged && found.findings.length > 0)
      this.#report.notes.push(
        'names of files of the evidence are as they were, without addresses: AWS has the number of the account in them',
      )
    this.#report.enrichment_problems.push(...found.enrichment_problems)
    return this.#judged(this.#addresses.areChanged ? { ...found, findings: found.findings.map(inOtherOrder) } : found)
  }

  /** With what the analyst's notes say; without what they refute, but where a format can say that. */
  #judged({ findings, keys }: FindingsFound): ExportedFinding[] {
    const { notes = noNotes, to } = this.#options
    const { of, not_found } = matchNotes(notes, keys)
    const judged = findings.map(
      (finding, at): ExportedFinding => ({
        ...finding,
        verdict: of[at]!.reduce<ExportedFinding['verdict']>((last, { status }) => status ?? last, null),
        comments: of[at]!.map(({ note }) => this.#addresses.text(note)).filter(note => note !== ''),
      }),
    )
    const kept = judged.filter(({ verdict }) => verdict !== 'refuted')
    const refuted = countText(judged.length - kept.length, 'finding')
    if (not_found.length > 0)
      this.#report.notes.push(`${countText(not_found.length, 'note')} of the file of notes: of no finding that is here`)
    if (kept.length === judged.length) return judged
    if (to === 'ocsf') this.#report.notes.push(`${refuted} with status Suppressed: the notes refute them`)
    else this.#report.left_out.push(`${refuted} that the notes refute`)
    return to === 'ocsf' ? judged : kept
  }

  async #connections(file: OutputFile, printer: Printer): Promise<void> {
    const given = await eachConnection(
      this.#c,
      this.#options,
      this.#addresses,
      connection => this.#give(file, 'connections', printer.connection!(connection)),
      () => file.settle(),
    )
    const { left_out, notes } = this.#report
    if (given.untimed_records > 0)
      left_out.push(`connections of records without a time: ${countText(given.untimed_records, 'record')} of the case`)
    if (given.unknown > 0)
      left_out.push(`${countText(given.unknown, 'record')} of which it cannot be told whether they meet the filter`)
    if (given.at_least > 0)
      notes.push(
        `${countText(given.at_least, 'connection')} with records that do not say their packets or bytes: the sums are lower bounds, and missing where none says`,
      )
    if (given.too_large > 0)
      notes.push(`missing, for they are not kept exactly: ${countText(given.too_large, 'sum')} beyond 2^53`)
    notes.push(...given.notes)
    if (!this.#kinds.includes('findings')) this.#report.enrichment_problems.push(...given.enrichment_problems)
  }

  #noteRecords({ counting, notes, enrichment_problems }: Awaited<ReturnType<typeof askRecords>>): void {
    if (Number(counting.unknown) > 0)
      this.#report.left_out.push(
        `${countText(Number(counting.unknown), 'record')} of which it cannot be told whether they meet the filter`,
      )
    this.#report.notes.push(...notes)
    if (this.#addresses.areChanged)
      this.#report.notes.push(
        'ids of accounts, interfaces, instances, VPCs and subnets, and names of files, are as in the evidence: they may tell whose records these are',
      )
    if (this.#kinds.length === 1) this.#report.enrichment_problems.push(...enrichment_problems)
  }

  #give(file: OutputFile, kind: OneKind, given: string | LeftOut): void {
    if (typeof given === 'string') {
      file.text(given)
      this.#report[kind]++
      return
    }
    const why = `${kind}: ${given.left}`
    this.#left.set(why, (this.#left.get(why) ?? 0) + 1)
  }
}

/** With its hosts in the order of their other addresses: that of the true ones would tell of these. */
function inOtherOrder(finding: ExportedFinding): ExportedFinding {
  const sorted = (hosts: ExportedFinding['peers']): ExportedFinding['peers'] =>
    [...hosts].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0))
  return { ...finding, subject: sorted(finding.subject), peers: sorted(finding.peers) }
}
