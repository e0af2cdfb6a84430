/**
 * Bad days as text: one action on a line, for people, files and the command line.
 *
 *     # the second boot of any zone fails, later the host goes down while a zone is being installed
 *     fail zoneadm match boot skip 1 text "zone 'web': zone_create failed: Not enough space"
 *     reboot during zoneadm match install
 *     wait 2s
 *     clear
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Faults from "./Faults.js"
import { SimulatedHost } from "./SimulatedHost.js"
import type { StateUnavailable } from "./StateFile.js"

/** One line of a script. @category models */
export type Action =
  | { readonly kind: "plant"; readonly fault: Faults.Fault }
  /** Removes every fault. */
  | { readonly kind: "clear" }
  /** A power cycle now. */
  | { readonly kind: "reboot" }
  /** The next line comes this much later. */
  | { readonly kind: "wait"; readonly millis: number }

/** A line is no action. @category errors */
export class FaultScriptInvalid extends Schema.TaggedError<FaultScriptInvalid>()("FaultScriptInvalid", {
  /** Counted from 1. */
  line: Schema.Number,
  text: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `line ${this.line} of the fault script (${this.text}): ${this.reason}; correct the line, \`reddwarf-illumos-sim help\` shows what there is`
  }
}

/** What there is, for a usage text. @category models */
export const grammar = `fail PROGRAM [match TEXT] [times N] [skip N] [exit N] [text TEXT]    it does nothing and fails
delay PROGRAM by TIME [match TEXT] [times N] [skip N]               it starts late
hang PROGRAM [match TEXT] [times N] [skip N]                        it never ends
kill PROGRAM [before|midway|after] [match TEXT] [times N] [skip N]  its process is killed
reboot                                                              the host goes down and comes up, now
reboot during PROGRAM [before|midway|after] [match TEXT] [skip N]   the same, while the command runs
disk-full POOL                                                      no space for anything new
pool-health POOL DEGRADED|FAULTED|UNAVAIL|SUSPENDED                 as zpool status shows it
busy-dataset DATASET [times N]      not-mounted DATASET [times N]   zfs destroy; zfs create and clone
busy-link LINK [times N]                                            dladm delete-*
stuck ZONE shutting_down|down       slow-halt ZONE by TIME          halting
install-fails ZONE [exit 1|254|255] [times N]                       zoneadm install and clone
locked ZONE [times N]               list-race ZONE [times N]        another zoneadm; id \`-\` of a running zone
out-of-memory ZONE [times N]                                        allocations of a booted zone were refused
service-fails FMRI [zone ZONE] [exit N] [times N]                   its start method
plant JSON                                                          any fault as the state file holds it
clear                                                               no faults any more
wait TIME                                                           such as 500ms, 2s, 1m`

const encodeFault = Schema.encodeSync(Schema.parseJson(Faults.Fault))
const decodeFault = Schema.decodeUnknownEither(Schema.parseJson(Faults.Fault))

/** Words separated by blanks; `"…"` and `'…'` keep blanks together. */
const wordsOf = (line: string): Either.Either<ReadonlyArray<string>, string> => {
  const words: Array<string> = []
  const pattern = /\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))(?=\s|$)/gy
  let end = 0
  for (const match of line.matchAll(pattern)) {
    words.push(match[1] ?? match[2] ?? match[3] ?? "")
    end = match.index + match[0].length
  }
  return line.slice(end).trim() === "" ? Either.right(words) : Either.left("a quote is not closed, or is inside a word")
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }

const millisOf = (text: string): number | undefined => {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text) ?? []
  const scale = units[unit ?? ""]
  return number === undefined || scale === undefined ? undefined : Math.round(Number(number) * scale)
}

type Fields = ReadonlyMap<string, string>

const numeric = new Set(["times", "skip", "exit"])

/** `NAME VALUE` pairs of the given names. */
const fieldsOf = (words: ReadonlyArray<string>, names: ReadonlyArray<string>): Either.Either<Fields, string> => {
  const fields = new Map<string, string>()
  for (let index = 0; index < words.length; index += 2) {
    const [name = "", value] = words.slice(index, index + 2)
    if (!names.includes(name)) return Either.left(`'${name}' is not one of ${names.join(", ")}`)
    if (value === undefined || fields.has(name)) return Either.left(value === undefined ? `'${name}' has no value` : `'${name}' is there twice`)
    if (numeric.has(name) && !/^\d{1,9}$/.test(value)) return Either.left(`'${name} ${value}' is not a number`)
    if (name === "by" && millisOf(value) === undefined) return Either.left(`'${value}' is not a time such as 500ms or 2s`)
    fields.set(name, value)
  }
  return Either.right(fields)
}

const number = (fields: Fields, name: string): number | undefined => fields.has(name) ? Number(fields.get(name)) : undefined

const targetOf = (program: string, fields: Fields): Faults.Target => {
  const [match, times, skip] = [fields.get("match"), number(fields, "times"), number(fields, "skip")]
  return { program, ...(match === undefined ? {} : { match }), ...(times === undefined ? {} : { times }), ...(skip === undefined ? {} : { skip }) }
}

