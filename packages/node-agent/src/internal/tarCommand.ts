/** The tar command lines that `kubectl cp` sends, recognised word by word. Anything else is not for us. */

/** What is asked for. */
export type TarCommand =
  | { readonly _tag: "Create"; readonly path: string }
  | { readonly _tag: "Extract"; readonly directory: string }

const ignored = new Set(["--no-same-permissions", "--no-same-owner", "--"])

/** Reads a command line; none when it is not one of kubectl's. */
export const parse = (argv: ReadonlyArray<string>): TarCommand | undefined => {
  const [program, ...words] = argv
  if (program !== "tar") return undefined
  const rest: Array<string> = []
  let mode: "Create" | "Extract" | undefined
  let directory: string | undefined
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? ""
    if (ignored.has(word)) continue
    if (mode === undefined && /^-?(?:cf|xm?f)$/.test(word) && words[at + 1] === "-") {
      mode = word.includes("c") ? "Create" : "Extract"
      at += 1
    } else if (word === "-C" && directory === undefined && words[at + 1] !== undefined) {
      directory = words[at + 1]
      at += 1
    } else if (word.startsWith("-")) {
      return undefined
    } else {
      rest.push(word)
    }
  }
  const [path] = rest
  if (mode === "Create" && rest.length === 1 && path !== undefined && directory === undefined) return { _tag: "Create", path }
  return mode === "Extract" && rest.length === 0 ? { _tag: "Extract", directory: directory ?? "." } : undefined
}
