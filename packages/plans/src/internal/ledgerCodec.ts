/** Text of the ledger's files: every piece says its schema, its place in the order and its checksum. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import { Plan } from "../Plan.js"
import { PlanTask } from "../PlanTask.js"
import { ZoneInstance } from "../ZoneInstance.js"

/** The schema that this code writes, and the newest that it reads. */
export const schemaVersion = 1

/** What a record file holds. */
export interface Record {
  readonly instance: ZoneInstance
  readonly plan?: Plan
  readonly accepted: boolean
}

/** What a line of a log holds. */
export type Entry =
  | { readonly kind: "intent"; readonly instance: ZoneInstance }
  | { readonly kind: "accepted"; readonly planId: string }
  | { readonly kind: "tasks"; readonly planId: string; readonly tasks: ReadonlyArray<readonly [index: number, task: PlanTask]> }

const Record: Schema.Schema<Record> = Schema.asSchema(
  Schema.Struct({
    instance: ZoneInstance,
    plan: Schema.optionalWith(Plan, { exact: true }),
    accepted: Schema.Boolean
  })
)

const Entry: Schema.Schema<Entry> = Schema.Union(
  Schema.Struct({ kind: Schema.Literal("intent"), instance: ZoneInstance }),
  Schema.Struct({ kind: Schema.Literal("accepted"), planId: Schema.String }),
  Schema.Struct({
    kind: Schema.Literal("tasks"),
    planId: Schema.String,
    tasks: Schema.Array(Schema.Tuple(Schema.Int, PlanTask))
  })
)

/** A piece whose checksum is right, or what is wrong with it. */
export type Read<A> =
  | { readonly _tag: "Whole"; readonly sequence: number; readonly value: A }
  | { readonly _tag: "Broken" }
  | { readonly _tag: "Newer"; readonly schema: number }

const checksum = (schema: number | string, sequence: number | string, body: string): string =>
  createHash("sha256").update(`${schema} ${sequence} ${body}`).digest("hex").slice(0, 32)

const piece = (sequence: number, value: unknown): string => {
  const body = JSON.stringify(value)
  return `reddwarf-plans ${schemaVersion} ${sequence} ${checksum(schemaVersion, sequence, body)} ${body}\n`
}

const pattern = /^reddwarf-plans (\d{1,9}) (\d{1,15}) ([0-9a-f]{32}) (.*)$/s

/** Unknown fields are kept: an older agent does not drop what a newer one of the same schema wrote. */
const options = { onExcessProperty: "preserve" } as const
const decodeRecord = Schema.decodeUnknownEither(Schema.parseJson(Record), options)
const decodeEntry = Schema.decodeUnknownEither(Schema.parseJson(Entry), options)

const read = <A>(text: string, decode: (body: string) => Either.Either<A, unknown>): Read<A> => {
  const match = pattern.exec(text)
  if (match === null) return { _tag: "Broken" }
  const [, schema = "", sequence = "", sum, body = ""] = match
  if (checksum(schema, sequence, body) !== sum) return { _tag: "Broken" }
  if (Number(schema) > schemaVersion) return { _tag: "Newer", schema: Number(schema) }
  return Either.match(decode(body), {
    onLeft: (): Read<A> => ({ _tag: "Broken" }),
    onRight: (value) => ({ _tag: "Whole", sequence: Number(sequence), value })
  })
}

/** The content of a record file. */
export const record = (sequence: number, value: Record): string => piece(sequence, value)

/** One line of a log, with its end. */
export const line = (sequence: number, entry: Entry): string => piece(sequence, entry)

export const readRecord = (text: string): Read<Record> => read(text.endsWith("\n") ? text.slice(0, -1) : "", decodeRecord)

export const readLine = (text: string): Read<Entry> => read(text, decodeEntry)

/** The schema of a whole piece at the start of a text, if it is newer than what is known. */
export const newerSchema = (text: string): number | undefined => {
  const found = read(text.split("\n", 1)[0] ?? "", () => Either.left("not looked at"))
  return found._tag === "Newer" ? found.schema : undefined
}

/** The record after an entry of the log. */
export const apply = (record: Record | undefined, entry: Entry): Record | undefined => {
  if (entry.kind === "intent") {
    const { plan } = entry.instance.status ?? {}
    return { instance: entry.instance, accepted: false, ...(plan === undefined ? {} : { plan }) }
  }
  if (record?.plan?.id !== entry.planId) return record
  if (entry.kind === "accepted") return { ...record, accepted: true }
  const tasks = [...record.plan.tasks]
  for (const [index, task] of entry.tasks) if (index >= 0 && index < tasks.length) tasks[index] = task
  return { ...record, plan: { ...record.plan, tasks, currentTask: tasks.find(({ status }) => status !== "Complete")?.type ?? "" } }
}
