/** Checks the expressions of webhooks and policies when they are written, so that none of them can first fail when it is needed. */
import { Expressions } from "@reddwarf/api-extensions"
import { FieldError, type Kind, Kinds, type KubeObject } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { get, isArray, textAt } from "./jsonValue.js"

type Errors = ReadonlyArray<FieldError.FieldError>

/** An expression where it stands. */
interface Place {
  readonly path: string
  readonly source: string
  readonly types: ReadonlyArray<string>
}

const bool = ["bool"]
const text = ["string"]
const textOrNull = ["string", "null"]

const places = (list: unknown, path: string, field: string, types: ReadonlyArray<string>): ReadonlyArray<Place> =>
  (isArray(list) ? list : []).flatMap((item, index) => {
    const source = textAt(item, field)
    return source.trim() === "" ? [] : [{ path: `${path}[${index}].${field}`, source, types }]
  })

const ofPolicy = (object: KubeObject.KubeObject): ReadonlyArray<Place> => {
  const spec = get(object, "spec")
  return [
    ...places(get(spec, "variables"), "spec.variables", "expression", []),
    ...places(get(spec, "matchConditions"), "spec.matchConditions", "expression", bool),
    ...places(get(spec, "validations"), "spec.validations", "expression", bool),
    ...places(get(spec, "validations"), "spec.validations", "messageExpression", text),
    ...places(get(spec, "auditAnnotations"), "spec.auditAnnotations", "valueExpression", textOrNull)
  ]
}

const ofConfiguration = (object: KubeObject.KubeObject): ReadonlyArray<Place> => {
  const webhooks = get(object, "webhooks")
  return (isArray(webhooks) ? webhooks : []).flatMap((webhook, index) =>
    places(get(webhook, "matchConditions"), `webhooks[${index}].matchConditions`, "expression", bool))
}

const problemOf = ({ path, source, types }: Place): Errors => {
  const compiled = Expressions.compile(source)
  if (Either.isLeft(compiled)) return [FieldError.invalid(path, source, `compilation failed: ${compiled.left}`)]
  const { type } = compiled.right
  return type === "dyn" || types.length === 0 || types.includes(type)
    ? []
    : [FieldError.invalid(path, source, `must evaluate to ${types.length === 1 ? types.join("") : `one of [${types.join(" ")}]`}`)]
}

const placesIn: ReadonlyMap<Kind.Kind, (object: KubeObject.KubeObject) => ReadonlyArray<Place>> = new Map<
  Kind.Kind,
  (object: KubeObject.KubeObject) => ReadonlyArray<Place>
>([
  [Kinds.validatingAdmissionPolicy, ofPolicy],
  [Kinds.validatingWebhookConfiguration, ofConfiguration],
  [Kinds.mutatingWebhookConfiguration, ofConfiguration]
])

/** The kind with these checks, if it has expressions. What was accepted before is not checked again. */
export const complete = (kind: Kind.Kind): Kind.Kind => {
  const find = placesIn.get(kind)
  if (find === undefined) return kind
  return {
    ...kind,
    validate: (object) => [...kind.validate(object), ...find(object).flatMap(problemOf)],
    validateUpdate: (next, old) => {
      const known = new Set(find(old).map(({ source }) => source))
      return [...kind.validateUpdate(next, old), ...find(next).filter(({ source }) => !known.has(source)).flatMap(problemOf)]
    }
  }
}
