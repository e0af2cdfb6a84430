/**
 * What can go wrong between the name of an image and its bytes on this host. Each says what failed, where, and what to do next.
 *
 * `kubeletReason` gives the word that kubectl shows for it in a container's `waiting.reason`; `isTransient` says whether trying again
 * later can help without anybody changing anything.
 */
import * as Match from "effect/Match"
import * as Schema from "effect/Schema"
import * as Digest from "./Digest.js"

const cause = Schema.optional(Schema.Defect)

/** The text after `image:` is no image reference. @category errors */
export class InvalidReference extends Schema.TaggedError<InvalidReference>()("InvalidReference", {
  reference: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `couldn't parse image name "${this.reference}": invalid reference format: ${this.reason}`
  }
}

/** The image is not here and its pull policy forbids to fetch it. @category errors */
export class NeverPull extends Schema.TaggedError<NeverPull>()("NeverPull", { reference: Schema.String }) {
  override get message(): string {
    return `Container image "${this.reference}" is not present with pull policy of Never; import it on the node or change imagePullPolicy`
  }
}

/** The source answered that it has no such repository, tag, manifest or blob. @category errors */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", {
  /** The image it was looked for. */
  reference: Schema.String,
  /** What is missing: "manifest", "blob sha256:…". */
  what: Schema.String,
  /** The registry or file that was asked. */
  source: Schema.String
}) {
  override get message(): string {
    return `${this.reference}: ${this.what} not found in ${this.source}; check the name and the tag, and that the image was pushed`
  }
}

/** The registry wants credentials, or others than those that were tried. @category errors */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", {
  reference: Schema.String,
  source: Schema.String,
  /** Status of the refusal: 401 or 403. */
  status: Schema.Number,
  detail: Schema.String,
  /** Whether any credentials were at hand for this image. */
  credentials: Schema.Boolean
}) {
  override get message(): string {
    return `${this.reference}: pull access denied by ${this.source} (${this.status}: ${this.detail}); ${
      this.credentials
        ? "the pull secret for this registry was refused: correct it, or ask for access to the repository"
        : "no pull secret matches this image: name one in imagePullSecrets, or check that the repository exists"
    }`
  }
}

/** The bytes are not those that were promised. They were thrown away. @category errors */
export class DigestMismatch extends Schema.TaggedError<DigestMismatch>()("DigestMismatch", {
  /** Where the bytes came from. */
  source: Schema.String,
  expected: Digest.Digest,
  actual: Digest.Digest
}) {
  override get message(): string {
    return `${this.source}: content has digest ${this.actual} instead of ${this.expected}; it was damaged or changed on its way: look at proxies and mirrors, push the image again if it stays`
  }
}

/** More or fewer bytes than promised, or more than allowed. @category errors */
export class SizeMismatch extends Schema.TaggedError<SizeMismatch>()("SizeMismatch", {
  source: Schema.String,
  /** What it is: "manifest", "blob sha256:…". */
  what: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.source}: ${this.what}: ${this.detail}; raise the limit if the image is right, else push it again`
  }
}

/** The image exists, but not for this host or brand. @category errors */
export class UnsupportedPlatform extends Schema.TaggedError<UnsupportedPlatform>()("UnsupportedPlatform", {
  reference: Schema.String,
  /** Acceptable platforms, best first, as `linux/amd64`. */
  wanted: Schema.Array(Schema.String),
  brand: Schema.optional(Schema.String),
  /** Platforms the image has. */
  available: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const brand = this.brand === undefined ? "" : ` of brand ${this.brand}`
    return `${this.reference}: no image for platform ${this.wanted.join(" or ")}${
      brand === "" ? "" : `, which a zone${brand} runs`
    }; it exists for ${this.available.length === 0 ? "no known platform" : this.available.join(", ")}: choose the brand that fits, or build the image for this one`
  }
}

/** The registry limits how often one may ask. @category errors */
export class TooManyRequests extends Schema.TaggedError<TooManyRequests>()("TooManyRequests", {
  reference: Schema.String,
  source: Schema.String,
  /** Milliseconds the registry asks to wait, if it said. */
  retryAfter: Schema.optional(Schema.Number)
}) {
  override get message(): string {
    return `${this.reference}: ${this.source} refuses further requests for now (toomanyrequests${
      this.retryAfter === undefined ? "" : `, ready in ${Math.ceil(this.retryAfter / 1000)} s`
    }); a pull secret or a mirror raises the limit`
  }
}

/** No usable answer: no route, refused, TLS refused, cut off, too slow. @category errors */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", {
  reference: Schema.String,
  source: Schema.String,
  detail: Schema.String,
  cause
}) {
  override get message(): string {
    return `${this.reference}: ${this.source} cannot be reached: ${this.detail}; check network, name resolution and the registry's certificate`
  }
}

