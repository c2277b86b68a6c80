/** A value as JSON brings it to the page: integers beyond 2^53 are text. */
export type Said<Value> = Value extends bigint
  ? string
  : Value extends readonly (infer Item)[]
    ? Said<Item>[]
    : Value extends object
      ? { [Name in keyof Value]: Said<Value[Name]> }
      : Value
