/** Which objects of a kind a request selects. */
import { FieldSelector, Kind, type KubeObject, LabelSelector, Status } from "@reddwarf/api-types"
import * as Either from "effect/Either"

/** The selectors of a request, as a predicate. */
export interface Selection {
  /** Selects every object, so that nothing has to be looked into. */
  readonly everything: boolean
  readonly matches: (object: KubeObject.KubeObject) => boolean
  /** The value that a field must have, if the selector says so. */
  readonly exact: (field: string) => string | undefined
}

/** Selects every object. */
export const everything: Selection = { everything: true, matches: () => true, exact: () => undefined }

/** Fields by the names that older clients use. */
const synonyms: Readonly<Record<string, string>> = { "spec.host": "spec.nodeName" }

const readFields = (kind: Kind.Kind, text: string): Either.Either<FieldSelector.FieldSelector, Status.Status> =>
  FieldSelector.parse(text).pipe(
    Either.map((selector) => ({
      terms: selector.terms.map((term) =>
        kind.kind === "Pod" ? { ...term, field: synonyms[term.field] ?? term.field } : term)
    })),
    Either.flatMap((selector) => Either.map(FieldSelector.checkFields(selector, Kind.fieldNames(kind)), () => selector)),
    Either.mapLeft(({ message }) => Status.badRequest(message))
  )

/** Reads `labelSelector` and `fieldSelector`. */
export const parse = (kind: Kind.Kind, query: URLSearchParams): Either.Either<Selection, Status.Status> => {
  const labelText = query.size === 0 ? "" : query.get("labelSelector") ?? ""
  const fieldText = query.size === 0 ? "" : query.get("fieldSelector") ?? ""
  if (labelText === "" && fieldText === "") return Either.right(everything)
  const labels = LabelSelector.parse(labelText)
  if (Either.isLeft(labels)) return Either.left(Status.badRequest(labels.left.message))
  return Either.map(readFields(kind, fieldText), (fields) => ({
    everything: LabelSelector.isEverything(labels.right) && FieldSelector.isEverything(fields),
    matches: (object) =>
      LabelSelector.matches(labels.right, object.metadata.labels) &&
      FieldSelector.matches(fields, (field) => Kind.fieldValue(kind, object, field)),
    exact: (field) => FieldSelector.exactValue(fields, field)
  }))
}

/** Further restricts a selection to one name, as a watch of a single object does. */
export const named = (selection: Selection, name: string): Selection => ({
  everything: false,
  matches: (object) => object.metadata.name === name && selection.matches(object),
  exact: (field) => field === "metadata.name" ? name : selection.exact(field)
})