const moments = ["before", "midway", "after"] as const
const momentOf = (word: string | undefined) => moments.find((moment) => moment === word)

interface Verb {
  /** What the second word names. */
  readonly operand: string
  readonly fields: ReadonlyArray<string>
  readonly required?: string
  /** A word of its own after the operand. */
  readonly choices?: ReadonlyArray<string>
  readonly make: (operand: string, fields: Fields, choice: string | undefined) => Faults.Fault | undefined
}

const strikes = ["match", "times", "skip"]
const times = (fields: Fields): number => number(fields, "times") ?? 1
const timeOf = (fields: Fields): number => millisOf(fields.get("by") ?? "") ?? 0

const poolStates = ["DEGRADED", "FAULTED", "UNAVAIL", "SUSPENDED"] as const

const installStatus = (exit: number | undefined) => ([1, 254, 255] as const).find((status) => status === (exit ?? 1))

const verbs: Readonly<Record<string, Verb>> = {
  fail: {
    operand: "program",
    fields: [...strikes, "exit", "text"],
    make: (program, fields) =>
      Faults.failNext({ ...targetOf(program, fields), stderr: fields.get("text") ?? `${program}: simulated failure`, exitCode: number(fields, "exit") ?? 1 })
  },
  delay: { operand: "program", fields: [...strikes, "by"], required: "by", make: (program, fields) => Faults.slow({ ...targetOf(program, fields), delayMillis: timeOf(fields) }) },
  hang: { operand: "program", fields: strikes, make: (program, fields) => Faults.hang(targetOf(program, fields)) },
  kill: {
    operand: "program",
    fields: strikes,
    choices: moments,
    make: (program, fields, choice) => Faults.killed({ ...targetOf(program, fields), when: momentOf(choice) ?? "midway" })
  },
  "reboot during": {
    operand: "program",
    fields: strikes,
    choices: moments,
    make: (program, fields, choice) => Faults.hostReboots({ ...targetOf(program, fields), when: momentOf(choice) ?? "midway" })
  },
  "disk-full": { operand: "pool", fields: [], make: (pool) => Faults.outOfSpace(pool) },
  "pool-health": {
    operand: "pool",
    fields: [],
    choices: poolStates,
    make: (pool, _, choice) => {
      const state = poolStates.find((state) => state === choice)
      return state === undefined ? undefined : Faults.poolHealth(pool, state)
    }
  },
  "busy-dataset": { operand: "dataset", fields: ["times"], make: (dataset, fields) => Faults.datasetBusy(dataset, times(fields)) },
  "not-mounted": { operand: "dataset", fields: ["times"], make: (dataset, fields) => Faults.notMounted(dataset, times(fields)) },
  "busy-link": { operand: "link", fields: ["times"], make: (link, fields) => Faults.linkBusy(link, times(fields)) },
  stuck: {
    operand: "zone",
    fields: [],
    choices: ["shutting_down", "down"],
    make: (zone, _, choice) => Faults.stuckZone(zone, choice === "down" ? "down" : "shutting_down")
  },
  "slow-halt": { operand: "zone", fields: ["by"], required: "by", make: (zone, fields) => Faults.slowHalt(zone, timeOf(fields)) },
  "install-fails": {
    operand: "zone",
    fields: ["exit", "times"],
    make: (zone, fields) => {
      const status = installStatus(number(fields, "exit"))
      return status === undefined ? undefined : Faults.installFails(zone, status, times(fields))
    }
  },
  locked: { operand: "zone", fields: ["times"], make: (zone, fields) => Faults.zoneLocked(zone, times(fields)) },
  "list-race": { operand: "zone", fields: ["times"], make: (zone, fields) => Faults.listRace(zone, times(fields)) },
  "out-of-memory": { operand: "zone", fields: ["times"], make: (zone, fields) => Faults.memoryRefused(zone, times(fields)) },
  "service-fails": {
    operand: "service",
    fields: ["zone", "exit", "times"],
    make: (service, fields) =>
      Faults.serviceFails({ service, zone: fields.get("zone") ?? "global", times: times(fields), exitCode: number(fields, "exit") ?? 1 })
  }
}

const plant = (verb: Verb, words: ReadonlyArray<string>): Either.Either<Action, string> => {
  const [operand, ...rest] = words
  if (operand === undefined) return Either.left(`it names no ${verb.operand}`)
  const choice = verb.choices?.find((word) => word === rest[0])
  return Either.flatMap(fieldsOf(choice === undefined ? rest : rest.slice(1), verb.fields), (fields): Either.Either<Action, string> => {
    if (verb.required !== undefined && !fields.has(verb.required)) return Either.left(`'${verb.required} …' is missing`)
    const fault = verb.make(operand, fields, choice)
    return fault === undefined ? Either.left("it has no such state or exit status") : Either.right({ kind: "plant", fault })
  })
}

/**
 * The action in words, as a shell hands them over.
 *
 * @category constructors
 */
