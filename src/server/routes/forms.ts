/** Forms that several routes' bodies share. */
import { z } from 'zod'

export const filterText = z.string().max(100_000)

/** Prefixes of the analyst's own. */
export const ownForm = z.array(z.string().max(50)).max(1000)
/** Digest of the ledger's last entry. */
export const headForm = z.string().max(100)

/** `ViewAsk`. */
export const viewForm = { filter: filterText, raw: z.boolean(), own: ownForm }

const second = z.number().int().min(-62_135_596_800).max(253_402_300_800).nullable()

/** `Window`. */
export const windowForm = { from: second, to: second }

/** Addresses and networks, as they were typed. */
export const subjectsForm = z.array(z.string().min(1).max(200)).max(1000)

export const portsForm = z.array(z.number().int().min(0).max(65_535)).max(1000)

/** Of a job: it shows its progress, and can be stopped. */
export const longestSeconds = 3600
