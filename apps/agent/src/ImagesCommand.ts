/** `reddwarf-agent images …`: the images of this host, for its operator. The agent may run meanwhile. */
import { Args, Command, Options } from "@effect/cli"
import { FileSystem } from "@effect/platform"
import { Program, Settings } from "@reddwarf/cli"
import {
  BlobStore,
  type Image,
  ImageArchive,
  ImageConfig,
  ImageReference,
  ImageStore,
  Keyring,
  LayerStore,
  OciLayout,
  Platform,
  type PullEvent,
  RegistryClient,
  RootTarball,
  ZoneArchive,
  ZoneCapture
} from "@reddwarf/images"
import { CommandRunner, ZoneName } from "@reddwarf/runtime-illumos"
import { Clock, Console, Data, Duration, Effect, Layer, Option, Schema, Stream } from "effect"
import * as Host from "./Host.js"
import * as ImageHost from "./ImageHost.js"
import * as ImageOutput from "./ImageOutput.js"
import * as RunSettings from "./RunSettings.js"

export class ImageCommandFailed extends Data.TaggedError("ImageCommandFailed")<{ readonly message: string }> {}

const place = {
  config: Settings.file,
  dataDir: RunSettings.dataDir,
  host: RunSettings.host,
  storagePool: RunSettings.options.storagePool,
  imagesDataset: RunSettings.options.imagesDataset
}

const output = Options.choice("output", ImageOutput.formats).pipe(
  Options.withAlias("o"),
  Options.withDefault("table" as const),
  Options.withDescription("a table for people or JSON for programs")
)

const brand = Options.text("brand").pipe(
  Options.filterMap((text) => /^[a-z][a-z0-9-]{0,30}$/.test(text) ? Option.some(text) : Option.none(), "brand must be the name of a zone brand such as lx"),
  Options.optional,
  Options.withDescription("zone brand the image is for, such as lx or sparse; decides the platform")
)

const platform = Options.text("platform").pipe(
  Options.filterMap((text) => Option.fromNullable(Platform.parse(text)), "platform must be OS/ARCHITECTURE such as linux/amd64"),
  Options.optional,
  Options.withDescription("platform of the image, such as linux/amd64; default linux/amd64 (brand lx)")
)

const names = Options.text("name").pipe(Options.repeated, Options.withDescription("name with a tag to give the image; may be given several times"))

const wantedOf = (settings: { readonly brand: Option.Option<string>; readonly platform: Option.Option<Platform.Platform> }): Platform.Wanted =>
  Option.match(settings.platform, {
    onSome: (only) => ({ ...Platform.only(only), ...(Option.isSome(settings.brand) ? { brand: settings.brand.value } : {}) }),
    onNone: () => Platform.forBrand(Option.getOrElse(settings.brand, () => "lx"))
  })

/** Runs with the images of the host; refuses a machine that is no illumos host. */
const withImages = <A, E, R>(settings: ImageHost.Settings, effect: Effect.Effect<A, E, R>) =>
  Effect.zipRight(
    Host.check(settings.host),
    Effect.provide(effect, ImageHost.layer(settings).pipe(Layer.provideMerge(Host.commandRunner(settings.host, settings.dataDir))))
  )

const printImages = (format: ImageOutput.Format, images: ReadonlyArray<Image.Image>) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => Console.log(ImageOutput.images(format, images, now)))

/** On standard error: what is printed on standard output is the answer. */
const tellProgress = (event: PullEvent.PullEvent) => {
  const line = ImageOutput.progress(event)
  return line === "" ? Effect.void : Console.error(line)
}

const list = Command.make("list", { ...place, output }, (settings) =>
  withImages(settings, Effect.flatMap(ImageStore.ImageStore, ({ list }) => Effect.flatMap(list, (images) => printImages(settings.output, images)))))
  .pipe(Command.withDescription("List the images of this host"))

