/** The time of a case in bins, and what each sensor has of them, as values. */

/** What is known of a bin: records; records that were lost (SKIPDATA); that there was nothing (NODATA); nothing at all. */
export const binStates = { data: 'd', skip_data: 's', no_data: 'n', nothing: '-' } as const
export type BinState = keyof typeof binStates

export interface MappedSensor {
  sensor: string | null
  records: number
  no_data: number
  skip_data: number
  /** Bins in each state. */
  bins: Record<BinState, number>
  /** The state of every bin in order, a letter each: `d` data, `s` SKIPDATA, `n` NODATA, `-` nothing. */
  states: string
}

/** The time of the case in bins of equal length, and what each sensor has of them. */
export interface CoverageMap<Sensor = MappedSensor> {
  from: string | null
  to: string | null
  bin_seconds: number
  bins: number
  /** Those with the most lines; of captures, files. */
  sensors: Sensor[]
  sensors_total: number
}

/** A sensor, and how many of its records begin in each bin; `records`, `no_data` and `skip_data` are those that begin in one of the bins. */
export interface CountedSensor extends MappedSensor {
  begun: number[]
}

export interface CountedMap extends CoverageMap<CountedSensor> {
  /** Records of the whole case that have a time. */
  timed: number
}
