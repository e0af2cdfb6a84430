/** GET of a collection. */
import { Kind, type Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ApiResponse } from "../ApiResponse.js"
import { objectOf, type ResourceRequest } from "../internal/apiContext.js"
import * as chunks from "../internal/chunks.js"
import * as itemHead from "../internal/itemHead.js"
import * as failures from "../internal/failures.js"
import * as listOptions from "../internal/listOptions.js"
import * as page from "../internal/page.js"
import * as render from "../internal/render.js"
import * as selections from "../internal/selection.js"
import * as shapes from "../internal/shapes.js"
import * as storedAnswers from "../internal/storedAnswers.js"

const encoder = new TextEncoder()
const comma = encoder.encode(",")

const metadataOf = ({ next, remaining, revision }: page.Page) => ({
  resourceVersion: String(revision),
  ...(next === undefined ? {} : { continue: next }),
  ...(remaining === undefined ? {} : { remainingItemCount: remaining })
})

const pieces = function*(head: object, field: string, items: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield encoder.encode(`${JSON.stringify(head).slice(0, -1)},"${field}":[`)
  yield* items
  yield encoder.encode("]}\n")
}

const encoded = function*(
  items: ReadonlyArray<page.Item>,
  encode: (item: page.Item) => Uint8Array
): Generator<Uint8Array> {
  let first = true
  for (const item of items) {
    if (!first) yield comma
    first = false
    yield encode(item)
  }
}

const json = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value))

const piecesOf = ({ accepted, context, info, kind }: ResourceRequest, result: page.Page): Generator<Uint8Array> => {
  const metadata = metadataOf(result)
  const { metaVersion, shape } = accepted
  switch (shape) {
    case "Table": {
      const now = context.now()
      const include = shapes.includeOf(info.query)
      const { rows: _, ...head } = shapes.table(kind, metadata, [], metaVersion)
      const row = (item: page.Item) => json(shapes.row(kind, objectOf(item), now, include, metaVersion))
      return pieces(head, "rows", encoded(result.items, row))
    }
    case "PartialObjectMetadata":
    case "PartialObjectMetadataList": {
      const head = { kind: "PartialObjectMetadataList", apiVersion: `meta.k8s.io/${metaVersion}`, metadata }
      return pieces(head, "items", encoded(result.items, (item) => json(shapes.partial(objectOf(item), metaVersion))))
    }
    case "Object":
      break
  }
  const head = { kind: kind.listKind, apiVersion: Kind.apiVersion(kind), metadata }
  return pieces(head, "items", itemHead.items(kind, result.items))
}

/** A page in the form that the client asked for. */
export const respond = (call: ResourceRequest, result: page.Page): ApiResponse => {
  if (call.request.takesStored === true) return storedAnswers.list(call, result)
  return render.rewrites(call)
    ? render.rewritten(call, 200, Buffer.concat([...piecesOf(call, result)]))
    : chunks.jsonResponse(piecesOf(call, result))
}

const resolve = (
  call: ResourceRequest,
  selection: selections.Selection,
  options: listOptions.ListOptions
): page.Page | Effect.Effect<page.Page, Status.Status> => {
  const { context } = call
  if (options.continue !== undefined) return page.continued(call, selection, options, options.continue)
  const revision = options.resourceVersion
  if (revision === undefined) return page.current(call, selection, options.limit, undefined)
  // Any state will do, and then Kubernetes answers from memory without cutting pages.
  if (revision === 0) return page.current(call, selection, 0, undefined)
  const exact = options.match === "Exact" || options.match === undefined && options.limit > 0
  return Effect.flatMap(failures.awaitRevision(context, revision), () =>
    exact && revision !== context.cache.revision()
      ? page.past(call, selection, options.limit, revision, undefined, failures.listTooOld)
      : Effect.sync(() => page.current(call, selection, options.limit, undefined)))
}

/** Answers a list request, without an effect when the current state is asked for. @category combinators */
export const list = (call: ResourceRequest): ApiResponse | Effect.Effect<ApiResponse, Status.Status> => {
  const options = listOptions.parse(call.info.query, false)
  if (Either.isLeft(options)) return render.status(options.left)
  const selection = selections.parse(call.kind, call.info.query)
  if (Either.isLeft(selection)) return render.status(selection.left)
  const result = resolve(call, selection.right, options.right)
  return Effect.isEffect(result) ? Effect.map(result, (found) => respond(call, found)) : respond(call, result)
}
