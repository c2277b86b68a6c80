/** Light or dark: as the user chose, else as the system has it. */
import { computed, effect, type ReadonlySignal, signal } from '@preact/signals'
import { keep, kept } from './kept.ts'

export type Theme = 'system' | 'light' | 'dark'
const themes: readonly Theme[] = ['system', 'light', 'dark']

const systemDark = matchMedia('(prefers-color-scheme: dark)')
export const systemLook = signal<'light' | 'dark'>(systemDark.matches ? 'dark' : 'light')
systemDark.addEventListener('change', ({ matches }) => (systemLook.value = matches ? 'dark' : 'light'))

const printing = signal(false)
addEventListener('beforeprint', () => (printing.value = true))
addEventListener('afterprint', () => (printing.value = false))

export const chosenTheme = signal<Theme>(themes.find(one => one === kept('theme')) ?? 'system')

/** What is shown; drawings on a canvas are made again when it changes. Paper is light. */
export const look: ReadonlySignal<'light' | 'dark'> = computed(() =>
  printing.value ? 'light' : chosenTheme.value === 'system' ? systemLook.value : chosenTheme.value,
)

export function chooseTheme(theme: Theme): void {
  chosenTheme.value = theme
  keep('theme', theme === 'system' ? null : theme)
}

/** The colour of a name of theme.css, as `series-1`, for a canvas. */
export function colour(name: string): string {
  void look.value
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
}

effect(() => {
  document.documentElement.dataset['theme'] = look.value
})