const readAuth = (file: Option.Option<string>) =>
  Option.match(file, {
    onNone: () => Effect.succeed(Keyring.empty),
    onSome: (path) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const text = yield* Effect.mapError(fs.readFileString(path), (error) => new ImageCommandFailed({ message: `auth file ${path}: ${error.message}` }))
        return yield* Keyring.fromConfig(text, { source: path })
      })
  })

const pull = Command.make("pull", {
  ...place,
  output,
  brand,
  platform,
  policy: Options.choice("policy", ["Always", "IfNotPresent", "Never"]).pipe(
    Options.withDefault("Always" as const),
    Options.withDescription("whether to ask the registry when the image is here")
  ),
  authFile: Options.text("auth-file").pipe(Options.optional, Options.withDescription("credentials: a Docker config.json")),
  registries: RunSettings.registries,
  image: Args.text({ name: "image" })
}, (settings) =>
  Effect.gen(function*() {
    const keyring = yield* readAuth(settings.authFile)
    const options = yield* ImageHost.readRegistries(settings.registries)
    const pulled = Effect.gen(function*() {
      const client = yield* RegistryClient.RegistryClient
      const store = yield* ImageStore.ImageStore
      const { image } = yield* store.pull({
        image: settings.image,
        policy: settings.policy,
        wanted: wantedOf(settings),
        open: (reference) => Effect.succeed(client.source(reference, keyring)),
        onEvent: tellProgress
      })
      return yield* printImages(settings.output, [image])
    })
    return yield* withImages(settings, Effect.provide(pulled, ImageHost.registries(options)))
  })).pipe(Command.withDescription("Fetch an image from a registry"))

const readConfig = (file: Option.Option<string>, platform: Platform.Platform) =>
  Option.match(file, {
    onNone: () => Effect.succeed(ImageConfig.make(platform, [])),
    onSome: (path) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const bytes = yield* Effect.mapError(fs.readFile(path), (error) => new ImageCommandFailed({ message: `config ${path}: ${error.message}` }))
        return yield* ImageConfig.decode(bytes, path)
      })
  })

const ociConfig = Options.text("oci-config").pipe(Options.optional, Options.withDescription("OCI image config in JSON that says what is run; its layers are replaced"))

/** Saved names that say nothing but a tag are no names by themselves. */
const usableNames = (given: ReadonlyArray<string>, saved: ReadonlyArray<string>): ReadonlyArray<string> =>
  given.length > 0 ? given : saved.filter((name) => /[/:]/.test(name) && ImageReference.parse(name)._tag === "Right")

const importArchive = (path: string, given: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const store = yield* ImageStore.ImageStore
    const { layer, manifest } = yield* ZoneArchive.open(path)
    const references = given.length > 0 ? given : manifest.references
    const { brand, config, payload } = manifest
    return [yield* store.create({ config, layers: [layer], kind: payload.kind, references, origin: "archive", ...(brand === undefined ? {} : { brand }) })]
  })

const importImages = (path: string, settings: {
  readonly name: ReadonlyArray<string>
  readonly rootfs: boolean
  readonly ociConfig: Option.Option<string>
  readonly brand: Option.Option<string>
  readonly platform: Option.Option<Platform.Platform>
}) =>
  Effect.scoped(Effect.gen(function*() {
    const store = yield* ImageStore.ImageStore
    const fs = yield* FileSystem.FileSystem
    const wanted = wantedOf(settings)
    const info = yield* Effect.mapError(fs.stat(path), (error) => new ImageCommandFailed({ message: `${path}: ${error.message}` }))
    if (settings.rootfs) {
      const config = yield* readConfig(settings.ociConfig, wanted.platforms[0])
      const source = yield* RootTarball.open(path, { platform: wanted.platforms[0], process: config.process })
      return [yield* store.add({ source, references: settings.name, wanted, onEvent: tellProgress })]
    }
    if (path.endsWith(ZoneArchive.extension)) return yield* importArchive(path, settings.name)
    const found = yield* info.type === "Directory" ? OciLayout.open(path) : ImageArchive.open(path)
    if (found.length > 1 && settings.name.length > 0) return yield* Program.wrongUsage(`${path} holds ${found.length} images: they keep the names they were saved with`)
    return yield* Effect.forEach(found, ({ names: saved, source }) =>
      store.add({ source, references: usableNames(settings.name, saved), wanted, onEvent: tellProgress }))
  }))

