/** What is seen of the page, without the room of a scroll bar. */
export function seenWindow(): { width: number; height: number } {
  const { clientWidth: width, clientHeight: height } = document.documentElement
  return { width, height }
}
