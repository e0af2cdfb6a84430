/**
 * Which brand a workload's zone gets: the one it asks for, the one its image is made for, else the default where that runs the image's
 * programs, else one that does. Pure. What the host can do is an input, so the same function answers for a host that is only described.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { Platform, ZoneBrand } from "./ZoneBrand.js"
import type * as ZoneBrands from "./ZoneBrands.js"

/** What is known about a workload. @category models */
export interface Request {
  /** Brand named by an annotation of the workload. */
  readonly annotation?: string | undefined
  /** Handler of the runtime class of the workload. */
  readonly handler?: string | undefined
  /** Brand the image says it is made for. */
  readonly image?: string | undefined
  /** Platform of the image; absent when there is none, or when it does not say. */
  readonly platform?: Platform | undefined
}

/** A brand as a host has it. `HostCapabilities.brands` is a list of these. @category models */
export interface HostBrand {
  readonly name: string
  /** Why no zone of it can boot here. */
  readonly unusable?: string | undefined
}

/** What the host and its operator offer. @category models */
export interface Offer {
  readonly brands: ZoneBrands.Registry
  /** Brands of the host; absent when it cannot tell, and then it is believed to have all. */
  readonly installed?: ReadonlyArray<HostBrand> | undefined
  /** The brand of a workload that asks for none, and whose image does not speak against it. */
  readonly defaultBrand: string
  /** Whether what runs in the zone is started from the global zone: then brands without processes of their own do not do. */
  readonly needsProcesses?: boolean | undefined
}

/**
 * Annotation and runtime class ask for different brands.
 *
 * @category errors
 */
export class BrandConflict extends Schema.TaggedError<BrandConflict>()("BrandConflict", {
  annotation: Schema.String,
  handler: Schema.String
}) {
  override get message(): string {
    return `the annotation asks for a zone of brand ${this.annotation}, the runtime class for one of brand ${this.handler}; remove one of the two`
  }
}

/**
 * The host has no zones of the brand.
 *
 * @category errors
 */
export class BrandUnavailable extends Schema.TaggedError<BrandUnavailable>()("BrandUnavailable", {
  brand: Schema.String,
  reason: Schema.String,
  /** Brands of the host that can be used. */
  available: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const others = this.available.length === 0 ? "it has none that can be used" : `it has ${this.available.join(", ")}`
    return `this host cannot run zones of brand ${this.brand}: ${this.reason}; ${others}`
  }
}

/**
 * No brand of the host runs programs of this platform, or the brand that was asked for does not.
 *
 * @category errors
 */
export class PlatformUnsupported extends Schema.TaggedError<PlatformUnsupported>()("PlatformUnsupported", {
  os: Schema.String,
  architecture: Schema.String,
  /** The brand that was asked for; absent when any would have done. */
  brand: Schema.optional(Schema.String),
  /** Platforms that would have done, as `os/architecture`. */
  supported: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const who = this.brand === undefined ? "no zone of this host runs" : `zones of brand ${this.brand} do not run`
    const others = this.supported.length === 0 ? "" : `; use an image for ${this.supported.join(" or ")}`
    return `${who} programs of ${this.os}/${this.architecture}${others}`
  }
}

/** @category errors */
export type BrandRefused = BrandConflict | BrandUnavailable | PlatformUnsupported

/** @category models */
export interface Choice {
  readonly brand: ZoneBrand
  /** What decided. */
  readonly because: "annotation" | "runtimeClass" | "image" | "platform" | "default"
}

const runs = (brand: ZoneBrand, platform: Platform): boolean =>
  brand.platforms.some(({ architecture, os }) => os === platform.os && architecture === platform.architecture)

const platformName = ({ architecture, os }: Platform): string => `${os}/${architecture}`

/** Why a brand cannot be used on the host, or nothing. */
const refusal = (offer: Offer, brand: ZoneBrand): string | undefined => {
  if (offer.needsProcesses === true && !brand.processes) {
    return "it is a machine, and containers are processes that the host starts in a zone"
  }
  if (offer.installed === undefined) return undefined
  const found = offer.installed.find(({ name }) => name === (brand.base ?? brand.name))
  return found === undefined ? "the brand is not installed" : found.unusable
}

const usable = (offer: Offer): ReadonlyArray<ZoneBrand> => [...offer.brands.values()].filter((brand) => refusal(offer, brand) === undefined)

const asked = (offer: Offer, name: string, platform: Platform | undefined): Either.Either<ZoneBrand, BrandRefused> => {
  const available = usable(offer).map((brand) => brand.name)
  const brand = offer.brands.get(name)
  if (brand === undefined) {
    return Either.left(new BrandUnavailable({ brand: name, reason: "it is not a brand this program knows", available }))
  }
  const reason = refusal(offer, brand)
  if (reason !== undefined) return Either.left(new BrandUnavailable({ brand: name, reason, available }))
  return platform === undefined || runs(brand, platform) ? Either.right(brand) : Either.left(
    new PlatformUnsupported({ ...platform, brand: name, supported: brand.platforms.map(platformName) })
  )
}

/**
 * The brand for a workload.
 *
 * @category combinators
 */
export const choose = (request: Request, offer: Offer): Either.Either<Choice, BrandRefused> => {
  const annotation = request.annotation === "" ? undefined : request.annotation
  const handler = request.handler === "" ? undefined : request.handler
  const { platform } = request
  if (annotation !== undefined && handler !== undefined && annotation !== handler) return Either.left(new BrandConflict({ annotation, handler }))
  const image = request.image === "" ? undefined : request.image
  const because = annotation !== undefined ? "annotation" as const : handler !== undefined ? "runtimeClass" as const : "image" as const
  const name = annotation ?? handler ?? image
  if (name !== undefined) return Either.map(asked(offer, name, platform), (brand) => ({ brand, because }))
  const standard = asked(offer, offer.defaultBrand, platform)
  if (Either.isRight(standard)) return Either.right({ brand: standard.right, because: "default" })
  // Without a word of the image there is nothing that another brand would suit better.
  if (platform === undefined) return Either.left(standard.left)
  const candidates = usable(offer)
  const brand = candidates.find((candidate) => runs(candidate, platform))
  if (brand !== undefined) return Either.right({ brand, because: "platform" })
  const supported = [...new Set(candidates.flatMap(({ platforms }) => platforms.slice(0, 1).map(platformName)))]
  return Either.left(new PlatformUnsupported({ ...platform, supported }))
}
