/** Writing to registries: blobs that are missing there, then manifests. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as Digest from "../Digest.js"
import { type ImageError, InvalidReference, RegistryFailed } from "../ImageError.js"
import type { Descriptor, ManifestDocument } from "../ImageManifest.js"
import * as ImageReference from "../ImageReference.js"
import * as Keyring from "../Keyring.js"
import { endpoints, type Options } from "../RegistryOptions.js"
import type { Upload } from "../RegistryClient.js"
import * as BlobSource from "../BlobSource.js"
import { HttpFailure } from "./httpExchange.js"
import { makeOver } from "./registryRead.js"
import type { Requests, Route } from "./registryRequest.js"

const pushConcurrency = 3

/** The URL that a registry wants a blob to be sent to, with the blob's digest. */
const uploadUrl = (route: Route, location: string, digest: Digest.Digest): URL | undefined => {
  const url = URL.parse(location, route.endpoint.origin)
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined
  url.searchParams.set("digest", digest)
  return url
}

export const make = (requests: Requests, options: Options) => {
  const pushBlob = (name: string, route: Route, blob: Descriptor, source: BlobSource.BlobSource): Effect.Effect<void, ImageError> =>
    requests.retry(route, Effect.gen(function*() {
      const common = { actions: "pull,push", what: `blob ${blob.digest}` } as const
      const present = yield* Effect.scoped(requests.send(name, route, { ...common, method: "HEAD", path: `blobs/${blob.digest}`, accept: [200, 404] }))
      return yield* present.status === 200 ? Effect.void : upload(name, route, blob, source)
    }))

  const upload = (name: string, route: Route, blob: Descriptor, source: BlobSource.BlobSource): Effect.Effect<void, ImageError> =>
    Effect.gen(function*() {
      const common = { actions: "pull,push", what: `blob ${blob.digest}` } as const
      const begun = yield* Effect.scoped(requests.send(name, route, { ...common, method: "POST", path: "blobs/uploads/", accept: [202] }))
      const url = uploadUrl(route, begun.headers["location"] ?? "", blob.digest)
      if (url === undefined) {
        return yield* new RegistryFailed({ reference: name, source: route.endpoint.host, status: begun.status, detail: "it does not say where to send the blob" })
      }
      // What cannot be read here fails the push as what it is, not as a failure of the connection.
      let unread: ImageError | undefined
      const bytes = Stream.mapError(BlobSource.verified(source, blob), (error) => {
        unread = error
        return new HttpFailure({ detail: error.message, cause: error })
      })
      return yield* Effect.scoped(requests.send(name, route, {
        ...common,
        method: "PUT",
        path: url,
        headers: { "content-type": "application/octet-stream" },
        body: { length: blob.size, bytes },
        accept: [201]
      })).pipe(Effect.asVoid, Effect.mapError((error) => unread ?? error))
    })

  const pushDocument = (name: string, route: Route, document: ManifestDocument, selector: string): Effect.Effect<void, ImageError> =>
    requests.retry(route, Effect.asVoid(Effect.scoped(requests.send(name, route, {
      method: "PUT",
      path: `manifests/${selector}`,
      headers: { "content-type": document.mediaType },
      body: { length: document.bytes.length, bytes: Stream.make(document.bytes) },
      actions: "pull,push",
      what: "repository",
      accept: [201]
    }))))

  return (reference: ImageReference.ImageReference, upload: Upload, keyring: Keyring.Keyring = Keyring.empty): Effect.Effect<void, ImageError> =>
    Effect.gen(function*() {
      const name = ImageReference.format(reference)
      const last = upload.documents.at(-1) ?? upload.documents[0]
      if (reference.digest !== undefined && reference.digest !== last.digest) {
        return yield* new InvalidReference({ reference: name, reason: `the image to be pushed has digest ${last.digest}` })
      }
      // Mirrors are for reading.
      const places = endpoints(options, reference).filter(({ mirrorOf }) => mirrorOf === undefined)
      const routes = places.flatMap((endpoint): ReadonlyArray<Route> => {
        const credentials = Keyring.lookup(keyring, endpoint.host, endpoint.repository)
        return credentials.length === 0 ? [{ endpoint, credential: undefined }] : credentials.map((credential) => ({ endpoint, credential }))
      })
      const over = makeOver(routes, name)
      const blobs = new Map(upload.documents.flatMap((document) => (document.kind === "manifest" ? [document.manifest.config, ...document.manifest.layers] : [])).map((blob) => [blob.digest, blob]))
      return yield* over((route) =>
        Effect.zipRight(
          Effect.forEach(blobs.values(), (blob) => pushBlob(name, route, blob, upload.blobs), { concurrency: pushConcurrency, discard: true }),
          Effect.forEach(upload.documents, (document) =>
            pushDocument(name, route, document, document === last && reference.tag !== undefined ? reference.tag : document.digest), { discard: true })
        )
      )
    }).pipe(Effect.withSpan("RegistryClient.push"))
}