/** An answer that the distribution protocol does not foresee at this point. @category errors */
export class RegistryFailed extends Schema.TaggedError<RegistryFailed>()("RegistryFailed", {
  reference: Schema.String,
  source: Schema.String,
  status: Schema.Number,
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.reference}: ${this.source} answered ${this.status}: ${this.detail}; look into the registry's own log`
  }
}

/** A manifest, index, config or archive that cannot be understood. @category errors */
export class InvalidManifest extends Schema.TaggedError<InvalidManifest>()("InvalidManifest", {
  source: Schema.String,
  /** What it is: "manifest sha256:…", "config", "index.json". */
  what: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.source}: invalid ${this.what}: ${this.reason}; build and push the image again with a current tool`
  }
}

/** A kind of content this package does not read: a compression, an encrypted or withheld layer. @category errors */
export class UnsupportedMedia extends Schema.TaggedError<UnsupportedMedia>()("UnsupportedMedia", {
  source: Schema.String,
  /** Media type or name of the format. */
  media: Schema.String,
  advice: Schema.String
}) {
  override get message(): string {
    return `${this.source}: ${this.media} is not supported; ${this.advice}`
  }
}

/** No space or quota left. What was fetched so far is kept and continued next time. @category errors */
export class DiskFull extends Schema.TaggedError<DiskFull>()("DiskFull", {
  path: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `no space left for images at ${this.path} (${this.detail}); prune images, raise the quota or give the pool more space`
  }
}

/** The place on this host where images are kept does not do as told. @category errors */
export class StorageFailed extends Schema.TaggedError<StorageFailed>()("StorageFailed", {
  /** What was being done: "writing sha256:…". */
  operation: Schema.String,
  path: Schema.String,
  detail: Schema.String,
  cause
}) {
  override get message(): string {
    return `${this.operation} failed at ${this.path}: ${this.detail}; check that the agent may write there and that the file system is healthy`
  }
}

/** A pull secret that cannot be read. Its content is not shown. @category errors */
export class InvalidPullSecret extends Schema.TaggedError<InvalidPullSecret>()("InvalidPullSecret", {
  /** Name of the secret, with its namespace. */
  secret: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `pull secret ${this.secret}: ${this.reason}; make it again with kubectl create secret docker-registry`
  }
}

/** @category errors */
export type ImageError =
  | InvalidReference
  | NeverPull
  | InvalidPullSecret
  | NotFound
  | Unauthorized
  | DigestMismatch
  | SizeMismatch
  | UnsupportedPlatform
  | TooManyRequests
  | Unreachable
  | RegistryFailed
  | InvalidManifest
  | UnsupportedMedia
  | DiskFull
  | StorageFailed

/** `waiting.reason` of a container whose image is not there. @category models */
export type KubeletReason = "ErrImagePull" | "InvalidImageName" | "ErrImageNeverPull" | "RegistryUnavailable"

/** The reason while it has just failed. Between two attempts it is `ImagePullBackOff`, whatever failed. @category combinators */
export const kubeletReason: (error: ImageError) => KubeletReason = Match.type<ImageError>().pipe(
  Match.withReturnType<KubeletReason>(),
  Match.tag("InvalidReference", () => "InvalidImageName"),
  Match.tag("NeverPull", () => "ErrImageNeverPull"),
  Match.tag("Unreachable", () => "RegistryUnavailable"),
  Match.tag("RegistryFailed", ({ status }) => (status >= 500 ? "RegistryUnavailable" : "ErrImagePull")),
  Match.orElse(() => "ErrImagePull")
)

/** Whether the same attempt may succeed later although nobody changes pod, image or host. @category combinators */
export const isTransient: (error: ImageError) => boolean = Match.type<ImageError>().pipe(
  Match.withReturnType<boolean>(),
  Match.tag("Unreachable", "TooManyRequests", "DiskFull", "StorageFailed", () => true),
  Match.tag("RegistryFailed", ({ status }) => status >= 500 || status === 408),
  Match.orElse(() => false)
)
