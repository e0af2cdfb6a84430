/** Reading from registries: names, manifests, blobs; over mirrors and credentials. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ImageSource } from "../BlobSource.js"
import * as Digest from "../Digest.js"
import { DigestMismatch, type ImageError, NotFound, RegistryFailed, SizeMismatch, Unreachable } from "../ImageError.js"
import * as ImageManifest from "../ImageManifest.js"
import * as ImageReference from "../ImageReference.js"
import * as Keyring from "../Keyring.js"
import * as MediaType from "../MediaType.js"
import { endpoints, type Options } from "../RegistryOptions.js"
import { type HttpAnswer, readBody } from "./httpExchange.js"
import { unreachable } from "./registryFailure.js"
import type { Requests, Route } from "./registryRequest.js"

export interface Reading {
  readonly resolve: (reference: ImageReference.ImageReference, keyring?: Keyring.Keyring) => Effect.Effect<ImageManifest.Descriptor, ImageError>
  readonly source: (reference: ImageReference.ImageReference, keyring?: Keyring.Keyring) => ImageSource
}

/** Every place and, at each, every credential that fits; without any, nobody's. */
const routesOf = (options: Options, reference: ImageReference.ImageReference, keyring: Keyring.Keyring): ReadonlyArray<Route> =>
  endpoints(options, reference).flatMap((endpoint): ReadonlyArray<Route> => {
    const credentials = Keyring.lookup(keyring, endpoint.host, endpoint.repository)
    return credentials.length === 0 ? [{ endpoint, credential: undefined }] : credentials.map((credential) => ({ endpoint, credential }))
  })

/** Another credential helps against a refusal, and against "not found", which some registries say instead. */
const dependsOnCredential = (error: ImageError): boolean => error._tag === "Unauthorized" || error._tag === "NotFound"

/** Tries routes until one works, the one that worked last first. Mirrors may fail as they like: the last word is the registry's. */
export const makeOver = (routes: ReadonlyArray<Route>, reference: string) => {
  let preferred: Route | undefined
  return <A, R>(use: (route: Route) => Effect.Effect<A, ImageError, R>): Effect.Effect<A, ImageError, R> =>
    Effect.suspend(() => {
      const order = preferred === undefined ? routes : [preferred, ...routes.filter((route) => route !== preferred)]
      const attempt = (index: number, failed: { readonly route: Route; readonly error: ImageError } | undefined): Effect.Effect<A, ImageError, R> => {
        const route = order[index]
        if (route === undefined) {
          return failed === undefined ? new NotFound({ reference, what: "registry", source: "the configuration" }) : Effect.fail(failed.error)
        }
        const sameHost = failed !== undefined && failed.route.endpoint === route.endpoint
        if (sameHost && !dependsOnCredential(failed.error)) return attempt(index + 1, failed)
        return Effect.matchEffect(use(route), {
          onFailure: (error) => {
            // "Not found" after a refusal with other credentials would hide why.
            const first = sameHost && failed.error._tag === "Unauthorized" && error._tag === "NotFound" ? failed.error : error
            // The registry that was asked by name has more to say than a mirror of it that happened to be asked later.
            const better = failed !== undefined && failed.route.endpoint.mirrorOf === undefined && route.endpoint.mirrorOf !== undefined
            return attempt(index + 1, better ? failed : { route, error: first })
          },
          onSuccess: (value) => {
            preferred = route
            return Effect.succeed(value)
          }
        })
      }
      return attempt(0, undefined)
    })
}

const digestOf = (answer: HttpAnswer): Digest.Digest | undefined => {
  const text = answer.headers["docker-content-digest"]
  return Digest.isDigest(text) ? text : undefined
}

/** A body without its first bytes. */
const skip = <E>(body: Stream.Stream<Uint8Array, E>, count: number): Stream.Stream<Uint8Array, E> =>
  Stream.suspend(() => {
    let left = count
    return Stream.filter(
      Stream.map(body, (bytes) => {
        const cut = Math.min(left, bytes.length)
        left -= cut
        return cut === 0 ? bytes : bytes.subarray(cut)
      }),
      (bytes) => bytes.length > 0
    )
  })

