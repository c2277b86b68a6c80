/** What is said below the filter bar, until the filter changes. */
import { type Signal, signal } from '@preact/signals'

export const remark: Signal<string | null> = signal(null)
