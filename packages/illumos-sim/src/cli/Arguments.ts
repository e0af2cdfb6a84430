/** What the words of `reddwarf-illumos-sim` mean. Options come first: the words of a host command are the host's, whatever they look like. */
import * as Either from "effect/Either"
import type { Options } from "../SimulatedHost.js"

/** @category models */
export interface Arguments {
  readonly host: Options
  /** Transcript to write into. */
  readonly record: string | undefined
  /** The first is a verb of this program or a program of the host. */
  readonly words: ReadonlyArray<string>
}

interface Option {
  readonly value: string
  readonly read: (text: string) => Partial<Options> | string
}

/** Milliseconds of a time such as `2s`; nothing when it is none. @category combinators */
export const millis = (text: string): number | undefined => {
  const [, number, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? []
  return number === undefined ? undefined : Number(number) * (unit === "ms" ? 1 : unit === "m" ? 60_000 : 1000)
}

const time = (field: "latency" | "installDelay" | "bootDelay" | "haltDelay" | "shutdownGrace" | "stopTimeout"): Option => ({
  value: "TIME",
  read: (text) => {
    const value = millis(text)
    return value === undefined ? "takes a time such as 500ms, 2s or 1m" : { [field]: value }
  }
})

const words = (field: "brands" | "links"): Option => ({
  value: "A,B",
  read: (text) => /^[a-z0-9_.-]+(,[a-z0-9_.-]+)*$/i.test(text) ? { [field]: text.split(",") } : "takes names joined by commas"
})

const integer = (field: "cpus" | "memoryMiB"): Option => ({
  value: "N",
  read: (text) => /^[1-9]\d{0,8}$/.test(text) ? { [field]: Number(text) } : "takes a number"
})

const sizes: Readonly<Record<string, number>> = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 }

const pools: Option = {
  value: "NAME=SIZE,…",
  read: (text) => {
    const made = text.split(",").map((part) => /^([a-z][a-z0-9_.-]*)=(\d+)([KMGT]?)$/i.exec(part))
    const read = made.flatMap((match) => match === null ? [] : [{ name: match[1] ?? "", size: Number(match[2]) * (sizes[match[3] ?? ""] ?? 1) }])
    return read.length === made.length ? { pools: read } : "takes pools such as rpool=20G"
  }
}

const options: Readonly<Record<string, Option>> = {
  "--directory": { value: "DIR", read: (text) => ({ directory: text }) },
  "--dialect": { value: "gate|omnios", read: (text) => text === "gate" || text === "omnios" ? { dialect: text } : "is gate or omnios" },
  "--brands": words("brands"),
  "--links": words("links"),
  "--cpus": integer("cpus"),
  "--memory-mib": integer("memoryMiB"),
  "--pools": pools,
  "--latency": time("latency"),
  "--install-delay": time("installDelay"),
  "--boot-delay": time("bootDelay"),
  "--halt-delay": time("haltDelay"),
  "--shutdown-grace": time("shutdownGrace"),
  "--stop-timeout": time("stopTimeout")
}

/** The options as a usage text shows them. @category models */
export const optionNames: ReadonlyArray<string> = [...Object.entries(options).map(([name, { value }]) => `${name} ${value}`), "--record FILE"]

/**
 * Reads the words, or says what is wrong with them. The host is that of `REDDWARF_SIM_DIRECTORY` when no option names one.
 *
 * @category constructors
 */
export const parse = (
  argv: ReadonlyArray<string>,
  environment: Readonly<Record<string, string | undefined>>
): Either.Either<Arguments, string> => {
  const host: Partial<Options> = {}
  let record: string | undefined
  let index = 0
  for (; argv[index]?.startsWith("--") === true; index++) {
    const [name = "", attached] = (argv[index] ?? "").split(/=(.*)/s)
    if (name === "--") {
      index += 1
      break
    }
    if (name === "--help") return Either.right({ host: { directory: "" }, record: undefined, words: ["help"] })
    const value = attached ?? argv[++index]
    const option = Object.hasOwn(options, name) ? options[name] : undefined
    if (option === undefined && name !== "--record") return Either.left(`there is no option ${name}`)
    if (value === undefined || value === "") return Either.left(`${name} needs a value`)
    if (option === undefined) {
      record = value
      continue
    }
    const read = option.read(value)
    if (typeof read === "string") return Either.left(`${name} ${read}`)
    Object.assign(host, read)
  }
  const directory = host.directory ?? environment["REDDWARF_SIM_DIRECTORY"]
  const rest = argv.slice(index)
  if (rest[0] === "help" || rest.length === 0) return Either.right({ host: { directory: "" }, record, words: ["help"] })
  if (directory === undefined || directory === "") {
    return Either.left("which host? give --directory DIR or set REDDWARF_SIM_DIRECTORY; a host is made where there is none")
  }
  return Either.right({ host: { ...host, directory }, record, words: rest })
}
