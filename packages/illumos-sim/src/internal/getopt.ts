/** A parsed option; `value` is empty for a flag. */
export interface ParsedOption {
  readonly flag: string
  readonly value: string
}

/** What getopt(3C) makes of an argument vector. */
export interface ParsedArguments {
  readonly options: ReadonlyArray<ParsedOption>
  readonly operands: ReadonlyArray<string>
  /** The first offence: an unknown option or one whose value is missing. */
  readonly error?: { readonly kind: "unknown" | "missing"; readonly flag: string }
}

/** Long forms of getopt_long: name without dashes to the short flag. */
export type LongOptions = Readonly<Record<string, string>>

interface Cursor {
  readonly options: Array<ParsedOption>
  readonly operands: Array<string>
  index: number
}

type Offence = ParsedArguments["error"]

const takesValue = (spec: string, flag: string): boolean | undefined => {
  const at = flag === ":" ? -1 : spec.indexOf(flag)
  return at < 0 ? undefined : spec[at + 1] === ":"
}

const cluster = (args: ReadonlyArray<string>, spec: string, cursor: Cursor, word: string): Offence => {
  for (let at = 1; at < word.length; at++) {
    const flag = word.charAt(at)
    const valued = takesValue(spec, flag)
    if (valued === undefined) return { kind: "unknown", flag }
    if (!valued) {
      cursor.options.push({ flag, value: "" })
      continue
    }
    const attached = word.slice(at + 1)
    const value = attached === "" ? args[cursor.index++] : attached
    if (value === undefined) return { kind: "missing", flag }
    cursor.options.push({ flag, value })
    return undefined
  }
  return undefined
}

const long = (
  args: ReadonlyArray<string>,
  spec: string,
  names: LongOptions,
  cursor: Cursor,
  word: string
): Offence => {
  const [name = "", attached] = word.slice(2).split(/=(.*)/s)
  const flag = names[name]
  if (flag === undefined) return { kind: "unknown", flag: `-${name}` }
  if (takesValue(spec, flag) !== true) {
    cursor.options.push({ flag, value: "" })
    return undefined
  }
  const value = attached ?? args[cursor.index++]
  if (value === undefined) return { kind: "missing", flag }
  cursor.options.push({ flag, value })
  return undefined
}

/**
 * Parses `args` by a getopt specification such as `HS:d:o:prs:t:`. Without `names` parsing stops at the first operand, as
 * getopt does; with `names` long options are known and operands are permuted, as getopt_long does.
 */
export const getopt = (args: ReadonlyArray<string>, spec: string, names?: LongOptions): ParsedArguments => {
  const cursor: Cursor = { options: [], operands: [], index: 0 }
  while (cursor.index < args.length) {
    const word = args[cursor.index++] ?? ""
    if (word === "--") break
    if (word.length > 1 && word.startsWith("-")) {
      const offence = names !== undefined && word.startsWith("--")
        ? long(args, spec, names, cursor, word)
        : cluster(args, spec, cursor, word)
      if (offence !== undefined) return { options: cursor.options, operands: cursor.operands, error: offence }
      continue
    }
    cursor.operands.push(word)
    if (names === undefined) break
  }
  return { options: cursor.options, operands: [...cursor.operands, ...args.slice(cursor.index)] }
}

/** Whether the flag was given. */
export const hasFlag = (parsed: ParsedArguments, flag: string): boolean =>
  parsed.options.some((option) => option.flag === flag)

/** The last value given for the flag. */
export const lastValue = (parsed: ParsedArguments, flag: string): string | undefined =>
  parsed.options.findLast((option) => option.flag === flag)?.value

/** Every value given for the flag, in order. */
export const allValues = (parsed: ParsedArguments, flag: string): ReadonlyArray<string> =>
  parsed.options.filter((option) => option.flag === flag).map((option) => option.value)
