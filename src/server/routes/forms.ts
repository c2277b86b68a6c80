/** Forms that several routes' bodies share. */
import { z } from 'zod'

export const filterText = z.string().max(100_000)

/** `ViewAsk`. */
export const viewForm = { filter: filterText, raw: z.boolean(), own: z.array(z.string().max(50)).max(1000) }

const second = z.number().int().min(-62_135_596_800).max(253_402_300_800).nullable()

/** `Window`. */
export const windowForm = { from: second, to: second }
