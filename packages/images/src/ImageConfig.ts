/** How an image's programs are run, and what its layers are: the config blob of OCI and Docker images. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Digest from "./Digest.js"
import { InvalidManifest } from "./ImageError.js"
import { Platform } from "./Platform.js"

const text = Schema.optionalWith(Schema.String, { nullable: true, default: () => "" })
const texts = Schema.optionalWith(Schema.Array(Schema.String), { nullable: true, default: () => [] })
const pairs = Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.String }), { nullable: true, default: () => ({}) })
const keys = Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.Unknown }), { nullable: true, default: () => ({}) })

/** What is run, unless the pod says otherwise. Empty text and empty lists mean: not said. @category schemas */
export const Process = Schema.Struct({
  /** `uid`, `uid:gid`, `name` or `name:group`; names are those of the image's own `/etc/passwd` and `/etc/group`. */
  user: text.pipe(Schema.fromKey("User")),
  entrypoint: texts.pipe(Schema.fromKey("Entrypoint")),
  cmd: texts.pipe(Schema.fromKey("Cmd")),
  /** `NAME=value` each. */
  env: texts.pipe(Schema.fromKey("Env")),
  workingDir: text.pipe(Schema.fromKey("WorkingDir")),
  /** `SIGTERM`, or a number of the image's own platform. */
  stopSignal: text.pipe(Schema.fromKey("StopSignal")),
  /** Keys are `port/protocol`. */
  exposedPorts: keys.pipe(Schema.fromKey("ExposedPorts")),
  /** Keys are paths. */
  volumes: keys.pipe(Schema.fromKey("Volumes")),
  labels: pairs.pipe(Schema.fromKey("Labels"))
})

/** @category models */
export type Process = typeof Process.Type

/** One step of the image's making. @category schemas */
export const History = Schema.Struct({
  created: text,
  createdBy: text.pipe(Schema.fromKey("created_by")),
  author: text,
  comment: text,
  /** The step added no layer. */
  emptyLayer: Schema.optionalWith(Schema.Boolean, { nullable: true, default: () => false }).pipe(Schema.fromKey("empty_layer"))
})

/** @category models */
export type History = typeof History.Type

/** The config blob. @category schemas */
export const ImageConfig = Schema.Struct({
  ...Platform.fields,
  /** RFC 3339; empty if not said. */
  created: text,
  author: text,
  process: Schema.optionalWith(Process, { nullable: true, default: () => Schema.decodeSync(Process)({}) }).pipe(Schema.fromKey("config")),
  rootfs: Schema.Struct({
    type: Schema.optionalWith(Schema.String, { default: () => "layers" }),
    /** Digests of the unpacked layers (tar), lowest first. */
    diffIds: Schema.optionalWith(Schema.Array(Digest.Digest), { nullable: true, default: () => [] }).pipe(Schema.fromKey("diff_ids"))
  }),
  history: Schema.optionalWith(Schema.Array(History), { nullable: true, default: () => [] })
})

/** @category models */
export type ImageConfig = typeof ImageConfig.Type

/** The config of an image of which nothing but its platform and layers is known. @category constructors */
export const make = (platform: Platform, diffIds: ReadonlyArray<Digest.Digest>, process: Partial<Process> = {}): ImageConfig => ({
  ...platform,
  created: "",
  author: "",
  process: { ...decodeProcess({}), ...process },
  rootfs: { type: "layers", diffIds },
  history: []
})

const decodeProcess = Schema.decodeSync(Process)
const decodeConfig = Schema.decodeUnknown(Schema.parseJson(ImageConfig))
const encodeConfig = Schema.encodeSync(ImageConfig)

/** Reads a config blob. `source` is where it came from, for messages. @category constructors */
export const decode = (bytes: Uint8Array, source: string): Effect.Effect<ImageConfig, InvalidManifest> =>
  Effect.mapError(
    decodeConfig(new TextDecoder().decode(bytes)),
    (error) => new InvalidManifest({ source, what: "image config", reason: error.message })
  )

const isEmpty = (value: unknown): boolean =>
  value === "" || value === false || (Array.isArray(value) && value.length === 0) ||
  (typeof value === "object" && value !== null && Object.keys(value).length === 0)

const compact = (value: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([, entry]) => !isEmpty(entry)))

/** The bytes of a config blob: the same config gives the same bytes. What was not said is left out. @category combinators */
export const encode = (config: ImageConfig): Uint8Array => {
  const encoded = encodeConfig(config)
  return new TextEncoder().encode(JSON.stringify({
    ...compact({ ...encoded, config: encoded.config == null ? {} : compact({ ...encoded.config }), history: (encoded.history ?? []).map((step) => compact({ ...step })) }),
    // Required by the format, empty or not.
    architecture: encoded.architecture ?? "",
    os: encoded.os ?? "",
    rootfs: encoded.rootfs
  }))
}