export const parseWords = (words: ReadonlyArray<string>): Either.Either<Action, string> => {
  const [name = "", ...rest] = words
  if (name === "clear" && rest.length === 0) return Either.right({ kind: "clear" })
  if (name === "reboot" && rest.length === 0) return Either.right({ kind: "reboot" })
  if (name === "wait") {
    const millis = rest.length === 1 ? millisOf(rest[0] ?? "") : undefined
    return millis === undefined ? Either.left("'wait' takes a time such as 500ms, 2s or 1m") : Either.right({ kind: "wait", millis })
  }
  if (name === "plant") {
    const fault = decodeFault(rest[0])
    return Either.isLeft(fault) || rest.length > 1 ? Either.left("'plant' takes a fault as JSON") : Either.right({ kind: "plant", fault: fault.right })
  }
  const compound = name === "reboot" ? verbs[`reboot ${rest[0] ?? ""}`] : undefined
  if (compound !== undefined) return plant(compound, rest.slice(1))
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined
  return verb === undefined ? Either.left(`'${name}' is no action`) : plant(verb, rest)
}

/**
 * The actions of a script. Empty lines and what follows a `#` at the beginning of a line are passed over.
 *
 * @category constructors
 */
export const parse = (script: string): Either.Either<ReadonlyArray<Action>, FaultScriptInvalid> => {
  const actions: Array<Action> = []
  for (const [index, given] of script.split("\n").entries()) {
    const text = given.trim()
    if (text === "" || text.startsWith("#")) continue
    const action = Either.flatMap(wordsOf(text), parseWords)
    if (Either.isLeft(action)) return Either.left(new FaultScriptInvalid({ line: index + 1, text, reason: action.left }))
    actions.push(action.right)
  }
  return Either.right(actions)
}

const quoted = (text: string): string => /^[^\s"'#]+$/.test(text) ? text : text.includes("\"") ? `'${text}'` : `"${text}"`

const time = (millis: number): string => `${millis}ms`

const strike = ({ match, skip, times }: { readonly match: string; readonly times: number; readonly skip?: number | undefined }): string =>
  `${match === "" ? "" : ` match ${quoted(match)}`}${times === 1 ? "" : ` times ${times}`}${skip === undefined ? "" : ` skip ${skip}`}`

const counted = ({ times }: { readonly times: number }): string => times === 1 ? "" : ` times ${times}`

const faultText = (fault: Faults.Fault): string => {
  switch (fault.kind) {
    case "failNext":
      return `fail ${fault.program}${strike(fault)} exit ${fault.exitCode} text ${quoted(fault.stderr)}`
    case "slow":
      return `delay ${fault.program} by ${time(fault.delayMillis)}${strike(fault)}`
    case "hang":
      return `hang ${fault.program}${strike(fault)}`
    case "killed":
      return `${fault.reboots ? "reboot during" : "kill"} ${fault.program} ${fault.when}${strike(fault)}`
    case "outOfSpace":
      return `disk-full ${fault.pool}`
    case "poolHealth":
      return `pool-health ${fault.pool} ${fault.state}`
    case "datasetBusy":
      return `busy-dataset ${fault.dataset}${counted(fault)}`
    case "notMounted":
      return `not-mounted ${fault.dataset}${counted(fault)}`
    case "linkBusy":
      return `busy-link ${fault.link}${counted(fault)}`
    case "stuckZone":
      return `stuck ${fault.zone} ${fault.state}`
    case "slowHalt":
      return `slow-halt ${fault.zone} by ${time(fault.delayMillis)}`
    case "installFails":
      return `install-fails ${fault.zone} exit ${fault.status}${counted(fault)}`
    case "zoneLocked":
      return `locked ${fault.zone}${counted(fault)}`
    case "listRace":
      return `list-race ${fault.zone}${counted(fault)}`
    case "memoryRefused":
      return `out-of-memory ${fault.zone}${counted(fault)}`
    case "serviceFails":
      return `service-fails ${fault.service} zone ${fault.zone} exit ${fault.exitCode}${counted(fault)}`
    default:
      return `plant '${encodeFault(fault)}'`
  }
}

/**
 * The line of an action. A text that holds both kinds of quotes or a newline cannot be written as a line.
 *
 * @category combinators
 */
export const format = (action: Action): string => {
  if (action.kind === "plant") return faultText(action.fault)
  return action.kind === "wait" ? `wait ${time(action.millis)}` : action.kind
}

const perform = (host: SimulatedHost["Type"], action: Action): Effect.Effect<void, StateUnavailable> => {
  if (action.kind === "plant") return host.inject(action.fault)
  if (action.kind === "wait") return Effect.sleep(Duration.millis(action.millis))
  return action.kind === "clear" ? host.clearFaults : host.rebootHost
}

/**
 * Does one action after the other on the host of the environment.
 *
 * @category combinators
 */
export const run = (actions: ReadonlyArray<Action>): Effect.Effect<void, StateUnavailable, SimulatedHost> =>
  Effect.flatMap(SimulatedHost, (host) => Effect.forEach(actions, (action) => perform(host, action), { discard: true }))
