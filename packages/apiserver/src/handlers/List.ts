/** GET of a collection. */
import { Kind, type Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ApiResponse } from "../ApiResponse.js"
import { objectOf, type ResourceRequest } from "../internal/apiContext.js"
import * as chunks from "../internal/chunks.js"
import * as itemHead from "../internal/itemHead.js"
import * as failures from "../internal/failures.js"
import * as listForms from "../internal/listForms.js"
import * as listOptions from "../internal/listOptions.js"
import * as page from "../internal/page.js"
import * as render from "../internal/render.js"
import * as selections from "../internal/selection.js"
import * as shapes from "../internal/shapes.js"
import * as storedAnswers from "../internal/storedAnswers.js"

const encoder = new TextEncoder()
const comma = encoder.encode(",")

const metadataOf = ({ next, remaining, revision }: page.Page) => ({
  ...(revision === undefined ? {} : { resourceVersion: String(revision) }),
  ...(next === undefined ? {} : { continue: next }),
  ...(remaining === undefined ? {} : { remainingItemCount: remaining })
})

const encoded = function*(values: Iterable<unknown>): Generator<Uint8Array> {
  let first = true
  for (const value of values) {
    if (!first) yield comma
    first = false
    yield encoder.encode(JSON.stringify(value))
  }
}

const mapped = function*(items: Iterable<page.Item>, show: (item: page.Item) => unknown): Generator {
  for (const item of items) yield show(item)
}

/** The list as the client wants to see its objects. */
const listingOf = ({ accepted, context, info, kind }: ResourceRequest, result: page.Page): listForms.Listing => {
  const metadata = metadataOf(result)
  const { metaVersion, shape } = accepted
  switch (shape) {
    case "Table": {
      const now = context.now()
      const include = shapes.includeOf(info.query)
      const { rows: _, ...head } = shapes.table(kind, metadata, [], metaVersion)
      const values = mapped(result.items, (item) => shapes.row(kind, objectOf(item), now, include, metaVersion))
      return { head, field: "rows", values }
    }
    case "PartialObjectMetadata":
    case "PartialObjectMetadataList": {
      const head = { kind: "PartialObjectMetadataList", apiVersion: `meta.k8s.io/${metaVersion}`, metadata }
      return { head, field: "items", values: mapped(result.items, (item) => shapes.partial(objectOf(item), metaVersion)) }
    }
    case "Object":
      break
  }
  const head = { kind: kind.listKind, apiVersion: Kind.apiVersion(kind), metadata }
  return { head, field: "items", values: mapped(result.items, (item) => itemHead.valueOf(kind, objectOf(item))) }
}

/** A page in the form that the client asked for. */
export const respond = (call: ResourceRequest, result: page.Page): ApiResponse => {
  if (call.request.takesStored === true && result.revision !== undefined) return storedAnswers.list(call, result)
  const listing = listingOf(call, result)
  if (call.accepted.format === "yaml") return chunks.response(listForms.yaml(listing), render.yamlHeaders)
  if (render.rewrites(call)) return chunks.response(listForms.indented(listing))
  // Stored bytes are sent as they are.
  const items = call.accepted.shape === "Object" ? itemHead.items(call.kind, result.items) : encoded(listing.values)
  return chunks.response(listForms.joined(listing, items))
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
  if (call.request.takesStored === true && options.right.resourceVersion === 0 && options.right.continue === undefined) {
    return storedAnswers.list(call, page.walk(call, selection.right))
  }
  const result = resolve(call, selection.right, options.right)
  return Effect.isEffect(result) ? Effect.map(result, (found) => respond(call, found)) : respond(call, result)
}
