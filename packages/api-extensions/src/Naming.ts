/** Which names of a definition are free, and what its conditions say about it. */
import { type ApiextensionsV1, Timestamp } from "@reddwarf/api-types"
import * as ApiApproval from "./ApiApproval.js"
import { equals } from "./JsonSchema.js"

type Definition = ApiextensionsV1.CustomResourceDefinition
type Condition = ApiextensionsV1.CustomResourceDefinitionCondition
type DefinitionNames = ApiextensionsV1.CustomResourceDefinitionNames

interface Taken {
  readonly resources: ReadonlySet<string>
  readonly kinds: ReadonlySet<string>
}

/** Names that other definitions of the group have been given. */
const takenBy = (others: ReadonlyArray<Definition>): Taken => {
  const names = others.flatMap(({ status }) => status?.acceptedNames ?? [])
  return {
    resources: new Set(names.flatMap(({ plural, shortNames = [], singular = "" }) => [plural, singular, ...shortNames]).filter((name) => name !== "")),
    kinds: new Set(names.flatMap(({ kind, listKind = "" }) => [kind, listKind]).filter((name) => name !== ""))
  }
}

interface Conflict {
  readonly reason: string
  readonly message: string
}

const decide = (asked: DefinitionNames, accepted: DefinitionNames | undefined, taken: Taken): readonly [DefinitionNames, Conflict | undefined] => {
  let conflict: Conflict | undefined
  const choose = (reason: string, name: string, own: string, used: ReadonlySet<string>): string => {
    if (name === own || !used.has(name)) return name
    conflict = { reason, message: `${JSON.stringify(name)} is already in use` }
    return own
  }
  const plural = choose("PluralConflict", asked.plural, accepted?.plural ?? "", taken.resources)
  const singular = choose("SingularConflict", asked.singular ?? "", accepted?.singular ?? "", taken.resources)
  const own = new Set(accepted?.shortNames)
  const clashing = (asked.shortNames ?? []).filter((name) => !own.has(name) && taken.resources.has(name))
  if (clashing.length > 0) {
    const texts = clashing.map((name) => `${JSON.stringify(name)} is already in use`)
    conflict = { reason: "ShortNamesConflict", message: texts.length === 1 ? texts[0] ?? "" : `[${texts.join(", ")}]` }
  }
  const shortNames = clashing.length > 0 ? accepted?.shortNames : asked.shortNames
  const kind = choose("KindConflict", asked.kind, accepted?.kind ?? "", taken.kinds)
  const listKind = choose("ListKindConflict", asked.listKind ?? "", accepted?.listKind ?? "", taken.kinds)
  const names: DefinitionNames = {
    plural,
    ...(singular === "" ? {} : { singular }),
    ...(shortNames === undefined || shortNames.length === 0 ? {} : { shortNames }),
    kind,
    ...(listKind === "" ? {} : { listKind }),
    ...(asked.categories === undefined || asked.categories.length === 0 ? {} : { categories: asked.categories })
  }
  return [names, conflict]
}

/** The conditions with one replaced or added; its time changes only with its status. @category combinators */
export const withCondition = (
  conditions: ReadonlyArray<Condition>,
  { message = "", reason = "", status, type }: Omit<Condition, "lastTransitionTime">,
  now: number
): ReadonlyArray<Condition> => {
  const before = conditions.find((condition) => condition.type === type)
  const lastTransitionTime = before?.status === status && before.lastTransitionTime !== undefined
    ? before.lastTransitionTime
    : Timestamp.secondsFromMillis(now)
  const next: Condition = { type, status, lastTransitionTime, reason, message }
  if (before === undefined) return [...conditions, next]
  return conditions.map((condition) => condition === before ? next : condition)
}

/**
 * The status that a definition should have, given the others of its group; the same object when it has it. A definition whose names are
 * free is established, and stays so whatever happens to its names later. `now` is milliseconds since the epoch.
 *
 * @category combinators
 */
export const settle = (definition: Definition, others: ReadonlyArray<Definition>, now: number): Definition => {
  const { spec, status } = definition
  const before = status?.conditions ?? []
  const [acceptedNames, conflict] = decide(spec.names, status?.acceptedNames, takenBy(others))
  const named = withCondition(
    before,
    conflict === undefined
      ? { type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found" }
      : { type: "NamesAccepted", status: "False", ...conflict },
    now
  )
  const wasEstablished = before.some(({ status: value, type }) => type === "Established" && value === "True")
  const conditions = wasEstablished
    ? named
    : withCondition(
      named,
      conflict === undefined
        ? { type: "Established", status: "True", reason: "InitialNamesAccepted", message: "the initial names have been accepted" }
        : { type: "Established", status: "False", reason: "NotAccepted", message: "not all names are accepted" },
      now
    )
  const approval = ApiApproval.conditionOf(spec.group, definition.metadata.annotations)
  const judged = approval === undefined ? conditions : withCondition(conditions, approval, now)
  const next = { ...definition, status: { ...status, conditions: judged, acceptedNames } }
  return equals(next, definition) ? definition : next
}