/** What was copied from files only to be unpacked is not kept. */
const withoutLeftovers = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const blobs = yield* BlobStore.BlobStore
    const before = new Set((yield* blobs.list).map(({ digest }) => digest))
    const tidy = Effect.gen(function*() {
      for (const { digest } of yield* blobs.list) if (!before.has(digest)) yield* blobs.remove(digest)
    })
    return yield* Effect.ensuring(effect, Effect.catchAll(tidy, (error) => Effect.logWarning("content of an import stays behind", error)))
  })

const importCommand = Command.make("import", {
  ...place,
  output,
  brand,
  platform,
  name: names,
  ociConfig,
  rootfs: Options.boolean("rootfs").pipe(Options.withDescription("the file is a tar archive of a root file system, such as those made for lx zones")),
  path: Args.text({ name: "path" })
}, (settings) =>
  withImages(settings, Effect.flatMap(withoutLeftovers(importImages(settings.path, settings)), (images) => printImages(settings.output, images))))
  .pipe(Command.withDescription("Put in images from a zone archive (.zar), an OCI layout, a file of docker save or a root tarball"))

const kind = Options.choice("format", ["tar", "zfs"]).pipe(
  Options.withDefault("tar" as const),
  Options.withDescription("tar: for any host; zfs: a stream of zfs send, for hosts of your own")
)

const compression = Options.choice("compression", ["zstd", "gzip", "none"]).pipe(Options.withDefault("zstd" as const), Options.withDescription("how the archive is packed"))

const writeArchive = (image: Image.Image, path: string, settings: { readonly kind: "tar" | "zfs"; readonly compression: "zstd" | "gzip" | "none" }) =>
  Effect.gen(function*() {
    const layers = yield* LayerStore.LayerStore
    const top = yield* Effect.flatMap(layers.find(image.chainId), Option.match({
      onNone: () => new ImageCommandFailed({ message: `the layers of ${image.id} are gone` }),
      onSome: Effect.succeed
    }))
    const content = settings.kind === "zfs" ? layers.send(top) : Stream.unwrap(Effect.map(layers.files(top), ZoneArchive.fromFolder))
    return yield* ZoneArchive.write({ path, brand: image.brand, references: image.references, config: image.config, kind: settings.kind, compression: settings.compression, content })
  })

const exportCommand = Command.make("export", {
  ...place,
  brand,
  platform,
  kind,
  compression,
  image: Args.text({ name: "image" }),
  path: Args.text({ name: "file" })
}, (settings) =>
  withImages(settings, Effect.gen(function*() {
    const store = yield* ImageStore.ImageStore
    const said = Option.isSome(settings.brand) || Option.isSome(settings.platform)
    const image = yield* store.inspect(settings.image, said ? wantedOf(settings) : undefined)
    const { payload } = yield* writeArchive(image, settings.path, settings)
    return yield* Console.log(`wrote ${settings.path}: ${payload.path}, ${ImageOutput.size(payload.size)}, ${payload.digest}`)
  }))).pipe(Command.withDescription("Write an image to a zone archive (.zar)"))

const minAge = Options.text("min-age").pipe(
  Options.withDefault("0 seconds"),
  Options.filterMap((text) => Option.map(Schema.decodeUnknownOption(Schema.NumberFromString.pipe(Schema.nonNegative()))(text.replace(/ ?(?:s|seconds?)$/, "")), Duration.seconds), "min-age must be a number of seconds"),
  Options.withDescription("seconds an image must have been unused")
)

