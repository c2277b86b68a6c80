/** A block that cannot be unpacked, and why. */
export class PackedError extends Error {}

/** A block with more content than there is room for. */
export class PackedFull extends PackedError {
  constructor() {
    super('more content than a block may have')
  }
}

/** @throws PackedError */
export function packedCheck(sound: boolean, problem: string): asserts sound {
  if (!sound) throw new PackedError(problem)
}

/** @throws PackedFull */
export function roomCheck(fits: boolean): void {
  if (!fits) throw new PackedFull()
}
