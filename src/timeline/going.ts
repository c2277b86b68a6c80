/** Who waits for a long work, and may stop it. */
export interface Going {
  /** Told how many rows of the index were read. */
  onProgress?: (rows: number) => void
  signal?: AbortSignal
}
