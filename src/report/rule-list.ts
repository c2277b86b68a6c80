/** The rules as a page: what each looks for and needs, its thresholds, what it corresponds to elsewhere. */
import type { ListedRule, ListedThreshold, RuleList } from '../detect/list-rules.ts'
import { type Block, gap, heading, line, paragraph, path, strong, type Text, table, title } from './block.ts'
import { countText, integerText } from './numbers.ts'

export function rulesPage({ attack_release, rules }: RuleList): Block[] {
  return [
    title(strong('Rules of tidemark detect')),
    gap,
    paragraph(
      `${countText(rules.length, 'rule')}. D00, what the evidence can and cannot answer, always comes first. Techniques are those of ATT&CK ${attack_release}.`,
    ),
    ...rules.flatMap(ruleBlocks),
  ]
}

function ruleBlocks({ name, title: what, path: file, needs, thresholds, attack, guard_duty }: ListedRule): Block[] {
  const asked = (level: 'must' | 'better'): string[] =>
    Object.entries(needs).flatMap(([need, how]) => (how === level ? [need] : []))
  const [must, better] = [asked('must'), asked('better')]
  const facts: Text[] = [
    ...(file === null ? [] : [['Loaded from ', path(file), '.']]),
    ...(must.length === 0 ? [] : [`Needs: ${must.join(', ')}.`]),
    ...(better.length === 0 ? [] : [`Decides with less without: ${better.join(', ')}.`]),
    `ATT&CK: ${attack.map(one => `${one.id} ${one.name}`).join('; ')}.`,
    ...(guard_duty.length === 0 ? [] : [`GuardDuty: ${guard_duty.join(', ')}.`]),
  ]
  return [
    heading(name),
    paragraph(line`${strong(sentence(what))}`),
    ...facts.map(text => paragraph(text)),
    ...(thresholds.length === 0
      ? []
      : [
          gap,
          table(
            [{ title: 'threshold' }, { title: 'value' }],
            thresholds.map(one => ({ cells: [one.name, valueText(one)], detail: one.reason })),
          ),
        ]),
  ]
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

function valueText({ value, default: standard }: ListedThreshold): Text {
  const isOwn = JSON.stringify(value) !== JSON.stringify(standard)
  return isOwn ? [strong(numbersText(value)), ` (${numbersText(standard)})`] : numbersText(value)
}

/** A number, or a list of them; `none` where it is empty. */
export function numbersText(value: number | readonly number[]): string {
  if (typeof value === 'number') return Number.isInteger(value) ? integerText(value) : String(value)
  return value.length === 0 ? 'none' : value.join(', ')
}
