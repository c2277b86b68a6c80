/** Where something that opens is put, so that all of it is within the window. No DOM here. */

export interface Box {
  left: number
  top: number
  width: number
  height: number
}

const margin = 8

/** Below what it belongs to, above it where there is no room, and never over an edge. */
export function placeBeside(
  anchor: Box,
  own: { width: number; height: number },
  window: { width: number; height: number },
) {
  const below = anchor.top + anchor.height + 2
  const above = anchor.top - own.height - 2
  const top = below + own.height <= window.height - margin || above < margin ? below : above
  return {
    left: Math.max(margin, Math.min(anchor.left, window.width - own.width - margin)),
    top: Math.max(margin, Math.min(top, window.height - own.height - margin)),
  }
}