const lengthOf = (answer: HttpAnswer): number | undefined => {
  const text = answer.headers["content-length"]
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

export const make = (requests: Requests, options: Options): Reading => {
  const maxManifestBytes = options.maxManifestBytes ?? 4 * 1024 * 1024
  const accept = { accept: MediaType.acceptedManifests.join(", ") }

  /** A manifest or index. Checked against the digest it is asked by, and against the one the registry says it has. */
  const manifest = (reference: string, route: Route, selector: string): Effect.Effect<ImageManifest.ManifestDocument, ImageError> =>
    requests.retry(route, Effect.scoped(Effect.gen(function*() {
      const { host } = route.endpoint
      const what = Digest.isDigest(selector) ? `manifest ${selector}` : "manifest"
      const answer = yield* requests.send(reference, route, { method: "GET", path: `manifests/${selector}`, headers: accept, actions: "pull", what, accept: [200] })
      const tooLarge = new SizeMismatch({ source: host, what, detail: `it is larger than the ${maxManifestBytes} bytes allowed` })
      if ((lengthOf(answer) ?? 0) > maxManifestBytes) return yield* tooLarge
      const bytes = yield* Effect.mapError(readBody(answer, maxManifestBytes), unreachable(reference, host))
      if (bytes === undefined) return yield* tooLarge
      const expected = Digest.isDigest(selector) ? selector : digestOf(answer)
      if (expected !== undefined) {
        const actual = Digest.of(bytes, Digest.algorithm(expected))
        if (actual !== expected) return yield* new DigestMismatch({ source: host, expected, actual })
      }
      return yield* ImageManifest.decode(bytes, { source: host, announced: answer.headers["content-type"], digest: expected })
    })))

  const head = (reference: string, route: Route, selector: string): Effect.Effect<ImageManifest.Descriptor, ImageError> =>
    Effect.gen(function*() {
      const answer = yield* requests.retry(route, Effect.scoped(requests.send(reference, route, {
        method: "HEAD",
        path: `manifests/${selector}`,
        headers: accept,
        actions: "pull",
        what: "manifest",
        accept: [200, 405]
      })))
      const digest = digestOf(answer)
      const size = lengthOf(answer)
      const mediaType = answer.headers["content-type"]?.split(";")[0]?.trim()
      // Not every registry says all of it, nor answers HEAD at all.
      if (answer.status === 200 && digest !== undefined && size !== undefined && mediaType !== undefined) return { mediaType, digest, size }
      return ImageManifest.descriptorOf(yield* manifest(reference, route, selector))
    })

  /** Opens a blob at a position. What a registry sends before that, because it cannot begin there, is left out. */
  const blobAt = (reference: string, route: Route, blob: ImageManifest.Descriptor, from: number) =>
    Effect.gen(function*() {
      const { host } = route.endpoint
      const what = `blob ${blob.digest}`
      const answer = yield* requests.send(reference, route, {
        method: "GET",
        path: `blobs/${blob.digest}`,
        headers: from === 0 ? {} : { range: `bytes=${from}-` },
        actions: "pull",
        what,
        accept: from === 0 ? [200] : [200, 206, 416]
      })
      if (answer.status === 416) return yield* new SizeMismatch({ source: host, what, detail: `it ended after no more than ${from} of ${blob.size} bytes` })
      const body = Stream.mapError(answer.body, unreachable(reference, host))
      const start = answer.status === 206 ? Number(/^bytes (\d+)-/.exec(answer.headers["content-range"] ?? "")?.[1] ?? Number.NaN) : 0
      if (!(start <= from)) return yield* new RegistryFailed({ reference, source: host, status: 206, detail: "it sent another part of the blob than was asked for" })
      return start === from ? body : skip(body, from - start)
    })

  const source: Reading["source"] = (reference, keyring = Keyring.empty) => {
    const name = ImageReference.format(reference)
    const routes = routesOf(options, reference, keyring)
    const over = makeOver(routes, name)

    /** Goes on where a connection was cut; gives up after some attempts without a single byte. */
    const open = (blob: ImageManifest.Descriptor, from = 0): Stream.Stream<Uint8Array, ImageError> =>
      Stream.suspend(() => {
        let position = from
        let failures = 0
        const rest: Stream.Stream<Uint8Array, ImageError> = Stream.suspend(() => {
          let opened: Route | undefined
          const body = over((route) =>
            Effect.tap(requests.retry(route, blobAt(name, route, blob, position)), () => {
              opened = route
            })
          )
          const short = () =>
            new Unreachable({ reference: name, source: opened?.endpoint.host ?? name, detail: `blob ${blob.digest} ended after ${position} of ${blob.size} bytes` })
          return Stream.unwrapScoped(body).pipe(
            Stream.tap((bytes) =>
              Effect.sync(() => {
                position += bytes.length
                failures = 0
              })
            ),
            Stream.concat(Stream.suspend(() => (position < blob.size ? Stream.fail(short()) : Stream.empty))),
            // Only what has begun is continued here: opening has been repeated, where that could help, before.
            Stream.catchAll((error) => {
              if (opened === undefined) return Stream.fail(error)
              failures += 1
              return Stream.unwrap(Effect.as(requests.pause(opened, failures, error), rest))
            })
          )
        })
        return rest
      })

    return {
      name,
      root: over((route) => manifest(name, route, ImageReference.selector(reference))),
      document: (descriptor) => over((route) => manifest(name, route, descriptor.digest)),
      open
    }
  }

  return {
    resolve: (reference, keyring = Keyring.empty) => {
      const name = ImageReference.format(reference)
      return makeOver(routesOf(options, reference, keyring), name)((route) => head(name, route, ImageReference.selector(reference)))
    },
    source
  }
}
