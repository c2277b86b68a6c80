/** Drawings of the page: lines on 16 by 16, in the colour of the text around. */
import type { JSX } from 'preact'

const paths = {
  overview: 'M1.5 13.5h13M3 11V8M6.3 11V3M9.6 11V5.5M13 11V9',
  hosts: 'M2 2.5h12v4.5H2zM2 9h12v4.5H2zM4.5 4.8h.01M4.5 11.3h.01M7.5 4.8h4M7.5 11.3h4',
  fields: 'M2 3h3v3H2zM2 10h3v3H2zM8 3.5h6M8 5.8h4M8 10.5h6M8 12.8h4',
  graph:
    'M3.5 5.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4M12.5 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4M4.5 14.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4M5.4 4.3l5.2 2.8M6.3 11.6l4.4-2.6',
  flows: 'M1.5 3h13M1.5 6.3h13M1.5 9.7h13M1.5 13h13M5.5 3v10',
  sql: 'M8 6c3 0 5.5-.9 5.5-2S11 2 8 2s-5.5.9-5.5 2S5 6 8 6M2.5 4v8c0 1.1 2.5 2 5.5 2s5.5-.9 5.5-2V4M2.5 8c0 1.1 2.5 2 5.5 2s5.5-.9 5.5-2',
  evidence: 'M3 1.5h6.5L13 5v9.5H3zM9.5 1.5V5H13M5.5 8.5h5M5.5 11.5h5',
  controls: 'M8 1.5l5.5 2v4c0 3.5-2.3 6-5.5 7-3.2-1-5.5-3.5-5.5-7v-4zM5.5 8l1.8 1.8L10.7 6',
  report: 'M2.5 1.5h11v13h-11zM5 4.5h6M5.5 11.5v-2M8 11.5v-4M10.5 11.5v-3',
  notes: 'M3.5 1.5h9v13L8 11l-4.5 3.5z',
  filter: 'M1.5 2.5h13L9.5 8.5v5l-3-1.5V8.5z',
  close: 'M4 4l8 8M12 4l-8 8',
  apply: 'M13.5 3v5.5h-10M6.5 5.5l-3 3 3 3',
  back: 'M10 3L5 8l5 5',
  forward: 'M6 3l5 5-5 5',
  swap: 'M2 5.5h11M10 2.5l3 3-3 3M14 10.5H3M6 7.5l-3 3 3 3',
  command: 'M2 4l4 4-4 4M8 12.5h6',
  link: 'M6.5 9.5l3-3M7 4.5l1.5-1.5a3.2 3.2 0 0 1 4.5 4.5L11.5 9M9 11.5L7.5 13A3.2 3.2 0 0 1 3 8.5L4.5 7',
  pin: 'M5.5 1.5h5M6.5 1.5v5l-2.5 3h8l-2.5-3v-5M8 9.5v5',
  copy: 'M5.5 5.5h8v9h-8zM10.5 5.5v-4h-8v9h3',
  light: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  dark: 'M13.5 9.8A6 6 0 1 1 6.2 2.5a5 5 0 0 0 7.3 7.3z',
  system: 'M1.5 2.5h13v9h-13zM5.5 14.5h5M8 11.5v3',
  more: 'M3 8h.01M8 8h.01M13 8h.01',
  columns: 'M2 2.5h12v11H2zM6 2.5v11M10 2.5v11',
  down: 'M4 6l4 4 4-4',
} as const

export type IconName = keyof typeof paths

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}

/** The tide, and the mark that it left. */
export function Logo(): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d="M3 7h18M2 13c2-2 4-2 6.5 0s4.5 2 7 0 4.5-2 6.5 0M2 18c2-2 4-2 6.5 0s4.5 2 7 0 4.5-2 6.5 0" />
    </svg>
  )
}
