/** What one manifest file asks for. Pure: names and texts in, pods or reasons out. */
import type { CoreV1 } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { parseAllDocuments } from "yaml"
import * as StaticPod from "./StaticPod.js"

/** Largest file, in bytes. @category models */
export const maximumBytes = 1024 * 1024

/** Most pods in one file. @category models */
export const maximumPods = 100

const endings = [".yaml", ".yml", ".json"]

/**
 * Whether a file of this name is a manifest. Editors leave files beside those they write: hidden ones, and ones with an ending of their own.
 *
 * @category combinators
 */
export const isManifestName = (name: string): boolean => !name.startsWith(".") && endings.some((ending) => name.endsWith(ending))

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && name in value ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined

/** A list stands for what is in it. */
const itemsOf = (document: unknown): ReadonlyArray<unknown> => {
  const kind = field(document, "kind")
  const items: unknown = field(document, "items")
  return (kind === "List" || kind === "PodList") && Array.isArray(items) ? items : [document]
}

/** YAML is a superset of JSON, so that one reader does for both. Aliases are bounded by the reader. */
const documents = (text: string): Either.Either<ReadonlyArray<unknown>, string> => {
  const parsed = parseAllDocuments(text, { strict: true, uniqueKeys: true })
  if (!Array.isArray(parsed)) return Either.left("it is empty")
  const [problem] = parsed.flatMap(({ errors }) => errors)
  if (problem !== undefined) return Either.left(problem.message)
  return Either.try({
    try: () => parsed.map((document): unknown => document.toJS()).filter((value) => value !== null && value !== undefined).flatMap(itemsOf),
    catch: (cause) => cause instanceof Error ? cause.message : String(cause)
  })
}

/**
 * The pods of a file, or what is wrong with it. A file counts as a whole: one bad document makes all of it bad.
 *
 * @category constructors
 */
export const read = (text: string, nodeName: string): Either.Either<ReadonlyArray<CoreV1.Pod>, string> =>
  Either.gen(function*() {
    if (Buffer.byteLength(text) > maximumBytes) return yield* Either.left(`it is larger than ${maximumBytes} bytes`)
    const found = yield* documents(text)
    if (found.length === 0) return yield* Either.left("it is empty")
    if (found.length > maximumPods) return yield* Either.left(`it has more than ${maximumPods} pods`)
    const pods: Array<CoreV1.Pod> = []
    for (const document of found) {
      const kind = field(document, "kind")
      if (kind !== "Pod") return yield* Either.left(`it has an object of kind ${JSON.stringify(kind ?? null)}; only pods can be static`)
      pods.push(yield* StaticPod.of(document, nodeName))
    }
    return pods
  })

/**
 * The pods of a directory, files in the order of their names. Of two pods of one name the first one counts; the others are named as wrong.
 *
 * @category constructors
 */
export const merge = (
  files: ReadonlyMap<string, ReadonlyArray<CoreV1.Pod>>
): { readonly pods: ReadonlyMap<string, CoreV1.Pod>; readonly duplicates: ReadonlyMap<string, string> } => {
  const pods = new Map<string, CoreV1.Pod>()
  const takenBy = new Map<string, string>()
  const duplicates = new Map<string, string>()
  for (const [file, found] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const pod of found) {
      const key = `${pod.metadata.namespace}/${pod.metadata.name}`
      const other = takenBy.get(key)
      if (other !== undefined) {
        duplicates.set(file, `pod ${key} is in ${other} already; give it another name`)
        continue
      }
      takenBy.set(key, file)
      pods.set(pod.metadata.uid ?? "", pod)
    }
  }
  return { pods, duplicates }
}
