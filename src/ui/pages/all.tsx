/** The pages, by the first part of the path. */
import type { ComponentType } from 'preact'

export interface Page {
  /** First part of its path; '' is the overview. */
  name: string
  /** In the rail, and of the window. */
  title: string
  /** The key after `g`; null: not in the rail. */
  key: string | null
  Body: ComponentType
}

export const pages: readonly Page[] = []
