/**
 * What people write after `image:`, and what it means.
 *
 * Docker's familiar rules: the part before the first `/` is a registry only if it has a `.` or a `:`, is `localhost`, or has upper-case
 * letters; else the image lives in the default registry, and there, without a `/`, under `library/`. A name without tag and digest means
 * the tag `latest`. With tag and digest, the digest decides and the tag is decoration.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Digest from "./Digest.js"
import { InvalidReference } from "./ImageError.js"

/** Where an image is: always complete, whatever was written. @category schemas */
export const ImageReference = Schema.Struct({
  /** Host of the registry, with its port if one was written. */
  registry: Schema.String,
  /** Path in the registry, as `library/nginx`. */
  repository: Schema.String,
  /** The tag that was written; `latest` if neither tag nor digest was. */
  tag: Schema.optional(Schema.String),
  /** The digest that was written. */
  digest: Schema.optional(Digest.Digest)
})

/** @category models */
export type ImageReference = typeof ImageReference.Type

/** Where short names live. @category models */
export interface Options {
  /** The registry of names that say none: `docker.io` unless given. */
  readonly defaultRegistry?: string
  /** The path that names of one part get in the default registry: `library` unless given; empty for none. */
  readonly defaultNamespace?: string
}

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*"
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`)
const label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
const registryPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]{1,5})?$`)
const tagPattern = /^\w[\w.-]{0,127}$/
/** Longest repository with its registry, as the distribution library limits it. */
const nameLimit = 255

/** The registry of names that say none. @category models */
export const defaultRegistry = "docker.io"

const isRegistry = (part: string): boolean => /[.:]/.test(part) || part === "localhost" || part !== part.toLowerCase()

/** Both names of the default registry of Docker's rules. */
const canonicalRegistry = (registry: string): string => (registry === "index.docker.io" ? "docker.io" : registry)

/** The complete reference that a text means. @category constructors */
export const parse = (text: string, options: Options = {}): Either.Either<ImageReference, InvalidReference> => {
  const refuse = (reason: string) => Either.left(new InvalidReference({ reference: text, reason }))
  if (text === "") return refuse("it is empty")
  const at = text.indexOf("@")
  const named = at < 0 ? text : text.slice(0, at)
  const digest = at < 0 ? undefined : text.slice(at + 1)
  if (digest !== undefined && !Digest.isDigest(digest)) return refuse(`"${digest}" is not a sha256 or sha512 digest`)
  if (/^[0-9a-f]{64}$/.test(named)) return refuse("a bare image id names no repository; write repository@sha256:…")

  const colon = named.lastIndexOf(":")
  const hasTag = colon > named.lastIndexOf("/")
  const path = hasTag ? named.slice(0, colon) : named
  const tag = hasTag ? named.slice(colon + 1) : digest === undefined ? "latest" : undefined
  if (tag !== undefined && !tagPattern.test(tag)) {
    return refuse(`"${tag}" is not a tag: up to 128 letters, digits, "_", "." and "-", not beginning with "." or "-"`)
  }

  const slash = path.indexOf("/")
  const first = path.slice(0, Math.max(0, slash))
  const given = slash > 0 && isRegistry(first)
  const fallback = options.defaultRegistry ?? defaultRegistry
  const registry = canonicalRegistry(given ? first : fallback)
  const rest = given ? path.slice(slash + 1) : path
  if (!registryPattern.test(registry) || Number(/:(\d+)$/.exec(registry)?.[1] ?? 1) > 65_535) return refuse(`"${registry}" is not a host with an optional port`)
  const namespace = options.defaultNamespace ?? "library"
  const repository = registry === canonicalRegistry(fallback) && !rest.includes("/") && namespace !== "" ? `${namespace}/${rest}` : rest
  if (!repositoryPattern.test(repository)) {
    return refuse(
      rest === rest.toLowerCase()
        ? `"${rest}" is not a repository: parts of a-z and 0-9, joined by ".", "_", "__" or "-", separated by "/"`
        : `repository name must be lowercase: "${rest}"`
    )
  }
  if (registry.length + 1 + repository.length > nameLimit) return refuse(`the name is longer than ${nameLimit} characters`)
  return Either.right({ registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) })
}

/** The reference in full: `docker.io/library/nginx:1.27`. Parses to itself. @category combinators */
export const format = (reference: ImageReference): string =>
  `${name(reference)}${reference.tag === undefined ? "" : `:${reference.tag}`}${reference.digest === undefined ? "" : `@${reference.digest}`}`

/** Registry and repository, without tag and digest. @category combinators */
export const name = (reference: ImageReference): string => `${reference.registry}/${reference.repository}`

/** As people write it: without the default registry and its namespace. @category combinators */
export const familiar = (reference: ImageReference, options: Options = {}): string => {
  const fallback = canonicalRegistry(options.defaultRegistry ?? defaultRegistry)
  const prefix = `${options.defaultNamespace ?? "library"}/`
  if (reference.registry !== fallback) return format(reference)
  const full = format(reference).slice(fallback.length + 1)
  // A namespace that is left out must come back when it is parsed, so only one part may remain.
  const short = full.startsWith(prefix) && !reference.repository.slice(prefix.length).includes("/") ? full.slice(prefix.length) : full
  return Either.match(parse(short, options), {
    onLeft: () => format(reference),
    onRight: (again) => (format(again) === format(reference) ? short : format(reference))
  })
}

/** What a registry is asked for: the digest if there is one, else the tag. @category combinators */
export const selector = (reference: ImageReference): string => reference.digest ?? reference.tag ?? "latest"

/** The same repository at a digest, without a tag: never changes its meaning. @category combinators */
export const pinned = (reference: ImageReference, digest: Digest.Digest): ImageReference => ({
  registry: reference.registry,
  repository: reference.repository,
  digest
})