const prune = Command.make("prune", {
  ...place,
  output,
  all: Options.boolean("all").pipe(Options.withAlias("a"), Options.withDescription("remove all images that nobody uses, not only those without a name")),
  minAge
}, (settings) =>
  withImages(settings, Effect.gen(function*() {
    const store = yield* ImageStore.ImageStore
    const collected = yield* store.prune({ all: settings.all, minAge: Duration.toMillis(settings.minAge) })
    return yield* Console.log(ImageOutput.collected(settings.output, collected))
  }))).pipe(Command.withDescription("Remove images that nobody uses"))

const remove = Command.make("remove", { ...place, images: Args.text({ name: "image" }).pipe(Args.atLeast(1)) }, (settings) =>
  withImages(settings, Effect.gen(function*() {
    const store = yield* ImageStore.ImageStore
    // All are tried, so that one that is in use does not keep the others.
    const refused = yield* Effect.forEach(settings.images, (name) =>
      store.remove(name).pipe(
        Effect.flatMap((left) => Console.log(left === undefined ? `removed ${name}` : `removed the name ${name}; the image has ${left.references.join(", ")}`)),
        Effect.as([]),
        Effect.catchAll((error) => Effect.succeed([error.message]))
      ))
    const messages = refused.flat()
    yield* messages.length === 0 ? Effect.void : new ImageCommandFailed({ message: messages.join("\n") })
  }))).pipe(Command.withDescription("Remove images or names of images"))

const zoneName = Options.text("zone").pipe(
  Options.filterMap((text) => Schema.decodeOption(ZoneName.ZoneName)(text), "zone must be the name of a zone"),
  Options.optional,
  Options.withDescription("halted zone whose root becomes the image")
)

const build = Command.make("build", {
  ...place,
  output,
  brand,
  platform,
  name: names,
  ociConfig,
  kind,
  compression,
  zone: zoneName,
  detach: Options.boolean("detach").pipe(Options.withDescription("detach the zone while its root is read, so that its brand takes this host's traces out")),
  root: Options.text("root").pipe(Options.optional, Options.withDescription("folder whose content becomes the image")),
  archive: Options.text("archive").pipe(Options.optional, Options.withDescription("also write the image to this zone archive (.zar)"))
}, (settings) =>
  withImages(settings, Effect.gen(function*() {
    const { root, zone } = settings
    if (Option.isSome(zone) === Option.isSome(root)) return yield* Program.wrongUsage("give either --zone or --root")
    const wanted = wantedOf(settings)
    const config = yield* readConfig(settings.ociConfig, wanted.platforms[0])
    const runner = yield* CommandRunner.CommandRunner
    const image = yield* Option.match(zone, {
      onSome: (zone) =>
        ZoneCapture.capture(runner, {
          zone,
          references: settings.name,
          process: config.process,
          detach: settings.detach,
          images: ImageHost.dataset(settings),
          realPath: Host.realPath(settings.host, settings.dataDir)
        }),
      onNone: () =>
        ZoneCapture.fromFolder(Option.getOrElse(root, () => ""), { references: settings.name, config, ...(Option.isSome(settings.brand) ? { brand: settings.brand.value } : {}) })
    })
    if (Option.isSome(settings.archive)) {
      const { payload } = yield* writeArchive(image, settings.archive.value, settings)
      yield* Console.error(`wrote ${settings.archive.value}: ${payload.path}, ${ImageOutput.size(payload.size)}`)
    }
    return yield* printImages(settings.output, [image])
  }))).pipe(Command.withDescription("Make an image from a zone or a folder"))

export const images = Command.make("images").pipe(
  Command.withDescription("The images of this host"),
  Command.withSubcommands([list, pull, importCommand, exportCommand, prune, remove, build])
)
