/**
 * Registries of the OCI distribution specification (version 2 of the registry API): what images are there, and their bytes.
 *
 * Logs in by token or password where asked to, with the credentials of a `Keyring`; goes through mirrors; continues blobs whose connection
 * was cut; checks digests; asks again where that can help, and not more often than a registry allows.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { BlobSource, ImageSource } from "./BlobSource.js"
import type { ImageError } from "./ImageError.js"
import type { Descriptor, ManifestDocument } from "./ImageManifest.js"
import type { ImageReference } from "./ImageReference.js"
import { make as makeExchange } from "./internal/httpExchange.js"
import { make as makeAuth } from "./internal/registryAuth.js"
import * as Pushing from "./internal/registryPush.js"
import { make as makeRequests } from "./internal/registryRequest.js"
import * as Reading from "./internal/registryRead.js"
import type { Keyring } from "./Keyring.js"
import type { Options } from "./RegistryOptions.js"

/** An image to be pushed. @category models */
export interface Upload {
  /** Manifests and indexes; the one the reference is to name comes last. */
  readonly documents: readonly [ManifestDocument, ...ReadonlyArray<ManifestDocument>]
  /** Has the blobs that the manifests name. */
  readonly blobs: BlobSource
}

/** A client of registries. @category services */
export class RegistryClient extends Context.Tag("@reddwarf/images/RegistryClient")<RegistryClient, {
  /**
   * What a name stands for now: type, digest and size of its manifest or index, without fetching it where the registry can say. This is
   * what `imagePullPolicy: Always` asks each time.
   */
  readonly resolve: (reference: ImageReference, keyring?: Keyring) => Effect.Effect<Descriptor, ImageError>
  /** The image behind a name, to be pulled. Nothing is asked before it is used. */
  readonly source: (reference: ImageReference, keyring?: Keyring) => ImageSource
  /** Uploads what the registry does not have, then names it. The reference must have a tag, or the digest of the last document. */
  readonly push: (reference: ImageReference, upload: Upload, keyring?: Keyring) => Effect.Effect<void, ImageError>
}>() {}

/** A client with connections of its own. @category layers */
export const layer = (options: Options = {}): Layer.Layer<RegistryClient> =>
  Layer.scoped(
    RegistryClient,
    Effect.map(makeExchange(options), (exchange) => {
      const requests = makeRequests(exchange, makeAuth(exchange, options), options)
      const reading = Reading.make(requests, options)
      return { resolve: reading.resolve, source: reading.source, push: Pushing.make(requests, options) }
    })
  )
