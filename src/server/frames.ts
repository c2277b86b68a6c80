/** Reads what a child says: lines, and the bytes of answers between them. */
import { answerBytesMax, type FromChild, lineBytesMax } from './message.ts'

type Take = (said: FromChild, payload: Buffer) => void

const newline = 10
const nothing = Buffer.alloc(0)

export class FrameReader {
  private readonly take: Take
  private pieces: Buffer[] = []
  private bytes = 0
  /** The answer whose bytes are being read, and how many there are. */
  private open: { said: FromChild; bytes: number } | null = null

  constructor(take: Take) {
    this.take = take
  }

  /** @throws Error for what no child of ours says; nothing after it can be read. */
  push(piece: Buffer): void {
    for (let rest = piece; rest.length > 0; ) rest = this.open === null ? this.line(rest) : this.payload(rest)
  }

  private line(piece: Buffer): Buffer {
    const end = piece.indexOf(newline)
    this.hold(piece.subarray(0, end < 0 ? piece.length : end))
    if (this.bytes > lineBytesMax) throw new Error('a line without end')
    if (end < 0) return nothing
    const said = JSON.parse(this.taken().toString('utf8')) as FromChild
    if ('answer' in said) {
      if (!(said.bytes > 0 && said.bytes <= answerBytesMax)) throw new Error(`an answer of ${said.bytes} bytes`)
      this.open = { said, bytes: said.bytes }
    } else this.take(said, nothing)
    return piece.subarray(end + 1)
  }

  private payload(piece: Buffer): Buffer {
    const { said, bytes } = this.open!
    const missing = bytes - this.bytes
    this.hold(piece.subarray(0, missing))
    if (this.bytes === bytes) {
      this.open = null
      this.take(said, this.taken())
    }
    return piece.subarray(missing)
  }

  private hold(piece: Buffer): void {
    if (piece.length > 0) this.pieces.push(piece)
    this.bytes += piece.length
  }

  private taken(): Buffer {
    const all = this.pieces.length === 1 ? this.pieces[0]! : Buffer.concat(this.pieces)
    this.pieces = []
    this.bytes = 0
    return all
  }
}
