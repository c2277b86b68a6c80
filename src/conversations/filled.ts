/** Fills an array by its rows: `from` of the constructors goes through an iterator, at a tenth of the speed. */
export function filled<Numbers extends Uint8Array | Uint16Array | Uint32Array | Float64Array>(
  into: Numbers,
  of: (row: number) => number,
): Numbers {
  for (let row = 0; row < into.length; row++) into[row] = of(row)
  return into
}
