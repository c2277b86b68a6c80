/** A sentence of the program: texts, and values that are shown as what they are. */
export type Word = string | { kind: string; text: string }
export type Words = readonly Word[]
