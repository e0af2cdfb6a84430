/** The images of an agent's host: where they are kept, and how registries are reached. */
import { FileSystem } from "@effect/platform"
import { BlobStore, ExtendedAttributes, ImageStore, LayerStore, RegistryClient, type RegistryOptions } from "@reddwarf/images"
import { DatasetName, Zfs } from "@reddwarf/storage-zfs"
import { Data, Effect, Layer, Option, ParseResult, Schema } from "effect"
import { join } from "node:path"
import { parse as parseYaml } from "yaml"
import * as Host from "./Host.js"

export class RegistriesInvalid extends Data.TaggedError("RegistriesInvalid")<{ readonly message: string }> {}

const HostEntry = Schema.Struct({
  scheme: Schema.optionalWith(Schema.Literal("http", "https"), { exact: true }),
  address: Schema.optionalWith(Schema.String, { exact: true }),
  mirrors: Schema.optionalWith(Schema.Array(Schema.String), { exact: true }),
  ca: Schema.optionalWith(Schema.String, { exact: true }),
  skipTlsVerify: Schema.optionalWith(Schema.Boolean, { exact: true }),
  concurrency: Schema.optionalWith(Schema.Int.pipe(Schema.between(1, 64)), { exact: true })
})

const decode = Schema.decodeUnknown(Schema.Record({ key: Schema.String, value: HostEntry }), { onExcessProperty: "error" })

/** What a file says about registries: a mapping from hosts to how they are reached. `ca` is the PEM text itself. */
export const readRegistries = (file: Option.Option<string>): Effect.Effect<RegistryOptions.Options, RegistriesInvalid, FileSystem.FileSystem> =>
  Option.match(file, {
    onNone: () => Effect.succeed({}),
    onSome: (path) =>
      Effect.gen(function*() {
        const failed = (detail: string) => new RegistriesInvalid({ message: `registries file ${path}: ${detail}` })
        const text = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(path)).pipe(Effect.mapError((error) => failed(error.message)))
        const parsed: unknown = yield* Effect.try({ try: () => parseYaml(text) ?? {}, catch: () => failed("it is neither YAML nor JSON") })
        const hosts = yield* Effect.mapError(decode(parsed), (error) => failed(ParseResult.TreeFormatter.formatErrorSync(error)))
        return { hosts }
      })
  })

/** Where images are kept. */
export interface Settings {
  readonly host: Host.Host
  readonly dataDir: string
  readonly storagePool: DatasetName.DatasetName
  readonly imagesDataset: Option.Option<DatasetName.DatasetName>
}

/** The dataset of all images. */
export const dataset = (settings: Settings): DatasetName.DatasetName =>
  Option.getOrElse(settings.imagesDataset, () => DatasetName.child(settings.storagePool, "images"))

/** Images of the host that the runner works on. */
export const layer = (settings: Settings) => {
  const images = dataset(settings)
  const directory = join(settings.dataDir, "images")
  const realPath = Host.realPath(settings.host, settings.dataDir)
  return ImageStore.layer({ images, directory }).pipe(
    Layer.provideMerge(LayerStore.layerZfs({ images, realPath })),
    Layer.provideMerge(Layer.mergeAll(
      Zfs.layer,
      // The files of a simulated host are those of this machine, whose tools it does not have.
      settings.host === "sim" ? ExtendedAttributes.layerNone : ExtendedAttributes.layer,
      BlobStore.layer({ directory: join(directory, "content") })
    ))
  )
}

/** A client of registries, through the proxy of the environment where one is named. */
export const registries = (options: RegistryOptions.Options) => RegistryClient.layer({ ...options, proxy: process.env })
